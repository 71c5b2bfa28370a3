"""Where a gradient's way ends: ops that give numbers on without their history. Pure."""

from dataclasses import dataclass

from tutor.graph import code, names, numbers, origins
from tutor.graph.causes import Cause, of_op, quoted
from tutor.graph.causes import line as line_of
from tutor.graph.history import ASIDE, History, ancestors
from tutor.graph.trace import Const, Items, Op, Ref, Trace

_COMPARISONS = frozenset(
    ["gt", "lt", "ge", "le", "eq", "ne", "greater", "less", "greater_equal",
     "less_equal", "not_equal", "isclose", "isfinite", "isnan", "isinf", "isin",
     "logical_and", "logical_or", "logical_not", "logical_xor", "signbit"]
)  # fmt: skip
_POSITIONS = frozenset(
    ["argmax", "argmin", "argsort", "nonzero", "argwhere", "searchsorted", "bucketize",
     "multinomial", "count_nonzero", "bincount"]
)  # fmt: skip
_COPIES = frozenset(["tensor", "new_tensor", "scalar_tensor", "from_numpy"])
_SHAPES = frozenset(
    ["zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "empty_like",
     "randint_like", "new_zeros", "new_ones", "new_full", "new_empty", "bernoulli"]
)  # fmt: skip
_READS = {
    "item": "gives a Python number",
    "float": "gives a Python number",
    "int": "gives a Python number",
    "complex": "gives a Python number",
    "bool": "gives True or False",
    "index": "gives a Python number",
    "tolist": "gives Python numbers",
    "numpy": "gives a NumPy array",
    "array": "gives a NumPy array",
}
_FLAT = (
    ("", _POSITIONS, "gives positions, which have no derivative."),
    ("comparison", _COMPARISONS, "gives True or False, which has no derivative."),
    ("copy", _COPIES, "copies the numbers of {of} into a new tensor without history."),
    ("shape", _SHAPES, "takes only the shape of {of}, not its numbers."),
)
"""Kind ("": the function's name), functions, and what they do."""
_NUMBERS = ("item", "float", "complex")
_TELLS_NOTHING = frozenset([0.0, 1.0, 2.0, -1.0])
"""Constants so common that they may have come from anywhere."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Where a tensor's numbers go, as far as torch's graph follows them and beyond."""

    alive: set[int]
    """Values that carry its history."""
    cuts: list[Op]
    """Ops that take such a value and give on numbers without history."""
    reads: list[Op]
    """Ops that take numbers out of torch."""
    later: dict[int, list[Op]]
    """By cut: the reads of what it gave on."""


def ways(history: History, value: int) -> Ways:
    """Follow a tensor from all of its moments."""
    trace = history.trace
    alive = set(history.siblings(value))
    waiting = list(alive)
    cuts: dict[int, Op] = {}
    reads: dict[int, Op] = {}
    while waiting:
        for each in history.uses.get(waiting.pop(), ()):
            op = trace.ops[each]
            if op.error or op.function in ASIDE or "deepcopy" in op.calls:
                continue
            if is_read(op):
                reads[op.id] = op
            for output in op.outputs:
                if output in alive:
                    continue
                if is_cut(trace, output):
                    cuts[op.id] = op
                else:
                    alive.add(output)
                    waiting.append(output)
    later = {op.id: _reads_after(history, op) for op in cuts.values()}
    return Ways(alive, _in_order(cuts), _in_order(reads), later)


def is_read(op: Op) -> bool:
    """Whether an op takes numbers out of torch."""
    return op.function in _READS and not op.outputs


def is_cut(trace: Trace, output: int) -> bool:
    """Whether an op's result has no history: it asks for none, or is a leaf itself."""
    value = trace.values[output]
    return not value.requires_grad or value.is_leaf


def _reads_after(history: History, op: Op) -> list[Op]:
    """What takes numbers out of torch from an op's result, or from what follows."""
    found: dict[int, Op] = {}
    seen: set[int] = set()
    waiting = list(op.outputs)
    while waiting:
        for each in history.uses.get(waiting.pop(), ()):
            if each not in seen:
                seen.add(each)
                following = history.trace.ops[each]
                waiting += following.outputs
                if is_read(following):
                    found[each] = following
    return _in_order(found)


def _in_order(ops: dict[int, Op]) -> list[Op]:
    return [ops[each] for each in sorted(ops)]


def broken(known: History, value: int, roots: list[int]) -> list[Cause]:
    """Every way from a tensor to one of the roots that a gradient cannot go back on."""
    found = ways(known, value)
    within = {op for root in roots for op in ancestors(known.trace, root)}
    causes: list[Cause] = []
    for op in found.cuts:
        back = [each for each in found.later[op.id] if comes_back(known, each, within)]
        if back or (op.id in within and op.function not in _SHAPES):
            causes += [cut(known.trace, each) for each in (op, *back)]
    for op in found.reads:
        if comes_back(known, op, within):
            causes.append(cut(known.trace, op))
    return sorted(causes, key=lambda each: each.op or 0)


def cut(trace: Trace, op: Op) -> Cause:
    """What an op does that takes a value with history and gives on one without."""
    value = next((each for each in op.outputs if is_cut(trace, each)), None)
    if "nograd" not in op.flags:
        detached = _detached(trace, op)
        if detached is not None:
            return detached
    dtype = "" if value is None else trace.values[value].summary.dtype
    kind, says = _cut(trace, op, dtype)
    return of_op(trace, op, kind, says, value)


def _detached(trace: Trace, op: Op) -> Cause | None:
    """A detach_() of the op's result after it, or of its argument before it."""
    place = line_of(op) or 0
    results = {trace.values[each].name for each in op.outputs}
    given = {trace.values[each].name for each in names.tensors(op)}
    for call in code.method_calls(trace.end.code, "detach_"):
        after, before = call.line >= place, call.line <= place
        if (call.receiver in results and after) or (call.receiver in given and before):
            says = f"{quoted(call.text)} takes its history from {call.receiver}."
            text = f"Line {call.line}: {says}"
            return Cause("detach", text, call.line, op.id, None)
    return None


def _cut(trace: Trace, op: Op, dtype: str) -> tuple[str, str]:
    function = op.function.rstrip("_")
    of = _argument_name(trace, op)
    if is_read(op):
        return function, f"{_READS[function]}: torch sees no further use of it."
    if function in ("detach", "detach_copy"):
        return "detach", f"gives {of} on without its history: no gradient goes back."
    if function == "data":
        return "data", f"is {of} without its history: no gradient goes back."
    if "nograd" in op.flags:
        return "no_grad", _switched_off(trace, op)
    for kind, functions, says in _FLAT:
        if function in functions:
            return kind or function, says.format(of=of)
    if "int" in dtype or dtype == "bool":
        return "integer", f"gives {dtype}, and only floats have gradients."
    if _asked_later(trace, op):
        return "requires_grad late", f"ran before {of} required a gradient."
    return "cut", "gives a result that torch keeps no derivative for."


def _switched_off(trace: Trace, op: Op) -> str:
    """For an op that ran with the graph switched off: by what, and where."""
    text = trace.end.code
    if op.source is not None:
        text = trace.end.files.get(op.source.file, text)
    block = code.block(text, line_of(op))
    if block is None:
        return "ran while gradients were switched off: torch kept no graph of it."
    where = "" if block.head == line_of(op) else f" (line {block.head})"
    return f"runs under {block.switch}{where}: torch keeps no graph of it."


def _argument_name(trace: Trace, op: Op) -> str:
    """What its first tensor with history is called, or "its input"."""
    given = names.tensors(op)
    if not given:
        return "its input"
    kept = [each for each in given if trace.values[each].requires_grad]
    return names.name(trace, (kept or given)[0])


def _asked_later(trace: Trace, op: Op) -> bool:
    """Whether the code asks for a gradient of an argument only below the op."""
    place = line_of(op) or 0
    text = trace.end.code
    for each in names.tensors(op):
        name = trace.values[each].name
        asks = [
            call.line
            for call in code.method_calls(text, "requires_grad_")
            if call.receiver == name
        ]
        if name is not None:
            bound = origins.bindings(text, f"{name}.requires_grad")
            asks += [each.line for each in bound]
        if asks and min(asks) > place:
            return True
    return False


# ----------------------------------------------------------- numbers that left and came


def comes_back(history: History, read: Op, within: set[int]) -> bool:
    """Whether numbers that a read took out are used by later ops.

    Seen by their value among the constants, or by the names the code gives them.
    """
    trace = history.trace
    later = [trace.ops[each] for each in sorted(within) if each > read.id]
    taken = [trace.values[each].summary for each in names.tensors(read)]
    found = {each for summary in taken for each in summary.values or ()}
    if read.function in _NUMBERS and any(_holds(op, found) for op in later):
        return True
    readers = code.readers(trace.end.code, line_of(read), read.label)
    return any(
        (read.label and read.label in op.label) or line_of(op) in readers
        for op in later
    )


def _holds(op: Op, taken: set[float]) -> bool:
    """Whether one of the numbers is a constant of an op that the code does not write."""
    text = op.label
    return any(numbers.number(each) not in text for each in _constants(op) & taken)


def _constants(op: Op) -> set[float]:
    found: set[float] = set()
    waiting = [*op.arguments, *op.keywords.values()]
    while waiting:
        match waiting.pop():
            case Const(value=bool() | int() | float() as value):
                found.add(float(value))
            case Items(items=items):
                waiting += items
            case Ref() | Const():
                pass
    return found - _TELLS_NOTHING
