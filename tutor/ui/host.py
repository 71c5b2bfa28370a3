"""Host: what screens may ask of the app. `app.TutorApp` is it; tests may give another.

Screens never import the app, so that the app may import screens.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from tutor.kernel.base import KernelState
from tutor.ui.look import Look

if TYPE_CHECKING:  # the first frame waits for neither
    from tutor.lesson.schema import GraphCell, TrainCell
    from tutor.session import Session

Closed = Callable[[bool | None], None]


class Host(Protocol):
    """The app as its screens see it."""

    look: Look
    session: "Session | None"
    """None until the first frame is painted."""
    kernel_state: KernelState

    def open_section(self, section: str) -> None:
        """Open a lesson at its last place; a sentence when it is not written yet."""

    def open_console(self) -> None:
        """The console, over what is there."""

    def open_stepper(
        self, cell: "GraphCell | None" = None, closed: Closed | None = None
    ) -> None:
        """The stepper over what is there; None: the seed's 3x² + 2y at (2, 5).

        `closed` is called when it is left, with what its `result` says: False: the
        cell is not done yet.
        """

    def open_walk(self) -> None:
        """The stepper over what is there, on what `tutor.step` or %%step recorded last;
        a sentence when there is nothing."""

    def open_watched(self) -> None:
        """The training screen over what is there, on the loop that `tutor.watch` saw
        last; a sentence when there is none."""

    def open_training(
        self, cell: "TrainCell | None" = None, closed: Closed | None = None
    ) -> None:
        """The training screen over what is there; None: the race of 2.14. A race that
        was left is still there, and may have gone on."""
