"""The keys of a question that is being answered. Data."""

from tutor.actions.action import Action

ANSWER: tuple[Action, ...] = (
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
)
