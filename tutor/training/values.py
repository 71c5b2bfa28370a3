"""One setting at a time: what each may be, how it is read from a TOML value or from the
text of `key=value`, and what is said when it is something else. Pure.
"""

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tutor.errors import UsageError
from tutor.training import catalogue
from tutor.training.spec import CHANGEABLE


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    key: str
    """Like "lr" or "runs[2].batch", counted from 1; "" when it is about none."""
    message: str
    """A sentence."""


class SpecError(UsageError):
    """The settings make no race; `str(error)` has a line for each fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(fault.message for fault in faults))


Reader = Callable[[Any], Any]
"""Of a TOML value; ValueError when it is none of those."""


def _number(least: float, *, included: bool, most: float = math.inf) -> Reader:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError
        if not math.isfinite(value) or not least <= value <= most:
            raise ValueError
        if value == least and not included:
            raise ValueError
        return float(value)

    return read


def _whole(least: int, most: int) -> Reader:
    def read(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not least <= value <= most:
            raise ValueError
        return value

    return read


def _one_of(names: Sequence[str]) -> tuple[str, Reader]:
    def read(value: Any) -> str:
        if value not in names:
            raise ValueError
        return str(value)

    return f"{', '.join(names[:-1])} or {names[-1]}", read


def _batch(value: Any) -> int | None:
    return None if value == "all" else int(_whole(1, 1_000_000)(value))


def _widths(value: Any) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 8:
        raise ValueError
    return tuple(_whole(1, 4096)(width) for width in value)


def _start(value: Any) -> tuple[float, ...]:
    numbers = value if isinstance(value, (list, tuple)) else [value]
    if not 1 <= len(numbers) <= 3:
        raise ValueError
    return tuple(_number(-math.inf, included=True)(number) for number in numbers)


def _slip(value: Any) -> str:
    return "" if value in ("", "none") else str(_one_of(catalogue.SLIPS)[1](value))


def _device(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"cpu|cuda(:\d{1,2})?|mps|auto", value):
        return value
    raise ValueError


SETTINGS: dict[str, tuple[str, Reader]] = {
    "lr": ("a number above 0", _number(0.0, included=False)),
    "iterations": ("a whole number from 1 to 10^9", _whole(1, 10**9)),
    "batch": ("a whole number from 1, or all", _batch),
    "seed": ("a whole number from 0 to 2^53", _whole(0, 2**53)),
    "noise": ("a number from 0", _number(0.0, included=True)),
    "points": ("a whole number from 2 to 10^6", _whole(2, 1_000_000)),
    "optimiser": _one_of(catalogue.OPTIMISERS),
    "model": _one_of(catalogue.MODELS),
    "widths": ("1 to 8 whole numbers, like 16,16", _widths),
    "activation": _one_of(catalogue.ACTIVATIONS),
    "dataset": _one_of(tuple(catalogue.DATASETS)),
    "loss": _one_of(catalogue.LOSSES),
    "momentum": ("a number from 0 to 1", _number(0.0, included=True, most=1.0)),
    "decay": ("a number from 0", _number(0.0, included=True)),
    "test": ("a whole number from 0 to 10^6", _whole(0, 1_000_000)),
    "init": _one_of(catalogue.INITS),
    "start": ("1 to 3 numbers, like 0,0", _start),
    "slip": (_one_of((*catalogue.SLIPS, "none"))[0], _slip),
    "device": ("cpu, cuda, cuda:1, mps or auto", _device),
}
"""What a run is told: each key, what it may be, and its reader."""
FORK_SETTINGS: dict[str, tuple[str, Reader]] = {
    "of": ("the name of another run", lambda value: name(value)),
    "since": ("a whole number from 0 to 10^9", _whole(0, 10**9)),
}
"""Of one run only."""
WORKERS = 64
RACE_SETTINGS: dict[str, tuple[str, Reader]] = {
    "engine": _one_of(("eager", "compiled")),
    "workers": (f"a whole number from 1 to {WORKERS}", _whole(1, WORKERS)),
}
"""Of the whole race only."""


def name(value: Any) -> str:
    """The name of a run: short, on one line, and fit for `--set NAME.lr=0.1`."""
    if text(value) != value.strip() or set(value) & set(",="):
        raise ValueError
    return str(value)


def text(value: Any) -> str:
    """A short line."""
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= 60:
        return value
    raise ValueError


def checked(
    table: Mapping[str, Any],
    place: str,
    known: Mapping[str, tuple[str, Reader]],
    faults: list[Fault],
) -> dict[str, Any]:
    """The good values of a table by their key, `lr@12` among them; `place` leads to it
    in what is said of the others."""
    values = {}
    for key, value in table.items():
        plain, at, when = key.partition("@")
        if plain not in known:
            faults.append(unknown(key, place, tuple(known)))
        elif at and not _is_iteration(when):
            said = f"{place}{key} must have a whole number after the @, like lr@12."
            faults.append(Fault(place + key, said))
        elif at and plain not in CHANGEABLE:
            said = f"{', '.join(CHANGEABLE)} can change on the way, but not {plain}"
            faults.append(Fault(place + key, f"{place}{key}: {said}."))
        else:
            what, read = known[plain]
            try:
                values[f"{plain}@{int(when)}" if at else plain] = read(value)
            except ValueError:
                said = f"{place}{key} must be {what}, not {shown(value)}."
                faults.append(Fault(f"{place}{key}", said))
    return values


def _is_iteration(when: str) -> bool:
    return when.isascii() and when.isdigit() and len(when) <= 10


def unknown(key: str, place: str, known: Sequence[str]) -> Fault:
    """There is no such setting; the nearest, or all there are."""
    near = difflib.get_close_matches(key.partition("@")[0].lower(), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
    return Fault(place + key, f"There is no setting {place}{key}: {hint}")


def shown(value: Any) -> str:
    """A value in a sentence, as a reader writes it."""
    said = repr(value)
    if isinstance(value, (list, tuple)):
        said = ",".join(
            each if isinstance(each, str) else shown(each) for each in value
        )
    elif isinstance(value, float) and float(f"{value:.6g}") == value:
        said = f"{value:.6g}".replace("e+0", "e").replace("e+", "e")
    return said if len(said) <= 40 else said[:39] + "…"


def from_text(key: str, written: str) -> Any:
    """What a TOML table would hold for the text after `key=`."""
    if key in ("of", "device"):
        return written
    if key == "widths":
        parts = re.split(r"\s*[,x]\s*|\s+|(?<=\d)-", written.strip("[] "))
        return [from_text("", part) for part in parts]
    if key == "start":
        parts = re.split(r"\s*,\s*|\s+", written.strip("[]() "))
        return [from_text("", part) for part in parts]
    for kind in (int, float):
        try:
            return kind(written)
        except ValueError:
            continue
    return written


def read(key: str, written: str) -> Any:
    """The value of a setting that a reader typed; SpecError with a sentence."""
    faults: list[Fault] = []
    found = checked({key: from_text(key, written)}, "", SETTINGS, faults)
    if faults:
        raise SpecError(faults)
    return found[key]


def as_text(value: Any) -> str:
    """The inverse, for `--set`."""
    if value is None:
        return "all"
    if isinstance(value, tuple):
        return ",".join(as_text(each) for each in value)
    if isinstance(value, float):
        return repr(value).removesuffix(".0") if abs(value) < 1e15 else repr(value)
    return str(value) or "none"
