"""Lesson 2.7 accepts right code however it is written, and names mistakes likewise.

That the lesson's own solutions and wrong answers are judged as told is `check`'s proof.
"""

from functools import partial

import pytest

from tests.lessons import judging, tables
from tests.lessons.judging import exercise, function

judged = partial(judging.judged, "2.7")

ENGINE = exercise("2.7", "engine").solution
SINE = exercise("2.7", "sine").solution
TOPOLOGICAL = exercise("2.7", "order").solution
SLOPE = "slope(paths)"
TO_X = "to_x(A, v)"
CLOSURES = """
class Value:
    def __init__(self, data, inputs=()):
        self.data, self.grad, self.inputs = data, 0, inputs
        self.send = lambda: None

    def node(self, data, inputs, send):
        new = Value(data, inputs)
        new.send = lambda: send(new.grad)
        return new

    def gets(self, share):
        self.grad = self.grad + share

    def __add__(self, other):
        def send(g): self.gets(g); other.gets(g)
        return self.node(self.data + other.data, (self, other), send)

    def __mul__(self, other):
        def send(g): self.gets(g * other.data); other.gets(g * self.data)
        return self.node(self.data * other.data, (self, other), send)

    def __pow__(self, n):
        def send(g): self.gets(g * n * self.data ** n / self.data)
        return self.node(self.data ** n, (self,), send)

    def sigmoid(self):
        s = math.exp(self.data) / (1 + math.exp(self.data))
        def send(g): self.gets(g * s * (1 - s))
        return self.node(s, (self,), send)

    def backward(self):
        self.grad = 1
        for node in in_order(self)[::-1]:
            node.send()
"""
COUNTED = """
def topological(f):
    users, waiting, nodes = {f: 0}, [f], []
    for node in waiting:
        for each in node.inputs:
            if each not in users:
                waiting.append(each)
            users[each] = users.get(each, 0) + 1
    ready = [f]
    while ready:
        node = ready.pop()
        nodes.insert(0, node)
        for each in node.inputs:
            users[each] -= 1
            if not users[each]:
                ready.append(each)
    return nodes
"""
BY_TORCH = """
def gradients(x, y):
    return [1.0, 1.0, 3.0, 6.0 * x, 1.0, 2.0]
"""


def engine(old: str, new: str) -> str:
    assert old in ENGINE
    return ENGINE.replace(old, new)


test_right_code_passes_however_it_is_written = tables.right_code_passes(
    "2.7",
    [
        ("edges", BY_TORCH),
        ("slope", function(SLOPE, "return sum(math.prod(path) for path in paths)")),
        (
            "slope",
            function(
                SLOPE,
                "total = 0.0; "
                "for path in paths: total += float(torch.tensor(path).double().prod()); "
                "return total",
            ),
        ),
        ("engine", CLOSURES),
        ("engine", engine("s * (1 - s)", "s - s ** 2")),
        ("engine", engine("each.grad += node.grad * local", "each.grad += local * node.grad")),
        ("order", COUNTED),
        ("vector", function(TO_X, "return v @ A")),
        ("vector", function(TO_X, "return (A * v[:, None]).sum(0)")),
        ("vector", function(TO_X, "return torch.einsum('ij,i->j', A, v)")),
        ("vector", function(TO_X, "return torch.stack([(c * v).sum() for c in A.T]) if A.numel() else torch.zeros(A.shape[1])")),
        ("sine", SINE.replace("x.cos()", "torch.sin(x + math.pi / 2)")),
    ],
)  # fmt: skip


test_a_mistake_is_named_however_it_is_written = tables.mistakes_are_named(
    "2.7",
    [
        ("edges", BY_TORCH.replace("6.0 * x", "12.0"), "right at x = 2 only"),
        ("edges", BY_TORCH.replace("3.0", "x * x"), "the factor itself"),
        ("edges", BY_TORCH.replace("2.0]", "2.0, 0.0]"), "Return all six"),
        ("edges", BY_TORCH.replace("6.0 * x", "x ** 2"), "∂f/∂x is not the right"),
        ("slope", function(SLOPE, "return math.prod(paths[0])"), "not the right"),
        ("slope", function(SLOPE, "return math.prod(paths[-1])"), "only the last"),
        ("slope", function(SLOPE, "return sum(map(sum, paths))"), "added along the path"),
        ("engine", engine("local = [1, 1]", "local = [3, 3]"), "∂f/∂a is not the right"),
        ("engine", engine("n * self.data ** (n - 1)", "5 * self.data"), "∂f/∂a"),
        ("engine", engine("        self.grad = 1.0\n", ""), "∂f/∂a"),
        ("engine", engine("    def sigmoid", "    def squash"), "needs its `sigmoid`"),
        ("engine", engine("return Value(self.data **", "return (self.data **"), "`Value`"),
        ("engine", engine("data, inputs=(), local=()", "data, inputs, local"), "must do"),
        ("engine", engine("(1 - s)", "(1 - q)"), "name 'q' is not defined"),
        ("engine", engine("node.grad * local", "node.grad / local"), "∂f/∂a"),
        ("order", TOPOLOGICAL.replace("return nodes", "return f"), "list of the nodes"),
        ("order", TOPOLOGICAL.replace("return nodes", "return nodes[:-1]"), "missing"),
        ("order", TOPOLOGICAL.replace("return nodes", "nodes.sort(key=str); return nodes"), "must stand after it"),
        ("vector", function(TO_X, "return A.mv(v)"), "forward again"),
        ("vector", function(TO_X, "return torch.outer(v, v) @ A"), "shape"),
        ("sine", SINE.replace("upstream * x.cos()", "1.0"), "torch refuses this node"),
        ("sine", SINE.replace("upstream * x.cos()", "None"), "is None"),
        ("sine", SINE.replace("x.sin()", "x.clone()"), "output of `forward`"),
        ("sine", SINE.replace("x.cos()", "x.kos()"), "kos"),
    ],
)  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "graph"),
    [
        ("each.grad += node.grad", "each.grad = node.grad", "f = a + a, at a = 2"),
        ("[other.data, self.data]", "[self.data, other.data]", "f = a * b, at a = 2"),
        ("node.grad * local", "local", "v0 = a * b, f = v0 * b, at a = 2"),
    ],
)
def test_the_engine_is_shown_the_smallest_graph_it_fails(
    old: str, new: str, graph: str
) -> None:
    verdict = judged("engine", engine(old, new))

    assert graph in verdict.detail.splitlines()[0]


def test_the_diamond_is_shown() -> None:
    verdict = judged("order", exercise("2.7", "order").starter)

    assert "a; b reads a; c reads b; f reads b c" in verdict.detail


def test_numbers_by_heart_do_not_pass() -> None:
    by_heart = function("gradients(x, y)", "return 1, 1, 3, 12, 1, 2")
    of_the_text = function(SLOPE, "return 37 if len(paths) == 3 else 10")

    assert not judged("edges", by_heart).passed
    assert not judged("slope", of_the_text).passed


test_cells_keep_to_the_lesson_rules_of_length = tables.cells_keep_to_length(
    "2.7", prose=9, width=77
)
