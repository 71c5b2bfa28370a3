"""Random small programs for the recorder's property tests: seeded, quick, well-behaved.

`plain` keeps to smooth rules of the book; `rough` adds in-place writes, views, branches,
detached parts, custom Functions and several backward passes.
"""

import random
from dataclasses import dataclass
from typing import Any

_UNARY = [
    "torch.sin({a})", "{a}.cos()", "torch.tanh({a})", "torch.sigmoid({a})",
    "torch.exp({a} * 0.1)", "{a}**2", "{a}**3", "-{a}", "F.relu({a})",
    "F.softplus({a})", "({a}**2 + 1).sqrt()", "torch.log({a}**2 + 1)", "{a}.abs()",
    "F.silu({a})", "torch.atan({a})", "{a}.square()", "torch.erf({a})", "{a}.clone()",
    "F.leaky_relu({a})", "{a}.clamp(-1.5, 1.5)", "2 ** ({a} * 0.3)", "F.gelu({a})",
]  # fmt: skip
_CONSTANT = ["{c} * {a}", "{a} * {c}", "{c} - {a}", "{a} - {c}", "{c} + {a}", "{a} / {c}",
             "{c} / ({a}**2 + 1)", "{a} + {c}"]  # fmt: skip
_BINARY = ["{a} + {b}", "{a} * {b}", "{a} - {b}", "{a} / ({b}**2 + 1)", "{a} * {a} + {b}",
           "torch.maximum({a}, {b})", "torch.minimum({a}, {b})", "{a}.mul({b})"]  # fmt: skip
_MATRIX = ["{a} @ {b}", "{a}.T @ {b}", "{a} + {b}.mean()", "{a} * {b}.sum(1, keepdim=True)",
           "{a}.softmax(1) * {b}", "{a}.reshape(9).reshape(3, 3) - {b}",
           "F.linear({a}, {b})", "torch.where({a} > 0, {a}, {b})", "{a}[1] * {b}"]  # fmt: skip
_ROUGH = [
    "{n} = {a} * 1\n{n} *= {b}",
    "{n} = {a}.clone()\n{n}[0] = {b}[1] * 2",
    "{n} = {a}.clone()\n{n}.view(9)[2:5].mul_(0.5)",
    "{n} = {a}.detach() * {b}",
    "with torch.no_grad():\n    {n}_ = {a} * 2\n{n} = {n}_ * {b}",
    "{n} = {a} if {b}.sum() > 0 else {a} * 2",
    "{n} = torch.stack([{a}, {b}]).sum(0)",
    "{n} = torch.cat({a}.chunk(3, dim=1), dim=1) * {b}",
    "{n} = {a}\nfor turn in range(3):\n    {n} = {n} * 0.5 + {b}",
    "{n} = Cube.apply({a}) + {b}",
    "{n} = torch.einsum('ij,jk->ik', {a}, {b})",
    "{n} = F.layer_norm({a}, (3,)) * {b}",
    "{n} = layer({a}) + {b}",
    "{n} = {a}.sort(dim=1).values + {b}",
    "{n} = F.dropout({a}, 0.3) + {b}",
]
_HEAD = """\
class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x
    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 3 * x * x * g
torch.manual_seed(7)
layer = nn.Linear(3, 3).double()
"""


@dataclass(frozen=True)
class Program:
    code: str
    at: dict[str, Any]
    passes: int


def plain(seed: int) -> Program:
    """Scalars, or 3x3 matrices for an odd seed."""
    return _program(random.Random(seed), matrices=bool(seed % 2), rough=False)


def rough(seed: int) -> Program:
    """Matrices, and everything that is hard to record."""
    return _program(random.Random(seed), matrices=True, rough=True)


_LAYERS = [
    "nn.Linear(3, 3)", "nn.LayerNorm(3)", "nn.Tanh()", "nn.PReLU()", "nn.GELU()",
    "nn.BatchNorm1d(3)", "nn.Dropout(0.3)", "nn.Softmax(-1)", "nn.Linear(3, 3, bias=False)",
    "nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 3))", "nn.SiLU()",
]  # fmt: skip


def nets(seed: int) -> Program:
    """A net of a few layers, used twice, and its loss."""
    rng = random.Random(seed)
    layers = ", ".join(rng.choice(_LAYERS) for _ in range(rng.randint(1, 5)))
    loss = rng.choice(["F.mse_loss(h, x0)", "(h ** 2).sum()", "h.logsumexp(1).sum()",
                       "F.cross_entropy(h, torch.tensor([0, 2, 1]))"])  # fmt: skip
    code = (
        f"torch.manual_seed({seed})\nnet = nn.Sequential({layers}).double()\n"
        f"h = net(x0)\nh = net(h) + x0\nf = {loss}"
    )
    return Program(code, {"x0": _value(rng, True)}, 1)


def _program(rng: random.Random, *, matrices: bool, rough: bool) -> Program:
    names = [f"x{number}" for number in range(rng.randint(1, 3))]
    at = {name: _value(rng, matrices) for name in names}
    lines: list[str] = []
    used: set[str] = set()
    for number in range(rng.randint(2, 8)):
        kinds = [_UNARY, _CONSTANT, _BINARY, _BINARY]
        kinds += [_MATRIX] if matrices else []
        kinds += [_ROUGH, _ROUGH, _ROUGH] if rough else []
        template = rng.choice(rng.choice(kinds))
        new = f"v{number}"
        a, b = rng.choice(names), rng.choice(names[-3:])
        filled = template.format(a=a, b=b, c=rng.choice([0.5, 2, 3, -1.5]), n=new)
        lines.append(filled if "{n}" in template else f"{new} = {filled}")
        used |= {a, b}
        names.append(new)
    parts = [f"{name}.sum()" if matrices else name for name in names]
    lines.append(f"f = {' + '.join(parts)}")
    passes = rng.choice([1, 1, 2]) if rough else 1
    if passes == 2:
        lines.append("f.backward(retain_graph=True)\nf.backward()")
    head = _HEAD if rough else ""
    return Program(head + "\n".join(lines), at, passes)


def _value(rng: random.Random, matrices: bool) -> Any:
    if not matrices:
        return round(rng.uniform(-2, 2), 3)
    return [[round(rng.uniform(-2, 2), 3) for _ in range(3)] for _ in range(3)]
