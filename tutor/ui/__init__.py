"""The app: the only package that imports textual and rich."""
