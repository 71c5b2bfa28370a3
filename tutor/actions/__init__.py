"""The action tables: what can be done, where, by which key, and what it is called.

Bindings, footer, `?` help, command palette and docs all come from these rows. A screen
has a method `action_<id>` for each row that is its own; nothing else declares a key.
Keys are Textual's names ("enter", "ctrl+r") or one character ("?"); how a key is drawn
is `ui.look`'s. Rows of a screen stand in the order of its help.
"""

from collections.abc import Iterator

from tutor.actions.action import Action, Mode, Place
from tutor.actions.answer import ANSWER
from tutor.actions.anywhere import ANYWHERE
from tutor.actions.console import CONSOLE
from tutor.actions.home import HOME
from tutor.actions.kept_runs import KEPT_RUNS
from tutor.actions.lesson import LESSON
from tutor.actions.stepper import STEPPER
from tutor.actions.training import TRAINING
from tutor.actions.why import WHY

__all__ = ["ACTIONS", "Action", "Mode", "Place", "footer", "named", "of"]

ACTIONS: tuple[Action, ...] = (
    *ANYWHERE,
    *HOME,
    *ANSWER,
    *LESSON,
    *CONSOLE,
    *STEPPER,
    *WHY,
    *TRAINING,
    *KEPT_RUNS,
)


def named(action_id: str) -> Action:
    """The row with that id; KeyError if there is none."""
    return _BY_ID[action_id]


def of(place: Place) -> Iterator[Action]:
    """The rows of a screen's own, in order."""
    return (action for action in ACTIONS if action.where == place)


def footer(place: Place, mode: Mode) -> list[Action]:
    """What the footer may name there in that mode, the most wanted first."""
    rows = (
        action
        for action in ACTIONS
        if action.rank and action.where in (place, "anywhere")
    )
    here = (action for action in rows if action.mode in ("", mode))
    return sorted(here, key=lambda action: action.rank)


_BY_ID = {action.id: action for action in ACTIONS}
assert len(_BY_ID) == len(ACTIONS), "two actions have one id"
