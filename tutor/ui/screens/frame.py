"""FrameScreen: the quiet frame of every screen. The content is the subclass's.

Title line, rule, content, notice, rule, footer of at most seven keys. A subclass sets
`PLACE` and `BINDINGS = bindings(PLACE)`, yields its widgets from `compose_content`,
names itself in `title_parts`, and has an `action_<id>` for each of its rows in
`tutor.actions`. It may override `offers` (is this key of use now?), `word_of` (what is
it called now?), `urgent` (what comes first now?) and `about` (what is this?).
Below 40x12 one line asks for more room, and all state is kept.
"""

import asyncio
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.reactive import reactive

from tutor import actions
from tutor.actions import Action, Mode, Place
from tutor.ui import look
from tutor.ui.bindings import bindings as rows_bindings
from tutor.ui.look import Glyph, LookApp
from tutor.ui.screens.kernel_care import KernelCare
from tutor.ui.widgets.frame_lines import (
    KeyItem,
    KeysLine,
    RuleLine,
    TitleLine,
    TitleParts,
)
from tutor.ui.widgets.plain import Plain, Words, content_of

Result = TypeVar("Result")
LAST_RANK = 90
"""Footer entries of this rank or more stand last and stay when the room is short."""


def bindings(place: Place) -> list[BindingType]:
    """The bindings of a screen: its own, then those that work anywhere.

    Both in one list, because a key of a subclass would hide the base's.
    """
    return [*rows_bindings(place), *rows_bindings("anywhere")]


class FrameScreen(KernelCare[Result]):
    """A screen in the common frame."""

    PLACE: ClassVar[Place] = "anywhere"
    BINDINGS = rows_bindings("anywhere")
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [
        (0, "-tiny"),
        (40, "-narrow"),
        (look.NARROW, "-usual"),
        (110, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (12, "-low"), (20, "-tall")]
    DEFAULT_CSS = """
    FrameScreen {
        overflow: hidden;
        & #content { height: 1fr; }
        & #notice { height: auto; max-height: 3; padding: 0 1; display: none; }
        & #too-small { display: none; }
        &.-tiny, &.-flat {
            & #frame { display: none; }
            & #too-small { display: block; }
        }
    }
    """

    mode: reactive[Mode] = reactive[Mode]("command", init=False)
    """Letters are keys in command mode and text in edit mode; the footer follows."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = asyncio.Event()
        """Everything is mounted: keys may come. The app holds them back until then."""
        self._race = ""

    def compose(self) -> ComposeResult:
        """The frame around `compose_content`."""
        with Vertical(id="frame"):
            yield TitleLine()
            yield RuleLine()
            with Container(id="content"):
                yield from self.compose_content()
            yield Plain(id="notice")
            yield RuleLine()
            yield KeysLine()
        yield Plain(
            "Please make the window larger: 40 by 12 is enough.", id="too-small"
        )

    # ------------------------------------------------------- what a subclass says

    def compose_content(self) -> ComposeResult:
        """The widgets between the rules."""
        yield from ()

    def title_parts(self) -> TitleParts:
        """What the title line says now."""
        title = content_of(self.app.title, look.STRONG)
        return TitleParts(title, right=self.kernel_badge())

    def offers(self, action: Action) -> bool:
        """Whether the action is of use now; its key does nothing otherwise."""
        return True

    def word_of(self, action: Action) -> str:
        """The footer's word for the action, as things are now."""
        return action.word

    def about(self) -> str:
        """What the focused thing is, for `?`; a few sentences."""
        return ""

    def result(self) -> Result | None:
        """What the screen tells the one below when Esc leaves it."""
        return None

    def tell_race(self, words: str) -> None:
        """What the app says of a race that runs, in a few words; "": none does."""
        if words != self._race:
            self._race = words
            if self.in_front:
                self.refresh_frame()

    @property
    def in_front(self) -> bool:
        """Nothing lies over it. What changes on a screen behind waits for its resume:
        the terminal's own background is transparent to Textual, which would paint all of
        the screen in front anew."""
        return self.is_mounted and self.app.screen is self

    def keep(self) -> None:
        """The app is about to end: keep what is typed. Nothing may be awaited."""

    # ------------------------------------------------------------ what it is given

    def say(self, words: Words, style: str = "") -> None:
        """Show a sentence above the footer until the next key. "" takes it away."""
        if not self._is_whole:
            return
        self._telling_death = False
        notice = self.notice
        if str(words) or notice.display:
            notice.display = bool(str(words))
            notice.show(words, style)

    @property
    def notice(self) -> Plain:
        """Where `say` says it."""
        return self.query_one("#notice", Plain)

    @property
    def _is_whole(self) -> bool:
        """Its lines are there: not before it is mounted, and not while it is removed,
        when a worker may still have something to say."""
        return self.is_mounted and bool(self.query(KeysLine))

    def refresh_frame(self) -> None:
        """Draw title and footer anew, after something they tell has changed."""
        if self._is_whole:
            self.query_one(TitleLine).parts = self._with_race(self.title_parts())
            self.query_one(KeysLine).items = [
                KeyItem(
                    self._shown_key(action),
                    self.word_of(action),
                    stays=action.rank >= LAST_RANK,
                )
                for action in self.footer_actions()
            ]

    def _with_race(self, parts: TitleParts) -> TitleParts:
        """The title also tells of a race that runs, unless it is the race's own."""
        if not self._race or self.PLACE == "training":
            return parts
        said = Content.styled(f"{self.look[Glyph.GO]} {self._race}", look.HERE)
        right = (Content.assemble(said, "   ", each) for each in parts.right)
        return TitleParts(parts.left, parts.middle, (*right, said))

    def _shown_key(self, action: Action) -> str:
        """The first of its keys that works in this mode."""
        typed = self.mode == "edit" and not action.shown
        keys = [key for key in action.keys if len(key) > 1 or not typed]
        return action.shown or self.look.key([*keys, *action.keys][0])

    def footer_actions(self) -> list[Action]:
        """What the footer names, most wanted first and help last."""
        urgent = [actions.named(each) for each in self.urgent()]
        usual = actions.footer(self.PLACE, self.mode)
        rows = [*urgent, *(row for row in usual if row not in urgent)]
        return [row for row in rows if (row.keys or row.shown) and self.offers(row)]

    # ----------------------------------------------------------------- what happens

    def on_mount(self) -> None:
        """The frame's words need the widgets."""
        self.refresh_frame()
        self.ready.set()

    def on_screen_resume(self) -> None:
        """Another screen may have changed what the title says."""
        self.refresh_frame()

    def on_key(self, event: events.Key) -> None:
        """A sentence was read when the next key comes."""
        self.say("")

    def watch_mode(self) -> None:
        """The footer follows the mode."""
        self.refresh_frame()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key of the other mode, or of no use now, does nothing."""
        try:
            row = actions.named(action)
        except KeyError:
            return True
        return row.mode in ("", self.mode) and self.offers(row)

    # -------------------------------------------------------------------- anywhere

    def action_back(self) -> None:
        """One level up; the bottom screen stays."""
        if len(self.app.screen_stack) > 1:
            self.dismiss(self.result())

    def action_explain(self) -> None:
        """The help of this screen."""
        from tutor.ui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.PLACE, self.about()))

    def action_open_walk(self) -> None:
        """The walk that was recorded last; in a walk there is nothing to open."""
        if self.PLACE != "stepper":
            self.host.open_walk()

    def action_open_watched(self) -> None:
        """The loop that was watched last; on the training screen it is shown already."""
        if self.PLACE != "training":
            self.host.open_watched()

    def on_console_pane_walk_asked(self) -> None:
        """What was typed in the console asked to walk through something."""
        if self.is_current:
            self.action_open_walk()

    def action_palette(self) -> None:
        """The command palette."""
        self.app.action_command_palette()

    def action_switch_theme(self) -> None:
        """The other of the two themes."""
        if isinstance(self.app, LookApp):
            self.app.switch_theme()

    async def action_quit(self) -> None:
        """Leave; the app keeps what is to be kept."""
        await self.app.action_quit()

    def action_suspend(self) -> None:
        """Stop this process; the shell's `fg` wakes it."""
        self.app.action_suspend_process()
