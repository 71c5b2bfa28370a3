"""StepperScreen: walk a recorded trace forward and backward, a step at a time.

The walk, the pictures and the texts are `graph`'s; the trace is the session's. How it
moves is `step_moves`', what is typed `step_asks`'; here is what is seen.
"""

import gc
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from tutor.actions import Action
from tutor.errors import TutorError
from tutor.graph import breaks, explain, values
from tutor.graph.explain import Card, Row
from tutor.graph.requests import Looked, TraceLook, TraceRequest
from tutor.graph.steps import Walk
from tutor.graph.study import Study
from tutor.graph.trace import Trace
from tutor.safetext import safe, safe_line
from tutor.ui import look
from tutor.ui.look import Glyph
from tutor.ui.screens.frame import bindings
from tutor.ui.screens.step_moves import Where
from tutor.ui.screens.step_tools import StepTools
from tutor.ui.widgets.ask_line import AskLine
from tutor.ui.widgets.frame_lines import RuleLine, TitleParts
from tutor.ui.widgets.graph_view import GraphView
from tutor.ui.widgets.minimap_line import MinimapLine
from tutor.ui.widgets.plain import Plain, content_of
from tutor.ui.widgets.step_card import SourceView, StepCard, StepLines
from tutor.ui.widgets.values_panel import Inside, ValuesPanel

if TYPE_CHECKING:
    from tutor.lesson.schema import GraphCell
    from tutor.session import Session

SEED = TraceRequest(
    code="q = x ** 2\nu = 3 * q\nz = 2 * y\nf = u + z", at={"x": 2.0, "y": 5.0}
)
"""What is walked when nothing else is asked for: f(x, y) = 3x² + 2y."""
SEED_TITLE = "f(x, y) = 3x² + 2y"

_DOTS_AT_MOST = 24
_DIGITS_AT_MOST = 6
_FOOTER_ROOM = 20
"""Columns more than a narrow screen's that the footer needs for every key it names."""
_LARGE = 1000
"""Ops of a trace that the garbage collector should not look through."""
_MINIMAP_FROM = 33
"""Nodes of a walk that has a map."""


class StepperScreen(StepTools):
    """The picture on top, what the step says below, code and values beside at 120x40."""

    PLACE = "stepper"
    BINDINGS = bindings("stepper")
    DEFAULT_CSS = """
    StepperScreen {
        & #walk { height: 1fr; }
        & #beside { width: 46; margin-left: 1; display: none; }
        & #beside RuleLine { margin: 0 1; }
        & #beside SourceView { max-height: 10; }
        & #beside ValuesPanel { height: 10; }
        & #lines, & #inside { display: none; }
        & #waiting { padding: 1 2; display: none; }
        & MinimapLine { display: none; }
        & #said { height: 7; }
        & StepCard { height: 1fr; }
        & #told { height: auto; max-height: 3; padding: 0 1; display: none; }
        &.-wide #beside { display: block; }
        &.-tall.-wide #said { height: 9; }
        &.-long MinimapLine { display: block; }
        &.-values {
            & GraphView { display: none; }
            & #inside { display: block; }
        }
        &.-text, &.-narrow, &.-low {
            & GraphView, & StepCard, & #card-rule, & #beside, & MinimapLine {
                display: none;
            }
            & #lines { display: block; }
            & #said { height: auto; }
        }
        &.-text.-tall.-wide #said { height: auto; }
        &.-values.-narrow #lines, &.-values.-low #lines { display: none; }
        &.-waiting {
            & #walk { display: none; }
            & #waiting { display: block; }
        }
    }
    """

    def __init__(
        self,
        session: "Session",
        cell: "GraphCell | None" = None,
        *,
        trace: Trace | None = None,
        title: str = "",
    ) -> None:
        """`trace`: walked as it is, nothing is recorded; `title` then names it."""
        super().__init__(session)
        self._cell = cell
        self._given = trace
        self._title = title
        self.request = None if trace is not None else SEED
        if trace is not None:
            self._title = title or " ".join(trace.end.code.split("\n"))
        elif cell is not None:
            from tutor.lesson.requests import trace_of

            self.request = trace_of(cell)
            self._title = cell.title or " ".join(cell.code.split("\n"))
            self.set_reactive(StepperScreen.where, Where(order=cell.order))
        else:
            self._title = SEED_TITLE
        self._typed = ""
        """Digits waiting for `g`."""
        self._seen_end = False
        self._looked: dict[tuple[int, int], Looked] = {}
        """What the kernel told, by value and pass."""
        self.add_class("-waiting")

    def compose_content(self) -> ComposeResult:
        yield Plain(id="waiting")
        with Vertical(id="walk"):
            with Horizontal():
                yield GraphView()
                yield ValuesPanel(id="inside")
                with Vertical(id="beside"):
                    yield SourceView()
                    yield RuleLine()
                    yield ValuesPanel()
                    yield RuleLine()
                    yield StepLines()
                yield StepLines(id="lines")
            yield MinimapLine()
            yield RuleLine(id="card-rule")
            with Vertical(id="said"):
                yield StepCard()
                yield Plain(id="told")
                yield AskLine()

    # ----------------------------------------------------------------- what is said

    @property
    def notice(self) -> Plain:
        """In the card's place, so that the picture does not move."""
        return self.query_one("#told", Plain)

    def title_parts(self) -> TitleParts:
        title = content_of(self.look.text(safe_line(self._title)), look.STRONG)
        walked = self.walked
        if walked is None or not walked.steps:
            return TitleParts(title)
        step = walked.step(self.where.place)
        stop, stops = walked.stop(self.where.place), len(walked.stops)
        phase = "start" if step is None else "backward" if step.number else "forward"
        if step is not None and len(walked.trace.passes) > 1 and step.number:
            phase += f" {step.number}"
        count = f"{stop} of {stops}"
        if self._typed:
            count = f"{self._typed}g"
        if self.walks_by_itself:
            count = f"{count}  {self.look[Glyph.GO]} {self.pace:g}/s"
        far = content_of(f"{phase}  {count}")
        right = (self._dots(walked, stop), Content())
        return TitleParts(title, (far, content_of(count)), right)

    def _dots(self, walked: Walk, stop: int) -> Content:
        """One sign a node: done, now, to come; forward and backward told apart."""
        if len(walked.stops) > _DOTS_AT_MOST:
            return Content()
        signs = []
        for number, end in enumerate(walked.stops, start=1):
            backward = walked.steps[end - 1].number > 0
            if number == stop:
                signs.append((self.look[Glyph.NOW], f"{look.STRONG} {look.HERE}"))
            elif number < stop:
                done = Glyph.LEFT if backward else Glyph.GO
                signs.append((self.look[done], ""))
            else:
                signs.append((self.look[Glyph.UNWRITTEN], look.QUIET))
        return Content(" ").join(Content.styled(*sign) for sign in signs)

    def about(self) -> str:
        return (
            "The code was run once by PyTorch, and everything it did was recorded: each "
            "operation, and each gradient that its autograd engine sent back. You walk "
            "through that record, so going back is free. A doubled border is the node "
            "under way, a dotted one is not computed yet, ◀ is a gradient that was sent."
        )

    def word_of(self, action: Action) -> str:
        match action.id:
            case "step_forward" if self._is_asked:
                return "answer"
            case "switch_order":
                other = self.where.order == "engine"
                return "slide order" if other else "engine order"
            case "switch_view":
                return "picture" if self.where.shown == "text" else "text"
            case "switch_values":
                return "picture" if self.where.shown == "values" else "values"
            case "predict" if self.predicts_all:
                return "no more predicting"
            case "walk_alone" if self.walks_by_itself:
                return "stop"
        return action.word

    def offers(self, action: Action) -> bool:
        if action.where != "stepper":
            return True
        if self.walked is None:
            return False
        match action.id:
            case "switch_view":
                # Where there is no room for the picture, there is nothing to change to.
                return not (self.has_class("-narrow") or self.has_class("-low"))
            case "show_differences":
                return bool(self.report)
            case "next_break" | "previous_break":
                return bool(self.breaks)
            case "next_found" | "previous_found":
                return bool(self.found)
        return True

    def footer_actions(self) -> list[Action]:
        """While something is typed, the line's own keys."""
        from tutor import actions

        if self.mode == "edit":
            given, left = actions.named("give_line"), actions.named("leave_line")
            return [
                replace(given, keys=("enter",), shown=""),
                replace(left, keys=("escape",), shown=""),
            ]
        *rows, explain = super().footer_actions()
        wide = self.size.width >= look.NARROW + _FOOTER_ROOM
        rows = [row for row in rows if row.id != "edit_leaf" or wide]
        leaving = replace(actions.named("back"), word=self._way_back, rank=90)
        return [*rows, leaving, explain]

    @property
    def _is_asked(self) -> bool:
        """Whether a number is to be predicted here."""
        return self.line.ask is not None and self.line.ask.purpose == "predict"

    @property
    def _way_back(self) -> str:
        return "picture" if self.where.shown == "values" else "leave"

    def action_back(self) -> None:
        """From the inside of a tensor to the picture; from there out."""
        if self.where.shown == "values":
            self.action_switch_values()
        else:
            super().action_back()

    def on_unmount(self) -> None:
        gc.unfreeze()

    def result(self) -> bool:
        """Whether the walk was seen to its end."""
        return self._seen_end

    # ------------------------------------------------------------------ the recording

    def on_mount(self) -> None:
        ellipsis = self.look[Glyph.ELLIPSIS]
        self.query_one("#waiting", Plain).show(
            f"Running the code and recording what PyTorch does{ellipsis}", look.QUIET
        )
        self.refresh_frame()
        if self._given is not None:
            self._open(self._given)
        else:
            self._record()

    @work(group="trace", exclusive=True)
    async def _record(self) -> None:
        assert self.request is not None
        try:
            trace = await self.session.trace(self.request)
        except TutorError as error:
            self.query_one("#waiting", Plain).show(safe(str(error)), look.BAD)
            return
        self._open(trace)

    def _open(self, trace: Trace) -> None:
        self.take_trace(trace)
        self.remove_class("-waiting")
        if trace.fault is not None:
            line = f" (line {trace.fault.line})" if trace.fault.line else ""
            self.say(safe(f"The code stopped{line}: {trace.fault.text}"), look.BAD)
        elif trace.end.truncated is not None:
            self.say(safe(trace.end.truncated), look.WARN)
        elif trace.end.unrecorded is not None:
            self.say(safe(trace.end.unrecorded), look.WARN)

    def take_trace(self, trace: Trace) -> None:
        cell = self._cell
        self.study = Study(
            trace,
            predict=cell.predict if cell is not None else (),
            captions=cell.captions if cell is not None else None,
            build=cell.build if cell is not None else False,
            backward=cell.backward if cell is not None else True,
        )
        self._looked.clear()
        if len(trace.ops) >= _LARGE:
            # Else each full collection looks through the whole trace: a stutter.
            gc.freeze()
        self.query_one(SourceView).code = _source(trace)
        # Widgets know their sizes after the refresh that shows them.
        self.call_after_refresh(self._show)
        self.call_after_refresh(self.show_question)

    # ------------------------------------------------------------------------ drawing

    def watch_where(self) -> None:
        """Everything on the screen follows from it."""
        self._show()
        self.show_question()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._show)

    def on_graph_view_resized(self) -> None:
        """The drawing is made for the room there is, which is known only now."""
        self._show()

    def _show(self) -> None:
        study, walked = self.study, self.walked
        if study is None or walked is None or not self.is_mounted:
            return
        place, order = self.where.place, self.where.order
        place = min(place, len(walked.steps))
        if walked.steps and place == len(walked.steps):
            self._seen_end = True
        self.set_class(self.where.shown == "text", "-text")
        self.set_class(self.where.shown == "values", "-values")
        self.set_class(len(walked.stops) >= _MINIMAP_FROM, "-long")
        badges = study.badges(order).of(place)
        card = explain.card(walked, place)
        card = replace(card, rows=(*card.rows, *self._score(walked, place)))
        self.query_one(StepCard).told = card, badges, study.caption(order, place)
        self.query_one(SourceView).line = card.line
        for lines in self.query(StepLines):
            if _is_seen(lines):
                lines.said = study.lines(order)
                lines.place = place
        view = self.query_one(GraphView)
        if view.display and view.size.width:
            room = view.size.width, view.size.height
            view.drawing = study.views(order).drawing(
                place, self.where.view, room, ascii=self.look.ascii,
                changed=self.changed,
            )  # fmt: skip
            view.pan = self.where.pan
        self._show_values(walked, card, badges)
        self.show_marks()
        self.refresh_frame()

    def _score(self, walked: Walk, place: int) -> list[Row]:
        """At the end: how many numbers were known."""
        if place < len(walked.steps) or not self.predicted:
            return []
        knew, asked = sum(self.predicted.values()), len(self.predicted)
        return [Row("predicted", f"{knew} of {asked} right", True, "result")]

    def show_marks(self) -> None:
        walked = self.walked
        if walked is None or not self.has_class("-long"):
            return
        minimap = self.query_one(MinimapLine)
        minimap.walk = walked
        minimap.place = self.where.place
        hits = breaks.all_hits(walked, self.breaks) if self.breaks else ()
        minimap.marks = tuple(hit.place for hit in hits)

    # ------------------------------------------------------------------------- values

    def _show_values(self, walked: Walk, card: Card, badges: tuple[str, ...]) -> None:
        panels = [each for each in self.query(ValuesPanel) if _is_seen(each)]
        if not panels:
            return
        inside = None
        if card.value is not None:
            step = walked.step(self.where.place)
            number = step.number if step is not None else 0
            if (number, card.value) not in walked.gradients:
                number = 0
            own = () if number or self.study is None else badges
            inside = self._inside(walked, card.value, number, own)
        for panel in panels:
            panel.inside = inside

    def _inside(
        self, walked: Walk, value: int, number: int, badges: tuple[str, ...]
    ) -> Inside:
        summary = walked.trace.values[value].summary
        if number:
            summary = walked.gradients[number, value]
        said = values.facts(walked.trace, value, badges, number)
        if not values.needs_look(summary):
            return Inside(said, values.looked(summary))
        found = self._looked.get((value, number))
        if found is None and not walked.trace.end.id:
            return Inside(said, Looked(summary, rows=(summary.head,)))
        if found is None:
            self._ask_kernel(walked.trace, value, number)
        elif found.summary is None:  # gone: what the trace has of it is still here
            found = replace(found, summary=summary, rows=(summary.head,))
        return Inside(said, found)

    @work(group="look", exclusive=True)
    async def _ask_kernel(self, trace: Trace, value: int, number: int) -> None:
        """A large tensor's numbers lie in the kernel."""
        try:
            found = await self.session.look(TraceLook(trace.end.id, value, number))
        except TutorError as error:
            found = Looked(None, str(error))
        self._looked[value, number] = found
        self._show()

    # --------------------------------------------------------------------------- keys

    def action_jump_step(self) -> None:
        """To the end of the node whose number was typed; to the start without one."""
        number, self._typed = int(self._typed or "0"), ""
        self.jump(number)

    def action_fold(self) -> None:
        """Where a number is to be predicted, to the line."""
        if self.line.ask is not None:
            self.line.enter()
        else:
            super().action_fold()

    def on_key(self, event: events.Key) -> None:
        """Digits wait for `g`, or begin a prediction; any other key forgets them."""
        super().on_key(event)
        if self.mode == "edit" or event.character is None:
            self._typed = ""
            return
        if event.character in "0123456789.-" and self._begin_prediction(event):
            return
        if event.character in "0123456789":
            self._typed = (self._typed + event.character)[-_DIGITS_AT_MOST:]
            event.stop()
            self.refresh_frame()
        elif event.key != "g" and self._typed:
            self._typed = ""
            self.refresh_frame()

    def _begin_prediction(self, event: events.Key) -> bool:
        if self.line.ask is None or self.line.ask.purpose != "predict":
            return False
        assert event.character is not None
        event.stop()
        event.prevent_default()
        self.line.enter(event.character)
        return True


def _source(trace: Trace) -> str:
    return trace.end.code or next(iter(trace.end.files.values()), "")


def _is_seen(widget: object) -> bool:
    from textual.widget import Widget

    assert isinstance(widget, Widget)
    return all(each.display for each in widget.ancestors_with_self)
