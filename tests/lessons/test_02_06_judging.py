"""Lesson 2.6 accepts right code however it is written, and names mistakes likewise.

That the lesson's own solutions and wrong answers are judged as told is `check`'s proof.
"""

from tests.lessons import tables
from tests.lessons.judging import function

TABLE = "forward(x, y)"
THREE = "three_ways(x)"
WALK = "count_nodes(root)"

LINES = "a = x * x; b = y + y; c = b + a"


def back(first: str, second: str) -> str:
    return function("first(x, y)", first) + function("second(x, y)", second)


FIRST, SECOND = "return (x + y) * 2", "return (2 * x) ** 2 - y"
RECURSIVE = """
def count_nodes(root, seen=None):
    seen = set() if seen is None else seen
    if root and root not in seen:
        seen.add(root)
        for node, _ in root.next_functions:
            count_nodes(node, seen)
    return len(seen)
"""
LAYERS = """
def count_nodes(root):
    names, layer = {}, [root]
    while layer:
        names.update((id(each), each) for each in layer)
        layer = [n for e in layer for n, _ in e.next_functions if n and id(n) not in names]
    return len(names)
"""


test_right_code_passes_however_it_is_written = tables.right_code_passes(
    "2.6",
    [
        ("table", function(TABLE, f"{LINES}; return [a, b, c, x - c, (x - c) * c]")),
        ("table", "def forward(x, y, c=None):\n    c = x**2 + 2*y\n"
                  "    return x**2, 2*y, c, x - c, x * c - c * c\n"),
        ("back", back("s = y + x; return 2 * s", "p = x * 2; return p.square() - y")),
        ("back", back("return torch.mul(x.add(y), 2)", "return (2.0 * x).pow(2) - y")),
        ("back", back("x = x + y; x = x * 2; return x", SECOND)),
        ("three", function(THREE, "return x + x + x")),
        ("three", function(THREE, "return (x * x * x).sum()")),
        ("three", function(THREE, "s = x + x; return torch.sin(s) * x")),
        ("three", function(THREE, "return torch.stack([x, x, x])")),
        ("walk", RECURSIVE),
        ("walk", LAYERS),
    ],
)  # fmt: skip


test_a_mistake_is_named_however_it_is_written = tables.mistakes_are_named(
    "2.6",
    [
        ("table", function(TABLE, f"{LINES}; d = c - x; return a, b, c, d, c * d"),
         "have an order"),
        ("table", function(TABLE, f"{LINES}; d = x - c; return (c * d)"), "last node alone"),
        ("table", function(TABLE, f"{LINES}; return a, b, c"), "all five outputs"),
        ("table", function(TABLE, LINES), "is a `return` missing?"),
        ("table", function(TABLE, "return 1.0, 4.0, 5.0, -4.0, -20.0"), "output of `a`"),
        ("table", function(TABLE, f"{LINES}; return a, b, c, x - c, 0"), "output of `f`"),
        ("back", back("return y + x * 2", SECOND), "`*` goes first"),
        ("back", back("return x + 2 * y", SECOND), "`*` goes first"),
        ("back", back("return y * 2 + 2 * x", SECOND), "another graph"),
        ("back", back("return x * y * 2", SECOND), "has `x * y` going into `*`"),
        ("back", back("return (x + y) * 3", SECOND), "has `3` going into `*`"),
        ("back", back("return 14.0", SECOND), "is a float, not a tensor"),
        ("back", back("return torch.tensor(14.0)", SECOND), "`first` has no node"),
        ("back", back("return (x + y).detach() * 2", SECOND), "has no node"),
        ("back", back("(x + y) * 2", SECOND), "is a `return` missing?"),
        ("back", back(FIRST, "return x ** 2 * 2 - y"), "binds more tightly"),
        ("back", back(FIRST, "return 4 * x ** 2 - y"), "going into `-`"),
        ("back", back(FIRST, "return y - (2 * x) ** 2"), "the other way round"),
        ("back", back(FIRST, "return (2 * x) * (2 * x) - y"), "two edges from p"),
        ("back", back(FIRST, "return (x + x) ** 2 - y"), "has `x + x` going into `**`"),
        ("three", function(THREE, "return x.pow(3)"), "one edge to x"),
        ("three", function(THREE, "return x + x"), "One more"),
        ("three", function(THREE, "return x * 3 + 1"), "one path"),
        ("three", function(THREE, "return (x * x) * (x + x)"), "paths multiply"),
        ("three", function(THREE, "return x * x * x * x * x"), "AccumulateGrad: 5"),
        ("three", function(THREE, "y = x.clone().detach().requires_grad_(); "
                           "return x * x * x + y"), "has 2 leaves"),
        ("three", function(THREE, "return x.detach() * 3"), "There is no node"),
        ("three", function(THREE, "x + x + x"), "is a `return` missing?"),
        ("three", function(THREE, "return 3"), "is no tensor"),
        ("walk", function(WALK, "return 42"), "the right number"),
        ("walk", RECURSIVE.replace("    if root and root not in seen:", "    if True:"),
         "Skip it"),
        ("walk", LAYERS.replace("{}, [root]", "{}, [n for n, _ in root.next_functions if n]"),
         "One too few"),
    ],
)  # fmt: skip


test_every_single_misplaced_member_gets_a_message = (
    tables.each_misplaced_member_is_told("2.6", "parts", "inside")
)
