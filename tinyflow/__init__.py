"""TinyFlow: from a trained model to a verified int8 firmware bundle."""

__version__ = "0.1.0"
