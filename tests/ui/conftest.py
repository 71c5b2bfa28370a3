"""What every UI test uses: an app with a fake kernel, and the screen as text."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.types import PropertyFilter, PropertyMatcher, SerializableData
from textual.app import App
from textual.pilot import Pilot

DEADLINE_S = 30.0
SIZES = [(40, 12), (80, 24), (120, 40)]


def screen_text(app: App[Any]) -> str:
    """What is on the screen, a line each, without trailing spaces.

    The one place that uses this private call of Textual's compositor.
    """
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


async def wait_until(pilot: Pilot[Any], holds: Callable[[], object]) -> None:
    """Let the app work until `holds()` is true; fails after a generous deadline."""
    deadline = monotonic() + DEADLINE_S
    while not holds():
        if pilot.app._exception is not None:  # it will not get any further
            raise pilot.app._exception
        assert monotonic() < deadline, f"in vain; shown:\n{screen_text(pilot.app)}"
        await pilot.pause()


async def wait_for_text(pilot: Pilot[Any], text: str) -> str:
    """Wait until the screen shows `text`; the screen then."""
    await wait_until(pilot, lambda: text in screen_text(pilot.app))
    return screen_text(pilot.app)


async def type_text(pilot: Pilot[Any], text: str) -> None:
    """Press the keys of a text, line by line."""
    names = {" ": "space", "\n": "enter"}
    await pilot.press(*(names.get(each, each) for each in text))


class TextSnapshot(SingleFileSnapshotExtension):
    """A screen as a readable text file, reviewed like source."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    def serialize(
        self,
        data: SerializableData,
        *,
        exclude: PropertyFilter | None = None,
        include: PropertyFilter | None = None,
        matcher: PropertyMatcher | None = None,
    ) -> str:
        return str(data)


@pytest.fixture
def screen_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """`assert screen_text(app) == screen_snapshot`."""
    return snapshot.use_extension(TextSnapshot)
