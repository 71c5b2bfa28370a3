"""KernelCare: what every screen tells of the kernel, and how it is stopped or mended.

The badge of the title, the sentence when it died, ctrl+c and the restart. What the rest
of the frame looks like is `frame`'s.
"""

from collections.abc import Iterable
from typing import TypeVar, cast

from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen

from tutor.errors import TutorError
from tutor.kernel.base import KernelState
from tutor.safetext import safe, safe_line
from tutor.ui import look
from tutor.ui.host import Host
from tutor.ui.look import Glyph, Look
from tutor.ui.widgets.plain import Words, content_of

Result = TypeVar("Result")
PATIENCE_S = 2.0
"""How long an interrupt may take before a restart is offered."""


class KernelCare(Screen[Result]):
    """A screen that knows how the kernel is."""

    kernel_state: reactive[KernelState] = reactive(KernelState.OFF)
    """Set by the app; the title's badge and the footer follow."""

    overdue: reactive[bool] = reactive(False, init=False)
    """True: an interrupt was not answered in `PATIENCE_S`."""

    _telling_death = False
    """The notice says that the kernel is gone."""

    @property
    def host(self) -> Host:
        """The app."""
        return cast(Host, self.app)

    @property
    def look(self) -> Look:
        """The app's look."""
        return look.look_of(self)

    def say(self, words: Words, style: str = "") -> None:
        """Show a sentence above the footer until the next key. "" takes it away."""
        raise NotImplementedError

    def refresh_frame(self) -> None:
        """Draw title and footer anew, after something they tell has changed."""
        raise NotImplementedError

    def urgent(self) -> Iterable[str]:
        """Ids of the actions that come first in the footer now."""
        if self.kernel_state is KernelState.DEAD or self.overdue:
            yield "restart_kernel"
        if self.kernel_state in (KernelState.BUSY, KernelState.INTERRUPTING):
            yield "interrupt"

    def kernel_badge(self) -> tuple[Content, ...]:
        """The kernel's state for the title, ever shorter."""
        state = self.kernel_state.value
        session = self.host.session
        devices = session.hello.devices if session and session.hello else ()
        known = self.kernel_state in (KernelState.IDLE, KernelState.BUSY)
        device = devices[-1] if devices and known else ""
        style = look.BAD if self.kernel_state is KernelState.DEAD else look.QUIET
        dot = f" {self.look[Glyph.DOT]} "
        words = dot.join(each for each in (f"kernel {state}", device) if each)
        return (
            content_of(words, style),
            content_of(f"kernel {state}", style),
            content_of(state, style),
        )

    def watch_kernel_state(self, state: KernelState) -> None:
        """The badge and the footer follow; an interrupt is given `PATIENCE_S`."""
        self.overdue = False
        if state is KernelState.INTERRUPTING:
            self.set_timer(PATIENCE_S, self._give_up_waiting)
        elif state is KernelState.DEAD and self.is_mounted:
            self._tell_death()
        elif self._telling_death:
            self.say("")  # it is no longer so, on whichever screen it was mended
        self.refresh_frame()

    def _give_up_waiting(self) -> None:
        if self.kernel_state is KernelState.INTERRUPTING:
            self.overdue = True
            self.refresh_frame()

    def _tell_death(self) -> None:
        session = self.host.session
        if session is None:
            return
        cause = safe_line(session.kernel.cause or "it ended")
        self.say(
            f"The kernel is gone: {cause}. Its names are lost; "
            f"{self.look.key('ctrl+n')} starts it anew and runs what you had finished.",
            look.BAD,
        )
        self._telling_death = True

    def action_interrupt(self) -> None:
        """Stop what runs; the second time, end the kernel."""
        if self.kernel_state in (KernelState.BUSY, KernelState.INTERRUPTING):
            self.app.run_worker(self._interrupt(), group="interrupt")
        elif marked := self._marked_text():
            self.app.copy_to_clipboard(marked)
            self.say("Copied.")
        else:
            self.say("Nothing is running. ctrl+q leaves the tutor.")

    def _marked_text(self) -> str:
        """In a text input, or with the mouse anywhere on the screen."""
        typed = getattr(self.focused, "selected_text", "")
        return typed or self.get_selected_text() or ""

    async def _interrupt(self) -> None:
        session = self.host.session
        if session is None:
            return
        if self.kernel_state is KernelState.INTERRUPTING:
            await session.kill()
        else:
            await session.interrupt()

    def action_restart_kernel(self) -> None:
        """A new kernel in which the accepted cells of the lesson have run."""
        if self.kernel_state is not KernelState.RESTARTING:
            self.say("Starting the kernel anew" + self.look[Glyph.ELLIPSIS])
            # The app's worker: one of this screen's would end with it, half way.
            self.app.run_worker(self._restart(), group="restart", exclusive=True)

    async def _restart(self) -> None:
        session = self.host.session
        if session is None:
            return
        try:
            problems = await session.restart()
        except TutorError as error:
            problems = [str(error)]
        if problems:
            self.say(safe("\n".join(problems)), look.BAD)
        else:
            self.say("A new kernel; what you had finished here was run again.")
        self.refresh_frame()
