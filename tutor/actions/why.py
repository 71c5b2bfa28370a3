"""The keys of the questions to a trace. Data."""

from tutor.actions.action import Action

WHY: tuple[Action, ...] = (
    Action(
        "next_question",
        ("right", "down", "j", "l", "tab"),
        "next",
        "Ask about the next tensor.",
        "why",
        rank=1,
    ),
    Action(
        "previous_question",
        ("left", "up", "k", "h", "shift+tab"),
        "before",
        "Ask about the tensor before.",
        "why",
        rank=2,
    ),
    Action(
        "to_cause",
        ("enter",),
        "go there",
        "Go to the step where the first cause is.",
        "why",
        rank=3,
    ),
)
