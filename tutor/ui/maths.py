"""A formula in one line of Unicode, drawn as stacked fractions. Pure.

    ∂f/∂x = (∂f/∂q) · (∂q/∂x)      is drawn as      ∂f   ∂f   ∂q
                                                    ── = ── · ──
                                                    ∂x   ∂q   ∂x

A slash without spaces around it makes a fraction of what stands before and after it: a
name, a number, a call or something in parentheses. `a / b` stays as it is written.
"""

from dataclasses import dataclass

from rich.cells import cell_len

_OPENING = {")": "(", "]": "["}
_CLOSING = {opening: closing for closing, opening in _OPENING.items()}
_NAME_MARKS = frozenset("∂_.'′²³¹⁰⁴⁵⁶⁷⁸⁹⁻⁺ⁿⁱᵀᵗ₀₁₂₃₄₅₆₇₈₉ᵢⱼₙ∇Σ∑√^\u0302")


@dataclass(frozen=True, slots=True)
class _Fraction:
    over: str
    under: str

    @property
    def width(self) -> int:
        return max(cell_len(self.over), cell_len(self.under))


def stacked(line: str, bar: str = "─") -> list[str]:
    """The formula in three lines of one width; in one when it has no fraction."""
    parts = _parts(line.strip())
    if not any(isinstance(part, _Fraction) for part in parts):
        return [line.strip()]
    above, middle, below = [], [], []
    for part in parts:
        if isinstance(part, str):
            blank = " " * cell_len(part)
            above.append(blank)
            middle.append(part)
            below.append(blank)
        else:
            above.append(_centred(part.over, part.width))
            middle.append(bar * part.width)
            below.append(_centred(part.under, part.width))
    return ["".join(above).rstrip(), "".join(middle), "".join(below).rstrip()]


def _centred(text: str, width: int) -> str:
    room = width - cell_len(text)
    return " " * (room // 2) + text + " " * (room - room // 2)


def _parts(line: str) -> list[str | _Fraction]:
    parts: list[str | _Fraction] = []
    begin = position = 0
    while (slash := line.find("/", position)) >= 0:
        start = _start_of_term(line, slash)
        end = _end_of_term(line, slash + 1)
        position = slash + 1
        if start < begin or start == slash or end == slash + 1:
            continue
        over, under = _bare(line[start:slash]), _bare(line[slash + 1 : end])
        if start > begin and end < len(line) and _wraps(line, start - 1, end):
            start, end = start - 1, end + 1  # the bar does what the parentheses did
        if start > begin:
            parts.append(line[begin:start])
        parts.append(_Fraction(over, under))
        begin = position = end
    if begin < len(line):
        parts.append(line[begin:])
    return parts


def _wraps(line: str, before: int, after: int) -> bool:
    """Parentheses around exactly the fraction, which are no call's."""
    called = before > 0 and _in_name(line[before - 1])
    return line[before] == "(" and line[after] == ")" and not called


def _in_name(character: str) -> bool:
    return character.isalnum() or character in _NAME_MARKS


def _start_of_term(line: str, end: int) -> int:
    position = end
    if position and line[position - 1] in _OPENING:
        position = _partner(line, position - 1, -1)
        if position < 0:
            return end
    while position and _in_name(line[position - 1]):
        position -= 1
    return position


def _end_of_term(line: str, start: int) -> int:
    position = start
    while position < len(line) and _in_name(line[position]):
        position += 1
    if position < len(line) and line[position] in _CLOSING:
        partner = _partner(line, position, 1)
        if partner >= 0:
            position = partner + 1
            while position < len(line) and line[position] in _NAME_MARKS:
                position += 1
    return position


def _partner(line: str, position: int, step: int) -> int:
    """Where the parenthesis at `position` ends, going by `step`; -1: nowhere."""
    depth = 0
    while 0 <= position < len(line):
        if line[position] in _CLOSING:
            depth += step
        elif line[position] in _OPENING:
            depth -= step
        if depth == 0:
            return position
        position += step
    return -1


def _bare(term: str) -> str:
    """Without parentheses around all of it."""
    whole = term[:1] == "(" and _partner(term, 0, 1) == len(term) - 1
    return term[1:-1] if whole else term
