"""Action: one row of the tables, and where and when it works."""

from dataclasses import dataclass
from typing import Literal

Place = Literal[
    "anywhere",
    "home",
    "lesson",
    "answer",
    "console",
    "stepper",
    "why",
    "training",
    "runs",
]
""""answer" is a list in a lesson's question, while it is being answered."""
Mode = Literal["", "command", "edit"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the learner can do."""

    id: str
    """An identifier; the screen's method is `action_<id>`."""
    keys: tuple[str, ...]
    """The first is the one shown."""
    word: str
    """The footer's word; also said where a key is named in a sentence."""
    help: str
    """One sentence: what it does, for `?`."""
    where: Place
    """Whose screen it is."""
    mode: Mode = ""
    """"": in both modes. Letters are keys in command mode only."""
    rank: int = 0
    """Place in the footer, 1 first; 0: not in the footer. From 90 on it stands last
    and stays when the room is short."""
    title: str = ""
    """In the command palette; "": not there (moving about needs no palette)."""
    priority: bool = False
    """Works also while a text input would take the key."""
    shown: str = ""
    """How the keys are drawn, where that is not the first one: "1-9". A row with this
    and no keys tells of keys that a widget takes itself."""
