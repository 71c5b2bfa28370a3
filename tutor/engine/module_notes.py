"""What modules gave back, noted while code runs; the names of their parts, when it ended."""

from typing import Any

import torch
from torch import nn

from tutor.engine.calls import tensors
from tutor.engine.drafts import Drafts
from tutor.engine.modules import ModuleNames
from tutor.engine.source import Stack
from tutor.engine.value_notes import ValueNotes
from tutor.graph.trace import Role

_task = torch._C._current_graph_task_id
_interpreter = torch._C._functorch.peek_interpreter_stack


class ModuleNotes:
    """Tells values and ops which module they belong to."""

    def __init__(
        self, drafts: Drafts, values: ValueNotes, modules: ModuleNames, stack: Stack
    ) -> None:
        self.listening = False
        self._drafts = drafts
        self._values = values
        self._modules = modules
        self._stack = stack

    def left(self, module: nn.Module, output: Any) -> None:
        """A module returned."""
        if not self.listening or _task() != -1 or _interpreter() is not None:
            return
        with torch._C.DisableTorchFunction():
            if isinstance(output, torch.Tensor):
                given = self._values.met(output)
                if given is not None and given.op is not None:
                    self._drafts.module_outputs.append((given, module))
            place, depth = self._stack.place_of_module()
            if place is None or depth != 1:
                return  # within another module of torch's, the result has no name
            for port, tensor in enumerate(tensors(output)):
                value = self._values.met(tensor)
                if value is not None and value.name is None:
                    self._drafts.returned.append((value, port, place))

    def name_parts(self) -> None:
        """Parameters, buffers and the modules of ops get their paths."""
        found: dict[int, tuple[str, Role]] = {}
        known, given = self._values.known, self._values.given
        for tensor, name, role in self._modules.parts():
            value = known.get(id(tensor))
            if value is not None and value.holder() is tensor:
                found.setdefault(value.tensor, (name, role))
        if found:
            for each in self._drafts.values:
                named = found.get(each.tensor)
                if named is not None:
                    each.role = named[1]
                    if each.tensor not in given:
                        each.name = named[0]
        path = self._modules.path
        for op in self._drafts.ops:
            if op.module is not None and not isinstance(op.module, str):
                op.module = path(op.module)
        for value, module in self._drafts.module_outputs:
            value.output_of = path(module)
        self._drafts.module_outputs.clear()
