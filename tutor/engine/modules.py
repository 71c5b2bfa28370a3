"""Which module runs, and the names of modules, parameters and buffers.

While code runs only the modules are noted; their names are found when it has ended.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.utils.hooks import RemovableHandle

Kind = Literal["parameter", "buffer"]


class ModuleNames:
    """Follows the calls of modules; names what is in them as the code would write it."""

    def __init__(self) -> None:
        self.running: list[nn.Module] = []
        """Outermost first."""
        self._roots: dict[int, tuple[nn.Module, str]] = {}
        self._met: dict[int, nn.Module] = {}
        self._paths: dict[int, str] = {}
        self._handles: list[RemovableHandle] = []

    def open(
        self,
        name_of: Callable[[nn.Module], str | None],
        left: Callable[[nn.Module, Any], None],
        stop: Callable[[Exception], None],
    ) -> None:
        """Begin to follow.

        `name_of` finds the variable that holds a module; `left` is told what a module
        returned; `stop` gets the errors of both.
        """
        met, running = self._met, self.running

        def entered(module: nn.Module, args: object) -> None:
            running.append(module)
            if id(module) not in met:
                met[id(module)] = module
                if len(running) == 1 and id(module) not in self._roots:
                    try:
                        name = name_of(module)
                        if name is not None:
                            self._roots[id(module)] = module, name
                    except Exception as error:  # noqa: BLE001 - ours, not the learner's
                        stop(error)

        def returned(module: nn.Module, args: object, output: object) -> None:
            if running and running[-1] is module:
                running.pop()
            else:
                del running[:]
            try:
                left(module, output)
            except Exception as error:  # noqa: BLE001 - as above
                stop(error)

        self._handles = [
            register_module_forward_pre_hook(entered),
            register_module_forward_hook(returned, always_call=True),
        ]

    def learn(self, names: Mapping[str, Any]) -> None:
        """The modules among these variables are called as they are."""
        for name, found in list(names.items()):
            if isinstance(found, nn.Module) and not name.startswith("_"):
                self._roots.setdefault(id(found), (found, name))

    def named(self, names: Mapping[str, Any]) -> dict[int, str]:
        """By identity: the parameters of the modules among these variables."""
        self.learn(names)
        return {id(tensor): name for tensor, name, _ in self.parts()}

    def path(self, module: nn.Module) -> str:
        """Like "net.0"; for when the code has ended."""
        found = self._paths.get(id(module))
        return type(module).__name__.lower() if found is None else found

    def parts(self) -> Iterator[tuple[torch.Tensor, str, Kind]]:
        """Parameters and buffers of all known modules, with names."""
        self._paths.clear()
        for module, name in list(self._roots.values()):
            yield from self._walk(module, name)
        for module in list(self._met.values()):
            yield from self._walk(module, type(module).__name__.lower())

    def _walk(
        self, module: nn.Module, path: str
    ) -> Iterator[tuple[torch.Tensor, str, Kind]]:
        if id(module) in self._paths:
            return
        self._paths[id(module)] = path
        for name, parameter in module._parameters.items():
            if parameter is not None:
                yield parameter, f"{path}.{name}", "parameter"
        for name, buffer in module._buffers.items():
            if buffer is not None:
                yield buffer, f"{path}.{name}", "buffer"
        for name, child in module._modules.items():
            if child is not None:
                yield from self._walk(child, f"{path}.{name}")

    def close(self) -> None:
        """Leave no hook and no reference behind."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self.running.clear()
        self._roots.clear()
        self._met.clear()
        self._paths.clear()
