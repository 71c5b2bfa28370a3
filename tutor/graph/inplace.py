"""Which in-place op broke the backward pass, and which op had saved the value. Pure."""

import re
from collections.abc import Iterator

from tutor.graph import history, names
from tutor.graph.aliases import Aliases
from tutor.graph.causes import Answer, Cause, at_line, called, code, distinct, of_op
from tutor.graph.causes import line as line_of
from tutor.graph.trace import GraphNode, Op, Pass, Trace

_VERSIONS = re.compile(r"at version (\d+); expected version (\d+)")
_SHAPE = re.compile(r"\[[\w.]+ \[([\d, ]*)\]\]")
_QUESTION = "Which in-place op broke the backward pass?"
_KEEP_RESULT = frozenset(
    ["exp", "expm1", "sigmoid", "tanh", "sqrt", "rsqrt", "softmax", "log_softmax",
     "relu", "reciprocal", "elu", "selu", "celu", "hardsigmoid", "cumprod", "norm",
     "max", "min", "amax", "amin", "std", "prod", "logsumexp", "exp2", "tan",
     "softmin", "relu6", "threshold", "dropout", "leaky_relu"]
)  # fmt: skip
_KEEP_NOTHING = frozenset(
    ["add", "sub", "rsub", "neg", "sum", "mean", "view", "reshape", "expand",
     "transpose", "t", "T", "permute", "squeeze", "unsqueeze", "clone", "cat", "stack",
     "getitem", "setitem", "flatten", "detach", "copy", "zero", "fill", "to", "float"]
)  # fmt: skip
_REFUSALS = (
    (
        "a view of a leaf Variable",
        "leaf view",
        "changes a part of a leaf in place, and torch refuses that.",
        "Do it under torch.no_grad(), or on a copy made with clone().",
    ),
    (
        "a leaf Variable that requires grad",
        "leaf",
        "changes a leaf in place, and torch refuses that: the leaf would lose its past.",
        "Do it under torch.no_grad(), or write the result into a new tensor.",
    ),
    (
        "don't support automatic differentiation",
        "out",
        "writes its result into out=, and torch keeps no graph of that.",
        "Leave out= away and bind the result to a name.",
    ),
    (
        "is a view and is being modified inplace",
        "view",
        "changes a view in place that torch cannot follow back.",
        "Change the whole tensor, or a copy made with clone().",
    ),
    (
        "Inplace update to inference tensor",
        "inference",
        "changes a tensor made under inference_mode.",
        "Make it under no_grad(), or change a copy made with clone().",
    ),
    (
        "single memory location",
        "overlap",
        "writes to elements that lie in one place of the memory, like those of expand().",
        "Change a copy made with clone().",
    ),
)  # fmt: skip


def why_inplace(trace: Trace) -> Answer | None:
    """The op that changed what the backward pass needed; None: none is to blame."""
    # What the code caught and went on from broke nothing.
    fault = "" if trace.fault is None else trace.fault.text
    for op in reversed(trace.ops):
        if op.error is not None and op.error.partition("\n")[0] in fault:
            refused = _refused(trace, op, op.error)
            if refused is not None:
                return refused
    message = _message(trace)
    if message is None:
        return None
    text, passed = message
    versions = _VERSIONS.search(text)
    if versions is None:
        return None
    now, expected = (int(each) for each in versions.groups())
    return _changed(trace, text, passed, now, expected)


def is_stale(error: str) -> bool:
    """Whether torch said that a saved value was changed."""
    return _VERSIONS.search(error) is not None


def _refused(trace: Trace, op: Op, error: str) -> Answer | None:
    """Torch would not even do it."""
    for words, kind, says, advice in _REFUSALS:
        if words in error:
            cause = of_op(trace, op, kind, says, _target(op))
            verdict = (
                f"torch refused the op{at_line(line_of(op))}; nothing was changed."
            )
            return Answer(_QUESTION, verdict, (cause,), advice)
    return None


def _target(op: Op) -> int | None:
    given = names.tensors(op)
    return given[0] if given else None


def _message(trace: Trace) -> tuple[str, Pass | None] | None:
    """What torch said when a backward pass failed on a version."""
    for passed in reversed(trace.passes):
        if passed.error is not None and _VERSIONS.search(passed.error):
            return passed.error, passed
    fault = trace.fault
    if fault is not None and _VERSIONS.search(fault.text):
        return fault.text, trace.passes[-1] if trace.passes else None
    return None


def _changed(
    trace: Trace, text: str, passed: Pass | None, now: int, expected: int
) -> Answer:
    aliases = Aliases(trace)
    found = _saved(trace, aliases, text, passed, expected)
    if found is None:
        verdict = "A value that backward() needed was changed in place before it ran."
        writers = [op for op in trace.ops if "inplace" in op.flags]
        told = [_blamed(trace, op, None, None) for op in writers]
        return Answer(_QUESTION, verdict, distinct(told), _advice(writers))
    saver, value = found
    writers = [
        op
        for op, version in aliases.writers(value)
        if version > expected and (saver is None or op.id > saver.id)
        and (passed is None or op.at < passed.at)
    ]  # fmt: skip
    name = called(trace, value)
    told = [_blamed(trace, op, saver, value) for op in writers]
    if not writers:
        told = list(_unseen_writer(trace, aliases, value, expected))
    if saver is not None:
        says = f"keeps {name} for its derivative."
        told.append(of_op(trace, saver, "saved", says, value))
    many = f"{now - expected} times " if now - expected > 1 else ""
    verdict = f"{name} was changed in place {many}after an op had saved it."
    if saver is not None:
        by = f"{code(trace, saver)}{at_line(line_of(saver))}"
        verdict = f"{name} was changed in place {many}after {by} saved it."
    return Answer(_QUESTION, verdict, distinct(told), _advice(writers))


def _blamed(trace: Trace, op: Op, saver: Op | None, value: int | None) -> Cause:
    name = "its tensor" if value is None else called(trace, value)
    says = f"changes {name} in place."
    if saver is not None:
        says = f"changes {name} in place; backward needs what it was before."
    changed = op.outputs[0] if op.outputs else None
    if _is_step(op):
        return of_op(trace, op, "optimizer", f"updates {name} in place.", changed)
    return of_op(trace, op, "inplace", says, changed)


def _unseen_writer(
    trace: Trace, aliases: Aliases, value: int, expected: int
) -> Iterator[Cause]:
    """The first op that met the tensor changed, where the change itself was not seen."""
    for op in trace.ops:
        for given in names.tensors(op):
            if aliases.same(given, value) and trace.values[given].version > expected:
                says = f"changes {called(trace, value)} itself, or meets it changed."
                yield of_op(trace, op, "inplace", says, given)
                return
    for each in trace.values:
        if aliases.same(each.id, value) and each.version > expected:
            following = [
                op for op in trace.ops if op.outputs and op.outputs[0] > each.id
            ]
            says = f"changes {called(trace, value)} itself, or meets it changed."
            yield from (
                of_op(trace, op, "inplace", says, each.id) for op in following[:1]
            )
            return


def _is_step(op: Op) -> bool:
    return op.label.endswith((".step()", ".step(closure)"))


def _advice(writers: list[Op]) -> str:
    if any(_is_step(op) for op in writers):
        return "Call step() after the last backward(), or compute the loss again."
    return "Write the result into a new tensor, or change a copy made with clone()."


# ------------------------------------------------------------------ who had saved what


def _saved(
    trace: Trace, aliases: Aliases, text: str, passed: Pass | None, expected: int
) -> tuple[Op | None, int] | None:
    """The op whose node failed, and the value it had saved."""
    failing = _failing(trace, passed)
    for node in failing:
        fits = [
            value
            for value in _kept(trace, node)
            if _is_stale(trace, aliases, value, expected, text)
        ]
        if fits:
            return None if node.op is None else trace.ops[node.op], fits[-1]
    return None


def _failing(trace: Trace, passed: Pass | None) -> list[GraphNode]:
    """The nodes that may have failed: behind the root, not run; the likeliest first.

    torch's engine takes, of the nodes that are ready, the one made last.
    """
    root = trace.end.root if passed is None else passed.root
    reachable = set(range(len(trace.graph)))
    if root is not None:
        reachable = history.behind(trace, root)
    number = None if passed is None else passed.number
    ran = {node.node_id for node in trace.nodes if node.number == number}
    waits = {
        following
        for each in reachable - ran
        for following in trace.graph[each].next
        if following >= 0
    }
    left = [trace.graph[each] for each in reachable - ran]
    left = [node for node in left if node.op is not None]
    return sorted(left, key=lambda node: (node.id in waits, -(node.op or 0), node.id))


def _kept(trace: Trace, node: GraphNode) -> Iterator[int]:
    """The values a node saved: what was looked at, else what its op is known to keep."""
    if node.saved:
        yield from names.within(node.saved.values())
        return
    if node.op is None:
        return
    op = trace.ops[node.op]
    function = op.function.rstrip("_")
    if function in _KEEP_NOTHING:
        return
    if function not in _KEEP_RESULT or "inplace" not in op.flags:
        yield from names.tensors(op)
    if function in _KEEP_RESULT or function not in _KEEP_INPUTS:
        yield from op.outputs


_KEEP_INPUTS = frozenset(
    ["mul", "div", "pow", "matmul", "mm", "mv", "bmm", "dot", "linear", "square",
     "sin", "cos", "log", "abs", "mse_loss", "where", "conv2d", "conv1d"]
)  # fmt: skip


def _is_stale(
    trace: Trace, aliases: Aliases, value: int, expected: int, text: str
) -> bool:
    """Whether a saved value is the one that torch complains of."""
    found = trace.values[value]
    if found.version > expected:
        return False
    shape = _SHAPE.search(text)
    if shape is not None:
        dims = tuple(int(each) for each in shape[1].split(",") if each.strip())
        if dims not in (found.summary.shape, found.summary.shape[::-1]):
            return False
    return any(
        aliases.same(each.id, value) and each.version > expected
        for each in trace.values
    )
