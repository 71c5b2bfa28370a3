"""RacePanel: the runs of a race, its settings, and where each run stands at the cursor;
or all that in one line where there is no room. Pure texts in a Plain; keys are the
screen's.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

from textual.content import Content

from tutor.picture import LETTERS
from tutor.safetext import safe_line
from tutor.training import catalogue
from tutor.training.axis import short
from tutor.training.run import Race, Run
from tutor.training.words import number
from tutor.ui import look
from tutor.ui.look import CURVES, Glyph, Look

_LOSS = 11
"""Columns of the letter and its loss, at least."""
_COLUMN = range(6, 11)
"""Columns of a number beside them, its space included."""
LEAST_ROWS = 3
"""Settings that are shown however little room there is."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A row that can be turned."""

    name: str
    value: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A race as it is looked at."""

    race: Race
    at: int
    """The iteration; -1: there is none yet."""
    hidden: frozenset[str]
    here: str = ""
    """The run whose picture is shown; "": no picture is of one run."""
    newest: bool = True
    """It is the newest iteration."""


def panel(
    standing: Standing,
    settings: Sequence[Setting],
    foot: Sequence[str],
    table: Look,
    size: tuple[int, int],
) -> Content:
    """The lines beside the plot, as many as there are rows. `foot`: said last, quietly;
    its later lines give way first."""
    width, height = size
    above = [*_runs(standing, table, width), Content()]
    below = [Content(), *_standing(standing, table, width)]
    room = height - len(above) - len(below)
    said = [
        Content.styled(f" {line}", look.QUIET)
        for each in foot
        for line in wrap(each, width - 2)
    ]
    spare = room - len(settings) - 1
    if spare > 0:
        below += [Content(), *_first(said, spare, table, width)]
        room = len(settings)
    shown = _window(settings, max(room, LEAST_ROWS), table, width)
    lines = [*above, *shown, *below]
    return Content("\n").join(each.truncate(width) for each in lines)


def _first(
    lines: Sequence[Content], count: int, table: Look, width: int
) -> Sequence[Content]:
    """So many of them, with a sign at the end when there are more."""
    if len(lines) <= count:
        return lines
    sign = table[Glyph.ELLIPSIS]
    last = lines[count - 1].truncate(width - len(sign))
    return [*lines[: count - 1], Content.assemble(last, (sign, look.QUIET))]


def one_line(
    standing: Standing, settings: Sequence[Setting], table: Look, width: int
) -> Content:
    """The losses, as exactly as there is room, and the marked setting."""
    said = Content()
    for setting in settings:
        if setting.marked:
            value = f"{table[Glyph.LEFT]} {setting.value} {table[Glyph.GO]}"
            said = Content.assemble(f"{setting.name} ", (value, look.HERE))
    lines = (_losses(standing, decimals) for decimals in (3, 2, 1, 0, -1))
    *_, losses = _until_fits(lines, width - said.cell_length - 2)
    gap = width - losses.cell_length - said.cell_length
    if gap < 1:  # the losses of six runs
        return Content.assemble(
            losses.truncate(width - said.cell_length - 1), " ", said
        )
    return Content.assemble(losses, " " * gap, said)


def _until_fits(lines: Iterable[Content], room: int) -> Iterable[Content]:
    for line in lines:
        yield line
        if line.cell_length <= room:
            return


def _losses(standing: Standing, decimals: int) -> Content:
    return Content("  ").join(
        Content.assemble(
            (LETTERS[at], CURVES[at]), f" {_loss(run, standing.at, decimals)}"
        )
        for at, run in enumerate(standing.race.runs.values())
        if run.spec.name not in standing.hidden
    )


def _runs(standing: Standing, table: Look, width: int) -> Iterable[Content]:
    for at, run in enumerate(standing.race.runs.values()):
        name, hidden = run.spec.name, run.spec.name in standing.hidden
        aside = "hidden" if hidden else _batch(standing, run)
        shown = safe_line(name, max(4, width - len(aside) - 6))
        gap = width - 4 - len(shown) - len(aside)
        mark = table[Glyph.GO] if name == standing.here else " "
        style = look.QUIET if hidden else f"{look.STRONG} {CURVES[at]}"
        yield Content.assemble(
            (mark, look.HERE), (LETTERS[at], style), (f" {shown}", look.QUIET if hidden else ""),
            " " * max(1, gap), (aside, look.QUIET),
        )  # fmt: skip


def _batch(standing: Standing, run: Run) -> str:
    """How many points an iteration looks at; "" where that says nothing."""
    without = standing.race.spec.watched or run.spec.dataset in catalogue.FUNCTIONS
    if without or run.spec.of:
        return ""
    return f"batch {run.spec.at(max(0, standing.at)).samples_per_iteration}"


def _window(
    settings: Sequence[Setting], room: int, table: Look, width: int
) -> Iterable[Content]:
    """The settings about the marked one, and signs that there are more."""
    marked = next((at for at, each in enumerate(settings) if each.marked), 0)
    first = min(max(0, marked - room // 2), max(0, len(settings) - room))
    shown = settings[first : first + room]
    for at, setting in enumerate(shown):
        more = ""
        if at == 0 and first > 0:
            more = table[Glyph.UP_ARROW]
        elif at == len(shown) - 1 and first + room < len(settings):
            more = table[Glyph.DOWN_ARROW]
        line = _setting(setting, table, width - 2 if more else width)
        gap = " " * max(1, width - 1 - line.cell_length)
        yield Content.assemble(line, gap, (more, look.QUIET)) if more else line


def _setting(setting: Setting, table: Look, width: int) -> Content:
    name = f"{setting.name:<11}"
    room = max(4, width - len(name) - 5)
    value = setting.value
    if len(value) > room:
        value = _range(value)
    if len(value) > room:
        value = value[: room - 1] + table[Glyph.ELLIPSIS]
    if not setting.marked:
        return Content.assemble(f" {name}  ", value)
    return Content.assemble(
        (table[Glyph.HERE], look.HERE),
        (name, look.STRONG),
        (f"{table[Glyph.LEFT]} ", look.HERE),
        (value, look.STRONG),
        (f" {table[Glyph.GO]}", look.HERE),
    )


def _range(values: str) -> str:
    """From the least to the largest, where they are numbers: 0.05-0.2."""
    try:
        numbers = sorted(values.split(", "), key=float)
    except ValueError:
        return values
    return f"{numbers[0]}-{numbers[-1]}"


def _standing(standing: Standing, table: Look, width: int) -> Iterable[Content]:
    race, at = standing.race, standing.at
    if at < 0:
        return
    names = ["test"] if any(run.spec.test for run in race.runs.values()) else []
    first = next(iter(race.runs.values()))
    names = [*names, *list(first.last_params)[:3]]
    end = at if race.spec.watched else max(at, race.spec.iterations)
    lead = max(_LOSS, len(f"at {end} loss"))  # the same on the way
    each = _wide(len(names), width - lead)
    names = names[: (width - lead) // each]
    head = f" at {at}"
    gap = max(lead - len(head), len(" loss"))
    head = f"{head}{'loss':>{gap}}"[-lead:]
    head += "".join(f"{name[: each - 1]:>{each}}" for name in names)
    yield Content.styled(head, look.QUIET if standing.newest else look.HERE)
    for curve, run in enumerate(race.runs.values()):
        known = {**_params(run, at), "test": _test_loss(run, at)}
        rest = Content(
            "".join(f"{fitted(known.get(name), each - 1):>{each}}" for name in names)
        )
        left = race.diverged_at(run.spec.name)
        if left is not None and (standing.newest or at > left):
            end_words = f" diverged at {left}"
            if lead + len(end_words) > width:
                end_words = " diverged"
            rest = Content.styled(end_words, look.BAD)
        elif 0 <= run.last < at and (run.spec.of or run.last >= run.spec.iterations):
            rest = Content.styled(f" at {run.last}", look.QUIET)
        letter = (LETTERS[curve], f"{look.STRONG} {CURVES[curve]}")
        loss = _loss(run, at, room=lead - 3)
        yield Content.assemble(" ", letter, f"{loss:>{lead - 2}}", rest)


def _wide(count: int, room: int) -> int:
    """Columns of each of so many numbers, or of as many as have room."""
    each = room // max(count, 1)
    while each < _COLUMN[0] and count > 1:
        count -= 1
        each = room // count
    return min(max(each, _COLUMN[0]), _COLUMN[-1])


def fitted(value: float | None, room: int) -> str:
    """As many digits, up to three decimals, as have room; "" for None."""
    if value is None:
        return ""
    texts = [number(value, decimals) for decimals in (3, 2, 1, 0)]
    if math.isfinite(value):
        for text in (f"{value:.{digits}g}" for digits in (3, 2, 1)):
            texts += [text, short(float(text))]
    return next((each for each in texts if len(each) <= room), "…"[:room])


def _loss(run: Run, at: int, decimals: int = 3, room: int = 0) -> str:
    """Not computed yet is said so; it is no 0. `decimals` -1: as short as can be; `room`:
    as long as that."""
    if run.last < 0:
        return "-"
    moment = None if at >= run.last else run.at(at)
    loss = run.last_loss if at >= run.last else moment.loss if moment else None
    if loss is None:
        return "-"
    if room:
        return fitted(loss, room)
    if decimals < 0 and math.isfinite(loss):
        return short(float(f"{loss:.1g}"))
    return number(loss, max(decimals, 0))


def _params(run: Run, at: int) -> dict[str, float]:
    """Of a model with few; of the last iteration where it ended before."""
    if at >= run.last:
        return run.last_params
    moment = run.at(at)
    return {} if moment is None else moment.params


def _test_loss(run: Run, at: int) -> float | None:
    moment = run.at(at)
    return None if moment is None else moment.test_loss
