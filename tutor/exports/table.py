"""Points as comma-separated values (RFC 4180): the columns of a race, and its rows. Pure
but for `write`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tutor.picture import Picture
from tutor.training import catalogue
from tutor.training.run import Points, Race, Run
from tutor.training.spec import RaceSpec

Row = tuple[int, int, float, float | None, Mapping[str, float]]
"""Iteration, samples, loss, loss on the test data (None: there are none), parameters."""


class Columns:
    """Which there are: the same for all runs of a race."""

    def __init__(self, spec: RaceSpec, parameters: Sequence[str] | None = None) -> None:
        """`parameters`: their names where the spec does not tell them (a watched one)."""
        if parameters is None:
            names = (catalogue.parameters(run.model, run.dataset) for run in spec.runs)
            parameters = [name for each in names for name in each]
        self._parameters = tuple(dict.fromkeys(parameters))
        self._tests = any(run.test for run in spec.runs)

    @property
    def head(self) -> str:
        """Their names, as a line."""
        tests = ("test_loss",) if self._tests else ()
        names = ("run", "iteration", "samples", "loss", *tests, *self._parameters)
        return ",".join(map(quoted, names)) + "\n"

    def line(self, run: str, row: Row) -> str:
        """A point; what it does not have is empty."""
        iteration, samples, loss, test, params = row
        fields = [quoted(run), str(iteration), str(samples), repr(loss)]
        if self._tests:
            fields.append("" if test is None else repr(test))
        known = (params.get(name) for name in self._parameters)
        fields += ["" if value is None else repr(value) for value in known]
        return ",".join(fields) + "\n"


def point_rows(points: Points) -> Iterator[Row]:
    """Points as they came."""
    names, columns = list(points.params), list(points.params.values())
    for index, loss in enumerate(points.losses):
        params = {
            name: column[index] for name, column in zip(names, columns, strict=True)
        }
        test = points.test_losses[index] if points.test_losses else None
        samples = points.samples + index * points.per_iteration
        yield points.start + index, samples, loss, test, params


def rows(run: Run) -> Iterator[Row]:
    """The points that are held, and the last one."""
    tests = run.test_curve.values
    names = list(run.params)
    for index, loss in enumerate(run.losses):
        iteration = index * run.stride
        if iteration < run.spec.since or (math.isnan(loss) and iteration != run.last):
            continue  # it never came
        params = {name: run.params[name][index] for name in names}
        test = tests[index] if index < len(tests) else None
        yield iteration, run.samples[index], loss, test, params
    if run.last >= 0 and run.last % run.stride:
        each = run.spec.at(run.last).samples_per_iteration
        held = (len(run.losses) - 1) * run.stride
        samples = run.samples[-1] + (run.last - held) * each
        yield run.last, samples, run.last_loss, None, run.last_params


def write(race: Race, path: Path, picture: Picture | None = None) -> Path:
    """All points that are held. Raises OSError."""
    parameters = [name for run in race.runs.values() for name in run.params]
    columns = Columns(race.spec, parameters)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(columns.head)
        for name, run in race.runs.items():
            file.writelines(columns.line(name, row) for row in rows(run))
    return path


def quoted(text: str) -> str:
    """A field of text."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set('",\n') else text
