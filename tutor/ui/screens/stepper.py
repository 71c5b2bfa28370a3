"""StepperScreen: walk a recorded trace forward and backward, a step at a time.

The walk, the picture and the texts are `graph`'s; the trace is the session's. All that
changes is one `Where`: going back is a smaller place, nothing is run again.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive

from tutor.actions import Action
from tutor.errors import TutorError
from tutor.graph import explain, text
from tutor.graph.draw import Detail, Sketch
from tutor.graph.steps import Order, Scene, Walk, walk
from tutor.graph.text import TextLine
from tutor.graph.trace import Trace, TraceRequest
from tutor.safetext import safe, safe_line
from tutor.ui import look
from tutor.ui.look import Glyph
from tutor.ui.screens.frame import FrameScreen, bindings
from tutor.ui.widgets.frame_lines import RuleLine, TitleParts
from tutor.ui.widgets.graph_view import GraphView
from tutor.ui.widgets.plain import Plain, content_of
from tutor.ui.widgets.step_card import SourceView, StepCard, StepLines

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


@dataclass(frozen=True, slots=True)
class Where:
    """Where the learner is, and how it is shown."""

    place: int = 0
    """Steps taken."""
    order: Order = "engine"
    as_text: bool = False


class StepperScreen(FrameScreen[bool]):
    """The picture on top, what the step says below, code and lines beside at 120x40."""

    PLACE = "stepper"
    BINDINGS = bindings("stepper")
    DEFAULT_CSS = """
    StepperScreen {
        & #walk { height: 1fr; }
        & #beside { width: 46; display: none; }
        & #beside RuleLine { margin: 0 1; }
        & #lines { display: none; }
        & #waiting { padding: 1 2; display: none; }
        & StepCard { height: 7; }
        &.-wide #beside { display: block; }
        &.-tall.-wide StepCard { height: 9; }
        &.-text, &.-narrow, &.-low {
            & GraphView, & StepCard, & #card-rule, & #beside { display: none; }
            & #lines { display: block; }
        }
        &.-waiting {
            & #walk { display: none; }
            & #waiting { display: block; }
        }
    }
    """

    where: reactive[Where] = reactive(Where(), init=False)
    """All that a key changes."""

    def __init__(
        self,
        session: "Session",
        cell: "GraphCell | None" = None,
        *,
        trace: Trace | None = None,
        title: str = "",
    ) -> None:
        """`trace`: walked as it is, nothing is recorded; `title` then names it."""
        super().__init__()
        self._session = session
        self._request, self._title = SEED, SEED_TITLE
        self._given = trace
        if trace is not None:
            self._title = title or " ".join(trace.end.code.split("\n"))
        elif cell is not None:
            from tutor.lesson.requests import trace_of

            self._request = trace_of(cell)
            self._title = cell.title or " ".join(cell.code.split("\n"))
            self.set_reactive(StepperScreen.where, Where(order=cell.order))
        self._trace: Trace | None = None
        self._walks: dict[Order, Walk] = {}
        self._lines: dict[Order, tuple[TextLine, ...]] = {}
        self._sketches: dict[tuple[Order, Scene, Detail], Sketch] = {}
        self._typed = ""
        """Digits waiting for `g`."""
        self._seen_end = False
        self.add_class("-waiting")

    def compose_content(self) -> ComposeResult:
        yield Plain(id="waiting")
        with Vertical(id="walk"):
            with Horizontal():
                yield GraphView()
                with Vertical(id="beside"):
                    yield SourceView()
                    yield RuleLine()
                    yield StepLines()
                yield StepLines(id="lines")
            yield RuleLine(id="card-rule")
            yield StepCard()

    # ----------------------------------------------------------------- what is said

    def title_parts(self) -> TitleParts:
        title = content_of(self.look.text(safe_line(self._title)), look.STRONG)
        walked = self._walk
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
        if action.id == "switch_order":
            return "slide order" if self.where.order == "engine" else "engine order"
        if action.id == "switch_view":
            return "picture" if self.where.as_text else "text"
        return action.word

    def offers(self, action: Action) -> bool:
        if action.where == "stepper" and self._walk is None:
            return False
        if action.id == "switch_view":
            # Where there is no room for the picture, there is nothing to change to.
            return not (self.has_class("-narrow") or self.has_class("-low"))
        return True

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
            self._show_trace(self._given)
        else:
            self._record()

    @work(group="trace", exclusive=True)
    async def _record(self) -> None:
        try:
            trace = await self._session.trace(self._request)
        except TutorError as error:
            self.query_one("#waiting", Plain).show(safe(str(error)), look.BAD)
            return
        self._show_trace(trace)

    def _show_trace(self, trace: Trace) -> None:
        self._trace = trace
        self.query_one(SourceView).code = trace.end.code
        self.remove_class("-waiting")
        if trace.fault is not None:
            line = f" (line {trace.fault.line})" if trace.fault.line else ""
            self.say(safe(f"The code stopped{line}: {trace.fault.text}"), look.BAD)
        elif trace.end.truncated is not None:
            self.say(safe(trace.end.truncated), look.WARN)
        # Widgets know their sizes after the refresh that shows them.
        self.call_after_refresh(self._show)

    @property
    def _walk(self) -> Walk | None:
        """The trace in the present order; None while it is recorded."""
        if self._trace is None:
            return None
        order = self.where.order
        if order not in self._walks:
            self._walks[order] = walk(self._trace, order)
        return self._walks[order]

    # ------------------------------------------------------------------------ drawing

    def watch_where(self) -> None:
        """Everything on the screen follows from it."""
        self._show()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._show)

    def on_graph_view_resized(self) -> None:
        """The drawing is made for the room there is, which is known only now."""
        self._show()

    def _show(self) -> None:
        walked = self._walk
        if walked is None or not self.is_mounted:
            return
        place = self.where.place
        if walked.steps and place == len(walked.steps):
            self._seen_end = True
        self.set_class(self.where.as_text, "-text")
        card = explain.card(walked, place)
        self.query_one(StepCard).card = card
        self.query_one(SourceView).line = card.line
        for lines in self.query(StepLines):
            if all(each.display for each in lines.ancestors_with_self):
                lines.said = self._said(walked)
                lines.place = place
        view = self.query_one(GraphView)
        if view.display:
            sketch = self._sketch(walked, place, view.size.width)
            view.drawing = sketch.draw(place, ascii=self.look.ascii)
        self.refresh_frame()

    def _said(self, walked: Walk) -> tuple[TextLine, ...]:
        order = self.where.order
        if order not in self._lines:
            self._lines[order] = text.lines(walked)
        return self._lines[order]

    def _sketch(self, walked: Walk, place: int, width: int) -> Sketch:
        """The scene's layout, in full where it fits; made once."""
        scene = walked.view(place)
        found = None
        details: tuple[Detail, ...] = ("full", "short")
        for detail in details:
            key = self.where.order, scene, detail
            if key not in self._sketches:
                self._sketches[key] = Sketch(walked, scene, detail)
            found = self._sketches[key]
            if found.width <= width:
                break
        assert found is not None
        return found

    # ------------------------------------------------------------------------ walking

    def _go(self, place: int) -> None:
        walked = self._walk
        if walked is not None:
            place = max(0, min(place, len(walked.steps)))
            self.where = replace(self.where, place=place)

    def action_step_forward(self) -> None:
        self._go(self.where.place + 1)

    def action_step_back(self) -> None:
        self._go(self.where.place - 1)

    def action_next_node(self) -> None:
        if (walked := self._walk) is not None:
            self._go(walked.next_stop(self.where.place))

    def action_previous_node(self) -> None:
        if (walked := self._walk) is not None:
            self._go(walked.previous_stop(self.where.place))

    def action_first_step(self) -> None:
        self._go(0)

    def action_last_step(self) -> None:
        if (walked := self._walk) is not None:
            self._go(len(walked.steps))

    def action_jump_step(self) -> None:
        """To the end of the node whose number was typed; to the start without one."""
        number, self._typed = int(self._typed or "0"), ""
        walked = self._walk
        if walked is None:
            return
        if number > len(walked.stops):
            self.say(
                f"There are {len(walked.stops)} nodes, so {number} is none of them."
            )
            self.refresh_frame()
        elif number == 0:
            self._go(0)
        else:
            self._go(walked.stops[number - 1])
        self.refresh_frame()

    def action_switch_order(self) -> None:
        """The other order; the same number of nodes was walked."""
        walked = self._walk
        if walked is None:
            return
        stop = walked.stop(self.where.place)
        order: Order = "slide" if self.where.order == "engine" else "engine"
        self.where = replace(self.where, order=order, place=0)
        if stop and (other := self._walk) is not None:
            self._go(other.stops[stop - 1])

    def action_switch_view(self) -> None:
        self.where = replace(self.where, as_text=not self.where.as_text)
        self.call_after_refresh(self._show)

    def on_key(self, event: events.Key) -> None:
        """Digits wait for `g`; any other key forgets them."""
        super().on_key(event)
        if event.character is not None and event.character in "0123456789":
            self._typed = (self._typed + event.character)[-_DIGITS_AT_MOST:]
            event.stop()
            self.refresh_frame()
        elif event.key != "g" and self._typed:
            self._typed = ""
            self.refresh_frame()
