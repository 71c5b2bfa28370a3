"""A terminal tutor for PyTorch. Imports nothing: importing any part runs this."""

__version__ = "0.1.0"
