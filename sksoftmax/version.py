"""The version of this package, which saved models carry."""

__version__ = "0.1.0"
