"""A race as a picture in a file, or as a report in text: the loss curves, unless another
picture is given, its settings and how each run ended.
"""

from collections.abc import Sequence
from pathlib import Path

from tutor.picture import LETTERS, Marks, Picture
from tutor.pictures.svg import svg
from tutor.plotting import CurveLook, loss_curves, suggests_log
from tutor.safetext import safe_line
from tutor.training import words
from tutor.training.run import Race

WIDTH, HEIGHT = 100, 30
_ZOOM = 2
"""A cell of a PNG is 16 by 32 pixels."""


def curves(race: Race, marks: Marks = "braille") -> Picture:
    """The loss curves as a file shows them."""
    return loss_curves(
        race, WIDTH, HEIGHT, CurveLook(log=suggests_log(race)), marks=marks
    )


def write_svg(race: Race, path: Path, picture: Picture | None) -> Path:
    """Raises OSError."""
    path.write_text(_svg(race, picture), encoding="utf-8")
    return path


def write_png(race: Race, path: Path, picture: Picture | None) -> Path:
    """The same as the SVG, drawn by resvg (extra png); its letters need a font that the
    machine has. Raises OSError.
    """
    import resvg_py

    path.write_bytes(resvg_py.svg_to_bytes(svg_string=_svg(race, picture), zoom=_ZOOM))
    return path


def _svg(race: Race, picture: Picture | None) -> str:
    shown = picture or _with_legend(race, curves(race))
    return svg(shown, race.spec.title or words.settings_line(race.spec))


def write_text(race: Race, path: Path, picture: Picture | None) -> Path:
    """The picture, told apart by letters as a file has no colours; settings; ends; the
    command that computes it again, if there is one. Raises OSError.
    """
    shown = picture or curves(race, "letters")
    command = words.command(race.spec)
    lines = [*shown.lines, "", *legend(race), *(["", command] if command else [])]
    text = "".join(f"{line.rstrip()}\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


def legend(race: Race) -> list[str]:
    """The settings, and a line for each run."""
    rows = [
        (
            LETTERS[number],
            safe_line(run.spec.name, 20),
            "" if race.spec.watched else f"batch {run.spec.samples_per_iteration}",
            f"loss {words.number(run.last_loss) if run.last >= 0 else '-'}",
            words.standing(race, run),
        )
        for number, run in enumerate(race.runs.values())
    ]
    return [words.settings_line(race.spec), *aligned(rows)]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they need, to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text.rjust(width) for text, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _with_legend(race: Race, shown: Picture) -> Picture:
    lines = ["", *legend(race)]
    return Picture((*shown.lines, *lines), (*shown.patches, *(() for _ in lines)))
