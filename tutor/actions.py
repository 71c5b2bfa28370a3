"""The one action table: what can be done, where, by which key, and what it is called.

Bindings, footer, `?` help, command palette and docs all come from these rows. A screen
has a method `action_<id>` for each row that is its own; nothing else declares a key.
Keys are Textual's names ("enter", "ctrl+r") or one character ("?"); how a key is drawn
is `ui.look`'s. Rows of a screen stand in the order of its help.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Place = Literal[
    "anywhere", "home", "lesson", "answer", "console", "stepper", "training"
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


ACTIONS: tuple[Action, ...] = (
    # ------------------------------------------------------------------ anywhere
    Action(
        "explain",
        ("?", "f1"),
        "help",
        "Explain what is in front of you, and list the keys of this screen.",
        "anywhere",
        rank=90,
        title="Help: what is this, and which keys are there",
    ),
    Action(
        "palette",
        ("ctrl+p", ":"),
        "commands",
        "Find any command or section by typing some of its name.",
        "anywhere",
    ),
    Action(
        "back",
        ("escape",),
        "back",
        "Go one level up: out of the text, then out of the screen. Nothing is lost.",
        "anywhere",
    ),
    Action(
        "interrupt",
        ("ctrl+c",),
        "stop",
        "Stop the running code; pressed again, end the kernel.",
        "anywhere",
        priority=True,
        title="Kernel: stop the running code",
    ),
    Action(
        "restart_kernel",
        ("ctrl+n",),
        "restart and replay",
        "Start the kernel anew and run again what you had finished in this lesson.",
        "anywhere",
        priority=True,
        title="Kernel: restart and replay",
    ),
    Action(
        "suspend",
        ("ctrl+z",),
        "suspend",
        "Give the terminal back to the shell for a while; `fg` there comes back. "
        "In a text, undo.",
        "anywhere",
    ),
    Action(
        "switch_theme",
        (),
        "theme",
        "Change between the colours for a dark and for a light background.",
        "anywhere",
        title="Colours: dark or light background",
    ),
    Action(
        "quit",
        ("ctrl+q",),
        "quit",
        "Leave the tutor. What you typed and where you are is kept.",
        "anywhere",
        priority=True,
        title="Quit",
    ),
    # ---------------------------------------------------------------------- home
    Action(
        "open_section",
        ("enter",),
        "open",
        "Open the marked section where you left it.",
        "home",
        rank=1,
    ),
    Action(
        "search",
        ("/",),
        "search",
        "Show only the sections whose name or topic holds what you type.",
        "home",
        "command",
        rank=2,
        title="Search the sections",
    ),
    Action(
        "leave_search",
        ("escape",),
        "leave the search",
        "Show all sections again.",
        "home",
        "edit",
        rank=90,
    ),
    Action(
        "open_console",
        ("c",),
        "console",
        "Open a Python console with torch in it.",
        "home",
        "command",
        rank=3,
        title="Console",
    ),
    Action(
        "open_training",
        ("t",),
        "training",
        "Race gradient descent against its stochastic sisters.",
        "home",
        "command",
        rank=4,
        title="Training screen",
    ),
    Action(
        "open_stepper",
        ("s",),
        "stepper",
        "Walk forward and backward through a computation, one operation at a time.",
        "home",
        "command",
        rank=5,
        title="Stepper",
    ),
    Action(
        "leave",
        ("q",),
        "quit",
        "Leave the tutor.",
        "home",
        "command",
        rank=91,
    ),
    Action(
        "previous_section",
        ("up", "k"),
        "up",
        "Mark the section above.",
        "home",
    ),
    Action(
        "next_section",
        ("down", "j"),
        "down",
        "Mark the section below.",
        "home",
    ),
    Action(
        "other_column",
        ("left", "right", "h", "l"),
        "across",
        "Mark the section beside this one.",
        "home",
        "command",
    ),
    Action(
        "first_section",
        ("home", "g"),
        "first",
        "Go to the top.",
        "home",
        "command",
    ),
    Action(
        "last_section",
        ("end", "G"),
        "last",
        "Go to the last section.",
        "home",
        "command",
    ),
    # -------------------------------------------- a question that is being answered
    Action(
        "give_answer",
        ("enter",),
        "give this answer",
        "Give the answer as it stands.",
        "answer",
        "edit",
        rank=1,
    ),
    Action(
        "pick_item",
        (),
        "pick",
        "Choose the entry of that number, or put the marked one into that group.",
        "answer",
        "edit",
        rank=2,
        shown="1-9",
    ),
    Action(
        "hold_item",
        ("space",),
        "pick up",
        "Pick the item up or put it down; held, it moves with the arrows.",
        "answer",
        "edit",
        rank=2,
    ),
    Action(
        "next_item",
        ("down", "j"),
        "down",
        "Go to the item below.",
        "answer",
        "edit",
        rank=3,
    ),
    Action(
        "previous_item",
        ("up", "k"),
        "up",
        "Go to the item above.",
        "answer",
        "edit",
        rank=4,
    ),
    Action(
        "raise_item",
        ("shift+up", "K"),
        "move up",
        "Move the item one place up.",
        "answer",
        "edit",
    ),
    Action(
        "lower_item",
        ("shift+down", "J"),
        "move down",
        "Move the item one place down.",
        "answer",
        "edit",
    ),
    # -------------------------------------------------------------------- lesson
    Action(
        "go_on",
        ("enter",),
        "go on",
        "Do what comes next: read on, run the code, write, answer.",
        "lesson",
        "command",
        rank=1,
    ),
    Action(
        "begin_answer",
        (),
        "answer",
        "In a question: begin the answer, or choose the entry of that number.",
        "lesson",
        "command",
        shown="0-9",
    ),
    Action(
        "edit_cell",
        ("e", "i"),
        "edit",
        "Type in this cell. Esc leaves it and keeps what you typed.",
        "lesson",
        "command",
        rank=4,
        title="Cell: edit",
    ),
    Action(
        "leave_cell",
        ("escape",),
        "leave",
        "Leave the text; letters are keys again.",
        "lesson",
        "edit",
        rank=6,
    ),
    Action(
        "run_cell",
        ("ctrl+r",),
        "run",
        "Run the code of this cell. An exercise is run without judging it.",
        "lesson",
        rank=3,
        title="Cell: run",
        priority=True,
    ),
    Action(
        "check_cell",
        ("ctrl+k",),
        "check",
        "Run the exercise and judge it.",
        "lesson",
        rank=2,
        title="Cell: check the exercise",
        priority=True,
    ),
    Action(
        "hint",
        ("h",),
        "hint",
        "Show the next hint; after the last one, the solution.",
        "lesson",
        "command",
        rank=5,
        title="Cell: hint",
    ),
    Action(
        "solution",
        ("o",),
        "solution",
        "Show a solution; it is recorded as shown.",
        "lesson",
        "command",
        title="Cell: show the solution",
    ),
    Action(
        "skip_cell",
        ("x",),
        "skip",
        "Leave this cell for later and go to the next.",
        "lesson",
        "command",
        title="Cell: skip",
    ),
    Action(
        "start_over",
        ("u",),
        "start over",
        "Put the cell's first text back; pressed again, yours.",
        "lesson",
        "command",
        title="Cell: put the first text back",
    ),
    Action(
        "next_cell",
        ("down", "j", "n"),
        "next",
        "Go to the next cell.",
        "lesson",
        "command",
        rank=7,
    ),
    Action(
        "previous_cell",
        ("up", "k", "p"),
        "previous",
        "Go to the cell before.",
        "lesson",
        "command",
    ),
    Action(
        "page_down",
        ("space", "pagedown"),
        "page down",
        "Read on in a long cell.",
        "lesson",
        "command",
    ),
    Action(
        "page_up",
        ("b", "pageup"),
        "page up",
        "Read back in a long cell.",
        "lesson",
        "command",
    ),
    Action(
        "first_cell",
        ("home", "g"),
        "first",
        "Go to the first cell.",
        "lesson",
        "command",
    ),
    Action(
        "last_cell",
        ("end", "G"),
        "last",
        "Go to the last cell.",
        "lesson",
        "command",
    ),
    Action(
        "step_cell",
        ("s",),
        "stepper",
        "Open this computation in the stepper.",
        "lesson",
        "command",
        rank=8,
        title="Open the stepper",
    ),
    Action(
        "toggle_console",
        ("`",),
        "console",
        "Show or hide the console: the same kernel, so your names are there.",
        "lesson",
        "command",
        rank=9,
        title="Console beside the lesson",
    ),
    # ------------------------------------------------------------------- console
    Action(
        "run_code",
        ("enter",),
        "run",
        "Run what is typed; where a line must follow, begin it.",
        "console",
        "edit",
        rank=1,
    ),
    Action(
        "complete_name",
        ("tab",),
        "complete",
        "Offer the names that fit here; at the beginning of a line, indent.",
        "console",
        "edit",
        rank=2,
    ),
    Action(
        "older_code",
        ("up",),
        "history",
        "Bring back what you ran before; with something typed, what begins like it.",
        "console",
        "edit",
        rank=3,
    ),
    Action(
        "clear_console",
        ("ctrl+l",),
        "clear",
        "Empty the screen; the kernel's names stay.",
        "console",
        "edit",
        rank=4,
        title="Console: empty the screen",
        priority=True,
    ),
    Action(
        "run_now",
        ("ctrl+r", "alt+enter", "ctrl+enter"),
        "run now",
        "Run what is typed without asking whether it is finished.",
        "console",
        "edit",
    ),
    Action(
        "outputs_up",
        ("pageup",),
        "earlier outputs",
        "Look at what came before.",
        "console",
        "edit",
        priority=True,
    ),
    Action(
        "outputs_down",
        ("pagedown",),
        "later outputs",
        "Look at what came after.",
        "console",
        "edit",
        priority=True,
    ),
    # ------------------------------------------------------------------- stepper
    Action(
        "step_forward",
        ("right", "l", "space"),
        "step",
        "Take one step: compute one op, or send one gradient over one edge.",
        "stepper",
        "command",
        rank=1,
    ),
    Action(
        "step_back",
        ("left", "h"),
        "back",
        "Take the last step back; nothing is run again.",
        "stepper",
        "command",
        rank=2,
    ),
    Action(
        "next_node",
        ("shift+right", "down", "j"),
        "node",
        "Go on until all was said at this node.",
        "stepper",
        "command",
        rank=3,
    ),
    Action(
        "previous_node",
        ("shift+left", "up", "k"),
        "node before",
        "Go back to where this node began.",
        "stepper",
        "command",
    ),
    Action(
        "jump_step",
        ("g",),
        "jump",
        "Go to the node whose number you typed before: 7 g. Without one, to the start.",
        "stepper",
        "command",
        rank=4,
    ),
    Action(
        "first_step",
        ("home",),
        "start",
        "Go to where nothing is computed yet.",
        "stepper",
        "command",
    ),
    Action(
        "last_step",
        ("end", "G"),
        "end",
        "Go to where every gradient is known.",
        "stepper",
        "command",
    ),
    Action(
        "switch_order",
        ("o",),
        "order",
        "Change between the order of torch's engine and that of the slides; the "
        "numbers are the same.",
        "stepper",
        "command",
        rank=5,
        title="Stepper: engine or slide order",
    ),
    Action(
        "switch_view",
        ("t",),
        "text",
        "Change between the picture and the same steps as numbered lines.",
        "stepper",
        "command",
        rank=6,
        title="Stepper: picture or text",
    ),
    # ------------------------------------------------------------------ training
    Action(
        "run_race",
        ("space",),
        "run",
        "Run the race, or pause it; nothing is lost by a pause.",
        "training",
        "command",
        rank=1,
        title="Race: run or pause",
    ),
    Action(
        "one_iteration",
        ("s",),
        "one",
        "Do one iteration of every run.",
        "training",
        "command",
        rank=2,
    ),
    Action(
        "next_setting",
        ("tab", "down", "j"),
        "setting",
        "Mark the next setting.",
        "training",
        "command",
        rank=3,
    ),
    Action(
        "previous_setting",
        ("shift+tab", "up", "k"),
        "setting before",
        "Mark the setting before.",
        "training",
        "command",
    ),
    Action(
        "raise_setting",
        ("right", "l", "+"),
        "more",
        "Turn the marked setting up, also while the race runs. Another seed or other "
        "noise makes other data, so the race begins anew.",
        "training",
        "command",
        rank=4,
    ),
    Action(
        "lower_setting",
        ("left", "h", "-"),
        "less",
        "Turn the marked setting down, also while the race runs.",
        "training",
        "command",
        rank=5,
    ),
    Action(
        "switch_scale",
        ("y",),
        "log",
        "Change the loss axis between linear and logarithmic.",
        "training",
        "command",
        rank=6,
        title="Race: linear or logarithmic loss axis",
    ),
    Action(
        "reset_race",
        ("r",),
        "reset",
        "Begin the race anew with the settings as they are.",
        "training",
        "command",
        rank=7,
        title="Race: begin anew",
    ),
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
