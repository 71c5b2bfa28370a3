"""Where a question is answered by picking: a choice, an order, groups.

Each list holds one cursor and posts `Given` with an answer; judging it is the
screen's. Their keys are the rows "answer" of the action table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from tutor.actions import Action
from tutor.answers import Answer, Choice, Groups, Order, shown_order
from tutor.lesson.schema import QuestionCell
from tutor.ui import look
from tutor.ui.bindings import bindings
from tutor.ui.look import Glyph, Look
from tutor.ui.widgets.lines import Lines, hanging
from tutor.ui.widgets.prose import MEASURE, inline_content

_REORDERING = ("hold_item", "raise_item", "lower_item")


class AnswerList(Lines, can_focus=True):
    """Entries with a cursor that shows while the list has the focus."""

    BINDINGS = bindings("answer")
    reorders: ClassVar[bool] = False
    """Entries can be moved."""

    cursor: reactive[int] = reactive(0, init=False)
    """The entry the keys act on, from 0."""

    @dataclass
    class Given(Message):
        """The learner's answer."""

        list: "AnswerList"
        answer: Answer

    @dataclass
    class Incomplete(Message):
        """Enter was pressed too early; what is missing, as a sentence."""

        list: "AnswerList"
        sentence: str

    def __init__(self, cell: QuestionCell) -> None:
        super().__init__()
        self.cell = cell

    @property
    def count(self) -> int:
        """How many entries."""
        return len(self.entries())

    def entries(self) -> Sequence[str]:
        """The entries as they stand now."""
        raise NotImplementedError

    def lead(self, index: int) -> str:
        """What stands before an entry."""
        return str(index + 1)

    def held(self) -> bool:
        """The entry at the cursor moves with it."""
        return False

    def offers(self, action: Action) -> bool:
        """Whether a key is of use in this kind of list."""
        if self.reorders:
            return action.id != "pick_item"
        return action.id not in _REORDERING

    def draw(self, width: int, table: Look) -> list[Content]:
        """An entry each, hanging."""
        lines: list[Content] = []
        for index, entry in enumerate(self.entries()):
            here = self.has_focus and index == self.cursor
            mark = table[Glyph.GO] if here else " "
            if here and self.held():
                mark = table[Glyph.NOW]
            lead = Content.assemble(
                (f"{mark} ", look.HERE),
                (f"{self.lead(index)}  ", f"{look.STRONG} {look.HERE}"),
            )
            words = inline_content(entry, table)
            if here:
                words = words.stylize(look.STRONG)
            lines += hanging(lead, words, min(width, MEASURE))
        return lines

    def watch_cursor(self) -> None:
        """Draw the mark where it is now."""
        self.redraw()

    def on_focus(self) -> None:
        """The cursor shows."""
        self.redraw()

    def on_blur(self) -> None:
        """The cursor goes."""
        self.redraw()

    def action_previous_item(self) -> None:
        """Up."""
        self.cursor = max(0, self.cursor - 1)

    def action_next_item(self) -> None:
        """Down."""
        self.cursor = min(self.count - 1, self.cursor + 1)

    def action_hold_item(self) -> None:
        """Only an order knows this."""

    def action_raise_item(self) -> None:
        """Only an order knows this."""

    def action_lower_item(self) -> None:
        """Only an order knows this."""

    def action_give_answer(self) -> None:
        """Enter."""
        raise NotImplementedError

    def pick(self, number: int) -> None:
        """A digit was pressed, from 1."""

    def on_key(self, event: events.Key) -> None:
        """Digits pick."""
        if event.character and event.character.isdecimal():
            event.stop()
            self.pick(int(event.character))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of another kind of list do nothing."""
        return self.reorders or action not in _REORDERING


class ChoiceList(AnswerList):
    """One of the choices: its number, or the cursor and Enter."""

    def entries(self) -> Sequence[str]:
        """As the lesson lists them."""
        return self.cell.choices or []

    def pick(self, number: int) -> None:
        """A number is the answer at once."""
        if 1 <= number <= self.count:
            self.cursor = number - 1
            self.action_give_answer()

    def action_give_answer(self) -> None:
        """The choice at the cursor."""
        self.post_message(self.Given(self, Choice(self.cursor + 1)))


class OrderList(AnswerList):
    """Items to put in order; the number before an item is its place now."""

    reorders = True
    holding: reactive[bool] = reactive(False, init=False)
    """The item at the cursor moves with it."""

    def __init__(self, cell: QuestionCell) -> None:
        super().__init__(cell)
        self._numbers = list(shown_order(cell))

    def entries(self) -> Sequence[str]:
        """In the learner's order."""
        items = self.cell.items or []
        return [items[number - 1] for number in self._numbers]

    def held(self) -> bool:
        """Picked up."""
        return self.holding

    def watch_holding(self) -> None:
        """The mark changes."""
        self.redraw()

    def action_previous_item(self) -> None:
        """Up, with the item if it is held."""
        self._go(-1, carry=self.holding)

    def action_next_item(self) -> None:
        """Down, with the item if it is held."""
        self._go(1, carry=self.holding)

    def action_raise_item(self) -> None:
        """One place up."""
        self._go(-1, carry=True)

    def action_lower_item(self) -> None:
        """One place down."""
        self._go(1, carry=True)

    def _go(self, by: int, *, carry: bool) -> None:
        here, there = self.cursor, self.cursor + by
        if not 0 <= there < self.count:
            return
        if carry:
            numbers = self._numbers
            numbers[here], numbers[there] = numbers[there], numbers[here]
        self.cursor = there

    def action_hold_item(self) -> None:
        """Pick the item up, or put it down."""
        self.holding = not self.holding

    def action_give_answer(self) -> None:
        """The order as it stands."""
        self.holding = False
        self.post_message(self.Given(self, Order(tuple(self._numbers))))


class GroupList(AnswerList):
    """Members to sort: a digit puts the one at the cursor into that group."""

    def __init__(self, cell: QuestionCell) -> None:
        super().__init__(cell)
        self._names = list(cell.groups or {})
        members = [each for group in (cell.groups or {}).values() for each in group]
        self._members = [members[number - 1] for number in shown_order(cell)]
        self._placed: dict[str, str] = {}

    def entries(self) -> Sequence[str]:
        """The members, shuffled."""
        return self._members

    def lead(self, index: int) -> str:
        """The number of its group, or a blank to fill."""
        name = self._placed.get(self._members[index])
        return "_" if name is None else str(self._names.index(name) + 1)

    def draw(self, width: int, table: Look) -> list[Content]:
        """The groups with their numbers, then the members."""
        names = [
            Content.assemble(
                (f"{number} ", f"{look.STRONG} {look.HERE}"),
                inline_content(name, table),
            )
            for number, name in enumerate(self._names, start=1)
        ]
        head = Content("   ").join(names).wrap(min(width, MEASURE))
        return [*head, Content(), *super().draw(width, table)]

    def pick(self, number: int) -> None:
        """Into the group, and on to the next."""
        if 1 <= number <= len(self._names):
            self._placed[self._members[self.cursor]] = self._names[number - 1]
            self.redraw()
            self.action_next_item()

    def action_give_answer(self) -> None:
        """Once every member has a group."""
        left = [each for each in self._members if each not in self._placed]
        if left:
            self.cursor = self._members.index(left[0])
            numbers = " or ".join(map(str, range(1, len(self._names) + 1)))
            self.post_message(
                self.Incomplete(self, f"Give each a group first: press {numbers}.")
            )
            return
        groups = {
            name: tuple(each for each in self._members if self._placed[each] == name)
            for name in self._names
        }
        self.post_message(self.Given(self, Groups(groups)))
