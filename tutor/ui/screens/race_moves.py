"""RaceMoves: what the keys of the training screen do to a race and to how it is shown.
What is typed is `race_asks`', what is seen `training`'s.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from textual import events, work

from tutor.actions import Action
from tutor.errors import UsageError
from tutor.picture import LETTERS
from tutor.safetext import safe
from tutor.training import explain, forks
from tutor.training.findings import Finding
from tutor.training.run import Run
from tutor.training.spec import RaceSpec, RunSpec
from tutor.ui import look, race_pictures, race_settings
from tutor.ui.race_control import RaceControl
from tutor.ui.race_looks import Looks
from tutor.ui.race_settings import Row, Rows
from tutor.ui.race_views import VIEWS, Sight, sight
from tutor.ui.screens.frame import FrameScreen

DIGITS_AT_MOST = 9
TENTHS = 10
_SCRUBS = (
    *("scrub_back", "scrub_on", "scrub_far_back", "scrub_far_on"),
    *("scrub_first", "scrub_last"),
)
_NOT_OF_AN_OWN_LOOP = (
    *("run_race", "one_iteration", "fork_run", "try_luck", "reset_race", "drop_run"),
    *("raise_setting", "lower_setting", "next_setting", "previous_setting"),
    *("type_setting", "copy_command"),
)
"""Nobody can ask the learner's own loop for that."""


class RaceMoves(FrameScreen[bool]):
    """The part of the training screen that its keys are about."""

    control: RaceControl
    """The race that is shown."""

    def __init__(self, only: tuple[str, ...] = ()) -> None:
        """`only`: the settings that may be turned here; (): all."""
        super().__init__()
        self._rows = Rows(only)
        self._count = ""
        """Digits that were typed and wait for s."""
        self._turns = asyncio.Lock()
        self._proposed: tuple[RaceSpec, Finding, list[explain.Proposal]] | None = None
        """Each drawing asks for them several times."""

    def note_change(self) -> None:
        """Draw everything soon."""
        raise NotImplementedError

    def draw_beside(self) -> None:
        """Draw all but the pictures, now."""
        raise NotImplementedError

    # ------------------------------------------------------------------ what there is

    @property
    def looks(self) -> Looks:
        """How it is drawn."""
        return self.control.looks

    @property
    def sight(self) -> Sight:
        """The view that is shown."""
        return sight(self.control.view, self.control.race, self.control.viewed)

    @property
    def runs(self) -> list[Run]:
        """In their order."""
        return list(self.control.race.runs.values())

    def rows(self) -> list[Row]:
        """The settings that mean something here."""
        return self._rows.of(self.control)

    def marked(self) -> Row:
        """The one that + and - turn."""
        rows = self.rows() or [Row("", "")]
        found = (row for row in rows if row.key == self.looks.marked)
        return next(found, rows[0])

    def offers(self, action: Action) -> bool:
        """Only what makes sense for this race, as it stands."""
        race = self.control.race
        if race.spec.watched and action.id in _NOT_OF_AN_OWN_LOOP:
            return False
        if action.id in _SCRUBS:
            return race.iteration > 0
        if action.id in ("toggle_curve", "drop_run"):
            return len(race.runs) > 1
        wanted: dict[str, Callable[[], bool]] = {
            "fork_run": lambda: race.iteration >= 0,
            "one_iteration": lambda: not race.over,
            "apply_proposal": lambda: self._proposal() is not None,
            "next_viewed": lambda: self.sight.kind is not None and len(race.runs) > 1,
            "next_part": self._has_parts,
            "watch_own": self.own_is_there,
            "forget_count": lambda: bool(self._count),
        }
        return wanted[action.id]() if action.id in wanted else True

    def own_is_there(self) -> bool:
        """Whether there is a loop of the learner's own to change to, or from."""
        return False

    def urgent(self) -> Iterable[str]:
        """A proposal first. Another kernel computes here, so nothing of the console's."""
        if self._proposal() is not None:
            yield "apply_proposal"
        elif self.control.view == "luck" and not self.control.trying:
            yield "try_luck"

    # ------------------------------------------------------------------------ running

    async def action_run_race(self) -> None:
        await self.control.run_or_pause()

    async def action_one_iteration(self) -> None:
        count, self._count = int(self._count or "1"), ""
        if count:
            await self.control.do(count)
        self.refresh_frame()

    def on_key(self, event: events.Key) -> None:
        """Digits wait for `s`; any other key but backspace forgets them."""
        super().on_key(event)
        if self.mode == "edit":
            self._count = ""
        elif event.character and event.character in "0123456789":
            self._count = (self._count + event.character)[-DIGITS_AT_MOST:].lstrip("0")
            event.stop()
            self.refresh_frame()
        elif event.character and event.character in LETTERS:
            event.stop()
            event.prevent_default()  # or what is said now would be taken away
            self._toggle(event.character)
        elif event.key == "s" and self.control.race.over:
            self._count = ""
            event.prevent_default()  # as above
            self.say(self._over_words())
            self.refresh_frame()
        elif event.key not in ("s", "backspace") and self._count:
            self._count = ""
            self.refresh_frame()

    def _over_words(self) -> str:
        """Why there is no further iteration, and what begins one."""
        if self.control.race.spec.watched:
            return "Your own loop has ended: there is no further iteration."
        twice = " twice" if self.control.cursor is not None else ""
        ended = "over: every run diverged" if self.control.state == "diverged" else ""
        key = self.look.key("space")
        return f"The race is {ended or 'finished'}. {key}{twice} runs it again."

    def action_forget_count(self) -> None:
        self._count = self._count[:-1]
        self.refresh_frame()

    async def action_reset_race(self) -> None:
        self.looks.log = self.looks.window = None
        await self.control.reset(
            forks.as_now(self.control.race.spec, self.control.race.iteration)
        )

    # ----------------------------------------------------------------------- scrubbing

    async def action_scrub_back(self) -> None:
        await self._scrub(-1)

    async def action_scrub_on(self) -> None:
        await self._scrub(1)

    async def action_scrub_far_back(self) -> None:
        await self._scrub(-self._tenth())

    async def action_scrub_far_on(self) -> None:
        await self._scrub(self._tenth())

    async def action_scrub_first(self) -> None:
        await self.control.go_to(0)

    async def action_scrub_last(self) -> None:
        await self.control.go_to(self.control.race.iteration)

    def _tenth(self) -> int:
        return max(1, self.control.race.iteration // TENTHS)

    async def _scrub(self, by: int) -> None:
        stride = max(run.stride for run in self.runs)
        step = by if abs(by) >= stride else stride * (1 if by > 0 else -1)
        await self.control.go_to(self.control.at // stride * stride + step)

    # -------------------------------------------------------------------------- views

    def action_next_view(self) -> None:
        self._turn_view(1)

    def action_previous_view(self) -> None:
        self._turn_view(-1)

    def _turn_view(self, direction: int) -> None:
        at = VIEWS.index(self.control.view) + direction
        self.control.view = VIEWS[at % len(VIEWS)]
        self.note_change()

    def action_next_viewed(self) -> None:
        names = list(self.control.race.runs)
        at = names.index(self.control.viewed) + 1
        self.control.viewed = names[at % len(names)]
        self.looks.unit = None
        self.note_change()

    def action_next_part(self) -> None:
        """Of what lies in the picture the next is lit; after the last unit none is."""
        parts, looks = race_settings.parts(self.control), self.looks
        if self.control.view == "noise":
            looks.batch = (looks.batch + 1) % max(1, parts)
        elif self.control.view == "luck":
            looks.ends = not looks.ends
        else:
            following = 0 if looks.unit is None else looks.unit + 1
            looks.unit = following if following < parts else None
        self.note_change()

    def _has_parts(self) -> bool:
        """Whether something can be lit, or shown otherwise, in this view."""
        control = self.control
        if control.view == "luck":
            contour = sight("contour", control.race, control.viewed)
            ended = control.lucky is not None and control.lucky.end is not None
            return ended and contour.word == "contour" and not contour.refusal
        lines = control.race.runs[control.viewed].spec.model != "parabola"
        return control.view == "noise" or (self.sight.word == "regions" and lines)

    async def action_try_luck(self) -> None:
        refusal = sight("luck", self.control.race, self.control.viewed).refusal
        if refusal:
            self.say(refusal)
            return
        self.control.view = "luck"
        await self.control.try_luck()

    # ------------------------------------------------------------------------- curves

    def action_switch_scale(self) -> None:
        self.looks.log = not race_pictures.is_log(self.control)
        self.note_change()

    def action_switch_axis(self) -> None:
        self.looks.turn_axis()
        self.note_change()

    def action_smooth(self) -> None:
        self.looks.turn_smoothing()
        self.note_change()

    def action_zoom_in(self) -> None:
        self.looks.zoom(self.control.race, self.control.at, 0.5)
        self.note_change()

    def action_zoom_out(self) -> None:
        self.looks.zoom(self.control.race, self.control.at, 2.0)
        self.note_change()

    def _toggle(self, letter: str) -> None:
        """Hide the curve of a letter, or show it again; the last one stays."""
        at, runs = LETTERS.index(letter), self.runs
        if at >= len(runs):
            self.say(f"There is no curve {letter}.")
        elif {run.spec.name for run in runs} - self.control.hidden == {
            runs[at].spec.name
        }:
            self.say("The last curve stays.")
        else:
            self.control.toggle(runs[at].spec.name)

    # ----------------------------------------------------------------------- settings

    def action_next_setting(self) -> None:
        self._mark(1)

    def action_previous_setting(self) -> None:
        self._mark(-1)

    def _mark(self, direction: int) -> None:
        keys = [row.key for row in self.rows()]
        at = keys.index(self.marked().key) + direction
        self.looks.marked = keys[at % len(keys)]
        self.draw_beside()

    def action_raise_setting(self) -> None:
        self._turn_setting(self.marked(), 1)

    def action_lower_setting(self) -> None:
        self._turn_setting(self.marked(), -1)

    @work(group="turn", exit_on_error=False)
    async def _turn_setting(self, row: Row, direction: int) -> None:
        """As soon as no iteration is under way; turns wait for each other."""
        early = self.control.state == "starting" and row.key != "speed"
        if early:
            self.say("It is taken as soon as the kernel is there.")
        async with self._turns:
            said = await race_settings.turn(self.control, row, direction)
        if said or early:
            self.say(safe(said), look.WARN)
        self.draw_beside()

    # ----------------------------------------------------------------------- findings

    def proposals(self) -> list[explain.Proposal]:
        """Those for the newest finding that nobody tried yet."""
        finding = self.control.finding
        run = None if finding is None else self.control.race.runs.get(finding.run)
        if finding is None or run is None:
            return []
        spec = self.control.race.spec
        last = self._proposed
        if last is None or last[0] is not spec or last[1] is not finding:
            last = self._proposed = spec, finding, _untried(spec, run.spec, finding)
        return last[2]

    def _proposal(self) -> explain.Proposal | None:
        """The first of them that can be forked."""
        return next((each for each in self.proposals() if each.key), None)

    def alike(self, finding: Finding) -> list[str]:
        """The runs of which the very same is said."""
        names = [
            each.run
            for each in self.control.race.findings
            if replace(each, run=finding.run) == finding
        ]
        return names if finding.run in names else [finding.run]

    async def action_apply_proposal(self) -> None:
        finding, proposal = self.control.finding, self._proposal()
        if finding is None or proposal is None:
            return
        key, value = proposal.key, proposal.value
        alike = self.alike(finding)
        runs = self.control.race.runs
        names = [
            name
            for name in alike
            if (key, value)
            in {
                (each.key, each.value)
                for each in explain.proposals(finding, runs[name].spec)
            }
        ]
        try:
            said = await race_settings.fork_each(self.control, names, key, value)
        except UsageError as error:  # there are six runs already
            said = str(error)
        else:
            if self._proposal() is None:
                self.control.answered += [
                    each for each in self.control.race.findings if each.run in alike
                ]
        if said:
            self.say(safe(said), look.WARN)
        self.refresh_frame()


def _untried(race: RaceSpec, run: RunSpec, finding: Finding) -> list[explain.Proposal]:
    if race.watched:  # whose settings nobody knows
        return list(explain.proposals(finding))
    return [
        each
        for each in explain.proposals(finding, run)
        if not (each.key and forks.is_forked(race, run.name, 0, each.key, each.value))
    ]
