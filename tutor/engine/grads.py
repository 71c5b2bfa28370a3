"""A backward pass that the tutor adds leaves every `.grad` as it was."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import torch

from tutor.engine.running import MissingError


def leaves(root: torch.Tensor) -> list[torch.Tensor]:
    """The leaves behind a tensor, each once; itself, where it is one."""
    if root.grad_fn is None:
        return [root] if root.requires_grad else []
    found = []
    waiting: list[Any] = [root.grad_fn]
    seen: set[Any] = set(waiting)
    while waiting:
        node = waiting.pop()
        if hasattr(node, "variable"):
            found.append(node.variable)
        for upper, _ in node.next_functions:
            if upper is not None and upper not in seen:
                seen.add(upper)
                waiting.append(upper)
    return found


@contextlib.contextmanager
def put_back(root: torch.Tensor, others: Iterable[torch.Tensor]) -> Iterator[None]:
    """Go backward from `root` inside: afterwards no `.grad` has changed.

    `others` may hold a `.grad` without being leaves. What is accumulated meanwhile goes
    to a copy, so the learner's own gradients are not written to. Raises MissingError
    where a hook of the learner's could change a leaf.
    """
    with torch._C.DisableTorchFunction():
        behind = leaves(root)
        for leaf in behind:
            if getattr(leaf, "_post_accumulate_grad_hooks", None):
                raise MissingError(
                    "The tutor does not go backward here: a leaf has a hook that runs "
                    "after its gradient is accumulated and could change it. Call "
                    "backward() in the code itself."
                )
        held = [each for each in others if each.requires_grad and each.retains_grad]
        before = [(each, each.grad) for each in (*behind, *held)]
        try:
            with torch.no_grad():
                for each, gradient in before:
                    if gradient is not None:
                        each.grad = gradient.clone()
            yield
        finally:
            for each, gradient in before:
                each.grad = gradient
