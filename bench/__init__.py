"""Every speed claim of the README as a runnable comparison: `python -m bench`."""
