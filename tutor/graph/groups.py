"""Ops grouped by the module or function they ran in; siblings that are alike folded. Pure.

A group is a run of ops: a module that is called again later is another group.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from tutor.graph.steps import Scene
from tutor.graph.trace import Op, Trace
from tutor.graph.units import Group

Path = tuple[str, ...]

_DIGITS = "0123456789"
_FEW = 6
"""Fewer boxes than this tell too little: the largest group among them is opened."""


def path(op: Op) -> Path:
    """Where an op ran: ("gpt", "h.0", "attn"); or the learner's functions."""
    if not op.module:
        return tuple(f"{call}()" for call in op.calls)
    found: list[str] = []
    for part in op.module.split("."):
        if part.isdigit() and found:
            found[-1] += f".{part}"
        else:
            found.append(part)
    return tuple(found)


class Tree:
    """The groups of one scene, and which of them are open."""

    def __init__(self, trace: Trace, scene: Scene) -> None:
        self._ops = [trace.ops[op] for op in scene.ops]
        self._paths = [path(op) for op in self._ops]
        self._inner: dict[tuple[str, int, int], tuple[Group, ...]] = {}
        self._depth: dict[str, int] = {}

    def top(self) -> tuple[Group, ...]:
        """The outermost groups, opened until they tell something."""
        found = self._within("", 0, len(self._ops), 0)
        opened: set[str] = set()
        while (largest := self._to_open(found)) is not None:
            opened.add(largest.key)
            found = tuple(
                part
                for group in found
                for part in (self.opened(group) if group is largest else (group,))
            )
        return found

    def _to_open(self, found: Sequence[Group]) -> Group | None:
        grouped = sum(group.end - group.first for group in found)
        if not found or len(self._ops) - grouped + len(found) >= _FEW:
            return None
        single = [group for group in found if not group.parts]
        largest = max(single, key=lambda each: each.end - each.first, default=None)
        return largest if largest is not None and self.opened(largest) else None

    def opened(self, group: Group) -> tuple[Group, ...]:
        """What a group is made of: groups, and between them single ops."""
        if group.parts:
            return group.parts
        depth = self._depth[group.key] + 1
        return self._within(group.key, group.first, group.end, depth)

    def shown(self, expanded: frozenset[str]) -> tuple[Group, ...]:
        """The closed groups; what is in `expanded` is open."""
        return tuple(self._closed(self.top(), expanded))

    def _closed(
        self, groups: Sequence[Group], expanded: frozenset[str]
    ) -> Iterator[Group]:
        for group in groups:
            if group.key in expanded:
                yield from self._closed(self.opened(group), expanded)
            else:
                yield group

    def around(self, place: int, expanded: frozenset[str]) -> list[Group]:
        """The groups about an op of the scene, outermost first, to the first closed."""
        found: list[Group] = []
        groups = self.top()
        while True:
            group = next((g for g in groups if g.first <= place < g.end), None)
            if group is None:
                return found
            found.append(group)
            if group.key not in expanded:
                return found
            groups = self.opened(group)

    def _within(self, key: str, first: int, end: int, depth: int) -> tuple[Group, ...]:
        """The groups of the ops from `first` to `end`, at that depth of their paths."""
        at = key, first, end
        if at not in self._inner:
            runs = list(self._runs(key, first, end, depth))
            for run in runs:
                self._depth[run.key] = depth
            self._inner[at] = tuple(self._folded(runs, depth))
        return self._inner[at]

    def _runs(self, key: str, first: int, end: int, depth: int) -> Iterator[Group]:
        seen: Counter[str] = Counter()
        place = first
        while place < end:
            name = self._name(place, depth)
            begun = place
            while place < end and self._name(place, depth) == name:
                place += 1
            if name is not None:
                seen[name] += 1
                again = f" #{seen[name]}" if seen[name] > 1 else ""
                whole = f"{key}.{name}{again}" if key else f"{name}{again}"
                yield Group(whole, name, begun, place)

    def _name(self, place: int, depth: int) -> str | None:
        found = self._paths[place]
        return found[depth] if len(found) > depth else None

    def _folded(self, runs: Sequence[Group], depth: int) -> Iterator[Group]:
        place = 0
        while place < len(runs):
            alike = [runs[place]]
            for run in runs[place + 1 :]:
                if run.first != alike[-1].end or not self._alike(alike[0], run, depth):
                    break
                alike.append(run)
            place += len(alike)
            if len(alike) == 1:
                yield alike[0]
                continue
            one, times = alike[0], f" ×{len(alike)}"
            yield Group(
                one.key + times, one.name + times, one.first, alike[-1].end,
                tuple(alike),
            )  # fmt: skip

    def _alike(self, one: Group, other: Group, depth: int) -> bool:
        """The same ops at the same places inside; names differ by a number alone."""
        if one.end - one.first != other.end - other.first:
            return False
        base = one.name.rstrip(_DIGITS)
        if base == one.name or other.name.rstrip(_DIGITS) != base:
            return False
        return all(
            self._ops[left].function == self._ops[right].function
            and self._paths[left][depth + 1 :] == self._paths[right][depth + 1 :]
            for left, right in zip(
                range(one.first, one.end), range(other.first, other.end), strict=True
            )
        )
