"""Where in the learner's code an op was called, and what the code calls its result.

The running frame's bytecode position is matched with the syntax tree, so that names and
the written order of operands are the source's own. Positions need Python 3.11.
"""

import ast
import linecache
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch

from tutor.graph.trace import Source

_OURS = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
_LABEL_LIMIT = 200

RUNNER = "run_traced"
"""Name of the function of ours that runs the learner's code."""
_MAKING = ("__init__", "_apply")
"""Methods of modules in which parameters are made or converted."""
_APPLY = torch.autograd.Function.apply.__func__.__code__  # type: ignore[attr-defined]

Span = tuple[int, int, int, int]
"""First line, first column, last line, last column; columns are UTF-8 bytes."""


@dataclass(frozen=True, slots=True)
class Site:
    """One place in the learner's code, as reached by one call."""

    source: Source | None
    label: str
    """The expression's text on one line; "" when the source is not at hand."""
    name: str | None
    """What the result is assigned to; None: nothing."""
    node: ast.AST | None
    calls: tuple[str, ...]
    """The learner's functions it was reached through, outermost first."""
    frame: types.FrameType
    """Valid while the op runs; not to be kept."""
    output_names: tuple[str | None, ...]
    """For `a, b = x.chunk(2)`: "a", "b"; empty where one name is meant."""
    hidden: bool
    """What runs here is not for the trace: something else in it stands for it."""


class Sources:
    """The syntax trees of the files that were seen, by file name."""

    def __init__(self, result_name: str | None = None) -> None:
        self._trees: dict[str, _Tree | None] = {}
        self._spans: dict[tuple[types.CodeType, int], Span | None] = {}
        self._learners: dict[types.CodeType, bool] = {}
        self._result_name = result_name
        """What the value returned by the outermost function is called."""

    def site(self) -> Site | None:
        """The place in the learner's code that is running now; None: there is none."""
        frames, hidden = self._frames(sys._getframe(1))
        if not frames:
            return None
        frame = frames[0]
        tree = self._tree(frame.f_code.co_filename)
        node = self._node(frame, tree)
        calls = tuple(
            each.f_code.co_name
            for each in reversed(frames)
            if not each.f_code.co_name.startswith("<module")
        )
        if tree is None or node is None:
            line = frame.f_lineno or 0
            source = Source(frame.f_code.co_filename, line, 0, line, 0)
            return Site(source, "", None, None, calls, frame, (), hidden)
        source, text, name = tree.told(node)
        if name is None and tree.is_returned(node):
            name = self._returned_name(frames)
        several = tree.output_names(node)
        return Site(source, text, name, node, calls, frame, several, hidden)

    def frame(self) -> types.FrameType | None:
        """The learner's innermost frame."""
        frames, _ = self._frames(sys._getframe(1))
        return frames[0] if frames else None

    def _frames(
        self, frame: types.FrameType | None
    ) -> tuple[list[types.FrameType], bool]:
        """The learner's frames from the innermost, up to where the tutor called.

        Also whether what runs is hidden: the inside of a custom autograd.Function, for
        which its own node stands, or the making of a module's parameters.
        """
        found = []
        hidden = False
        while frame is not None and frame.f_code.co_name != RUNNER:
            if self._is_learners(frame.f_code):
                found.append(frame)
            elif frame.f_code is _APPLY or (
                not found and frame.f_code.co_name in _MAKING
            ):
                hidden = True
            frame = frame.f_back
        return found, hidden

    def _is_learners(self, code: types.CodeType) -> bool:
        known = self._learners.get(code)
        if known is None:
            known = not code.co_filename.startswith((*_OURS, "<frozen"))
            self._learners[code] = known
        return known

    def _tree(self, filename: str) -> "_Tree | None":
        if filename not in self._trees:
            self._trees[filename] = _tree(filename)
        return self._trees[filename]

    def _node(self, frame: types.FrameType, tree: "_Tree | None") -> ast.AST | None:
        if tree is None:
            return None
        key = frame.f_code, frame.f_lasti
        if key not in self._spans:
            self._spans[key] = _span(*key)
        span = self._spans[key]
        return tree.node(span) if span is not None else None

    def _returned_name(self, frames: list[types.FrameType]) -> str | None:
        """What the callers bind the value that a `return` gives them to."""
        for frame in frames[1:]:
            tree = self._tree(frame.f_code.co_filename)
            called = self._node(frame, tree)
            if tree is None or not isinstance(called, ast.Call):
                return None
            _, _, name = tree.told(called)
            if name is not None or not tree.is_returned(called):
                return name
        return self._result_name


def constant_is_first(site: Site, tensor: torch.Tensor) -> bool:
    """Whether `3 * q` was written, not `q * 3`; torch tells both as mul(q, 3)."""
    node = site.node
    if not isinstance(node, ast.BinOp):
        return False
    left = _is_tensor(node.left, tensor, site.frame)
    if left is not None:
        return not left
    right = _is_tensor(node.right, tensor, site.frame)
    return right is True


def _is_tensor(
    node: ast.expr, tensor: torch.Tensor, frame: types.FrameType
) -> bool | None:
    """Whether the operand is that tensor; None when it cannot be told."""
    if all(isinstance(each, _NUMERIC) for each in ast.walk(node)):
        return False
    if isinstance(node, ast.Name):
        found = frame.f_locals.get(node.id, frame.f_globals.get(node.id))
        return found is tensor if isinstance(found, torch.Tensor) else False
    return None


_NUMERIC = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop)


class _Tree:
    """The syntax tree of one file, searchable by span."""

    def __init__(self, filename: str, text: str) -> None:
        self._filename = filename
        self._text = text
        self._lines = text.splitlines()
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
        if isinstance(node, ast.Subscript) and isinstance(parent, ast.Assign):
            node = parent if node in parent.targets else node  # all of `z[0] = y`
        found = ast.get_source_segment(self._text, node) or ast.unparse(node)
        return " ".join(found.split())[:_LABEL_LIMIT]

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
            return self.text(target)
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


def _span(code: types.CodeType, offset: int) -> Span | None:
    """The position of the instruction at a byte offset; two bytes an entry."""
    for index, position in enumerate(code.co_positions()):
        if index == offset // 2:
            line, last, column, end = position
            if line is None or last is None or column is None or end is None:
                return None
            return line, column, last, end
    return None
