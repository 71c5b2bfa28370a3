"""RaceAsks: what is typed on the training screen: a fork, a setting's value, the run to
take away. Each is one `Ask`; an answer that cannot be taken is said so and stays.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from textual import on, work

from tutor import actions
from tutor.actions import Action
from tutor.errors import TutorError, UsageError
from tutor.picture import LETTERS
from tutor.safetext import safe
from tutor.training import forks
from tutor.ui import look, race_pictures, race_settings
from tutor.ui.screens.race_moves import RaceMoves
from tutor.ui.widgets.ask_line import Ask, AskLine

EXPORTED = (100, 30)
"""Columns and rows of a picture in a file."""


class RaceAsks(RaceMoves):
    """The part of the training screen that is typed to."""

    @property
    def line(self) -> AskLine:
        """Where it is typed."""
        return self.query_one(AskLine)

    def ask(self, ask: Ask) -> None:
        """Ask at once: the keys go into the line."""
        self.line.show(ask)
        self.line.enter()

    def footer_actions(self) -> list[Action]:
        """While something is typed, the line's own keys."""
        if self.mode != "edit":
            return super().footer_actions()
        keys = {"take_typed": "enter", "offer_typed": "tab", "leave_typed": "escape"}
        if self.line.ask is not None and not self.line.ask.offers:
            del keys["offer_typed"]
        return [
            replace(actions.named(row), keys=(key,), shown="")
            for row, key in keys.items()
        ]

    @on(AskLine.Entered)
    def _follow_typing(self, event: AskLine.Entered) -> None:
        event.stop()
        self.mode = "edit"

    @on(AskLine.Left)
    def _leave_line(self, event: AskLine.Left) -> None:
        event.stop()
        self._close_line()

    def _close_line(self) -> None:
        self.line.close()
        self.mode = "command"
        self.note_change()

    @on(AskLine.Given)
    def _give(self, event: AskLine.Given) -> None:
        event.stop()
        self._take(event.ask, event.text)

    @work(group="take", exit_on_error=False)
    async def _take(self, ask: Ask, text: str) -> None:
        """As soon as no iteration is under way; keys need not wait for that."""
        takers: dict[str, Callable[[str], Awaitable[str]]] = {
            "fork": self._take_fork,
            "value": self._take_value,
            "drop": self._take_drop,
            "export": self._take_export,
        }
        early = text != "" and self.control.state == "starting"
        if early:  # nothing more can be typed of it meanwhile
            self._close_line()
            self.say("It is taken as soon as the kernel is there.")
        try:
            said = await takers[ask.purpose](text) if text else ""
        except TutorError as error:
            tell = self.say if early else self.line.say
            tell(safe(str(error)), look.WARN)
            return
        if self.line.ask == ask and not early:
            self._close_line()
        if said or early:
            self.say(safe(said), look.WARN)

    # -------------------------------------------------------------------------- forks

    def run_of(self, letter: str = "") -> str:
        """The run of that letter; without one the first that is shown."""
        names = list(self.control.race.runs)
        if not letter:
            shown = (name for name in names if name not in self.control.hidden)
            return next(shown, names[0])
        at = LETTERS.index(letter)
        if at >= len(names):
            last = LETTERS[len(names) - 1]
            raise UsageError(f"There is no curve {letter}: they are A to {last}.")
        return names[at]

    def action_fork_run(self) -> None:
        if no_room := forks.full(self.control.race.spec):
            self.say(no_room, look.WARN)
            return
        parent = self.run_of()
        run = self.control.race.runs[parent]
        at = max(0, min(self.control.at, run.last))
        letter = LETTERS[list(self.control.race.runs).index(parent)]
        offers = race_settings.offers(self.control, parent, at)
        if at >= run.spec.iterations:
            self._ask_at_the_end(letter, at, offers)
            return
        tab = self.look.key("tab")
        several = len(self.control.race.runs) > 1
        other = ", or B lr 0.2 for another run" if several else ""
        hint = f"A setting and its value: lr 0.2{other}; {tab} offers some."
        if self.has_class("-narrow"):
            hint = "A setting and its value: lr 0.2"
        self.ask(
            Ask(
                "fork",
                f"Fork {letter} at {at}:",
                hint=hint,
                offers=offers,
            )
        )

    def _ask_at_the_end(self, letter: str, at: int, offers: tuple[str, ...]) -> None:
        """Of a run that has come to its end only what begins at 0 can be forked."""
        back = self.look.key("left")
        if not offers:
            self.say(f"{letter} ends at {at}: go back with {back}, then fork it.")
            return
        hint = (
            f"{letter} ends at {at}: for lr and the like Esc and {back} first. Others begin "
            f"at 0: {offers[0]}; {self.look.key('tab')} offers some."
        )
        if self.has_class("-narrow"):
            hint = f"{offers[0]}; for lr Esc, {back} first"
        self.ask(Ask("fork", f"Fork {letter} from 0:", hint=hint, offers=offers))

    async def _take_fork(self, text: str) -> str:
        wish = race_settings.wish(text)
        parent = self.run_of(wish.letter)
        at = min(max(0, self.control.at), self.control.race.runs[parent].last)
        return await race_settings.fork(
            self.control, parent, max(0, at), wish.key, wish.value
        )

    def action_drop_run(self) -> None:
        letters = ", ".join(LETTERS[: len(self.runs)])
        last = LETTERS[len(self.runs) - 1]
        hint = f"A letter of {letters}."
        self.ask(Ask("drop", "Take away the run:", last, hint, marked=True))

    async def _take_drop(self, text: str) -> str:
        letter = text.upper()
        if len(letter) != 1 or letter not in LETTERS:
            raise UsageError("One letter tells which run: the one at its curve's end.")
        name = self.run_of(letter)
        await self.control.change(lambda: forks.without(self.control.race.spec, name))
        return ""

    # ----------------------------------------------------------------------- settings

    def action_type_setting(self) -> None:
        row = self.marked()
        tab = self.look.key("tab")
        self.ask(
            Ask(
                "value",
                f"{row.key}:",
                hint=f"Now {row.value}; {tab} offers others.",
                offers=race_settings.value_offers(self.control, row.key),
            )
        )
        self._asked_key = row.key

    _asked_key = ""

    async def _take_value(self, text: str) -> str:
        return await race_settings.give(self.control, self._asked_key, text)

    # -------------------------------------------------------------------------- files

    def action_export_race(self) -> None:
        ask = Ask(
            "export",
            "Save as:",
            "race.svg",
            ".csv: all points; .txt, .svg, .png: the picture; a folder: TensorBoard.",
            offers=("race.svg", "race.csv", "race.txt", "race.png", "race-events"),
            marked=True,
        )
        self.ask(ask)

    async def _take_export(self, text: str) -> str:
        """In a thread, as a million points take seconds; the race may go on."""
        from tutor import exports

        path = _place(text)
        kind, race = exports.kind_of(path), copy.deepcopy(self.control.race)
        shown = race_pictures.shown(self.control, self.sight, *EXPORTED)
        written = await asyncio.to_thread(exports.write, race, kind, path, shown)
        self.app.copy_to_clipboard(str(written))
        return f"Written, and its path copied: {written}"


def _place(text: str) -> Path:
    return Path(text).expanduser().absolute()
