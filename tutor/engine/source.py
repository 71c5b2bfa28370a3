"""Where in the learner's code an op was called, and what the code calls its result.

The running frame's bytecode position is matched with the syntax tree, so that names and
the written order of operands are the source's own. Positions need Python 3.11.
"""

import ast
import linecache
import re
import sys
import types
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from tutor.graph.trace import Source

_OURS = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
_LABEL_LIMIT = 200
_LINE_END = re.compile(r"\r\n|\r|\n")

RUNNER = "run_traced"
"""Name of the function of ours that runs the learner's code."""
_MAKING = ("__init__", "_apply", "wrapper_fn")
"""Methods of modules in which parameters are made or converted; and of torch.func's
Jacobians, which make what they start from."""
_APPLY = torch.autograd.Function.apply.__func__.__code__  # type: ignore[attr-defined]

_LEARNERS, _OTHER, _BOTTOM, _CALL, _MAKES, _APPLIES = range(6)

Span = tuple[int, int, int, int]
"""First line, first column, last line, last column; columns are UTF-8 bytes."""

Place = tuple[tuple[tuple[types.CodeType, int], ...], bool]
"""A place in the running code: the learner's functions and the offset of the instruction
in each, innermost first; and whether torch's module code ran between it and the op."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the learner's source."""

    source: Source | None
    label: str
    """The expression's text on one line; "" when the source is not at hand."""
    name: str | None
    """What the result is assigned to; None: nothing."""
    node: ast.AST | None
    calls: tuple[str, ...]
    """The learner's functions it was reached through, outermost first."""
    output_names: tuple[str | None, ...]
    """For `a, b = x.chunk(2)`: "a", "b"; empty where one name is meant."""


class Stack:
    """Finds the learner's frames among those that run now."""

    def __init__(self) -> None:
        self._learners: dict[str, bool] = {}
        self._parts: dict[int, tuple[int, types.CodeType]] = {}
        """What a function is to us; by the identity of its code, which is held."""
        self.bottom: types.FrameType | None = None
        """Where the recorder was opened; what called that is none of ours."""

    def place(self, depth: int) -> tuple[Place | None, types.FrameType | None, bool]:
        """Where the learner's code is, its innermost frame, and whether it is hidden.

        Hidden is the inside of a custom autograd.Function, for which its own node
        stands, the making of a module's parameters, and of where a Jacobian starts.
        """
        found: list[tuple[types.CodeType, int]] = []
        first: types.FrameType | None = None
        inside = hidden = False
        parts, bottom = self._parts, self.bottom
        frame: types.FrameType | None = sys._getframe(depth)
        while frame is not None:
            code = frame.f_code
            known = parts.get(id(code))
            part = self._part(code) if known is None else known[0]
            if part == _LEARNERS:
                if first is None:
                    first = frame
                found.append((code, frame.f_lasti))
            elif part != _OTHER:
                if part == _BOTTOM:
                    break
                if part == _CALL:
                    inside = inside or first is None
                elif part == _MAKES:
                    hidden = hidden or first is None
                else:
                    hidden = True
            if frame is bottom:
                break
            frame = frame.f_back
        return ((tuple(found), inside) if found else None), first, hidden

    def here(self) -> Place | None:
        """Where the learner's code is."""
        return self.place(2)[0]

    def place_of_module(self) -> tuple[Place | None, int]:
        """Where a module that returns now was called; how deep within torch's modules.

        1: by the learner's code itself.
        """
        depth = 0
        frame: types.FrameType | None = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            if self._learners.get(code.co_filename) or frame is self.bottom:
                return (self.place(2)[0] if depth == 1 else None), depth
            depth += code.co_name == "_call_impl"
            frame = frame.f_back
        return None, depth

    def frames(self) -> list[types.FrameType]:
        """The learner's frames, outermost first."""
        found = []
        frame: types.FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_name != RUNNER:
            filename = frame.f_code.co_filename
            known = self._learners.get(filename)
            if known or (known is None and self._learn(filename)):
                found.append(frame)
            if frame is self.bottom:
                break
            frame = frame.f_back
        return found[::-1]

    def _part(self, code: types.CodeType) -> int:
        learners = self._learners.get(code.co_filename)
        if learners is None:
            learners = self._learn(code.co_filename)
        name = code.co_name
        if learners:
            part = _LEARNERS
        elif name == RUNNER:
            part = _BOTTOM
        elif name == "_call_impl":
            part = _CALL
        elif name in _MAKING:
            part = _MAKES
        else:
            part = _APPLIES if code is _APPLY else _OTHER
        self._parts[id(code)] = part, code
        return part

    def _learn(self, filename: str) -> bool:
        known = not filename.startswith((*_OURS, "<frozen"))
        self._learners[filename] = known
        return known


class Sources:
    """The syntax trees of the files that were seen, by file name."""

    def __init__(self, result_name: str | None = None) -> None:
        self._trees: dict[str, _Tree | None] = {}
        self._positions: dict[int, tuple[types.CodeType, list[Any]]] = {}
        self._sites: dict[Any, Site] = {}
        self._nodes: dict[tuple[int, int], ast.AST | None] = {}
        self._result_name = result_name
        """What the value returned by the outermost function is called."""

    def site(self, place: Place) -> Site:
        """The source of a place."""
        frames = place[0]
        key = tuple((id(code), offset) for code, offset in frames)
        found = self._sites.get(key)
        if found is None:
            found = self._sites[key] = self._site(frames)
        return found

    def texts(self) -> dict[str, str]:
        """Of the files that a site is in."""
        return {
            name: tree.whole for name, tree in self._trees.items() if tree is not None
        }

    def read(self, filename: str) -> None:
        """Take a file's text now, as it may be gone later."""
        self._tree(filename)

    def _site(self, frames: tuple[tuple[types.CodeType, int], ...]) -> Site:
        code, offset = frames[0]
        tree = self._tree(code.co_filename)
        node = self._node(code, offset, tree)
        calls = tuple(
            each.co_name
            for each, _ in reversed(frames)
            if not each.co_name.startswith("<module")
        )
        if tree is None or node is None:
            line = self._position(code, offset)[0] or code.co_firstlineno
            source = Source(code.co_filename, line, 0, line, 0)
            return Site(source, "", None, None, calls, ())
        source, text, name = tree.told(node)
        if name is None and tree.is_returned(node):
            name = self._returned_name(frames)
        return Site(source, text, name, node, calls, tree.output_names(node))

    def _tree(self, filename: str) -> "_Tree | None":
        if filename not in self._trees:
            self._trees[filename] = _tree(filename)
        return self._trees[filename]

    def _position(self, code: types.CodeType, offset: int) -> Any:
        known = self._positions.get(id(code))
        if known is None:
            known = self._positions[id(code)] = code, list(code.co_positions())
        index = offset // 2  # two bytes an instruction
        return known[1][index] if 0 <= index < len(known[1]) else (None,) * 4

    def _node(
        self, code: types.CodeType, offset: int, tree: "_Tree | None"
    ) -> ast.AST | None:
        if tree is None:
            return None
        line, last, column, end = self._position(code, offset)
        if line is None or last is None or column is None or end is None:
            return None
        return tree.node((line, column, last, end))

    def _returned_name(
        self, frames: tuple[tuple[types.CodeType, int], ...]
    ) -> str | None:
        """What the callers bind the value that a `return` gives them to."""
        for code, offset in frames[1:]:
            tree = self._tree(code.co_filename)
            called = self._node(code, offset, tree)
            if tree is None or not isinstance(called, ast.Call):
                return None
            _, _, name = tree.told(called)
            if name is not None or not tree.is_returned(called):
                return name
        return self._result_name


def constant_is_first(site: Site, names: Collection[str]) -> bool:
    """Whether `3 * q` was written, not `q * 3`; torch tells both as mul(q, 3).

    `names` are those that the tensor had there.
    """
    node = site.node
    if not isinstance(node, ast.BinOp):
        return False
    left = _is_tensor(node.left, names)
    if left is not None:
        return not left
    return _is_tensor(node.right, names) is True


def _is_tensor(node: ast.expr, names: Collection[str]) -> bool | None:
    """Whether the operand is that tensor; None when it cannot be told."""
    if all(isinstance(each, _NUMERIC) for each in ast.walk(node)):
        return False
    if isinstance(node, ast.Name):
        return node.id in names
    return None


_NUMERIC = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop)


class _Tree:
    """The syntax tree of one file, searchable by span."""

    def __init__(self, filename: str, text: str) -> None:
        self._filename = filename
        self.whole = text
        self._lines = _LINE_END.split(text)
        self._by_span: dict[Span, ast.AST] = {}
        self._calls_by_end: dict[tuple[int, int], ast.Call] = {}
        self._parents: dict[ast.AST, ast.AST] = {}
        self._told: dict[ast.AST, tuple[Source, str, str | None]] = {}
        for node in ast.walk(ast.parse(text)):
            for child in ast.iter_child_nodes(node):
                self._parents[child] = node
            if isinstance(node, (ast.expr, ast.stmt)):
                self._add(node)

    def _add(self, node: ast.expr | ast.stmt) -> None:
        end = node.end_lineno or node.lineno, node.end_col_offset or 0
        span = node.lineno, node.col_offset, *end
        # `x` alone is both an expression statement and an expression: the latter.
        if isinstance(node, ast.expr) or span not in self._by_span:
            self._by_span[span] = node
        if isinstance(node, ast.Call):
            self._calls_by_end[end] = node

    def node(self, span: Span) -> ast.AST | None:
        found = self._by_span.get(span)
        # Python moves the start of a method call that spans lines to the method.
        return found or self._calls_by_end.get(span[2:])

    def told(self, node: ast.AST) -> tuple[Source, str, str | None]:
        """Where it stands, its text on one line, and what it is bound to."""
        found = self._told.get(node)
        if found is None:
            found = self.source(node), self.text(node), self.target(node)
            self._told[node] = found
        return found

    def text(self, node: ast.AST) -> str:
        if isinstance(node, ast.AugAssign):
            sign = ast.unparse(node).removeprefix(ast.unparse(node.target)).split()[0]
            return f"{self.text(node.target)} {sign} {self.text(node.value)}"
        parent = self._parents.get(node)
        stored = isinstance(node, (ast.Subscript, ast.Attribute))
        if stored and isinstance(parent, ast.Assign):
            node = parent if node in parent.targets else node  # all of `z[0] = y`
        found = self._segment(node) or ast.unparse(node)
        return " ".join(found.split())[:_LABEL_LIMIT]

    def _segment(self, node: ast.AST) -> str:
        """The text of a node; ast's own function splits the whole file each time."""
        assert isinstance(node, (ast.expr, ast.stmt))
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        if last >= len(self._lines):
            return ""
        lines = [each.encode() for each in self._lines[first : last + 1]]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"\n".join(lines).decode(errors="ignore")

    def source(self, node: ast.AST) -> Source:
        assert isinstance(node, (ast.expr, ast.stmt))
        last = node.end_lineno or node.lineno
        return Source(
            self._filename,
            node.lineno,
            self._characters(node.lineno, node.col_offset),
            last,
            self._characters(last, node.end_col_offset or 0),
        )

    def _characters(self, line: int, byte_count: int) -> int:
        if not 0 < line <= len(self._lines):
            return byte_count
        text = self._lines[line - 1].encode()
        return len(text[:byte_count].decode(errors="ignore"))

    def is_returned(self, node: ast.AST) -> bool:
        parent = self._parents.get(node)
        return isinstance(parent, (ast.Return, ast.Lambda))

    def target(self, node: ast.AST) -> str | None:
        """The name or attribute that the node's value is bound to."""
        if isinstance(node, ast.AugAssign):
            return self._target_text(node.target)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            return self._target_text(node.value)
        parent = self._parents.get(node)
        match parent:
            case ast.Assign(targets=[first, *_]):
                return self._target_text(first)
            case ast.NamedExpr(target=bound) | ast.AnnAssign(target=bound):
                return self._target_text(bound)
            case ast.Tuple(elts=elements, ctx=ast.Load()):
                return self._element_target(
                    parent, elements.index(cast(ast.expr, node))
                )
        return None

    def _element_target(self, group: ast.Tuple, position: int) -> str | None:
        match self._parents.get(group):
            case ast.Assign(targets=[ast.Tuple(elts=bound), *_]) if len(bound) == len(
                group.elts
            ) and not any(isinstance(each, ast.Starred) for each in bound):
                return self._target_text(bound[position])
        return None

    def _target_text(self, target: ast.AST) -> str | None:
        if isinstance(target, ast.Name):
            return target.id
        if isinstance(target, ast.Attribute):
            return self._segment(target)
        return None

    def output_names(self, node: ast.AST) -> tuple[str | None, ...]:
        """For `a, b = x.chunk(2)`: "a", "b"."""
        match self._parents.get(node):
            case ast.Assign(targets=[ast.Tuple(elts=bound), *_]):
                return tuple(self._target_text(each) for each in bound)
        return ()


def _tree(filename: str) -> _Tree | None:
    text = "".join(linecache.getlines(filename))
    if not text:
        return None
    try:
        return _Tree(filename, text)
    except (SyntaxError, ValueError):
        return None
