"""What the values of a trace are called in texts. Pure."""

import re
from collections.abc import Iterable

from tutor.graph.trace import Argument, Const, Items, Op, Ref, Trace, Value

LABEL_LIMIT = 24
"""A source text up to this long stands for a value without a name; a longer is cut."""
_ROOT_LIMIT = 16
"""So long may it be where every derivative names it."""

_IN_WORD = re.compile(r"[\w.]{2}")
_SIMPLE = re.compile(r"[\w.]+(\([^()]*\)|\[[^\[\]]*\])?\Z")


def name(trace: Trace, value: int) -> str:
    """For a sentence or a leaf's row: its name, else its source text, cut short.

    What torch's own code made is called by the module that gave it back, "net.0(…)", or
    like "v7".
    """
    found = trace.values[value]
    if found.name is not None:
        return found.name
    label = _label(trace, found)
    if value == trace.end.root and found.op is not None:
        return label if label and _is_asked(trace, value, label) else _root_name(trace)
    if label is not None:
        return shortened(label)
    return f"{found.output_of}(…)" if found.output_of else f"v{value}"


def shortened(text: str, limit: int = LABEL_LIMIT) -> str:
    """Like "torch.relu(a + …)": cut where a word ends, with its brackets closed."""
    if len(text) <= limit:
        return text
    for end in range(limit - 1, 0, -1):
        if _IN_WORD.match(text, end - 1):
            continue
        kept = text[:end]
        closing = _closing(kept)
        if end + 1 + len(closing) <= limit:
            return f"{kept}…{closing}"
    return f"{text[: limit - 1]}…"


def _closing(text: str) -> str:
    """The brackets that a text opened."""
    waiting = ""
    for sign in text:
        if sign in "([{":
            waiting = ")]}"["([{".index(sign)] + waiting
        elif waiting.startswith(sign):
            waiting = waiting[1:]
    return waiting


def _is_asked(trace: Trace, root: int, label: str) -> bool:
    """Whether the code goes backward from a short text itself: `y.sum().backward()`."""
    asked = any(each.root == root and each.source for each in trace.passes)
    return asked and len(label) <= _ROOT_LIMIT and bool(_SIMPLE.match(label))


_root_names: list[tuple[Trace, str]] = []
"""Of the traces asked about last: finding one looks at every value."""


def _root_name(trace: Trace) -> str:
    """What the root without a name is called: "f", or "out" where f is another."""
    for known, text in _root_names:
        if known is trace:
            return text
    text = "out" if any(each.name == "f" for each in trace.values) else "f"
    _root_names[:] = [(trace, text), *_root_names[:3]]
    return text


def operand(trace: Trace, value: int) -> str:
    """As part of a formula: in brackets where it is a formula itself."""
    text = name(trace, value)
    return text if _SIMPLE.match(text) else f"({text})"


def derivative(trace: Trace, of: int, by: int) -> str:
    """Like "∂f/∂q"."""
    return f"∂{operand(trace, of)}/∂{operand(trace, by)}"


def statement(trace: Trace, op: Op) -> str:
    """The op as the code says it: "q = x**2", or the expression alone."""
    text = op.label or call_text(trace, op)
    if "inplace" in op.flags:
        return text
    names = [trace.values[output].name for output in op.outputs]
    known = [each for each in names if each is not None]
    return f"{', '.join(known)} = {text}" if known else text


def call_text(trace: Trace, op: Op) -> str:
    """Like "linear(x, net.0.weight)", for an op whose source is not the learner's."""
    words = [_argument(trace, each) for each in op.arguments]
    words += [f"{key}={_argument(trace, each)}" for key, each in op.keywords.items()]
    return f"{op.function}({', '.join(words)})"


def tensors(op: Op) -> list[int]:
    """The values among an op's arguments, in their order; one used twice comes twice.

    `Rule.position` and the edges of the picture count along this list.
    """
    return within((*op.arguments, *op.keywords.values()))


def within(arguments: Iterable[Argument]) -> list[int]:
    """The values among some arguments, lists opened."""
    found: list[int] = []
    _collect(arguments, found)
    return found


def _collect(arguments: Iterable[Argument], found: list[int]) -> None:
    for argument in arguments:
        if isinstance(argument, Ref):
            found.append(argument.value)
        elif isinstance(argument, Items):
            _collect(argument.items, found)


def _argument(trace: Trace, argument: Argument) -> str:
    match argument:
        case Ref(value):
            return name(trace, value)
        case Const(value):
            return repr(value) if isinstance(value, str) else f"{value}"
        case Items(items):
            return f"[{', '.join(_argument(trace, each) for each in items)}]"


def _label(trace: Trace, value: Value) -> str | None:
    """The source text of the op that made a value, where it stands for nothing else."""
    if value.op is None or len(trace.ops[value.op].outputs) != 1:
        return None
    return trace.ops[value.op].label or None
