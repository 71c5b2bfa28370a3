"""A race as TensorBoard's event files: a folder for each run, a scalar for each loss and
parameter. Uses tensorboard's own protocol buffers and record writer (extra tensorboard),
which load no torch.
"""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tutor.exports import table
from tutor.picture import Picture
from tutor.training import words
from tutor.training.run import Race, Run

MOST = 10_000
"""Points of a curve; TensorBoard shows a thousand of them unless told otherwise."""


def write(race: Race, path: Path, picture: Picture | None = None) -> Path:
    """A new event file for each run, beside older ones. Raises OSError."""
    for name, run in race.runs.items():
        folder = path / _as_folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        settings = words.command(race.spec) or words.settings_line(race.spec)
        _write_run(folder, run, settings)
    return path


def _as_folder(name: str) -> str:
    plain = "".join(each if each.isalnum() or each in " .-_" else "_" for each in name)
    return plain.strip(" .") or "run"


def _write_run(folder: Path, run: Run, settings: str) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    now = time.time()
    name = f"events.out.tfevents.{now:.6f}.{socket.gethostname()}.{os.getpid()}"
    with (folder / name).open("wb") as file:
        writer = RecordWriter(file)
        first = Event(wall_time=now, file_version="brain.Event:2")
        writer.write(first.SerializeToString())
        writer.write(_text("settings", settings, now).SerializeToString())
        for iteration, scalars in _scalars(run):
            event = Event(wall_time=now, step=iteration)
            for tag, value in scalars:
                event.summary.value.add(tag=tag, simple_value=value)
            writer.write(event.SerializeToString())


def _scalars(run: Run) -> Iterator[tuple[int, list[tuple[str, float]]]]:
    step = len(run.losses) // MOST + 1
    for number, (iteration, _, loss, test, params) in enumerate(table.rows(run)):
        if number % step and iteration != run.last:
            continue
        scalars = (
            [("loss", loss)] if test is None else [("loss", loss), ("test loss", test)]
        )
        yield (
            iteration,
            scalars + [(f"parameters/{key}", params[key]) for key in params],
        )


def _text(tag: str, text: str, now: float) -> Any:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto

    plugin = SummaryMetadata.PluginData(plugin_name="text")
    value = Summary.Value(
        tag=tag,
        metadata=SummaryMetadata(plugin_data=plugin),
        tensor=TensorProto(dtype="DT_STRING", string_val=[text.encode()]),
    )
    return Event(wall_time=now, step=0, summary=Summary(value=[value]))
