"""The version of this package, in a module of its own that costs nothing to read."""

__version__ = "0.1.0"
