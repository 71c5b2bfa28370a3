"""Figure: one measured comparison, and the table of all."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Ours and another's, measured alternately in one run of this machine."""

    what: str
    ours: float | None
    """None: it could not be measured."""
    other: float | None
    """None: there is nothing to compare with."""
    unit: str
    limit: str
    """The promise, as text."""
    kept: bool | None
    """None: nothing was promised."""
    note: str = ""

    def row(self) -> tuple[str, ...]:
        ratio = ours = ""
        if self.ours is not None:
            ours = f"{self.ours:.1f} {self.unit}"
            ratio = "" if self.other is None else f"{self.ours / self.other:.2f}x"
        other = "" if self.other is None else f"{self.other:.1f}"
        verdict = {None: "", True: "kept", False: "MISSED"}[self.kept]
        return self.what, ours, other, ratio, self.limit, verdict, self.note


def table(figures: Sequence[Figure]) -> str:
    """Aligned columns, a figure a line."""
    head = ("what", "ours", "other", "ratio", "limit", "", "")
    rows = [head, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie, interpolated."""
    if share == 0.5:
        return statistics.median(values)
    return statistics.quantiles(values, n=100, method="inclusive")[int(share * 100) - 1]
