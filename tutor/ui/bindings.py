"""Textual's bindings, made from the action table."""

from textual.binding import Binding, BindingType

from tutor import actions
from tutor.actions import Place


def bindings(place: Place) -> list[BindingType]:
    """A binding for each row of that place which has keys."""
    return [
        Binding(
            key=",".join("colon" if key == ":" else key for key in action.keys),
            action=action.id,
            description=action.word,
            tooltip=action.help,
            id=action.id,
            priority=action.priority,
        )
        for action in actions.of(place)
        if action.keys
    ]
