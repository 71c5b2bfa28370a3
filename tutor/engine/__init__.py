"""Runs in the kernel, and is the only code of ours that imports torch."""
