"""Many numbers at once: as the bytes that an array holds, and as text, base64 of eight
bytes each, little-endian, exact. As decimals they cost a kernel that computes ten times
as much to write, and are twice as long.
"""

from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from struct import error, pack, unpack


def packed(numbers: Sequence[float]) -> str:
    """As text; nan and infinities too."""
    content = pack(f"<{len(numbers)}d", *numbers)
    return b2a_base64(content, newline=False).decode("ascii")


def unpacked(text: str) -> tuple[float, ...]:
    """The inverse. Raises ValueError where it is none."""
    content = a2b_base64(text, strict_mode=True)
    try:
        return unpack(f"<{len(content) // 8}d", content)
    except error as wrong:
        raise ValueError(str(wrong)) from wrong


def doubles(numbers: Sequence[float]) -> bytes:
    """For `frombytes` of an array of type "d": its `extend` takes five times as long."""
    return pack(f"{len(numbers)}d", *numbers)


def integers(numbers: Sequence[int]) -> bytes:
    """The same for type "q"."""
    return pack(f"{len(numbers)}q", *numbers)
