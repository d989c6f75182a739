"""engine: which tasks to train together, in how many models, within a budget, with a proof.

Everything a user needs is an attribute of this package, imported when it is first touched; the names and
their modules stand in ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
