"""torch.autograd's own gradients of a graph cell's code, to hold a trace against.

Independent of the recorder: the code is executed plainly, in the kernel, and prints the
leaves' gradients; here they are compared with what the trace says.
"""

import json
import math
from collections.abc import Iterator

from tutor.graph.trace import Trace
from tutor.lesson.schema import GraphCell

_PROGRAM = '''
def gradients(names, code, at, dtype, root):
    """Print the gradients of the leaves in `at` as JSON; None where there is none."""
    import ast, json
    import torch
    leaves = {
        name: torch.tensor(value, dtype=getattr(torch, dtype), requires_grad=True)
        for name, value in at.items()
    }
    names = {
        **names, "torch": torch, "nn": torch.nn, "F": torch.nn.functional, **leaves
    }
    body = ast.parse(code).body
    last = body[-1]
    if isinstance(last, ast.Expr):
        target = ast.Name("_root_", ast.Store())
        body[-1] = ast.Assign([target], last.value)
    elif isinstance(last, ast.Assign):
        body[-1] = ast.Assign([ast.Name("_root_", ast.Store()), *last.targets], last.value)
    program = ast.fix_missing_locations(ast.Module(body, []))
    exec(compile(program, "<graph cell>", "exec"), names)
    if all(leaf.grad is None for leaf in leaves.values()):
        (names["_root_"] if root is None else eval(root, names)).backward()
    print(json.dumps({
        name: None if leaf.grad is None else leaf.grad.double().flatten().tolist()
        for name, leaf in leaves.items()
    }))
'''


def program(cell: GraphCell) -> str:
    """Code that prints the gradients, and binds no name of the learner's."""
    arguments = (cell.code, dict(cell.at), cell.dtype, cell.root)
    call = f"gradients(names, *{arguments!r})"
    return f"exec({_PROGRAM + call!r}, {{'names': dict(globals())}})"


def read(printed: str) -> dict[str, list[float] | None] | None:
    """The gradients that `program` printed, by leaf; None: it printed none."""
    lines = printed.strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def differences(
    trace: Trace, wanted: dict[str, list[float] | None], tolerance: float
) -> Iterator[str]:
    """Where the trace says something else than torch.autograd; a sentence each."""
    got: dict[str, tuple[float, ...] | None] = {}
    for change in trace.leaves:  # the last change of a leaf is its gradient
        name = trace.values[change.value].name
        if name is not None:
            got[name] = change.after.values
    for name, gradient in wanted.items():
        if gradient is None and name not in got:
            continue
        shown = got.get(name)
        if gradient is None or shown is None or not _close(shown, gradient, tolerance):
            said = "nothing" if shown is None else list(shown)
            meant = "nothing" if gradient is None else gradient
            yield f"the stepper shows {said} for {name}.grad, torch.autograd {meant}."


def _close(got: tuple[float, ...], wanted: list[float], tolerance: float) -> bool:
    return len(got) == len(wanted) and all(
        one == other
        or (math.isnan(one) and math.isnan(other))
        or math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
        for one, other in zip(got, wanted, strict=True)
    )
