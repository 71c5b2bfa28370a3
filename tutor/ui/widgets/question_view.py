"""QuestionView: a question, and where it is answered: typed or picked.

It posts `Answered`; judging and recording are the screen's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from textual import on
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from tutor.answers import Answer, read_answer
from tutor.lesson.schema import QuestionCell
from tutor.ui.look import look_of
from tutor.ui.widgets.answer_lists import AnswerList, ChoiceList, GroupList, OrderList
from tutor.ui.widgets.cell_view import CellView
from tutor.ui.widgets.prose import Prose
from tutor.ui.widgets.verdict_view import VerdictView
from tutor.verdicts import Verdict


class NumberInput(Input):
    """One number, typed."""

    DEFAULT_CSS = """
    NumberInput {
        width: 24; height: 3; padding: 0 1;
        border: round $foreground;
        &:focus { border: heavy $accent; }
    }
    """

    def on_mount(self) -> None:
        """No blinking over a slow line."""
        self.cursor_blink = look_of(self).settings.link == "fast"


class QuestionView(CellView[QuestionCell]):
    """A question of any of the four kinds."""

    DEFAULT_CSS = """
    QuestionView VerdictView { margin: 1 0 0 1; }
    """

    @dataclass
    class Answered(Message):
        """The learner's answer."""

        view: "QuestionView"
        answer: Answer

    @dataclass
    class Unclear(Message):
        """What was typed or picked is no answer yet; why, as a sentence."""

        view: "QuestionView"
        sentence: str

    def body(self) -> Iterable[Widget]:
        """From the cell's words down to the verdict."""
        yield from self.words()
        yield Prose(self.cell.ask)
        yield self._answer_widget()
        verdict = VerdictView()
        verdict.set_reactive(VerdictView.rungs, len(self.cell.hints))
        verdict.set_reactive(VerdictView.hints, self.cell.hints[: self.progress.hints])
        yield verdict

    def _answer_widget(self) -> Widget:
        cell = self.cell
        if cell.choices is not None:
            return ChoiceList(cell)
        if cell.items is not None:
            return OrderList(cell)
        if cell.groups is not None:
            return GroupList(cell)
        typed = self.progress.draft or self.progress.accepted or ""
        return NumberInput(typed, placeholder="a number", select_on_focus=False)

    @property
    def verdict(self) -> VerdictView:
        """What is said of the answer."""
        return self.query_one(VerdictView)

    @property
    def list(self) -> AnswerList | None:
        """Where it is picked; None: it is typed."""
        found = self.query(AnswerList)
        return found.first() if found else None

    def judge(self, verdict: Verdict) -> None:
        """The verdict is recorded: now it may be shown."""
        self.verdict.verdict = verdict
        self.show_offer(typing=self.has_focus_within)
        self.show_standing()
        self.post_message(self.Grown(self))

    def show_offer(self, *, typing: bool) -> None:
        """Which key helps after a wrong answer, in the mode there is."""
        shown, rungs = self.progress.hints, len(self.cell.hints)
        key = "Esc, then h for" if typing else "h for"
        left = shown < rungs
        self.verdict.offer = f"{key} a hint ({shown + 1} of {rungs})" if left else ""

    def show_hints(self) -> None:
        """One more was recorded."""
        self.verdict.hints = self.cell.hints[: self.progress.hints]
        self.show_offer(typing=self.has_focus_within)
        self.post_message(self.Grown(self))

    def begin_edit(self) -> bool:
        """To where it is answered."""
        self.query_one("AnswerList, NumberInput").focus()
        return True

    def type_first(self, character: str) -> bool:
        """A digit pressed in command mode begins the answer; False: it is none."""
        if self.list is not None:
            if character.isdecimal() and not isinstance(self.list, OrderList):
                self.list.focus()
                self.list.pick(int(character))
                return True
            return False
        if character not in "0123456789.-":
            return False
        typed = self.query_one(NumberInput)
        typed.value = character
        typed.cursor_position = 1
        typed.focus()
        return True

    def unsaved(self) -> str | None:
        """A number that is typed and not given."""
        if not self._filled or self.list is not None:
            return None
        value = self.query_one(NumberInput).value
        kept = self.progress.draft or self.progress.accepted or ""
        return value if value != kept else None

    @on(Input.Submitted)
    def _give_typed(self, event: Input.Submitted) -> None:
        event.stop()
        answer = read_answer(self.cell, event.value)
        if answer is not None:
            self.post_message(self.Answered(self, answer))
        elif event.value.strip():
            self.post_message(
                self.Unclear(self, "Write a number, like 4, -0.5, 2/3 or 1e-3.")
            )

    @on(AnswerList.Given)
    def _give_picked(self, event: AnswerList.Given) -> None:
        event.stop()
        self.post_message(self.Answered(self, event.answer))

    @on(AnswerList.Incomplete)
    def _tell_missing(self, event: AnswerList.Incomplete) -> None:
        event.stop()
        self.post_message(self.Unclear(self, event.sentence))
