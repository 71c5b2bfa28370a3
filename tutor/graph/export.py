"""A walk as a document: JSON as promised on the command line, DOT, Mermaid, SVG. Pure."""

import json
from typing import Any
from xml.sax.saxutils import escape

from tutor.graph import files, names, numbers
from tutor.graph.backward import OpBackward
from tutor.graph.draw import Drawing, Sketch
from tutor.graph.picture import Picture, picture
from tutor.graph.steps import Walk
from tutor.graph.text import report
from tutor.graph.trace import Argument, Const, Items, LeafGradient, Op, Ref

DOCUMENT_VERSION = 1
"""Of the command line's JSON; the trace has its own."""
_CELL = 9, 20
"""Width and height of a character in an SVG, in pixels."""
_COLOURS = {
    "leaf": "#7c4dbc", "op": "#2e7d32", "const": "#9a6b00", "now": "#b3261e",
    "back": "#c2452d", "grad": "#c2452d", "todo": "#888888",
}  # fmt: skip
ENDINGS = {
    "svg": "svg", "dot": "dot", "mmd": "mermaid", "json": "json", "txt": "text",
    "trace": "trace",
}  # fmt: skip
"""Forms by the ending of a file's name."""


def write(walk: Walk, form: str) -> str:
    """A walk in one of the forms, as the whole text of a file."""
    match form:
        case "json":
            text = json.dumps(document(walk), ensure_ascii=False, indent=1)
        case "dot":
            text = dot(walk)
        case "mermaid":
            text = mermaid(walk)
        case "svg":
            text = svg(walk)
        case "trace":
            return files.text(walk.trace)
        case _:
            text = "\n".join(report(walk))
    return f"{text}\n"


def document(walk: Walk) -> dict[str, Any]:
    """The JSON of `step`: forward, backward in the walk's order, leaves by name."""
    fault = walk.trace.fault
    return {
        "version": DOCUMENT_VERSION,
        "ok": fault is None,
        "error": None if fault is None else fault.text,
        "line": None if fault is None else fault.line,
        "truncated": walk.trace.end.truncated,
        "torch": walk.trace.end.torch,
        "root": walk.trace.end.root,
        "order": walk.order,
        "forward": [entry for op in _ops(walk) for entry in _forward(walk, op)],
        "backward": [
            _backward(walk, walk.passes[step.number, step.op])
            for step in walk.steps
            if step.kind == "arrive" and step.op is not None
        ],
        "leaves": _leaves(walk),
    }


def _ops(walk: Walk) -> list[Op]:
    return [
        walk.trace.ops[step.op]
        for step in walk.steps
        if step.kind == "forward" and step.op is not None
    ]


def _forward(walk: Walk, op: Op) -> list[dict[str, Any]]:
    """One entry for each output; one without id where the op raised."""
    shared = {
        "op": op.function,
        "label": op.label or names.call_text(walk.trace, op),
        "source": names.statement(walk.trace, op),
        "file": None if op.source is None else op.source.file,
        "line": None if op.source is None else op.source.line,
        "inputs": [each for given in op.arguments for each in _inputs(given)],
        "module": op.module,
        "flags": list(op.flags),
    }
    if op.error is not None:
        return [{"id": None, "name": None, **shared, "value": None, "error": op.error}]
    return [
        {
            "id": value.id,
            "name": value.name,
            **shared,
            "value": numbers.nested(value.summary),
        }
        for value in (walk.trace.values[output] for output in op.outputs)
    ]


def _inputs(argument: Argument) -> list[Any]:
    match argument:
        case Ref(value):
            return [value]
        case Const(bool() | str() | None):
            return []
        case Const(value):
            return [value]
        case Items(items):
            return [each for item in items for each in _inputs(item)]


def _backward(walk: Walk, merged: OpBackward) -> dict[str, Any]:
    trace = walk.trace
    contributions = []
    for sent in merged.sent:
        if sent.gradient is None:
            continue
        rule = walk.rules.get((merged.op, sent.position))
        local = None if rule is None or rule.local is None else rule.local.scalar
        contributions.append(
            {
                "to": sent.to,
                "name": trace.values[sent.to].name,
                "local": local,
                "rule": rule.text if rule is not None and rule.text else None,
                "value": numbers.nested(sent.gradient),
            }
        )
    return {
        "pass": merged.number,
        "id": merged.of,
        "name": trace.values[merged.of].name,
        "op": trace.ops[merged.op].function,
        "upstream": numbers.nested(merged.upstream),
        "contributions": contributions,
    }


def _leaves(walk: Walk) -> dict[str, Any]:
    trace = walk.trace
    found: dict[str, Any] = {}
    passes: dict[int, list[LeafGradient]] = {}
    for leaf in trace.leaves:
        passes.setdefault(trace.values[leaf.value].tensor, []).append(leaf)
    for value in trace.values:
        if not (value.requires_grad and value.is_leaf):
            continue
        seen = passes.get(value.tensor, [])
        found[names.name(trace, value.id)] = {
            "id": value.id,
            "value": numbers.nested(value.summary),
            "grad": numbers.nested(seen[-1].after) if seen else None,
            "passes": [
                {
                    "before": None
                    if each.before is None
                    else numbers.nested(each.before),
                    "add": numbers.nested(each.add),
                    "after": numbers.nested(each.after),
                }
                for each in seen
            ],
        }
    return found


# ----------------------------------------------------------------------------- pictures


def dot(walk: Walk) -> str:
    """The last scene for Graphviz, with values and gradients at its edges."""
    whole = _last_picture(walk)
    lines = ["digraph trace {", "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    for box in whole.boxes:
        text = f"{box.text}\n{box.beside}" if box.beside else box.text
        shape = ", shape=ellipse" if box.op is None else ""
        lines.append(f"  {_key(box.key)} [label={_quoted(text)}{shape}];")
    for edge in whole.edges:
        source, target = _key(edge.source), _key(edge.target)
        label = _quoted("\n".join(_edge_words(walk, edge.value)))
        lines.append(f"  {source} -> {target} [label={label}];")
    for key, value in _ends(whole):
        label = _quoted("\n".join(_edge_words(walk, value)))
        lines.append(f'  end_{value} [label="", shape=none];')
        lines.append(f"  {_key(key)} -> end_{value} [label={label}];")
    return "\n".join([*lines, "}"])


def mermaid(walk: Walk) -> str:
    """The last scene as a Mermaid flowchart."""
    whole = _last_picture(walk)
    lines = ["flowchart LR"]
    for box in whole.boxes:
        text = _safe(f"{box.text} {box.beside}".strip())
        shape = f'(["{text}"])' if box.op is None else f'["{text}"]'
        lines.append(f"  {_key(box.key)}{shape}")
    for edge in whole.edges:
        words = _safe(", ".join(_edge_words(walk, edge.value)))
        lines.append(f'  {_key(edge.source)} -->|"{words}"| {_key(edge.target)}')
    for key, value in _ends(whole):
        words = _safe(", ".join(_edge_words(walk, value)))
        lines.append(f'  {_key(key)} -->|"{words}"| end_{value}((" "))')
    return "\n".join(lines)


def svg(walk: Walk) -> str:
    """The last scene at its end as the stepper draws it, in characters."""
    place = len(walk.steps)
    drawing: Drawing = Sketch(walk, walk.view(place)).draw(place, mark=False)
    across, down = _CELL
    width, height = (drawing.width + 2) * across, (len(drawing.lines) + 2) * down
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        '<g font-family="monospace" font-size="15" xml:space="preserve">',
    ]
    for row, line in enumerate(drawing.lines):
        column = 0
        for run in line:
            if run.text.strip():
                x, y = (column + 1) * across, (row + 2) * down
                colour = _COLOURS.get(run.style, "#222222")
                lines.append(
                    f'<text x="{x}" y="{y}" fill="{colour}" '
                    f'textLength="{len(run.text) * across}">{escape(run.text)}</text>'
                )
            column += len(run.text)
    return "\n".join([*lines, "</g>", "</svg>"])


def _last_picture(walk: Walk) -> Picture:
    return picture(walk.trace, walk.scene(len(walk.steps)))


def _ends(whole: Picture) -> list[tuple[str, int]]:
    read = {edge.value for edge in whole.edges}
    return [
        (box.key, value)
        for box in whole.boxes
        for value in box.outputs
        if value not in read
    ]


def _edge_words(walk: Walk, value: int) -> list[str]:
    found = walk.trace.values[value]
    number = numbers.tensor(found.summary, 24)
    words = [f"{found.name}={number}" if found.name else number]
    scene = walk.scene(len(walk.steps))
    gradient = walk.gradients.get((scene.number, value))
    if gradient is not None and scene.root is not None:
        called = names.derivative(walk.trace, scene.root, value)
        words.append(f"{called}={numbers.tensor(gradient, 24)}")
    return words


def _key(key: str) -> str:
    return key.replace(" ", "_")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _safe(text: str) -> str:
    """Text inside Mermaid's quotes."""
    return text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;")
