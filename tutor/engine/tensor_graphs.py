"""The graph behind a tensor as an expression, and where two such graphs part.

It is read off torch's own nodes (`grad_fn`, `next_functions`), so it does not matter how
the code was written: `x.square()` and `x ** 2` are one graph, `x * x` is another.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

NODES_AT_MOST = 200
_TEXT_AT_MOST = 400
_SIGNS = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Pow": "**"}
_COMMUTES = ("+", "*")


@dataclass(frozen=True, slots=True)
class Form:
    """A node and what it was computed from. Sums and products are sorted."""

    text: str
    """With all parentheses: "(x + y) * 2". Equal for equal graphs."""
    head: str
    """The op, like "*" or "sin"; of a leaf or a constant its text."""
    parts: tuple["Form", ...] = ()

    @property
    def inner(self) -> str:
        """The text as part of another."""
        is_infix = self.head in _SIGNS.values()
        return f"({self.text})" if is_infix else self.text


def nodes_of(value: torch.Tensor) -> list[Any]:
    """torch's nodes behind a tensor, each once; NODES_AT_MOST and one more at most."""
    found: dict[Any, None] = {}
    waiting = [value.grad_fn]
    while waiting and len(found) <= NODES_AT_MOST:
        node = waiting.pop()
        if node is not None and node not in found:
            found[node] = None
            waiting += [each for each, _ in node.next_functions]
    return list(found)


def form_of(value: torch.Tensor, leaves: Mapping[str, torch.Tensor]) -> Form:
    """The graph behind a tensor of at most NODES_AT_MOST nodes."""
    if value.grad_fn is None:
        return _leaf(value, leaves) if value.requires_grad else Form("const", "const")
    return _Reader(leaves).form(value.grad_fn)


def parting(
    got: torch.Tensor, want: torch.Tensor, leaves: Mapping[str, torch.Tensor]
) -> str | None:
    """Where `got` leaves the graph of `want`, as the rest of a sentence; None: nowhere."""
    if got.grad_fn is None and want.grad_fn is not None:
        return "has no node: its `grad_fn` is None."
    nodes = nodes_of(got)
    if len(nodes) > NODES_AT_MOST:
        wanted = len(nodes_of(want))
        return f"has over {NODES_AT_MOST} nodes; the graph shown has {wanted}."
    ours, theirs = form_of(want, leaves), form_of(got, leaves)
    if ours.text != theirs.text:
        return _parting(theirs, ours, "")
    counts = _Reader(leaves).counts(nodes)
    for text, wanted in _Reader(leaves).counts(nodes_of(want)).items():
        if counts[text] > wanted:
            return (
                f"computes `{text}` {counts[text]} times; in the graph shown that is "
                f"{_nodes(wanted)}, used again."
            )
        if counts[text] < wanted:
            return (
                f"has {_nodes(counts[text])} for `{text}`; the graph shown has "
                f"{_nodes(wanted)}."
            )
    return None


class _Reader:
    """Reads forms off torch's nodes; each node's once."""

    def __init__(self, leaves: Mapping[str, torch.Tensor]) -> None:
        self._leaves = leaves
        self._known: dict[Any, Form] = {}

    def counts(self, nodes: list[Any]) -> Counter[str]:
        """By text: how many nodes compute it."""
        return Counter(self.form(node).text for node in nodes)

    def form(self, node: Any) -> Form:
        if node not in self._known:
            self._known[node] = self._read(node)
        return self._known[node]

    def _read(self, node: Any) -> Form:
        name = type(node).__name__
        if name == "AccumulateGrad":
            return _leaf(node.variable, self._leaves)
        parts = [
            Form(said := _constant(node, place), said)
            if each is None
            else self.form(each)
            for place, (each, _) in enumerate(node.next_functions)
        ]
        word = re.sub(r"Backward\d*$", "", name)
        if name == "PowBackward0":
            exponent = f"{node._saved_exponent:g}"
            parts.append(Form(exponent, exponent))
        sign = _SIGNS.get(word)
        if sign is None or len(parts) != 2:
            inside = ", ".join(each.text for each in parts)
            text, head = f"{word.lower()}({inside})", word.lower()
        else:
            if sign in _COMMUTES:
                parts.sort(key=lambda each: (not each.parts, each.text))
            text, head = f"{parts[0].inner} {sign} {parts[1].inner}", sign
        return Form(text[:_TEXT_AT_MOST], head, tuple(parts))


def _leaf(value: torch.Tensor, leaves: Mapping[str, torch.Tensor]) -> Form:
    named = (name for name, leaf in leaves.items() if leaf is value)
    name = next(named, "another leaf")
    return Form(name, name)


def _constant(node: Any, place: int) -> str:
    """Its number where torch keeps it (a product does, a sum does not), else "const"."""
    saved = getattr(node, ("_saved_other", "_saved_self")[place == 0], None)
    if isinstance(saved, torch.Tensor) and saved.numel() == 1:
        return f"{saved.item():g}"
    return "const"


def _parting(got: Form, want: Form, into: str) -> str:
    """Where two forms of different text part, as far down as it can be told."""
    if got.head != want.head or len(got.parts) != len(want.parts):
        if not into:
            return f"ends in `{got.head}`; the graph shown ends in `{want.head}`."
        return _edges(into, [got], [want])
    if sorted(each.text for each in got.parts) == sorted(
        each.text for each in want.parts
    ):
        return f"has the two edges into `{want.head}` the other way round."
    pairs = list(_unlike(got, want))
    if len(pairs) == 1:
        return _parting(*pairs[0], want.head)
    return _edges(want.head, [pair[0] for pair in pairs], [pair[1] for pair in pairs])


def _unlike(got: Form, want: Form) -> Iterator[tuple[Form, Form]]:
    """The parts that differ; those of a sum or product are matched in any order."""
    if want.head not in _COMMUTES:
        pairs = zip(got.parts, want.parts, strict=True)
        yield from (pair for pair in pairs if pair[0].text != pair[1].text)
        return
    left = list(want.parts)
    rest = []
    for part in got.parts:
        same = next((each for each in left if each.text == part.text), None)
        if same is None:
            rest.append(part)
        else:
            left.remove(same)
    yield from zip(rest, left, strict=True)


def _edges(into: str, got: list[Form], want: list[Form]) -> str:
    def said(forms: list[Form]) -> str:
        return " and ".join(f"`{each.text}`" for each in forms)

    there = f"in the graph shown it is {said(want)}."
    return f"has {said(got)} going into `{into}`; {there}"


def _nodes(count: int) -> str:
    return "one node" if count == 1 else f"{count} nodes"
