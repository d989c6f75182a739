"""Many networks of one structure as one: every weight has a leading axis of members.

Activations are laid out (members, features, samples), so that a layer of all members is one batched
product with the weights on its left, and what a layer hands on is contiguous. A first axis of 1 means
that all members see the same. Layers are differentiated by hand where that is short; the others go
through autograd.
"""
