"""What a lesson's graph and train cells ask of the engine, for every front end alike."""

import msgspec

from tutor.graph.requests import TraceRequest
from tutor.lesson.schema import GraphCell, TrainCell
from tutor.training import options
from tutor.training.spec import RaceSpec

_NOT_SETTINGS = (
    *("kind", "id", "aliases", "title", "text", "math", "ask"),
    *("view", "seeds", "settings", "speed", "diverges"),
)


def race_of(cell: TrainCell) -> RaceSpec:
    """The race of a train cell; options.SpecError when its settings make none."""
    table = {
        name: value
        for name, value in msgspec.structs.asdict(cell).items()
        if name not in _NOT_SETTINGS and value is not None and value != {}
    }
    table["runs"] = [
        {
            name: value
            for name, value in msgspec.structs.asdict(run).items()
            if value is not None and value != {}
        }
        for run in cell.runs
    ]
    if cell.title:
        table["title"] = cell.title
    return options.race(table)


def trace_of(cell: GraphCell) -> TraceRequest:
    """What the stepper records for a graph cell; it may use the lesson's names."""
    return TraceRequest(
        code=cell.code,
        at=dict(cell.at),
        dtype=cell.dtype,
        root=cell.root,
        from_namespace=True,
    )
