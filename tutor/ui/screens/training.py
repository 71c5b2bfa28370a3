"""TrainingScreen: a race to watch, with its settings to turn while it runs.

What is wanted of the race and computing it is `race_control`'s, the curves are
`widgets.loss_plot`'s, the rest `widgets.race_panel`'s. This paces the drawing: at once
when nothing was drawn lately, else at most 20 times a second (4 on a slow link), after
the keys that wait, and never when nothing has changed.
"""

from collections.abc import Iterable
from time import monotonic as now

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from tutor.actions import Action
from tutor.lesson.requests import race_of
from tutor.lesson.schema import TrainCell
from tutor.plotting import suggests_log
from tutor.safetext import safe, safe_line
from tutor.session import Session
from tutor.training import options
from tutor.training.notches import NOTCHES
from tutor.training.spec import RaceSpec
from tutor.ui import look
from tutor.ui.look import Glyph
from tutor.ui.race_control import SPEEDS, RaceControl
from tutor.ui.screens.frame import FrameScreen, bindings
from tutor.ui.widgets.frame_lines import TitleParts
from tutor.ui.widgets.loss_plot import LossPlot
from tutor.ui.widgets.plain import Plain, content_of
from tutor.ui.widgets.race_panel import Setting, one_line, panel

PERIOD_S = {"fast": 0.05, "slow": 0.25}
"""The shortest time between two drawings."""
KEYS_FIRST_S = 0.25
"""A drawing waits so long for a stream of keys to end."""


class TrainingScreen(FrameScreen[bool]):
    """A race, by default that of section 2.14."""

    PLACE = "training"
    BINDINGS = bindings("training")
    DEFAULT_CSS = """
    TrainingScreen {
        & #race { height: 1fr; }
        & #empty { display: none; width: 1fr; height: 1fr; padding: 1 3; }
        & #panel { width: 28; height: 1fr; border-left: solid $border; padding: 0 0 0 1; }
        & #line { display: none; height: 1; padding: 0 1; }
        &.-waiting LossPlot { display: none; }
        &.-waiting #empty { display: block; }
        &.-wide #panel { width: 42; }
        &.-narrow #panel { display: none; }
        &.-narrow #line { display: block; }
        &.-low #empty { padding: 0 1; }
    }
    """

    def __init__(self, session: Session, cell: TrainCell | None = None) -> None:
        super().__init__()
        self._cell = cell
        self._cell_problem: str | None = None
        """What is wrong in the cell's settings; None: nothing."""
        self.control = RaceControl(session, self._spec(), self._note_change)
        self._marked = 0
        self._log: bool | None = None
        """None: what the losses suggest."""
        self._was_over = False
        self._told: str | None = None
        self._drawn_at = 0.0
        self._asked_at: float | None = None
        """When the drawing that is to come was asked for; None: there is none."""

    def _spec(self) -> RaceSpec:
        if self._cell is None:
            return options.race()
        try:
            return race_of(self._cell)
        except options.SpecError as error:
            faults = " ".join(fault.message for fault in error.faults)
            self._cell_problem = f"This is the race of 2.14, not the cell's: {faults}"
            return options.race()

    def compose_content(self) -> ComposeResult:
        """The plot, or what will be there; the panel, or one line."""
        with Horizontal(id="race"):
            yield LossPlot()
            yield Plain(id="empty")
            yield Plain(id="panel")
        yield Plain(id="line")

    def on_mount(self) -> None:
        """The race is made at once, so that the first key finds it warm."""
        self._drive()
        self.call_after_refresh(self._draw)

    @work(group="race", exit_on_error=False)
    async def _drive(self) -> None:
        await self.control.drive()

    def result(self) -> bool:
        """Whether a race was seen to its end."""
        return self._was_over

    # ------------------------------------------------------------------- what it says

    def title_parts(self) -> TitleParts:
        """How far, and in which state."""
        race, state = self.control.race, self.control.state
        at, last = max(0, race.iteration), race.spec.iterations
        glyph = self.look[Glyph.GO if state == "running" else Glyph.PAUSED]
        shown = f"{glyph} {state}" if state in ("running", "paused") else state
        style = look.HERE if state == "running" else ""
        return TitleParts(
            content_of(self._heading(), look.STRONG),
            (Content(f"iteration {at} of {last}"), Content(f"{at}/{last}")),
            (
                Content.assemble((shown, style), f" {self.look[Glyph.DOT]} cpu"),
                Content.styled(shown, style),
            ),
        )

    def _heading(self) -> str:
        if self._cell is None:
            return "2.14 GD, minibatch SGD, SGD"
        return self.look.text(safe_line(self._cell.title or "A race"))

    def _ask(self) -> str:
        """The cell's question, to keep in mind while watching; "": none."""
        return self.look.text(safe_line(self._cell.ask, 400)) if self._cell else ""

    def word_of(self, action: Action) -> str:
        """Run, pause or again; the other scale."""
        if action.id == "run_race":
            if self.control.race.over or self.control.problem is not None:
                return "again"
            return "pause" if self.control.running else "run"
        if action.id == "switch_scale":
            return "linear" if self._is_log() else "log"
        return action.word

    def offers(self, action: Action) -> bool:
        """Nothing is left to iterate when every run has ended."""
        return action.id != "one_iteration" or not self.control.race.over

    def about(self) -> str:
        """What is seen, and what can be tried."""
        return (
            "Each curve is the loss of one run, on all the data, after every iteration. "
            "The runs have the same data and the same start; they differ in how many "
            "data points one iteration looks at. Turn the learning rate up until a run "
            "diverges; turn the batch and see the noise change. A run whose loss leaves "
            "all bounds is stopped and its curve kept. Another seed or other noise is "
            "other data, so the race begins anew. "
            "It computes in a kernel of its own: the console stays free."
        )

    def _empty_words(self) -> str:
        runs = [safe_line(run.name, 20) for run in self.control.race.spec.runs]
        names = ", ".join(runs[:-1]) + (" and " if len(runs) > 1 else "") + runs[-1]
        keys = self.look.key("space"), self.look.key("s")
        waiting = (
            ""
            if self.control.race.iteration >= 0
            else (f"\n\nStarting a second kernel for it{self.look[Glyph.ELLIPSIS]}")
        )
        asked = f"{self._ask()}\n\n" if self._ask() else ""
        return (
            f"{asked}Here the loss of {names} will be drawn, one point an iteration.\n\n"
            f"{keys[0]} runs the race, {keys[1]} does one iteration.{waiting}"
        )

    def _settings(self) -> list[Setting]:
        spec = self.control.race.spec
        speed = self.control.speed
        values = {notch.key: notch.shown(spec) for notch in NOTCHES}
        values["speed"] = "full" if speed is None else f"{speed}/s"
        rows = [each for each in values.items() if each[1]]
        self._marked %= len(rows)
        return [
            Setting(key, value, marked=at == self._marked)
            for at, (key, value) in enumerate(rows)
        ]

    def _is_log(self) -> bool:
        return suggests_log(self.control.race) if self._log is None else self._log

    # -------------------------------------------------------------------- drawing

    def _note_change(self) -> None:
        if self._asked_at is None and self.is_mounted:
            self._asked_at = now()
            period = PERIOD_S[self.look.settings.link]
            delay = self._drawn_at + period - self._asked_at
            self.set_timer(max(delay, 0.001), self._draw_after_keys)

    def _draw_after_keys(self) -> None:
        """Draw now, unless keys wait to be answered first."""
        if self._asked_at is None:
            return
        waited = now() - self._asked_at
        if self.app.message_queue_size and waited < KEYS_FIRST_S:
            self.set_timer(0.005, self._draw_after_keys)
        else:
            self._draw()

    def _draw(self) -> None:
        self._asked_at = None
        self._drawn_at = now()
        if not self.is_mounted:
            return
        race = self.control.race
        self._was_over = self._was_over or race.over
        self.set_class(race.iteration < 1, "-waiting")
        if race.iteration < 1:
            self.query_one("#empty", Plain).show(self._empty_words(), look.QUIET)
        else:
            self.query_one(LossPlot).show_race(race, log=self._is_log())
        self._draw_beside()

    def _draw_beside(self) -> None:
        """Everything but the plot: what a key changes is seen at once."""
        race, settings = self.control.race, self._settings()
        if self.has_class("-narrow"):
            line = one_line(race, settings, self.look, self.size.width - 2)
            self.query_one("#line", Plain).update(line, layout=False)
        else:
            beside = self.query_one("#panel", Plain)
            scale = "log" if self._is_log() else "linear"
            width = beside.content_size.width or 26
            # Its size is fixed, so nothing has to be laid out again.
            beside.update(panel(race, settings, scale, self.look, width), layout=False)
        problem = self.control.problem or self._cell_problem
        if problem != self._told:
            self._told = problem
            if self._told is not None:
                self.say(safe(self._told), look.BAD)
        self.refresh_frame()

    def on_resize(self) -> None:
        """Another width may want the line in the panel's place."""
        self._note_change()

    # -------------------------------------------------------------------- actions

    async def action_run_race(self) -> None:
        """space."""
        await self.control.run_or_pause()

    async def action_one_iteration(self) -> None:
        """s."""
        await self.control.one()

    async def action_reset_race(self) -> None:
        """r."""
        self._log = None
        await self.control.reset()

    def action_switch_scale(self) -> None:
        """y."""
        self._log = not self._is_log()
        self._note_change()

    def action_next_setting(self) -> None:
        """tab."""
        self._marked += 1
        self._draw_beside()

    def action_previous_setting(self) -> None:
        """shift+tab."""
        self._marked -= 1
        self._draw_beside()

    async def action_raise_setting(self) -> None:
        """Right."""
        await self._turn(1)

    async def action_lower_setting(self) -> None:
        """Left."""
        await self._turn(-1)

    async def _turn(self, direction: int) -> None:
        marked = next(each for each in self._settings() if each.marked)
        if marked.name == "speed":
            at = SPEEDS.index(self.control.speed) + direction
            self.control.set_speed(SPEEDS[min(max(at, 0), len(SPEEDS) - 1)])
            self._draw_beside()
            return
        notch = next(each for each in NOTCHES if each.key == marked.name)
        spec = self.control.race.spec
        turned = notch.turn(spec, direction)
        if turned != spec:
            await self.control.change(turned, anew=notch.anew)
            self._draw_beside()

    def urgent(self) -> Iterable[str]:
        """Another kernel computes here."""
        return ()

    def action_interrupt(self) -> None:
        """ctrl+c pauses; the iterations so far are kept."""
        if self.control.running:
            self._pause()
        else:
            super().action_interrupt()

    @work(group="pause", exit_on_error=False)
    async def _pause(self) -> None:
        await self.control.pause()

    def on_unmount(self) -> None:
        """Nobody watches any more."""
        self.control.leave()
