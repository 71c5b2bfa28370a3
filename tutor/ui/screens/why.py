"""WhyScreen: questions to the trace: why is this gradient None, zero, not finite?

What is asked and answered is `graph.questions`'. Up and down choose the tensor; Enter
goes to the step where the cause is.
"""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import reactive

from tutor import actions
from tutor.actions import Action
from tutor.graph import names, questions, search
from tutor.graph.questions import Answer
from tutor.graph.steps import Walk
from tutor.safetext import safe
from tutor.ui import look
from tutor.ui.look import Glyph, Look
from tutor.ui.screens.frame import FrameScreen, bindings
from tutor.ui.widgets.frame_lines import TitleParts
from tutor.ui.widgets.lines import Lines, hanging
from tutor.ui.widgets.plain import content_of

_CHOOSER_ROWS = 3


class WhyScreen(FrameScreen[int | None]):
    """Over the stepper; gives the place to go to, None: stay."""

    PLACE = "why"
    BINDINGS = bindings("why")
    DEFAULT_CSS = """
    WhyScreen VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; }
    """

    asked: reactive[int] = reactive(0, init=False)
    """Which of the questions is open."""

    def __init__(self, walk: Walk, value: int | None) -> None:
        """`value`: asked about first, where it can be."""
        super().__init__()
        self._walk = walk
        trace = walk.trace
        self._values = list(questions.askable(trace))
        general = [questions.why_inplace(trace), questions.first_nonfinite(trace)]
        self._general = [each for each in general if each is not None]
        self._answers: dict[int, Answer] = {}
        if not self._general:
            tensors = [trace.values[each].tensor for each in self._values]
            front = None if value is None else trace.values[value].tensor
            if front in tensors:
                self.set_reactive(WhyScreen.asked, tensors.index(front))

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield _Questions()

    def title_parts(self) -> TitleParts:
        return TitleParts(content_of("Why?", look.STRONG))

    def about(self) -> str:
        return (
            "Every answer is read off the recorded trace: what was computed, where the "
            "graph was cut, and what torch's engine sent. The lines are your code's."
        )

    def offers(self, action: Action) -> bool:
        if action.id == "to_cause":
            answer = self.answer
            return answer is not None and self._cause_place(answer) is not None
        return True

    def footer_actions(self) -> list[Action]:
        *rows, explain = super().footer_actions()
        return [*rows, actions.named("back"), explain]

    @property
    def titles(self) -> list[str]:
        """What can be asked, a short name each."""
        trace = self._walk.trace
        return [each.question for each in self._general] + [
            f"{names.name(trace, each)}.grad" for each in self._values
        ]

    @property
    def answer(self) -> Answer | None:
        """To the open question; None where nothing can be asked."""
        if self.asked < len(self._general):
            return self._general[self.asked]
        number = self.asked - len(self._general)
        if number >= len(self._values):
            return None
        value = self._values[number]
        if value not in self._answers:
            self._answers[value] = questions.why(self._walk.trace, value)
        return self._answers[value]

    def watch_asked(self) -> None:
        self.query_one(_Questions).redraw()
        self.query_one(VerticalScroll).scroll_home(animate=False)
        self.refresh_frame()

    def action_next_question(self) -> None:
        self.asked = min(self.asked + 1, max(0, len(self.titles) - 1))

    def action_previous_question(self) -> None:
        self.asked = max(self.asked - 1, 0)

    def action_to_cause(self) -> None:
        """The step of the first cause that has one."""
        answer = self.answer
        place = None if answer is None else self._cause_place(answer)
        if place is not None:
            self.dismiss(place)

    def _cause_place(self, answer: Answer) -> int | None:
        ops = self._walk.trace.ops
        places = (
            search.place_of(self._walk, ops[each.op])
            for each in answer.causes
            if each.op is not None
        )
        return next((place for place in places if place), None)


class _Questions(Lines):
    """What can be asked, the open one marked; then its answer."""

    def draw(self, width: int, table: Look) -> list[Content]:
        screen = self.screen
        assert isinstance(screen, WhyScreen)
        lines = _chooser(screen.titles, screen.asked, width, table)
        answer = screen.answer
        if answer is None:
            return [*lines, Content("There is no leaf to ask about.")]
        lines.append(Content())
        lines += _said(answer.question, look.STRONG, width, table)
        lines += [*_said(answer.verdict, "", width, table), Content()]
        for cause in answer.causes:
            lead = Content.styled(f"{table[Glyph.GO]} ", look.HERE)
            text = table.text(safe(cause.text).plain)
            lines += hanging(lead, Content(text), width)
        if answer.advice:
            lines += [Content(), *_said(answer.advice, look.GOOD, width, table)]
        return lines


def _said(text: str, style: str, width: int, table: Look) -> list[Content]:
    words = Content.styled(table.text(safe(text).plain), style)
    return hanging(("", ""), words, width)


def _chooser(titles: list[str], chosen: int, width: int, table: Look) -> list[Content]:
    """All of them in rows, the open one with a sign; of very many, the open one."""
    pieces = []
    for number, title in enumerate(titles):
        mark = table[Glyph.HERE] if number == chosen else " "
        style = look.STRONG if number == chosen else look.QUIET
        text = table.text(safe(title).plain)
        pieces.append(Content.assemble((mark, look.HERE), (text, style), "  "))
    lines: list[Content] = []
    for piece in pieces:
        if lines and lines[-1].cell_length + piece.cell_length <= width:
            lines[-1] = Content.assemble(lines[-1], piece)
        else:
            lines.append(piece)
    if len(lines) <= _CHOOSER_ROWS:
        return lines
    count = f"{chosen + 1} of {len(titles)}"
    return [Content.assemble(pieces[chosen], (count, look.QUIET))]
