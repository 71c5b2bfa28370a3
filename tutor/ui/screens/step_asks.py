"""StepAsks: what is typed in the stepper, and the first two things that are: predictions
and searches. Each is one `Ask`; `takers` tells who takes its answer.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual import on, work

from tutor.errors import TutorError
from tutor.graph import predict, search, values
from tutor.graph.predict import Gate
from tutor.graph.requests import TraceRequest
from tutor.graph.steps import walk
from tutor.graph.trace import Trace
from tutor.safetext import safe
from tutor.ui import look
from tutor.ui.look import Glyph
from tutor.ui.screens.step_moves import StepMoves, key_of
from tutor.ui.widgets.ask_line import Ask, AskLine

if TYPE_CHECKING:
    from tutor.session import Session

_NUDGES = 1.37, 0.61
"""The leaves times these, and a little more, are the other points of an expression.
The signs stay, so that a logarithm has a value there too."""
_EMPTY_LINES_SHOW = 2
"""So many empty answers in a row show the number."""


class StepAsks(StepMoves):
    """The part of the stepper that is typed to."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self.session = session
        self.request: TraceRequest | None = None
        """How the trace came to be, where it was asked of the engine."""
        self._empty_answers = 0
        self.others: list[Trace] = []
        """The same code at other leaves, once an expression asked for it."""

    @property
    def line(self) -> AskLine:
        """Where it is typed."""
        return self.query_one(AskLine)

    # ----------------------------------------------------------------- the line's life

    def ask(self, ask: Ask) -> None:
        """Ask at once: the keys go into the line."""
        self.stand_still()
        self.line.show(ask)
        self.line.enter()

    @on(AskLine.Entered)
    def _follow_typing(self, event: AskLine.Entered) -> None:
        event.stop()
        self.mode = "edit"

    @on(AskLine.Left)
    def _leave_line(self, event: AskLine.Left) -> None:
        event.stop()
        self.leave_line()

    def leave_line(self) -> None:
        """The keys are the screen's again; a prediction stays asked for."""
        self.mode = "command"
        self.set_focus(None)
        if self.line.ask is not None and not self.line.ask.stays:
            self.line.close()
        self.show_question()

    @on(AskLine.Given)
    async def _take(self, event: AskLine.Given) -> None:
        event.stop()
        self.takers()[event.ask.purpose](event.text)

    def takers(self) -> dict[str, Callable[[str], None]]:
        """What takes an answer, by the purpose of its question."""
        return {"predict": self._take_prediction, "search": self._take_search}

    def refuse(self, sentence: str) -> None:
        """What was typed cannot be taken; the line stays."""
        self.line.say(safe(sentence), look.WARN)

    def done(self, sentence: str = "", style: str = "") -> None:
        """What was typed is taken: the line goes."""
        self.line.close()
        self.mode = "command"
        if sentence:
            self.say(safe(sentence), style)
        self.show_question()

    # ------------------------------------------------------------------ predictions

    def ask_prediction(self, gate: Gate) -> None:
        self.show_question()
        self.line.enter()

    def show_question(self) -> None:
        """The line shows what is to be predicted here, if anything is."""
        if self.line.is_typing and self.line.ask and not self.line.ask.stays:
            return
        here = self.where.place
        gate = self.open_gate(here, here + 1)
        if gate is not None:
            step = self.look.key("right")
            self.line.show(
                Ask(
                    "predict",
                    f"Predict {safe(gate.asks).plain} before you step:",
                    hint=f"A number or an expression; {step} to type it.",
                    stays=True,
                )
            )
        elif self.line.ask is not None and self.line.ask.purpose == "predict":
            self._empty_answers = 0
            self.line.close()
            self.mode = "command"

    def action_predict(self) -> None:
        """Ask for every number from here on, or no more than the lesson does."""
        walked = self.walked
        if walked is None:
            return
        self.predicts_all = not self.predicts_all
        if not self.predicts_all:
            self.say("Numbers are shown as you step.")
        elif self.open_gate(self.where.place, len(walked.steps)) is None:
            self.predicts_all = False
            self.say("From here on there is no single number to predict.")
        else:
            self.say("Each number is asked for before it is shown; p ends that.")
        self.show_question()
        self.refresh_frame()

    def _take_prediction(self, typed: str) -> None:
        here = self.where.place
        gate = self.open_gate(here, here + 1)
        if gate is None:
            self.show_question()
            return
        if not typed:
            self._take_nothing(gate)
        elif self.walked and predict.is_expression(self.walked, typed):
            self.line.say("Trying it at other points too" + self.look[Glyph.ELLIPSIS])
            self._judge_expression(gate, typed)
        else:
            self._judge(gate, typed)

    def _take_nothing(self, gate: Gate) -> None:
        self._empty_answers += 1
        if self._empty_answers >= _EMPTY_LINES_SHOW:
            self._pass(gate, knew=False)
        else:
            key = self.look.key("enter")
            self.line.say(f"Guess, that is how it is learnt. {key} once more shows it.")

    @work(group="predict", exclusive=True)
    async def _judge_expression(self, gate: Gate, typed: str) -> None:
        """torch's own numbers at two other points decide, beside the one here."""
        if not self.others and self.study is not None:
            for nudge in _NUDGES:
                moved = _moved(self.study.trace, nudge)
                try:
                    self.others.append(await self.trace_again(moved))
                except TutorError:
                    break  # this one cannot be run again: here is all there is
        self._judge(gate, typed)

    def _judge(self, gate: Gate, typed: str) -> None:
        walked = self.walked
        if walked is None or self.open_gate(gate.place - 1, gate.place) is not gate:
            return
        others = [walk(each, walked.order, build=walked.builds) for each in self.others]
        judged = predict.judge(gate, typed, [walked, *others])
        if judged.right:
            self._pass(gate, knew=True)
            mark = self.look[Glyph.RIGHT]
            self.say(safe(self.look.text(f"{mark} {judged.sentence}")), look.GOOD)
            return
        self._empty_answers = 0 if judged.unread else 1
        mark = "" if judged.unread else self.look[Glyph.WRONG] + " "
        tail = ""
        if not judged.unread:
            tail = f" {self.look.key('enter')} alone shows it."
            self.line.field.value = ""
        said = self.look.text(f"{mark}{judged.sentence}{tail}")
        self.line.say(safe(said), look.WARN if judged.unread else look.BAD)

    def _pass(self, gate: Gate, *, knew: bool) -> None:
        """The number may be shown: the step is taken."""
        self._empty_answers = 0
        self.predicted[key_of(gate)] = knew
        self.line.close()
        self.mode = "command"
        self.go(gate.place)

    async def trace_again(self, values: dict[str, Any]) -> Trace:
        """The same code at other leaves; TutorError when it cannot be run again."""
        if self.study is None:
            raise TutorError("Nothing is recorded yet.")
        return await self.session.retrace(self.study.trace, self.request, values)

    # ----------------------------------------------------------------------- search

    def action_search_steps(self) -> None:
        hint = "A name, an op, a module, or a line's number."
        self.ask(Ask("search", "Search:", hint=hint))

    def _take_search(self, typed: str) -> None:
        walked = self.walked
        if walked is None or not typed:
            self.done()
            return
        self.found = search.search(walked, typed)
        if not self.found:
            self.refuse(f"No step has to do with {typed!r}.")
            return
        self.done()
        self.action_next_found()


def _moved(trace: Trace, nudge: float) -> dict[str, Any]:
    """The leaves of a trace at another point."""
    return {
        value.name: shaped(
            [each * nudge + math.copysign(nudge / 7, each) for each in value.summary.values],
            value.summary.shape,
        )
        for value in values.leaves(trace)
        if value.name and value.role == "leaf" and value.summary.values is not None
    }  # fmt: skip


def shaped(flat: list[float], shape: tuple[int, ...]) -> Any:
    """Nested lists of that shape; the number alone for ()."""
    if not shape:
        return flat[0]
    size = len(flat) // shape[0] if shape[0] else 0
    return [
        shaped(flat[place * size : (place + 1) * size], shape[1:])
        for place in range(shape[0])
    ]
