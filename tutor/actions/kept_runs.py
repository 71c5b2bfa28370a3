"""The keys of the list of kept runs. Data."""

from tutor.actions.action import Action

KEPT_RUNS: tuple[Action, ...] = (
    Action(
        "next_kept",
        ("down", "j", "tab"),
        "next",
        "Mark the next race.",
        "runs",
        rank=2,
    ),
    Action(
        "previous_kept",
        ("up", "k", "shift+tab"),
        "before",
        "Mark the race before.",
        "runs",
        rank=3,
    ),
    Action(
        "open_kept",
        ("enter",),
        "open",
        "Show that race, as far as it came; space then goes on with it.",
        "runs",
        rank=1,
    ),
)
