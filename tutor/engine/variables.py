"""The learner's variables, looked up in the functions that run: which holds a tensor."""

import types as python
from typing import Any

import torch
from torch import nn

from tutor.engine.modules import ModuleNames
from tutor.engine.source import Stack


class Variables:
    """What the running code calls a tensor or a module."""

    def __init__(self, stack: Stack, modules: ModuleNames) -> None:
        self.listening = False
        """While it does not, tensors have no names."""
        self._stack = stack
        self._modules = modules

    def of(self, tensor: torch.Tensor) -> str | None:
        """The variable that holds a tensor, in the outermost function that has one."""
        running = self._modules.running
        if not self.listening:
            return None
        if running and (
            type(tensor) is nn.Parameter
            or any(each is tensor for each in running[-1]._buffers.values())
        ):
            return None  # its module names it, at the end
        for frame in self._stack.frames():
            names = names_of(tensor, frame)
            if names:
                return names[0]
        return None

    def of_module(self, module: nn.Module) -> str | None:
        """The variable that holds a module."""
        with torch._C.DisableTorchFunction():
            self._stack.here()
            for frame in self._stack.frames():
                for names in (frame.f_locals, frame.f_globals):
                    for name, found in list(names.items()):
                        if found is module and not name.startswith("_"):
                            return name
        return None


def names_of(tensor: Any, frame: python.FrameType) -> tuple[str, ...]:
    """The names of the frame's own code that hold a tensor there."""
    code, local, outside = frame.f_code, frame.f_locals, frame.f_globals
    found = []
    if local is not outside:
        found = [name for name, held in local.items() if held is tensor]
    for name in code.co_names:
        if outside.get(name) is tensor:
            found.append(name)
    return tuple([name for name in found if name[0] != "_"])
