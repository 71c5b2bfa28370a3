"""What a tensor's repr leaves out: a line with its shape, dtype and device."""

from typing import Any

from IPython.core.formatters import BaseFormatter

from tutor.wire import NOTE_MIME


class NoteFormatter(BaseFormatter):
    """Adds the note to whatever IPython shows, beside its text."""

    format_type = NOTE_MIME
    print_method = "_tutor_note_"  # nothing has one: only the types told below


def formatter(parent: Any) -> Any:
    """For `display_formatter.formatters`; does not import torch."""
    made: Any = NoteFormatter(parent=parent)
    made.for_type_by_name("torch", "Tensor", note)
    return made


def note(tensor: Any) -> str | None:
    """Like "shape (3, 4) · float32 · cpu · requires_grad · grad_fn MulBackward0"."""
    try:
        parts = [
            f"shape {tuple(tensor.shape)}",
            str(tensor.dtype).removeprefix("torch."),
            str(tensor.device),
        ]
        if tensor.requires_grad:
            parts.append("requires_grad")
        if tensor.grad_fn is not None:
            parts.append(f"grad_fn {tensor.grad_fn.name()}")
    except Exception:  # noqa: BLE001 - a subclass may refuse anything; then no note
        return None
    return " · ".join(parts)
