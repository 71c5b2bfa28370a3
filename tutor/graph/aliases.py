"""Which tensors of a trace share one memory, and who wrote into it when. Pure."""

from tutor.graph import names
from tutor.graph.trace import Op, Trace


class Aliases:
    """The tensors of a trace, grouped by the version counter that they share."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._group = {value.tensor: value.tensor for value in trace.values}
        for op in trace.ops:
            given = names.tensors(op)
            if not given or "inplace" in op.flags:
                continue
            if "view" in op.flags or op.function == "detach":
                for output in op.outputs:
                    self._join(given[0], output)

    def _join(self, first: int, second: int) -> None:
        values = self._trace.values
        kept, lost = self.of(values[first].tensor), self.of(values[second].tensor)
        self._group[lost] = kept

    def of(self, tensor: int) -> int:
        """The group of a tensor."""
        while self._group[tensor] != tensor:
            tensor = self._group[tensor]
        return tensor

    def same(self, first: int, second: int) -> bool:
        """Whether two values lie in one memory."""
        values = self._trace.values
        return self.of(values[first].tensor) == self.of(values[second].tensor)

    def writers(self, value: int) -> list[tuple[Op, int]]:
        """Every op that wrote into a value's memory, with the version it left."""
        found = []
        for op in self._trace.ops:
            if "inplace" not in op.flags:
                continue
            left = [
                self._trace.values[output].version
                for output in op.outputs
                if self.same(output, value)
            ]
            if left:
                found.append((op, max(left)))
        return found
