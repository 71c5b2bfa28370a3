"""What the recorder notes while code runs: raw, quick to write, without their texts.

`resolve` makes the trace's events of them, at the end.
"""

import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from tutor.engine.naming import Kind
from tutor.engine.source import Place, Sources
from tutor.engine.taken import Taken
from tutor.graph.trace import Event, Flag, Role


@dataclass(slots=True, eq=False)
class ValueNote:
    """A `Value` to be."""

    id: int
    tensor: int
    version: int
    op: int | None
    port: int
    taken: Taken
    requires_grad: bool
    is_leaf: bool
    role: Role
    name: str | None
    holder: "weakref.ref[torch.Tensor]"
    """The tensor, which this does not keep alive."""
    gradient_of: "ValueNote | None" = None
    """It is the `.grad` of that one."""
    output_of: str = ""
    """Path of the module that gave it back; found at the end."""


@dataclass(slots=True, eq=False)
class OpNote:
    """An `Op` to be. Arguments hold a `ValueNote` for each tensor."""

    id: int
    at: int
    kind: Kind
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    outputs: list[ValueNote]
    place: Place | None
    module: nn.Module | str | None
    """It ran in; its path, once the recording has ended."""
    flags: list[Flag]
    nanoseconds: int
    function: Callable[..., Any] | None = None
    """To call again; None: it is not to be."""
    aliases: tuple[str, ...] = ()
    """Variables that held the first argument, where a number was the second."""
    error: str | None = None


Edge = tuple[int, ValueNote | None]
"""Where a node of torch's graph sends one of its gradients: to which node, and the value
it is the gradient of; None: to another node of the same op."""


@dataclass(slots=True, eq=False)
class NodeNote:
    """A node of torch's graph, whether it runs or not."""

    id: int
    op: int | None
    """None: it accumulates into a leaf."""
    name: str
    edges: list[Edge | None]
    saved: dict[str, Any]
    leaf: ValueNote | None = None
    """The leaf, as last used; None for other nodes."""
    uses: int = 0
    """Edges that lead to a leaf."""
    outputs: dict[int, ValueNote] = field(default_factory=dict)
    """Output number to the value it carries."""


@dataclass(slots=True, eq=False)
class PassNote:
    """A `Pass` to be."""

    number: int
    at: int
    root: int | None
    kind: str = "backward"
    retains: bool = False
    place: Place | None = None
    error: str | None = None


Ran = tuple[int, int, int, list[Taken | None], list[Taken | None]]
"""When, in which pass, which node, what arrived, what it sent."""
LeafNote = tuple[int, int, ValueNote, Taken | None, Taken, Taken]
"""In which pass, when, which leaf; the gradient before, what was added, and after."""


@dataclass(slots=True, eq=False)
class Replay:
    """An op with copies of its arguments, to be run again for its rule."""

    op: int
    function: Callable[..., Any]
    name: str
    args: list[Any]
    keywords: dict[str, Any]


@dataclass(slots=True, eq=False)
class Drafts:
    """All notes of one recording."""

    sources: Sources
    values: list[ValueNote] = field(default_factory=list)
    ops: list[OpNote] = field(default_factory=list)
    nodes: list[NodeNote] = field(default_factory=list)
    passes: list[PassNote] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=list)
    leaves: list[LeafNote] = field(default_factory=list)
    returned: list[tuple[ValueNote, int, Place]] = field(default_factory=list)
    """What modules gave back, which of their results it is, and to where."""
    module_outputs: list[tuple[ValueNote, nn.Module]] = field(default_factory=list)
    """What modules gave back, and which; emptied at the end."""
    names: dict[str, int] = field(default_factory=dict)
    """Which value each variable holds at the end."""
    truncated: str | None = None
    without_replays: bool = False

    def events(self) -> Iterator[Event]:
        """The trace's events but for its rules."""
        from tutor.engine import resolve

        return resolve.events(self)

    @property
    def replays(self) -> list[Replay]:
        """The ops that can be run again, at most a thousand."""
        from tutor.engine import resolve

        return [] if self.without_replays else list(resolve.replays(self))

    @property
    def files(self) -> dict[str, str]:
        """The text of each file that the ops name, where it is at hand."""
        return self.sources.texts()
