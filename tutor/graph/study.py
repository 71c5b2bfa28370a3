"""Study: all that is made of one trace for looking at it, each thing made once. Pure."""

from collections.abc import Mapping, Sequence

from tutor.graph import refer
from tutor.graph.badges import Badges
from tutor.graph.predict import Gate, gates
from tutor.graph.steps import Order, Walk, walk
from tutor.graph.text import Lines
from tutor.graph.trace import Trace
from tutor.graph.views import Views


class Study:
    """A trace with its walks, pictures, captions and gates, by the order of the walk."""

    def __init__(
        self,
        trace: Trace,
        *,
        predict: Sequence[str] = (),
        captions: Mapping[str, str] | None = None,
        build: bool = False,
        backward: bool = True,
    ) -> None:
        """All but the trace: as a lesson's graph cell has them."""
        self.trace = trace if backward else trace.forward()
        self.predict = tuple(predict)
        self._captions = dict(captions or {})
        self._build = build
        self._walks: dict[Order, Walk] = {}
        self._views: dict[Order, Views] = {}
        self._badges: dict[Order, Badges] = {}
        self._lines: dict[Order, Lines] = {}
        self._said: dict[Order, dict[int, str]] = {}
        self._gates: dict[tuple[Order, tuple[str, ...]], tuple[Gate, ...]] = {}

    def walk(self, order: Order) -> Walk:
        """The steps in that order."""
        if order not in self._walks:
            self._walks[order] = walk(self.trace, order, build=self._build)
        return self._walks[order]

    def views(self, order: Order) -> Views:
        """The pictures."""
        if order not in self._views:
            self._views[order] = Views(self.walk(order))
        return self._views[order]

    def badges(self, order: Order) -> Badges:
        """What the values are."""
        if order not in self._badges:
            self._badges[order] = Badges(self.walk(order))
        return self._badges[order]

    def lines(self, order: Order) -> Lines:
        """The steps as numbered lines."""
        if order not in self._lines:
            self._lines[order] = Lines(self.walk(order))
        return self._lines[order]

    def caption(self, order: Order, place: int) -> str:
        """What a lesson says at a place; "": nothing."""
        if order not in self._said:
            walked = self.walk(order)
            self._said[order] = {
                each: words
                for key, words in self._captions.items()
                for each in refer.places(walked, key)
            }
        return self._said[order].get(place, "")

    def gates(self, order: Order, words: tuple[str, ...]) -> tuple[Gate, ...]:
        """What is to be predicted, in the order of the walk."""
        key = order, words
        if key not in self._gates:
            self._gates[key] = gates(self.walk(order), words)
        return self._gates[key]
