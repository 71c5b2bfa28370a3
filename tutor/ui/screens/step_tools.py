"""StepTools: what is done with a walk beside walking it: breakpoints, questions, another
value for a leaf, a file.
"""

import ast
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work

from tutor.errors import TutorError
from tutor.graph import breaks, checked, compare, export, flow, values
from tutor.graph.breaks import Break
from tutor.graph.steps import Walk
from tutor.graph.trace import Summary, Trace, Value
from tutor.safetext import safe
from tutor.ui import look
from tutor.ui.look import Glyph
from tutor.ui.screens.step_asks import StepAsks, shaped
from tutor.ui.widgets.ask_line import Ask

if TYPE_CHECKING:
    from tutor.session import Session


class StepTools(StepAsks):
    """The part of the stepper that has the tools."""

    def __init__(self, session: "Session") -> None:
        super().__init__(session)
        self.breaks: tuple[Break, ...] = ()
        self.changed: frozenset[int] = frozenset()
        """Values that the change of a leaf made other."""
        self.report: tuple[str, ...] = ()
        """How the walk differs from the one before, in lines."""
        self._edited: dict[str, object] = {}
        """Leaves that were given other values, and those."""

    def takers(self) -> dict[str, Callable[[str], None]]:
        return {
            **super().takers(),
            "break": self._take_breaks,
            "edit": self._take_leaf,
            "export": self._take_file,
        }

    def take_trace(self, trace: Trace) -> None:
        """Walk another trace of the same code, from the same place."""
        raise NotImplementedError

    # ------------------------------------------------------------------ breakpoints

    def action_set_breaks(self) -> None:
        set_now = ", ".join(breaks.words(each) for each in self.breaks)
        hint = "nan; a gradient > 1e3 or < 1e-7; op relu, line 4, module net.0, leaf w, shape"
        self.ask(Ask("break", "Stop at:", set_now, hint))

    def _take_breaks(self, typed: str) -> None:
        walked = self.walked
        if walked is None:
            return
        try:
            self.breaks = tuple(
                breaks.parse(each.strip()) for each in typed.split(",") if each.strip()
            )
        except ValueError as error:
            self.refuse(str(error))
            return
        hits = breaks.all_hits(walked, self.breaks)
        if not self.breaks:
            self.done("No breakpoint is set.")
        elif not hits:
            self.done("Nothing in this walk is to be stopped at.")
        else:
            count = len(hits)
            places = "place" if count == 1 else "places"
            self.done(f"{count} {places} to stop at; c goes to the next.")
        self.refresh_frame()
        self.show_marks()

    def show_marks(self) -> None:
        """The minimap shows where the breakpoints are."""

    def action_next_break(self) -> None:
        self._to_break(forward=True)

    def action_previous_break(self) -> None:
        self._to_break(forward=False)

    def _to_break(self, *, forward: bool) -> None:
        walked = self.walked
        if walked is None:
            return
        hit = breaks.next_hit(walked, self.where.place, self.breaks, forward=forward)
        if hit is None:
            self.say("No breakpoint " + ("after" if forward else "before") + " this.")
            return
        self.go(hit.place)
        if self.where.place == hit.place:
            self.say(safe(hit.why), look.HERE)

    def stop_at_break(self, walked: Walk, place: int) -> bool:
        if not self.breaks:
            return False
        hit = breaks.next_hit(walked, self.where.place, self.breaks)
        if hit is None or hit.place > place:
            return False
        self.stand_still()
        self.go(hit.place)
        self.say(safe(hit.why), look.HERE)
        return True

    # -------------------------------------------------------------------- questions

    def action_ask_why(self) -> None:
        """Questions about the tensor in front, and about all others."""
        walked = self.walked
        if walked is None:
            return
        if self.hides_numbers("An answer"):
            return
        from tutor.ui.screens.why import WhyScreen

        step = walked.step(self.where.place)
        value = None if step is None else step.value
        self.app.push_screen(WhyScreen(walked, value), self._go_to_cause)

    def hides_numbers(self, what: str) -> bool:
        """Whether something would tell numbers that are to be predicted; said if so."""
        walked = self.walked
        if walked is None or self.open_gate(0, len(walked.steps)) is None:
            return False
        self.say(f"{what} would tell numbers that you are to predict: first go on.")
        return True

    def _go_to_cause(self, place: int | None) -> None:
        if place is not None:
            self.go(place)

    def action_show_flow(self) -> None:
        """How large the gradients of a pass are, layer by layer."""
        walked = self.walked
        if walked is None or self.hides_numbers("The gradient flow"):
            return
        step = walked.step(self.where.place)
        passes = [each.number for each in walked.trace.passes]
        number = (
            step.number if step is not None and step.number else max(passes, default=0)
        )
        layers = flow.flow(walked, number)
        if not number or not layers:
            self.say("No gradient was sent to any leaf.")
            return
        from tutor.ui.screens.reading import ReadingScreen

        said = f"Pass {number}: each layer's largest |gradient|, on a scale of powers of ten."

        def text(width: int, ascii: bool) -> list[str]:
            return [
                *textwrap.wrap(said, width),
                "",
                *flow.strip(layers, width, ascii=ascii),
            ]

        self.app.push_screen(ReadingScreen("Gradient flow", text))

    def action_measure(self) -> None:
        """Try the op under way by finite differences."""
        walked = self.walked
        step = None if walked is None else walked.step(self.where.place)
        if walked is None or step is None or step.op is None:
            self.say("There is no op here to be tried: step to one.")
            return
        self.say("Moving its arguments a little" + self.look[Glyph.ELLIPSIS])
        self._measure(walked.trace, step.op)

    @work(group="measure", exclusive=True)
    async def _measure(self, trace: Trace, op: int) -> None:
        try:
            found = await self.session.check_node(trace, op)
        except TutorError as error:
            self.say(safe(str(error)), look.WARN)
            return
        from tutor.ui.screens.reading import ReadingScreen

        self.say("")
        lines = tuple(checked.sentences(trace, op, found))
        self.app.push_screen(ReadingScreen("Finite differences", lines))

    # -------------------------------------------------------------------- another leaf

    def action_edit_leaf(self) -> None:
        if not self._leaves():
            self.say("There is no leaf whose number could be changed.")
            return
        hint = "The code is run again with it; what changes is marked."
        self.ask(Ask("edit", "Change a leaf:", self._leaf_in_front(), hint))

    def _leaves(self) -> list[Value]:
        """Those that have a name."""
        if self.study is None:
            return []
        return [each for each in values.leaves(self.study.trace) if each.name]

    def _leaf_in_front(self) -> str:
        """As it would be typed; "" where none is small enough."""
        small = [each for each in self._leaves() if each.summary.values is not None]
        step = None if self.walked is None else self.walked.step(self.where.place)
        trace = None if self.study is None else self.study.trace
        if not small or trace is None:
            return ""
        front = None
        if step is not None and step.value is not None:
            front = trace.values[step.value].tensor
        found = next((each for each in small if each.tensor == front), small[0])
        return f"{found.name} = {_literal(found.summary)}"

    def _take_leaf(self, typed: str) -> None:
        name, equals, number = (part.strip() for part in typed.partition("="))
        try:
            value = ast.literal_eval(number)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = None
        if not name or not equals or not _is_numeric(value):
            self.refuse("Write a leaf and its value, like x = 3 or w = [1, 2].")
            return
        known = [each.name for each in self._leaves() if each.name]
        if name not in known:
            others = ", ".join(known[:6])
            self.refuse(f"{name} is no leaf of this walk; there is {others}.")
            return
        self.line.say("Running the code again" + self.look[Glyph.ELLIPSIS])
        self._retrace(name, value)

    @work(group="trace", exclusive=True)
    async def _retrace(self, name: str, value: object) -> None:
        if self.study is None:
            return
        old = self.study.trace
        try:
            new = await self.trace_again({**self._edited, name: value})
        except TutorError as error:
            self.refuse(str(error))
            return
        found = compare.compare(old, new)
        self._edited[name] = value
        self.changed, self.report = found.changed_values, found.lines
        self.others.clear()
        self.done()
        self.take_trace(new)
        count = len(found.changed_values)
        what = "value" if count == 1 else "values"
        self.say(safe(f"{count} {what} changed and marked; d says how."))

    def action_show_differences(self) -> None:
        """How the walk differs from the one before a leaf was changed."""
        from tutor.ui.screens.reading import ReadingScreen

        self.app.push_screen(ReadingScreen("What changed", self.report))

    # -------------------------------------------------------------------------- save

    def action_export(self) -> None:
        forms = ", ".join(f".{ending}" for ending in export.ENDINGS)
        hint = f"Like walk.svg; its ending says what it is: {forms}"
        self.ask(Ask("export", "Save as:", hint=hint))

    def _take_file(self, typed: str) -> None:
        walked = self.walked
        if walked is None or not typed:
            self.done()
            return
        path = Path(typed).expanduser()
        form = export.ENDINGS.get(path.suffix.removeprefix("."))
        if form is None:
            known = ", ".join(f".{ending}" for ending in export.ENDINGS)
            self.refuse(f"{path.name}: end it in one of {known}.")
            return
        self._write(path, export.write(walked, form))

    @work(group="export", thread=True)
    def _write(self, path: Path, text: str) -> None:
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            reason = error.strerror or str(error)
            sentence = f"{reason}, so nothing is saved: {path}"
            self.app.call_from_thread(self.refuse, sentence)
            return
        self.app.call_from_thread(self.done, f"Saved in {path.resolve()}.")


def _literal(summary: Summary) -> str:
    """As it would be typed."""
    assert summary.values is not None
    shown = shaped([float(f"{each:.6g}") for each in summary.values], summary.shape)
    return repr(shown)


def _is_numeric(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_is_numeric, value))
    return isinstance(value, (int, float)) and not isinstance(value, bool)
