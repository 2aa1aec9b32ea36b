"""instcolor gives old black-and-white photographs their colour back, object by object."""

__version__ = "0.1.0"
