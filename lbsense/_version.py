"""The version, which every floor may name."""

__all__ = ["__version__"]

__version__ = "0.1.0"
