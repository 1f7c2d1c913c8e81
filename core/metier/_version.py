"""The version of metier."""

__version__ = "0.1.0"
