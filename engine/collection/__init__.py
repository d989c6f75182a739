"""Collecting gains by training: which groups, in what order, how often, and how far to trust them."""
