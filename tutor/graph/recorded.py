"""What is said of a trace as a whole: in a line of a log, and as its name. Pure."""

from tutor.graph.steps import is_shown
from tutor.graph.trace import Trace

_FAULT_ROOM = 60


def title(trace: Trace) -> str:
    """What was run, on one line."""
    return trace.end.title or " ".join(trace.end.code.split())


def sentence(trace: Trace) -> str:
    """Like "recorded: 12 ops, 2 passes, 3 leaves", and what is to be known of it."""
    leaves = {
        value.tensor for value in trace.values if value.is_leaf and value.requires_grad
    }
    ops = sum(1 for op in trace.ops if is_shown(op))
    counts = [_counted(ops, "op"), _counted(len(leaves), "leaf", "leaves")]
    if trace.end.kind == "recorded":
        counts.insert(1, _counted(len(trace.passes), "pass", "passes"))
    head = "recorded" if trace.end.kind == "recorded" else "torch's graph"
    said = f"{head}: {', '.join(counts)}"
    remarks = [trace.end.truncated, trace.end.unrecorded]
    if trace.fault is not None:
        remarks.insert(0, _stopped(trace))
    for remark in remarks:
        if remark:
            said += f". {remark.rstrip('.')}"
    return said


def _stopped(trace: Trace) -> str:
    fault = trace.fault
    assert fault is not None
    place = "" if fault.line is None else f" in line {fault.line}"
    if fault.stage == "interrupt":
        return f"Interrupted{place}"
    if fault.stage != "backward":
        said = fault.text.partition(". ")[0].partition("\n")[0]
        if len(said) > _FAULT_ROOM:  # the traceback says the rest
            said = f"{said[: _FAULT_ROOM - 1]}…"
        return f"It stopped{place}: {said}"
    said = fault.text.removeprefix("RuntimeError: ")
    advice = ""
    if "only for scalar outputs" in said:
        advice = '; say what to start from, with grad="ones"'
    return f"No backward pass: {said}{advice}"


def _counted(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"
