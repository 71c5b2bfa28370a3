"""Error help: what an exception of PyTorch means and what to do, in a sentence or two.

Keyed on the exception's type and a short part of its message that is stable across
versions; a test brings about each of them on the installed torch. Pure.
"""


def error_help(ename: str, evalue: str) -> str | None:
    """The help for an exception of this type name and message; None: none is known."""
    return None
