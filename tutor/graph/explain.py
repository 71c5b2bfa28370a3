"""What a step says: the card beside the picture. Pure.

Numbers in it are torch's; the rule's text is the book's, left out where the two
disagreed.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tutor.graph import names, numbers, values
from tutor.graph.backward import OpBackward, Sent
from tutor.graph.steps import Step, Walk
from tutor.graph.trace import Const, LeafGradient, Op, Pass, Ref, Summary, Trace

_SIGNS = {"add": "+", "sub": "-", "rsub": "-", "mul": "×", "div": "/", "rdiv": "/",
          "pow": "^", "rpow": "^"}  # fmt: skip
_STATES = {"input": "input", "whole": "output"}
_ROOM = 34
_FREED_SHOWN = 3
_LEAVES_SHOWN = 8
_PRODUCT = re.compile(r"(\S+) @ (\S+)\Z")
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"

RowKind = Literal["plain", "result", "warning"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a card: what, and how much."""

    label: str
    text: str
    is_new: bool
    """Said by the step just taken; the others by steps before it at this stop."""
    kind: RowKind = "plain"


@dataclass(frozen=True, slots=True)
class Card:
    """What there is to say at one place."""

    title: str
    """The op's symbol, or the leaf's name; "" at the start."""
    statement: str
    """The code's own words."""
    line: int | None
    """Of the code; None where there is none."""
    rows: tuple[Row, ...]
    value: int | None = None
    """Whose tensor is in front: the step's, else None."""


def card(walk: Walk, place: int) -> Card:
    """All that was said at the stop of this place, until this place."""
    step = walk.step(place)
    if step is None:
        return _start(walk)
    begun = place
    while begun > 1 and walk.steps[begun - 2].stop == step.stop:
        begun -= 1
    rows: list[Row] = []
    for taken in range(begun, place + 1):
        rows += rows_of(walk, walk.steps[taken - 1], is_new=taken == place)
    if place == len(walk.steps) and step.kind != "refused":
        rows += ending(walk.trace, whole=False)
    if step.kind == "refused":
        passed = _pass(walk, step.number)
        line = passed.source.line if passed.source is not None else None
        called = f"{passed.kind}() of pass {passed.number}"
        return Card("", called, line, tuple(rows), step.value)
    if step.op is None:
        assert step.value is not None
        title = names.name(walk.trace, step.value)
        if step.kind == "whole":
            return Card(title, "the whole graph", None, tuple(rows), step.value)
        is_leaf = walk.trace.values[step.value].is_leaf
        what = "a leaf" if is_leaf else "an input"
        return Card(title, what, None, tuple(rows), step.value)
    op = walk.trace.ops[step.op]
    line = op.source.line if op.source is not None else None
    statement = names.statement(walk.trace, op)
    return Card(op.symbol, statement, line, tuple(rows), step.value)


def rows_of(walk: Walk, step: Step, *, is_new: bool = True) -> list[Row]:
    """What one step says."""
    match step.kind:
        case "input" | "whole":
            assert step.value is not None
            return [Row(_STATES[step.kind], _named(walk.trace, step.value), is_new)]
        case "node":
            assert step.op is not None
            op = walk.trace.ops[step.op]
            return [
                Row("computes", op.label or names.call_text(walk.trace, op), is_new)
            ]
        case "forward":
            return _forward(walk.trace, step, is_new)
        case "arrive":
            return [Row("upstream", _arrived(walk, step), is_new)]
        case "local":
            return [Row(*each, is_new) for each in _locals(walk, step)]
        case "contribute":
            return [Row("contribution", _contribution(walk, step), is_new, "result")]
        case "accumulate":
            return [Row("sum", _sum(walk, step), is_new, "result")]
        case "leaf":
            assert step.value is not None
            return _leaf(walk, walk.leaves[step.number, step.value], is_new)
        case "refused":
            return _refused(walk, step.number, is_new)


def ending(trace: Trace, *, whole: bool = True) -> list[Row]:
    """Why the walk ends before the code did; nothing where it does not.

    Not `whole`: the first sentence of what was raised, since a card has few lines.
    """
    found = []
    if trace.fault is not None:
        line = f" (line {trace.fault.line})" if trace.fault.line else ""
        said = trace.fault.text if whole else trace.fault.text.partition(". ")[0]
        found.append(Row("stopped", f"{said}{line}", True, "warning"))
    if trace.end.truncated is not None:
        found.append(Row("cut", trace.end.truncated, True, "warning"))
    return found


def called(walk: Walk, number: int, by: int) -> str:
    """Like "∂f/∂q", for the pass's own root."""
    return names.derivative(walk.trace, _root(walk, number), by)


def _root(walk: Walk, number: int) -> int:
    for scene in walk.scenes:
        if scene.number == number and scene.root is not None:
            return scene.root
    return walk.trace.values[-1].id


def _start(walk: Walk) -> Card:
    trace = walk.trace
    rows = [
        Row("leaf", f"{names.name(trace, value.id)} = {_number(value.summary)}", False)
        for value in itertools.islice(values.leaves(trace), _LEAVES_SHOWN)
    ]
    if not walk.steps:
        rows += ending(trace) or [Row("", "nothing was recorded", True, "warning")]
    return Card("", "nothing is computed yet", None, tuple(rows))


# ------------------------------------------------------------------------------ forward


def _forward(trace: Trace, step: Step, is_new: bool) -> list[Row]:
    assert step.op is not None
    op = trace.ops[step.op]
    if op.error is not None:
        return [Row("raised", op.error, is_new, "warning")]
    rows = [Row("computes", _computed(trace, op), is_new, "result")]
    rows += [
        Row("and", _named(trace, output), is_new, "result") for output in op.outputs[1:]
    ]
    if "nograd" in op.flags:
        rows.append(Row("no_grad", "not recorded by torch", is_new))
    return rows


def _computed(trace: Trace, op: Op) -> str:
    """Like "2² = 4", "3 × 4 = 12", "sin(2) = 0.909", or the shapes."""
    value = trace.values[op.outputs[0]].summary
    parts = [_scalar(trace, each) for each in op.arguments]
    plain = [each for each in parts if each is not None]
    function = op.function.rstrip("_")
    scale = _scalar(trace, op.keywords.get("alpha"))
    if (
        function in ("add", "sub") and scale is not None and len(op.keywords) == 1
        and value.scalar is not None and len(plain) == len(parts) == 2
    ):  # fmt: skip
        return _scaled(_SIGNS[function], plain, scale, _number(value))
    if value.scalar is None or len(plain) < len(parts) or op.keywords or not parts:
        return f"{_shapes(trace, op)}{_named(trace, op.outputs[0])}"
    result = _number(value)
    if op.symbol == "sqr":
        return f"{_bracketed(plain[0])}² = {result}"
    if function in _SIGNS and len(plain) == 2:
        if function == "pow" and plain[1] in "0123456789":
            return f"{_bracketed(plain[0])}{_RAISED[int(plain[1])]} = {result}"
        first, second = plain[0], _bracketed(plain[1])
        return f"{first} {_SIGNS[function]} {second} = {result}"
    if function == "neg":
        return f"-({plain[0]}) = {result}"
    return f"{function}({', '.join(plain)}) = {result}"


def _scaled(sign: str, plain: list[str], scale: str, result: str) -> str:
    """Like "1.48 - 0.1 × (-0.16) = 1.496": what `add` and `sub` do with an alpha."""
    if scale.startswith("-"):
        sign, scale = ("-" if sign == "+" else "+"), scale[1:]
    return f"{plain[0]} {sign} {scale} × {_bracketed(plain[1])} = {result}"


def _shapes(trace: Trace, op: Op) -> str:
    shapes = [
        numbers.shape(trace.values[value].summary.shape) for value in names.tensors(op)
    ]
    before = ", ".join(shapes[:3])
    after = numbers.shape(trace.values[op.outputs[0]].summary.shape)
    return f"{before} → {after}   " if before else ""


def _named(trace: Trace, value: int) -> str:
    found = trace.values[value]
    text = _number(found.summary)
    return f"{found.name} = {text}" if found.name is not None else text


def _scalar(trace: Trace, argument: object) -> str | None:
    match argument:
        case Ref(value):
            found = trace.values[value].summary
            return _number(found) if found.scalar is not None else None
        case Const(bool() | None | str()):
            return None
        case Const(int() | float() as value):
            return numbers.number(value)
    return None


# ----------------------------------------------------------------------------- backward


def _arrived(walk: Walk, step: Step) -> str:
    assert step.op is not None
    assert step.value is not None
    upstream = walk.passes[step.number, step.op].upstream
    return f"{called(walk, step.number, step.value)} = {_number(upstream)}"


def _locals(walk: Walk, step: Step) -> list[tuple[str, str]]:
    """Label and text for each edge: a local derivative, or a rule for the gradient."""
    assert step.op is not None
    merged = walk.passes[step.number, step.op]
    return [
        _rule(walk, step.op, merged, sent)
        if _is_vjp(walk, step.op, merged, sent)
        else ("local", local(walk, step.op, merged.of, sent))
        for sent in merged.sent
        if sent.gradient is not None
    ]


def _is_vjp(walk: Walk, op: int, merged: OpBackward, sent: Sent) -> bool:
    """Whether the book has a rule for the contribution instead of a local number."""
    rule = walk.rules.get((op, sent.position))
    scalar = merged.upstream.scalar is not None and not merged.upstream.shape
    return rule is not None and bool(rule.text) and rule.local is None and not scalar


def _rule(walk: Walk, op: int, merged: OpBackward, sent: Sent) -> tuple[str, str]:
    """Like "→ w: gᵀ @ x   (5, 3) = (5, 64) @ (64, 3)", where g is what arrived."""
    text = walk.rules[op, sent.position].text
    said = f"→ {names.name(walk.trace, sent.to)}: {text}"
    shapes = _product_shapes(walk, merged, text)
    if shapes and sent.gradient is not None:
        said += f"   {numbers.shape(sent.gradient.shape)} = {shapes}"
    return "rule", said


def _product_shapes(walk: Walk, merged: OpBackward, text: str) -> str:
    """The shapes of a matrix product's factors; "" where the rule is none."""
    match = _PRODUCT.match(text)
    if match is None:
        return ""
    shapes = {"g": merged.upstream.shape}
    for value in names.tensors(walk.trace.ops[merged.op]):
        name = names.operand(walk.trace, value)
        shapes.setdefault(name, walk.trace.values[value].summary.shape)
    found = []
    for factor in (match[1], match[2]):
        shape = shapes.get(factor.removesuffix("ᵀ"))
        if shape is None or len(shape) < 2:
            return ""
        if factor.endswith("ᵀ"):
            shape = (*shape[:-2], shape[-1], shape[-2])
        found.append(numbers.shape(shape))
    return " @ ".join(found)


def local(walk: Walk, op: int, of: int, sent: Sent) -> str:
    """Like "∂q/∂x = 2·x = 4"."""
    head = names.derivative(walk.trace, of, sent.to)
    rule = walk.rules.get((op, sent.position))
    parts = [head]
    if rule is not None and rule.text:
        parts.append(rule.text)
    number = local_number(walk, op, sent.position)
    if number is not None and (len(parts) < 2 or number != parts[-1]):
        parts.append(number)
    if len(parts) == 1:
        parts.append("the rule is not in the book")
    return " = ".join(parts)


def local_number(walk: Walk, op: int, position: int) -> str | None:
    """The local derivative as a number; None where it has none."""
    rule = walk.rules.get((op, position))
    return None if rule is None or rule.local is None else _number(rule.local)


def _contribution(walk: Walk, step: Step) -> str:
    """Like "3 × 4 = 12 → x"."""
    assert step.op is not None
    assert step.value is not None
    merged = walk.passes[step.number, step.op]
    sent = next(each for each in merged.sent if each.position == step.position)
    to = names.name(walk.trace, step.value)
    return f"{product(walk, step.op, merged.upstream, sent)} → {to}"


def product(walk: Walk, op: int, upstream: Summary, sent: Sent) -> str:
    """Like "3 × 4 = 12", or the contribution alone."""
    assert sent.gradient is not None
    sent_text = _number(sent.gradient)
    number = local_number(walk, op, sent.position)
    rule = walk.rules.get((op, sent.position))
    scalars = upstream.scalar is not None and rule is not None and rule.local
    if number is None or not scalars or sent.gradient.scalar is None:
        return sent_text
    return f"{_number(upstream)} × {_bracketed(number)} = {sent_text}"


def _sum(walk: Walk, step: Step) -> str:
    """Like "∂f/∂y = 12 + 9 = 21"."""
    assert step.value is not None
    key = step.number, step.value
    parts = [_number(part.gradient) for part in walk.parts[key]]
    total = walk.gradients.get(key)
    head = f"{called(walk, step.number, step.value)} = "
    text = " + ".join(part if place == 0 else _bracketed(part)
                      for place, part in enumerate(parts))  # fmt: skip
    return head + text + (f" = {_number(total)}" if total is not None else "")


def _leaf(walk: Walk, leaf: LeafGradient, is_new: bool) -> list[Row]:
    name = names.name(walk.trace, leaf.value)
    rows = [Row(f"{name}.grad", leaf_text(leaf), is_new, "result")]
    if leaf.before is not None:
        note = "added to what an earlier backward() left there"
        rows.append(Row("", note, is_new, "warning"))
    return rows


def _pass(walk: Walk, number: int) -> Pass:
    return next(each for each in walk.trace.passes if each.number == number)


def _refused(walk: Walk, number: int, is_new: bool) -> list[Row]:
    """The error, and what an earlier pass has freed, which this one would need."""
    error = _pass(walk, number).error or ""
    rows = [Row("raised", error.partition(". ")[0], is_new, "warning")]
    if "second time" in error:
        rows += [Row("freed", text, is_new) for text in _freed(walk.trace, number)]
    return rows


def _freed(trace: Trace, number: int) -> Iterator[str]:
    """Like "sqr kept x until pass 1"; the first few."""
    frees = {each.number for each in trace.passes if not each.retains}
    ran: dict[int, int] = {}
    for run in trace.nodes:
        if run.number in frees and run.number < number:
            ran.setdefault(run.node_id, run.number)
    told = 0
    for node in trace.graph:
        kept = [names.name(trace, each.value) for each in node.saved.values()
                if isinstance(each, Ref)]  # fmt: skip
        if node.op is None or node.id not in ran or not kept:
            continue
        told += 1
        if told > _FREED_SHOWN:
            yield "and more"
            return
        symbol = trace.ops[node.op].symbol
        yield f"{symbol} kept {' and '.join(kept)} until pass {ran[node.id]}"


def leaf_text(leaf: LeafGradient) -> str:
    """Like "None + 12 → 12"."""
    before = "None" if leaf.before is None else _number(leaf.before)
    return f"{before} + {_bracketed(_number(leaf.add))} → {_number(leaf.after)}"


def _number(summary: Summary) -> str:
    return numbers.tensor(summary, _ROOM)


def _bracketed(number: str) -> str:
    return f"({number})" if number.startswith("-") else number
