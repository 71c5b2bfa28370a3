"""Where the code switches a tensor's requires_grad off, by its text. Pure."""

import ast
import re
from collections.abc import Iterator

from tutor.graph import origins
from tutor.graph.code import nodes
from tutor.graph.origins import Place

_INDEX = re.compile(r"\[(\d+)\]")
_PARTS = re.compile(
    r"\.(named_)?(parameters|modules|children|buffers|items|values)\(.*\Z"
)


def dotted(text: str) -> str:
    """A module's path as a parameter's name has it: `net[0].weight` is net.0.weight."""
    return _INDEX.sub(r".\1", text)


def switched_off(text: str, name: str) -> Iterator[Place]:
    """Lines that take requires_grad from a tensor, or from all of a module it is in."""
    alias = origins.bindings(text, name)
    known = {dotted(name), *(dotted(each.text) for each in alias)}
    for node in nodes(text):
        receiver = _receiver(node)
        if receiver is None:
            continue
        place = Place(receiver.lineno, ast.unparse(node))
        if any(
            _holds(text, dotted(ast.unparse(receiver)), place, each) for each in known
        ):
            yield place
    made = origins.made(text, name)
    if made is None or "freeze=False" in made.text:
        return
    if "from_pretrained(" in made.text:
        yield made


def _receiver(node: ast.AST) -> ast.expr | None:
    """Whose requires_grad a statement or a call switches off; None: nobody's."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=receiver, attr="requires_grad_"),
            args=[ast.Constant(value=False)],
        ):
            return receiver
        case ast.Assign(
            targets=[ast.Attribute(value=receiver, attr="requires_grad")],
            value=ast.Constant(value=False),
        ):
            return receiver
    return None


def _holds(text: str, receiver: str, place: Place, name: str) -> bool:
    """Whether a name is the receiver, in it, or one of what a loop gives it."""
    if f"{name}.".startswith(f"{receiver}."):
        return True
    root, _, rest = receiver.partition(".")
    for node in nodes(text):
        if not isinstance(node, ast.For) or not _is_inside(node, place.line):
            continue
        targets = [
            each.id for each in ast.walk(node.target) if isinstance(each, ast.Name)
        ]
        if root in targets:
            over = dotted(_PARTS.sub("", ast.unparse(node.iter)))
            last = name.rpartition(".")[2]
            return f"{name}.".startswith(f"{over}.") and (
                not rest or rest in (last, name)
            )
    return False


def _is_inside(loop: ast.For, line: int) -> bool:
    return loop.lineno <= line <= (loop.end_lineno or loop.lineno)
