"""The loops that a cell watches, put together of their messages: one race a cell. What
is said of it stands among the cell's outputs.
"""

from collections.abc import Callable

from tutor.errors import WireError
from tutor.kernel.outputs import Done, Notice, Output, Payload, Watching
from tutor.training import explain
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, Race, Stopped
from tutor.training.spec import RaceSpec
from tutor.training.watched import Watched, WatchedRace

Keep = Callable[[RaceSpec, Points | Finding | Finished], None]


class OwnLoops:
    """Of one cell."""

    def __init__(self, keep: Keep, told: Callable[[Race], None]) -> None:
        """`keep` gets what comes before `told` hears that the race has changed."""
        self._keep = keep
        self._told = told
        self._watched: WatchedRace | None = None
        self._lost = False

    def take(self, output: Output) -> list[Output]:
        """The output; or what is said of a loop, in its place."""
        if isinstance(output, Done):
            self._end(output)
            return [output]
        if not isinstance(output, Payload):
            return [output]
        if not isinstance(output.message.body, Watched):
            return [output]
        try:
            return self._add(output.message.id, output.message.body)
        except (ValueError, WireError) as error:
            return self._say_lost(error)

    def _add(self, id: str, body: Watched) -> list[Output]:
        begins = self._watched is None
        watched = self._watched or WatchedRace(id)
        arrived = watched.take(body)
        self._watched = watched
        self._tell(watched, *arrived)
        said: list[Output] = [Watching(watched.race)] if begins else []
        findings = [each for each in arrived if isinstance(each, Finding)]
        return [*said, *(Notice("\n".join(explain.lines(each))) for each in findings)]

    def _end(self, done: Done) -> None:
        if self._watched is not None:
            stopped: Stopped = "finished" if done.status == "ok" else "interrupted"
            self._tell(self._watched, self._watched.end(stopped))

    def _tell(
        self, watched: WatchedRace, *arrived: Points | Finding | Finished
    ) -> None:
        for each in arrived:
            self._keep(watched.race.spec, each)
        self._told(watched.race)

    def _say_lost(self, error: Exception) -> list[Output]:
        if self._lost:
            return []
        self._lost = True
        return [Notice(f"Some points of your loop were lost: {error}")]
