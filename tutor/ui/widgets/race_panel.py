"""RacePanel: the runs of a race, its settings, and where each run stands; or all that in
one line where there is no room. Pure texts in a Plain; keys are the screen's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

from textual.content import Content

from tutor.picture import LETTERS
from tutor.safetext import safe_line
from tutor.training.run import Race, Run
from tutor.training.words import number, settings_line
from tutor.ui import look
from tutor.ui.look import CURVES, Glyph, Look

WIDE = 36
"""Columns from which the parameters stand beside the losses."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A row that can be turned."""

    name: str
    value: str
    marked: bool


def panel(
    race: Race, settings: Sequence[Setting], scale: str, table: Look, width: int
) -> Content:
    """The lines beside the plot. `scale`: "linear" or "log"."""
    lines = [
        *_runs(race, width),
        Content(),
        *(_setting(each, table) for each in settings),
        Content(),
        *_standing(race, width),
        Content(),
        Content.styled(f" y {scale}", look.QUIET),
    ]
    if width >= WIDE:
        said = wrap(settings_line(race.spec), width - 2)
        lines += [Content(), *(Content.styled(f" {line}", look.QUIET) for line in said)]
    return Content("\n").join(lines)


def one_line(
    race: Race, settings: Sequence[Setting], table: Look, width: int
) -> Content:
    """The losses, as exactly as there is room, and the marked setting."""
    said = Content()
    for setting in settings:
        if setting.marked:
            value = f"{table[Glyph.LEFT]} {setting.value} {table[Glyph.GO]}"
            said = Content.assemble(f"{setting.name} ", (value, look.HERE))
    lines = (_losses(race, decimals) for decimals in (3, 2, 1, 0))
    *_, losses = _until_fits(lines, width - said.cell_length - 2)
    gap = width - losses.cell_length - said.cell_length
    return Content.assemble(losses, " " * max(1, gap), said)


def _until_fits(lines: Iterable[Content], room: int) -> Iterable[Content]:
    for line in lines:
        yield line
        if line.cell_length <= room:
            return


def _losses(race: Race, decimals: int) -> Content:
    return Content("  ").join(
        Content.assemble((LETTERS[at], CURVES[at]), f" {_loss(run, decimals)}")
        for at, run in enumerate(race.runs.values())
    )


def _runs(race: Race, width: int) -> Iterable[Content]:
    for at, run in enumerate(race.runs.values()):
        batch = f"batch {run.spec.samples_per_iteration}"
        name = safe_line(run.spec.name, max(4, width - len(batch) - 6))
        gap = width - 4 - len(name) - len(batch)
        yield Content.assemble(
            " ", (LETTERS[at], f"{look.STRONG} {CURVES[at]}"), f" {name}",
            " " * max(1, gap), (batch, look.QUIET),
        )  # fmt: skip


def _setting(setting: Setting, table: Look) -> Content:
    name = f"{setting.name:<11}"
    if not setting.marked:
        return Content.assemble(f" {name}  ", setting.value)
    return Content.assemble(
        (table[Glyph.HERE], look.HERE),
        (name, look.STRONG),
        (f"{table[Glyph.LEFT]} ", look.HERE),
        (setting.value, look.STRONG),
        (f" {table[Glyph.GO]}", look.HERE),
    )


def _standing(race: Race, width: int) -> Iterable[Content]:
    if race.iteration < 0:
        return
    names = list(next(iter(race.runs.values())).last_params) if width >= WIDE else []
    at = f" at {race.iteration}"
    head = f"{at:<7}{'loss':>4}" + "".join(f"{name:>10}" for name in names)
    yield Content.styled(head, look.QUIET)
    for curve, run in enumerate(race.runs.values()):
        params = "".join(
            f"{number(run.last_params.get(name), 3):>10}" for name in names
        )
        rest = Content(params)
        if run.end is not None and run.end.stopped == "diverged":
            rest = Content.styled(f" diverged at {run.end.iteration}", look.BAD)
        elif 0 <= run.last < race.iteration:
            rest = Content.styled(f" at {run.last}", look.QUIET)
        letter = (LETTERS[curve], f"{look.STRONG} {CURVES[curve]}")
        yield Content.assemble(" ", letter, f"{_loss(run):>9}", rest)


def _loss(run: Run, decimals: int = 3) -> str:
    """Not computed yet is said so; it is no 0."""
    if run.last < 0:
        return "-"
    return number(run.last_loss, decimals)
