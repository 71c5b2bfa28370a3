"""What a program's output leaves switched on in a terminal: DEC modes, kitty keys."""

import re

ON_AT_START = frozenset({7, 25})
"""Line wrap and the visible cursor."""

_SEQUENCE = re.compile(
    rb"\x1b\[\?(?P<modes>[\d;]+)(?P<switch>[hl])|\x1b\[(?P<kitty>[<>])\d*u"
)


def left_on(output: bytes) -> set[int | str]:
    """How the terminal differs from the start after `output`; empty: it is sane."""
    on = set(ON_AT_START)
    kitty = 0
    for match in _SEQUENCE.finditer(output):
        if match["kitty"]:
            kitty = max(0, kitty + (1 if match["kitty"] == b">" else -1))
            continue
        modes = {int(mode) for mode in match["modes"].split(b";")}
        on = on | modes if match["switch"] == b"h" else on - modes
    changed: set[int | str] = set(on ^ ON_AT_START)
    return changed | {"kitty"} if kitty else changed
