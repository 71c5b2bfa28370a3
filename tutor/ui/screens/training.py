"""TrainingScreen: a race to watch, to scrub through, to fork, with its settings to turn.

What its keys do is `race_moves`', what is typed `race_asks`'; here is what is seen. This
paces the drawing: at once when nothing was drawn lately, else at most 20 times a second
(on a slow link 4, and fewer where they send much), after the keys that wait, and never
when nothing has changed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from textwrap import wrap
from time import monotonic as now

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from tutor.actions import Action
from tutor.errors import TutorError
from tutor.lesson.requests import race_of
from tutor.lesson.schema import TrainCell
from tutor.safetext import safe, safe_line
from tutor.training import explain, options
from tutor.training.findings import Finding
from tutor.training.spec import RaceSpec
from tutor.training.words import command
from tutor.ui import look, race_pictures, race_views
from tutor.ui.look import Glyph, sent_by
from tutor.ui.race_control import RaceControl
from tutor.ui.race_views import VIEWS, sight
from tutor.ui.races import Races
from tutor.ui.screens.frame import bindings
from tutor.ui.screens.race_care import RaceCare
from tutor.ui.widgets.ask_line import AskLine
from tutor.ui.widgets.frame_lines import TitleParts
from tutor.ui.widgets.lines import Column
from tutor.ui.widgets.picture_view import PictureView
from tutor.ui.widgets.plain import Plain, content_of
from tutor.ui.widgets.race_panel import Setting, Standing, one_line, panel

SHARE = 3
"""A drawing that takes long is followed by a rest: it may take one part in so many of
the time, so that a key finds the screen idle more often than not."""
PERIOD_S = {"fast": 0.05, "slow": 0.25}
"""The shortest time between two drawings."""
LINE_BYTES_S = 8000
"""What a slow link is to carry for a race that runs."""
LONGEST_S = 2.0
"""Between two drawings, however much the first one sent."""
KEYS_FIRST_S = 0.25
"""A drawing waits so long for a stream of keys to end."""
TOLD_ROWS = 7
"""Lines of what went wrong, at most."""
BOTH = 28
"""Rows from which the curves stand below another view."""


class TrainingScreen(RaceCare):
    """A race, by default that of section 2.14."""

    PLACE = "training"
    BINDINGS = bindings("training")
    DEFAULT_CSS = """
    TrainingScreen {
        & #race { height: 1fr; }
        & #left { width: 1fr; height: 1fr; }
        & #picture { height: 2fr; display: none; }
        & #curves { height: 1fr; }
        & #empty { display: none; width: 1fr; height: 2fr; padding: 1 3; }
        & #see { height: auto; min-height: 2; max-height: 4; padding: 0 1; }
        & #panel { width: 28; height: 1fr; border-left: solid $border; padding: 0 0 0 1; }
        & #line { display: none; height: 1; padding: 0 1; }
        &.-view #picture { display: block; }
        &.-view #curves, &.-waiting #curves { display: none; }
        &.-waiting #picture, &.-waiting #see { display: none; }
        &.-waiting #empty { display: block; }
        &.-view.-both #curves { display: block; }
        &.-wide #panel { width: 42; }
        &.-wide #see { min-height: 1; }
        &.-narrow #panel { display: none; }
        &.-narrow #line { display: block; }
        &.-low #see { display: none; }
        &.-told #see { display: block; max-height: 7; }  /* TOLD_ROWS */
        &.-low #empty { padding: 0 1; }
    }
    """

    def __init__(
        self,
        races: Races,
        cell: TrainCell | None = None,
        key: str = "",
        *,
        own: bool = False,
    ) -> None:
        """`key`: what the race is kept under; another cell has another. `own`: shows
        the learner's own loop first, if there is one."""
        super().__init__(() if cell is None else tuple(cell.settings))
        self._races = races
        self._cell = cell
        self._cell_problem: str | None = None
        """What is wrong in the cell's settings; None: nothing."""
        kept = races.of(key)
        self.control = kept or races.make(key, self._spec(), cell)
        self._kept = self.control
        self._own_first = own or (cell is None and races.news_of_own())
        self._told: str | None = None
        self._lucky_shown: RaceControl | None = None
        """Whose luck was drawn last."""
        self._drawn_at = 0.0
        self._took = 0.0
        """Seconds from the beginning of the last drawing until it was painted."""
        self._sent = 0
        """Bytes that had gone to the terminal then."""
        self._asked_at: float | None = None
        """When the drawing that is to come was asked for; None: there is none."""
        self._owes_curves = False
        """Those below a view are to be drawn yet."""
        self._view_first = "curves" if cell is None else cell.view
        self._line: tuple[RaceSpec, str] | None = None
        """The command that was said last, and of which race."""

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
        """The picture and the curves, or what will be there; the panel, or one line."""
        with Horizontal(id="race"):
            with Vertical(id="left"):
                yield PictureView(id="picture")
                yield Plain(id="empty")
                yield PictureView(id="curves")
                yield Plain(id="see")
            yield Column(id="panel")
        yield Plain(id="line")
        yield AskLine()

    def on_mount(self) -> None:
        """What happens to the race is drawn from now on."""
        self._races.session.on_watched = self._hear_own
        own = self._races.own() if self._own_first else None
        self._show_race(own or self.control)
        self.call_after_refresh(self._draw)

    def on_unmount(self) -> None:
        """Nobody looks any more, unless another screen does; the race goes on."""
        if self.control.shown == self.note_change:
            self.control.shown = None
            self.control.looking.at(None)
        if self._races.session.on_watched == self._hear_own:
            self._races.session.on_watched = None

    def on_screen_resume(self) -> None:
        """Another screen over this one may have shown the same race."""
        self._owes_curves = False  # what was to follow a refresh may be lost on the way
        self._races.session.on_watched = self._hear_own
        self._show_race(self.control)

    def _show_race(self, control: RaceControl) -> None:
        self.control.shown = None
        self.control = control
        control.shown = self.note_change
        self.note_change()

    def _hear_own(self) -> None:
        """The learner's own loop has points more."""
        if self.control.race.spec.watched and (own := self._races.own()):
            self._show_race(own)
        self.note_change()

    def result(self) -> bool:
        """Whether a race, or the luck meter's, was seen to its end."""
        control = self.control
        lucky = control.lucky is not None and control.lucky.end
        tried = bool(lucky and not lucky.interrupted)
        return control.was_over or control.race.over or tried

    # ------------------------------------------------------------------- what it says

    def title_parts(self) -> TitleParts:
        """How far, and in which state."""
        control, race = self.control, self.control.race
        at, last = max(0, race.iteration), race.spec.iterations
        far = Content(f"iteration {at} of {last}"), Content(f"{at}/{last}")
        if self._count:
            far = (Content.styled(f"{self._count} s", look.HERE),) * 2
        elif control.cursor is not None:
            said = f"looking at {control.cursor} of {at}"
            short = f"{self.look[Glyph.LEFT]}{control.cursor}/{at}"
            far = Content.styled(said, look.HERE), Content.styled(short, look.HERE)
        elif race.spec.watched:
            far = Content(f"iteration {at}"), Content(f"{at}")
        return TitleParts(content_of(self._heading(), look.STRONG), far, self._badges())

    def _badges(self) -> tuple[Content, ...]:
        state = self.control.state
        going = state in ("running", "trying")
        glyph = self.look[Glyph.GO if going else Glyph.PAUSED]
        shown = f"{glyph} {state}" if going or state == "paused" else state
        style = (
            look.HERE if going else look.BAD if state in ("lost", "diverged") else ""
        )
        dot = f" {self.look[Glyph.DOT]} "
        words = [self.runs[0].device]
        engines = [run.engine for run in self.runs if run.engine != "eager"]
        if "compiling" in engines and len(engines) > 1:
            words.append(f"compiling {engines.count('compiled') + 1} of {len(engines)}")
        else:
            words += [each for each in ("compiling", "compiled") if each in engines][:1]
        if (workers := max(run.workers for run in self.runs)) > 1:
            words.append(f"{workers} workers")
        return (
            Content.assemble((shown, style), dot, dot.join(words)),
            Content.assemble(
                (shown, style), *(dot + each for each in words if each != "cpu")
            ),
        )

    def _heading(self) -> str:
        if self.control.race.spec.watched:
            return "Your own loop"
        title = self.control.race.spec.title
        if title or self._cell is None:
            named = title or race_views.title(self.control.race.spec)
            return self.look.text(safe_line(named))
        return self.look.text(safe_line(self._cell.title or "A race"))

    def _question(self) -> str:
        """The cell's, to keep in mind while watching; "": none."""
        return self.look.text(safe_line(self._cell.ask, 400)) if self._cell else ""

    def word_of(self, action: Action) -> str:
        """What the key would do as things are."""
        control = self.control
        match action.id:
            case "run_race":
                return self._run_word()
            case "one_iteration" if self._count:
                return f"do {self._count}"
            case "next_view":
                following = VIEWS[(VIEWS.index(control.view) + 1) % len(VIEWS)]
                return sight(following, control.race, control.viewed).word
            case "switch_scale":
                return "linear" if race_pictures.is_log(control) else "log"
            case "raise_setting":
                return self.marked().key
            case "try_luck":
                return f"{control.seeds} seeds"
            case "watch_own" if control.race.spec.watched:
                return "the race"
            case "next_part" if control.view != "output":
                return "next size" if control.view == "noise" else "ends"
        return action.word

    def _run_word(self) -> str:
        control = self.control
        if control.trying:
            return "stop"
        if control.race.over and control.cursor is not None and not control.problem:
            return "newest"
        if control.race.over or control.problem is not None:
            return "again"
        return "pause" if control.busy else "run"

    def about(self) -> str:
        """What is seen, and what can be tried."""
        shown = self.sight
        return (
            f"{shown.refusal or shown.see} "
            "The runs have the same data and the same start. Turn the learning rate up "
            "until a run diverges; turn the batch and see the noise change; go back with "
            f"{self.look.key('left')} and fork a run to see what one other value does. "
            "A run whose loss leaves all bounds is stopped and its curve kept. It "
            "computes in a kernel of its own, also while you are elsewhere in the tutor; "
            "it ends with the tutor."
        )

    def _empty_words(self) -> str:
        control = self.control
        shown = self.sight
        if shown.refusal:
            return shown.refusal
        waiting = ""
        if control.late:
            waiting = (
                "\n\nIts kernel does not answer. "
                f"{self.look.key('ctrl+c')} twice ends it, and the race begins in a new "
                "one."
            )
        elif control.race.iteration < 0:
            waiting = f"\n\nStarting a second kernel for it{self.look[Glyph.ELLIPSIS]}"
        asked = f"{self._question()}\n\n" if self._question() else ""
        if shown.name == "luck":
            return self._luck_words(asked)
        if shown.name != "curves" and control.looking.problem is not None:
            return control.looking.problem
        if shown.name != "curves" and control.trying:
            key = self.look.key("space")
            return f"The picture comes after the luck meter: {key} ends that."
        if shown.name != "curves" and not waiting:
            return f"Computing the picture{self.look[Glyph.ELLIPSIS]}"
        runs = [safe_line(run.name, 20) for run in control.race.spec.runs]
        names = ", ".join(runs[:-1]) + (" and " if len(runs) > 1 else "") + runs[-1]
        keys = self.look.key("space"), self.look.key("s")
        return (
            f"{asked}Here the loss of {names} will be drawn, one point an iteration.\n\n"
            f"{keys[0]} runs the race, {keys[1]} does one iteration.{waiting}"
        )

    def _luck_words(self, asked: str) -> str:
        control = self.control
        if control.luck_problem is not None:
            return control.luck_problem
        if control.trying:
            return f"Starting {control.seeds} runs at once{self.look[Glyph.ELLIPSIS]}"
        changed = ""
        if self._lucky_shown is control:
            changed = "The race was changed: its luck is another. "
        return (
            f"{asked}{changed}Here the same race will be drawn with {control.seeds} seeds at once: "
            "the median, the band of 90 of 100, and how many succeed.\n\n"
            f"{self.look.key('k')} runs it, {self.look.key('space')} ends it."
        )

    def _see(self) -> tuple[str, str]:
        """What is said below the picture, and in which style."""
        finding = self.control.finding
        run = None if finding is None else self.control.race.runs.get(finding.run)
        if finding is None or run is None:
            asked = self._question() if self.control.view == self._view_first else ""
            lucky = self.control.lucky
            if self.sight.name == "luck" and self.looks.ends and lucky and lucky.end:
                return race_views.ENDS, look.QUIET
            return asked or self.sight.see, look.QUIET
        own = self.control.race.spec.watched  # whose settings nobody knows
        told = replace(finding, run=self._who_alike(finding))
        said = explain.sentence(told, None if own else run.spec)
        narrow = self.has_class("-narrow")
        if narrow:
            said = said.partition(": ")[0] + "."
        whole = f"{said}{self._offered(brief=narrow)}"
        width = self.query_one("#see", Plain).content_size.width
        if width and len(wrap(whole, width)) > TOLD_ROWS:
            whole = f"{said}{self._offered(brief=True)}"
        return self.look.text(safe_line(whole, 600)), look.BAD

    def _offered(self, *, brief: bool) -> str:
        """What can be tried, in the order in which the key does it; `brief`: without
        saying why."""
        key, offered, tried = self.look.key("a"), "", False
        for each in self.proposals():
            lead = "Or" if offered else "Try"
            if each.key:
                lead, tried = f"{key} again tries" if tried else f"{key} tries", True
            words = each.words.partition(": ")[0] if brief else each.words
            told = replace(each, words=words).after(lead)
            offered += f" {told.removesuffix('.')}."
        return offered

    def _who_alike(self, finding: Finding) -> str:
        """All runs of which the very same is said."""
        names = self.alike(finding)
        if self.control.race.spec.watched or len(names) < 2:
            return finding.run
        return f"{', '.join(names[:-1])} and {names[-1]}"

    def _settings(self) -> list[Setting]:
        marked = self.marked().key
        return [
            Setting(row.key, self.look.text(row.value), marked=row.key == marked)
            for row in self.rows()
        ]

    def _standing(self) -> Standing:
        control = self.control
        shown = self.sight
        return Standing(
            control.race,
            control.at,
            control.hidden,
            control.viewed if shown.kind and shown.kind != "surface" else "",
            newest=control.cursor is None,
        )

    def _foot(self) -> list[str]:
        looks = self.looks
        scale = "log" if race_pictures.is_log(self.control) else "linear"
        smooth = f"   mean of {looks.smooth}" if looks.smooth else ""
        zoomed = "   zoomed" if looks.window else ""
        lines = [
            f"y {scale}   x {looks.across}{smooth}{zoomed}",
            "w save   o kept races",
        ]
        if not self.control.race.spec.watched:
            lines += [f"c copies: {self._command()}"]
        return lines

    def _command(self) -> str:
        """The line that runs this very race."""
        spec = self.control.race.spec
        if self._line is None or self._line[0] is not spec:
            self._line = spec, command(spec)
        return self._line[1]

    # -------------------------------------------------------------------- drawing

    def note_change(self) -> None:
        """Draw soon, or at once when nothing was drawn lately."""
        if self._asked_at is None and self.in_front:
            self._asked_at = now()
            period = PERIOD_S[self.look.settings.link]
            if self.control.busy:
                period = max(period, SHARE * self._took)
            delay = self._drawn_at + period - self._asked_at
            self._in(delay, self._draw_after_keys)

    def _in(self, seconds: float, draw: Callable[[], None]) -> None:
        """Not by a timer of Textual's: on a busy machine one so short may never come
        (it skips ticks that are late), and nothing would be drawn any more."""
        loop = asyncio.get_running_loop()
        loop.call_later(max(seconds, 0.0), self.call_next, draw)

    def _draw_after_keys(self) -> None:
        """Draw now, unless keys wait to be answered first."""
        if self._asked_at is None:
            return
        if self._keys_first(self._asked_at):
            self._in(0.005, self._draw_after_keys)
        elif (rest := self._line_is_free_at() - now()) > 0:
            self._in(rest, self._draw_after_keys)
        else:
            self._draw()

    def _keys_first(self, since: float) -> bool:
        """Keys wait, and what is to be drawn has not waited for long."""
        return bool(self.app.message_queue_size) and now() - since < KEYS_FIRST_S

    def _line_is_free_at(self) -> float:
        """When what was drawn last, and since, has gone through a slow link. A drawing
        that follows a key does not wait for that."""
        if self.look.settings.link == "fast" or not self.control.busy:
            return 0.0
        seconds = (sent_by(self) - self._sent) / LINE_BYTES_S
        return self._drawn_at + min(seconds, LONGEST_S)

    def _draw(self) -> None:
        self._asked_at = None
        self._drawn_at = now()
        self._sent = sent_by(self)
        if not self.in_front or not self.query(AskLine):
            return
        control, shown = self.control, self.sight
        is_view = shown.name != "curves"
        self.set_class(is_view, "-view")
        room = self.has_class("-wide") and self.size.height >= BOTH
        self.set_class(room and control.race.iteration >= 1, "-both")
        if not is_view:
            control.looking.at(None)
        drawn = self._draw_picture() if is_view else control.race.iteration >= 1
        self.set_class(not drawn, "-waiting")
        if not drawn:
            self.query_one("#empty", Plain).show(self._empty_words(), look.QUIET)
        if drawn and not is_view:
            self._draw_curves()
        self.draw_beside()
        if not is_view or not self.has_class("-both"):
            self.call_after_refresh(self._note_painted, self._drawn_at)
        elif not self._owes_curves:
            self._owes_curves = True
            self.call_after_refresh(self._draw_below_after_keys)

    def _draw_below_after_keys(self) -> None:
        """The curves below a view, when that is painted: two pictures in one piece would
        take too long for a key that comes meanwhile."""
        if self._keys_first(self._drawn_at):
            self._in(0.005, self._draw_below_after_keys)
            return
        self._owes_curves = False
        if self.in_front and self.has_class("-both"):
            self._draw_curves()
            self.call_after_refresh(self._note_painted, self._drawn_at)

    def _draw_curves(self) -> None:
        view = self.query_one("#curves", PictureView)
        if view.size.area:
            marks = view.marks_for(len(self.control.race.runs))
            view.show(race_pictures.curves(self.control, *view.size, marks))

    def _note_painted(self, drawn_at: float) -> None:
        self._took = min(now() - drawn_at, LONGEST_S / SHARE)

    def _draw_picture(self) -> bool:
        """The view that is not the curves; False: there is nothing to draw yet."""
        control, shown = self.control, self.sight
        view = self.query_one("#picture", PictureView)
        width, height = view.size if view.size.area else self.query_one("#left").size
        control.looking.at(race_pictures.request(control, shown, width, height))
        marks = view.marks_for(2)
        picture = race_pictures.picture(control, shown, width, height, marks)
        if picture is not None:
            view.show(picture)
        if picture is not None and shown.name == "luck":
            self._lucky_shown = control
        return picture is not None

    def draw_beside(self) -> None:
        """Everything but the pictures: what a key changes is seen at once."""
        settings, standing = self._settings(), self._standing()
        if self.has_class("-narrow"):
            line = one_line(standing, settings, self.look, self.size.width - 2)
            self.query_one("#line", Plain).update(line, layout=False)
        else:
            beside = self.query_one("#panel", Column)
            width = beside.content_size.width or 26
            height = beside.content_size.height or self.size.height - 4
            size = width, height
            beside.show(panel(standing, settings, self._foot(), self.look, size))
        self.set_class(self.control.finding is not None, "-told")
        said, style = self._see()
        self.query_one("#see", Plain).show(said, style)
        problem = self.control.problem or self._cell_problem
        if problem != self._told:
            self._told = problem
            if self._told is not None:
                self.say(safe(self._told), look.BAD)
        self.refresh_frame()

    def on_resize(self) -> None:
        """Another width may want the line in the panel's place."""
        self.note_change()

    @on(PictureView.Resized)
    def _draw_anew(self, event: PictureView.Resized) -> None:
        event.stop()
        self.note_change()

    # -------------------------------------------------------------------- actions

    def action_copy_command(self) -> None:
        line = self._command()
        self.app.copy_to_clipboard(line)
        self.say(safe(f"Copied: {line}"))

    def own_is_there(self) -> bool:
        """A loop of the learner's own was watched."""
        return self._races.session.watched is not None

    def action_watch_own(self) -> None:
        """The learner's own loop, or the race again."""
        own = self._races.own()
        if self.control.race.spec.watched or own is None:
            self._show_race(self._kept)
        else:
            self._show_race(own)

    def action_open_kept_runs(self) -> None:
        """A list of the races on disk."""
        from tutor.ui.screens.kept_runs import KeptRunsScreen

        stored = self._races.session.runs.list()
        self.app.push_screen(KeptRunsScreen(stored), self._open_kept)

    def _open_kept(self, id: str | None) -> None:
        if id is not None:
            self._take_kept(id)

    @work(group="take", exit_on_error=False)
    async def _take_kept(self, id: str) -> None:
        """When the race that is here rests: it may be the very one that was chosen."""
        if early := self._kept.state == "starting":
            self.say("It is opened as soon as the kernel is there.")
        await self._kept.pause()
        try:
            async with self._races.taken(long=False):
                stored = self._races.session.runs.open(id)
        except TutorError as error:
            self.say(safe(str(error)), look.BAD)
            return
        if early:
            self.say("")
        self._show_race(self._kept)
        self._kept.take_over(stored.race)
