"""The names of modules, parameters and buffers, found when a module is first called."""

import types
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.utils.hooks import RemovableHandle
from torch.utils.weak import WeakTensorKeyDictionary

Kind = Literal["parameter", "buffer"]


class ModuleNames:
    """Follows the calls of modules; knows parameters as the code would write them."""

    def __init__(self, left: Callable[[Any], None]) -> None:
        """`left` is told what a module returned, when it did."""
        self._left = left
        self._frames: list[types.FrameType | None] = []
        self._paths: list[str] = []
        self._known: dict[int, str] = {}
        self._tensors: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
        self._kept: list[nn.Module] = []
        self._handles: list[RemovableHandle] = []
        self._learners_frame: Callable[[], types.FrameType | None] = lambda: None

    def open(
        self,
        learners_frame: Callable[[], types.FrameType | None],
        guard: Callable[..., object],
    ) -> None:
        """Begin to follow; `learners_frame` finds the innermost of the learner's.

        `guard` calls a function and lets none of its errors out.
        """
        self._learners_frame = learners_frame

        def entered(module: nn.Module, args: object) -> None:
            guard(self._entered, module)

        def returned(module: nn.Module, args: object, output: object) -> None:
            guard(self._returned, output)

        self._handles = [
            register_module_forward_pre_hook(entered),
            register_module_forward_hook(returned, always_call=True),
        ]

    def close(self) -> None:
        """Leave no hook and no reference behind."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._frames.clear()
        self._kept.clear()

    @property
    def path(self) -> str:
        """Of the module that is running, like "net.0"; "" outside of any."""
        return self._paths[-1] if self._paths else ""

    def runs_in(self, frame: types.FrameType) -> bool:
        """Whether torch's own module code was called from there and still runs."""
        return bool(self._frames) and self._frames[-1] is frame

    def learn(self, names: Mapping[str, Any]) -> None:
        """Name the parameters of every module among these variables."""
        for name, found in list(names.items()):
            if isinstance(found, nn.Module) and not name.startswith("_"):
                self._learn(found, name)

    def name(self, tensor: torch.Tensor) -> tuple[str, Kind] | None:
        """Like ("net.0.weight", "parameter"); None: it is no part of a module."""
        found: tuple[str, Kind] | None = self._tensors.get(tensor)
        return found

    def _learn(self, module: nn.Module, name: str) -> None:
        if id(module) in self._known:
            return
        self._kept.append(module)
        for path, each in module.named_modules(prefix=name):
            self._known.setdefault(id(each), path)
        for path, parameter in module.named_parameters(prefix=name):
            self._tensors.setdefault(parameter, (path, "parameter"))
        for path, buffer in module.named_buffers(prefix=name):
            self._tensors.setdefault(buffer, (path, "buffer"))

    def _entered(self, module: nn.Module) -> None:
        with torch._C.DisableTorchFunction():
            frame = self._learners_frame()
            if id(module) not in self._known and frame is not None:
                self.learn({**frame.f_globals, **frame.f_locals})
            if id(module) not in self._known:
                self._learn(module, type(module).__name__.lower())
            self._paths.append(self._known[id(module)])
            self._frames.append(frame)

    def _returned(self, output: object) -> None:
        with torch._C.DisableTorchFunction():
            if not self._paths:
                return
            self._paths.pop()
            frame = self._frames.pop()
            # What a module inside another returned has no name where both were called.
            if frame is not None and not self.runs_in(frame):
                self._left(output)
