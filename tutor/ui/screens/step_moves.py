"""StepMoves: how keys move through a walk: steps, nodes, jumps, by itself, to a stop.

All that a key changes is one `Where`. A number that is to be predicted stands in the
way: `ask_prediction` is called there, and nothing behind it is shown.
"""

import bisect
import itertools
from dataclasses import dataclass, field, replace
from typing import Literal

from textual.reactive import reactive
from textual.timer import Timer

from tutor.graph.predict import Gate
from tutor.graph.search import Found, consumers, producer
from tutor.graph.steps import Order, Walk
from tutor.graph.study import Study
from tutor.graph.views import Level, View
from tutor.safetext import safe
from tutor.ui.screens.frame import FrameScreen

Shown = Literal["picture", "values", "text"]

PACES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Steps a second of a walk that goes by itself."""
_CLOSER: tuple[Level, ...] = ("overview", "compact", "boxes", "autograd")
"""From the widest view to the closest."""
_PAN = 8, 3
"""Cells that a picture moves at one key, across and down."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where the learner is, and how it is shown."""

    place: int = 0
    """Steps taken."""
    order: Order = "engine"
    shown: Shown = "picture"
    view: View = field(default_factory=View)
    pan: tuple[int, int] = (0, 0)
    """Cells that the picture was moved by hand; a step takes it back."""


class StepMoves(FrameScreen[bool]):
    """The part of the stepper that knows where it is."""

    where: reactive[Where] = reactive(Where(), init=False)
    """All that a key changes."""

    def __init__(self) -> None:
        super().__init__()
        self.study: Study | None = None
        """None while the code is recorded."""
        self.predicted: dict[object, bool] = {}
        """By what was asked: whether the learner knew it; False: it was shown."""
        self.predicts_all = False
        """Whether the learner asked to be asked for every number."""
        self.found: tuple[Found, ...] = ()
        """Of the last search."""
        self._pace = 1
        self._clock: Timer | None = None

    @property
    def walked(self) -> Walk | None:
        """The walk in the present order; None while the code is recorded."""
        return None if self.study is None else self.study.walk(self.where.order)

    @property
    def walks_by_itself(self) -> bool:
        return self._clock is not None

    @property
    def pace(self) -> float:
        """Steps a second."""
        return PACES[self._pace]

    # ------------------------------------------------------------------ predictions

    def ask_prediction(self, gate: Gate) -> None:
        """The walk waits before this number."""
        raise NotImplementedError

    def gates(self) -> tuple[Gate, ...]:
        """All numbers that are or were asked for, in the order of the walk."""
        if self.study is None:
            return ()
        words = ("all",) if self.predicts_all else self.study.predict
        return self.study.gates(self.where.order, words) if words else ()

    def open_gate(self, start: int, end: int) -> Gate | None:
        """The first number without an answer that is shown on the way."""
        gates = self.gates()
        first = bisect.bisect_right(gates, start, key=lambda gate: gate.place)
        for gate in itertools.islice(gates, first, None):
            if gate.place > end:
                return None
            if key_of(gate) not in self.predicted:
                return gate
        return None

    # ----------------------------------------------------------------------- moving

    def go(self, place: int) -> None:
        """To a place; not past a number that is to be predicted."""
        walked = self.walked
        if walked is None:
            return
        here = self.where.place
        place = max(0, min(place, len(walked.steps)))
        gate = self.open_gate(here, place)
        if gate is not None:
            place = gate.place - 1
        self.where = replace(self.where, place=place, pan=(0, 0))
        if gate is not None:
            self.stand_still()
            self.ask_prediction(gate)

    def action_step_forward(self) -> None:
        self.stand_still()
        self.go(self.where.place + 1)

    def action_step_back(self) -> None:
        self.stand_still()
        self.go(self.where.place - 1)

    def action_next_node(self) -> None:
        if (walked := self.walked) is not None:
            self.go(walked.next_stop(self.where.place))

    def action_previous_node(self) -> None:
        if (walked := self.walked) is not None:
            self.go(walked.previous_stop(self.where.place))

    def action_first_step(self) -> None:
        self.go(0)

    def action_last_step(self) -> None:
        if (walked := self.walked) is not None:
            self.go(len(walked.steps))

    def jump(self, number: int) -> None:
        """To the end of the node of that number; 0: to the start."""
        walked = self.walked
        if walked is None:
            return
        if number > len(walked.stops):
            self.say(
                f"There are {len(walked.stops)} nodes, so {number} is none of them."
            )
        else:
            self.go(walked.stops[number - 1] if number else 0)
        self.refresh_frame()

    def action_to_producer(self) -> None:
        """Where the value in front comes from."""
        walked = self.walked
        made = None if walked is None else producer(walked, self.where.place)
        if made is None:
            self.say("Nothing before this made it.")
        else:
            self.go(made.place)

    def action_to_consumer(self) -> None:
        """Where the value in front is used next."""
        walked = self.walked
        uses = () if walked is None else consumers(walked, self.where.place)
        later = [each for each in uses if each.place > self.where.place]
        if not uses:
            self.say("Nothing uses it.")
        else:
            self.go((later or uses)[0].place)

    def action_switch_order(self) -> None:
        """The other order; the same number of nodes was walked."""
        walked = self.walked
        if walked is None:
            return
        stop = walked.stop(self.where.place)
        order: Order = "slide" if self.where.order == "engine" else "engine"
        self.where = replace(self.where, order=order, place=0, pan=(0, 0))
        if stop and (other := self.walked) is not None:
            self.go(other.stops[stop - 1])
        whose = "the slides'" if order == "slide" else "torch's own"
        self.say(f"Backward in {whose} order.")

    # ----------------------------------------------------------------- by itself

    def action_walk_alone(self) -> None:
        """Step by step, until the end, a breakpoint or a question."""
        if self._clock is not None:
            self.stand_still()
            return
        walked = self.walked
        if walked is not None and self.where.place >= len(walked.steps):
            self.go(0)
        self._clock = self.set_interval(1 / self.pace, self._step_alone)
        self.refresh_frame()

    def stand_still(self) -> None:
        """No step by itself any more."""
        if self._clock is not None:
            self._clock.stop()
            self._clock = None
            self.refresh_frame()

    def _step_alone(self) -> None:
        walked, here = self.walked, self.where.place
        if walked is None:
            return
        if not self.stop_at_break(walked, here + 1):
            self.go(here + 1)
        if self.where.place >= len(walked.steps):
            self.stand_still()

    def stop_at_break(self, walked: Walk, place: int) -> bool:
        """Whether a breakpoint is met at that place; then it is gone to."""
        return False

    def action_faster(self) -> None:
        self._set_pace(self._pace + 1)

    def action_slower(self) -> None:
        self._set_pace(self._pace - 1)

    def _set_pace(self, pace: int) -> None:
        self._pace = max(0, min(pace, len(PACES) - 1))
        if self._clock is not None:
            self._clock.stop()
            self._clock = self.set_interval(1 / self.pace, self._step_alone)
        self.say(f"{self.pace:g} steps a second.")
        self.refresh_frame()

    # ------------------------------------------------------------------------ search

    def action_next_found(self) -> None:
        self._to_found(forward=True)

    def action_previous_found(self) -> None:
        self._to_found(forward=False)

    def _to_found(self, *, forward: bool) -> None:
        if not self.found:
            self.say("Nothing was searched for yet: press /.")
            return
        places = sorted({each.place for each in self.found})
        here = self.where.place
        ahead = [
            place for place in places if (place > here if forward else place < here)
        ]
        if forward:
            place = ahead[0] if ahead else places[0]
        else:
            place = ahead[-1] if ahead else places[-1]
        self.go(place)
        count = f"{places.index(place) + 1} of {len(places)}"
        text = next(each.text for each in self.found if each.place == place)
        self.say(safe(f"{count}: {text}"))

    # ------------------------------------------------------------------- how it looks

    def action_switch_view(self) -> None:
        self._show_as("picture" if self.where.shown == "text" else "text")

    def action_switch_values(self) -> None:
        self._show_as("picture" if self.where.shown == "values" else "values")

    def _show_as(self, shown: Shown) -> None:
        self.where = replace(self.where, shown=shown)

    def action_closer(self) -> None:
        self._set_level(1)

    def action_wider(self) -> None:
        self._set_level(-1)

    def _set_level(self, by: int) -> None:
        if self.study is None:
            return
        offered = self.study.views(self.where.order).levels(self.where.place)
        levels = [each for each in _CLOSER if each in offered]
        level = self.where.view.level
        place = levels.index(level) if level in levels else 0
        new = levels[max(0, min(place + by, len(levels) - 1))]
        if new == level:
            self.say(
                "There is no closer view." if by > 0 else "There is no wider view."
            )
        view = replace(self.where.view, level=new)
        self.where = replace(self.where, view=view, pan=(0, 0))

    def action_fold(self) -> None:
        """Open or close the group of the step."""
        if self.study is None:
            return
        view = self.where.view
        group = self.study.views(self.where.order).group_at(self.where.place, view)
        if group is None:
            self.say("Nothing is folded here.")
            return
        view = replace(view, expanded=view.expanded ^ {group})
        self.where = replace(self.where, view=view, pan=(0, 0))

    def action_pan(self, across: int, down: int) -> None:
        """Move the picture by hand."""
        x, y = self.where.pan
        pan = x + across * _PAN[0], y + down * _PAN[1]
        self.where = replace(self.where, pan=pan)

    def action_pan_left(self) -> None:
        self.action_pan(-1, 0)

    def action_pan_right(self) -> None:
        self.action_pan(1, 0)

    def action_pan_up(self) -> None:
        self.action_pan(0, -1)

    def action_pan_down(self) -> None:
        self.action_pan(0, 1)


def key_of(gate: Gate) -> object:
    """What a gate asks for, whatever the order of the walk."""
    reveal = gate.reveal
    op = reveal.op if reveal.kind == "local" else None  # others may come by another op
    return reveal.kind, reveal.value, op, reveal.position, reveal.number
