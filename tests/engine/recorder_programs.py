"""Programs of kinds that other tracers fail on, and the notebook's code, as source."""

PROGRAMS = {
    "data-dependent if and while": (
        "h = x\nwhile h.abs().sum() < 50:\n    h = h * 2 if h.sum() > 0 else h - 1\nf = h.sum()"
    ),
    "an item is set": "y = x * 2\ny[0] = 5\ny[1, 2] = x[0, 0]\nf = (y * x).sum()",
    "float() and item()": "k = float(x.detach().mean()) + x.sum().item()\nf = (x * k).sum()",
    "a round trip by numpy": (
        "n = numpy.exp(x.detach().numpy())\ny = torch.as_tensor(n.tolist(), dtype=x.dtype)\n"
        "f = (y * x).sum()"
    ),
    "a module in a closure": (
        "net = nn.Linear(3, 2).double()\ndef outer(m):\n    def inner(t):\n"
        "        return m(t).tanh()\n    return inner\nf = outer(net)(x).sum()"
    ),
    "LSTM": "net = nn.LSTM(3, 4, num_layers=2).double()\no, (h, c) = net(x)\nf = o.sum() + c.sum()",
    "vmap": "f = torch.vmap(lambda r: (r * r).sum())(x).sum() + x.sum()",
    "einsum": "f = torch.einsum('ij,kj->ik', x, x).pow(2).sum()",
    "attention": (
        "q = x.view(1, 1, 2, 3)\n"
        "f = F.scaled_dot_product_attention(q, q * 2, q + 1, is_causal=True).sum()"
    ),
    "attention with dropout": (
        "q = x.view(1, 1, 2, 3)\nf = F.scaled_dot_product_attention(q, q, q, dropout_p=0.3).sum()"
    ),
    "a checkpoint": (
        "from torch.utils.checkpoint import checkpoint\ndef block(t):\n"
        "    return F.dropout(torch.sin(t), 0.5) * t\n"
        "f = checkpoint(block, x, use_reentrant=False).sum()"
    ),
    "a double backward": (
        "g, = torch.autograd.grad(x.pow(3).sum(), x, create_graph=True)\n"
        "f = (g.norm() - 1) ** 2"
    ),
    "creation": "f = (torch.ones(3, dtype=x.dtype) * x + torch.eye(2, 3).double()).sum()",
    "a default device set as context": (
        "from torch.utils._device import DeviceContext\n"
        "with DeviceContext('cpu'):\n    y = torch.ones(2, 3) * x\nf = y.sum()"
    ),
    "a custom Function": (
        "class Clip(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, t):\n"
        "        ctx.save_for_backward(t)\n        return t.clamp(min=0)\n    @staticmethod\n"
        "    def backward(ctx, g):\n        t, = ctx.saved_tensors\n        return g * (t > 0) * 2\n"
        "f = (Clip.apply(x * 2) * x).sum()"
    ),
    "in place": "y = x * 2\ny += 1\ny.mul_(3).relu_()\nz = y.clone()\nz -= x\nf = z.sum()",
    "views": (
        "y = x.view(3, 2).t().reshape(-1)[1:].unsqueeze(0).expand(2, 5)\n"
        "z = x.permute(1, 0).flatten().narrow(0, 1, 3).squeeze()\nf = y.sum() + (z * z).sum()"
    ),
    "chunk, split, unbind": (
        "a, b, c = x.chunk(3, 1)\nd, e = x.split([1, 2], dim=1)\nr, s = x.unbind()\n"
        "f = (a * b - c).sum() + d.sum() * e.sum() + (r @ s)"
    ),
    "select": (
        "y = torch.where(x > 1, x, x * 3).masked_fill(x > 4, 0.5)\n"
        "z = torch.zeros_like(x).scatter(1, torch.tensor([[0, 2, 1], [1, 0, 2]]), x)\n"
        "w, order = torch.sort(x, descending=True)\n"
        "f = (y * z).sum() + (w * order).sum() + x[:, [0, 0, 2]].sum() + x.gather(1, order).sum()"
        " + x[x > 1].sum() + x.index_select(1, torch.tensor([1, 1])).sum()"
    ),
    "cumsum, cumprod": "f = (x.cumsum(1) * x.cumprod(0)).sum()",
    "embedding": (
        "net = nn.Embedding(5, 3).double()\n"
        "f = (net(torch.tensor([[1, 1], [4, 0]])) * x.view(2, 1, 3)).sum()"
    ),
    "dropout": "f = (F.dropout(x, 0.4) * torch.rand_like(x)).sum()",
    "numpy's and Python's random numbers": (
        "f = (x * numpy.random.rand() + random.random() * x).sum()"
    ),
    "no_grad": "with torch.no_grad():\n    k = x.sum() * 2\ny = x.detach() + x\nf = (k * y).sum()",
    "inference_mode": (
        "with torch.inference_mode():\n    k = (torch.ones(3) * 2).sum().item()\nf = (x * k).sum()"
    ),
    "cat, stack": (
        "y = torch.cat([x, x * 2], 1)\nz = torch.stack([x, y[:, :3], y[:, 3:]])\n"
        "w = torch.hstack((x, y))\nf = (y @ y.T).sum() + z.prod(0).sum() + w.sum()"
    ),
    "properties": (
        "c = torch.complex(x, x * 2)\nd = x.data * 2\n(x * x).sum().backward()\ng = x.grad.clone()\n"
        "f = (x.T @ x).sum() + (x.mT * x.T).sum() + c.real.sum() + c.imag.sum() "
        "+ c.H.real.sum() + (x * d * g).sum()\nf.backward()"
    ),
    "an out= argument": "o = torch.empty(2, 3).double()\ntorch.mul(x.detach(), 2, out=o)\nf = (x * o).sum()",
    "a generator and a comprehension": (
        "def rows():\n    for row in x:\n        yield row * 2\nf = sum((r * r).sum() for r in rows())"
    ),
    "jacrev": "f = (torch.func.jacrev(lambda t: t.sin() * t)(x[0]) * x[1]).sum()",
    "jacfwd": "f = (torch.func.jacfwd(lambda t: t * t)(x[0].detach()) @ x[1]).sum()",
    "hessian": "f = (torch.func.hessian(lambda t: (t**3).sum())(x[0].detach()) @ x[1]).sum()",
    # The notebook, as written:
    "notebook: parabola": (
        "x = torch.arange(0, 1, 0.1, requires_grad=True)\ny = 3*x**2 + 2*x\n"
        "y.backward(gradient=torch.ones(10))\nassert torch.all(6 * x + 2 == x.grad)"
    ),
    "notebook: five calls": (
        "x = torch.tensor(5.3, requires_grad=True)\nseen = []\nfor i in range(5):\n"
        "    seen.append(None if x.grad is None else x.grad.item())\n    y = 3*x**2 + 2*x\n"
        "    y.backward()\nassert [s and round(s, 3) for s in seen] == [None, 33.8, 67.6, 101.4, 135.2]\n"
        "kept = x.grad.clone()\nx.grad.zero_()\ny = 3*x**2 + 2*x\ny.backward()"
    ),
    "notebook: regression": (
        "n = 1000\nX = torch.normal(0, 1, (n, 1))\nt = -5 * X + 2 + torch.normal(0, 1, (n, 1))\n"
        "w = torch.tensor(0.0, requires_grad=True)\nb = torch.tensor(0.0, requires_grad=True)\n"
        "for i in range(100):\n    idx = numpy.random.permutation(n)[:4]\n"
        "    loss = ((w * X[idx] + b - t[idx]) ** 2).mean()\n    loss.backward()\n"
        "    with torch.no_grad():\n        w -= 0.01 * w.grad\n        b -= 0.01 * b.grad\n"
        "        w.grad.zero_()\n        b.grad.zero_()\nassert -5 < w < -4"
    ),
    "notebook: modules": (
        "class LinearRegression(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.w = nn.Parameter(torch.randn(1))\n        self.b = nn.Parameter(torch.randn(1))\n"
        "    def forward(self, x):\n        return self.w * x + self.b\n"
        "class Perceptron(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.layer = nn.Linear(2, 1)\n        self.act = nn.Sigmoid()\n"
        "    def forward(self, x):\n        return self.act(self.layer(x))\n"
        "class MLP(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.layers = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 5),\n"
        "            nn.Sigmoid(), nn.Linear(5, 1))\n"
        "    def forward(self, x):\n        return self.layers(x)\n"
        "clf, per, net = LinearRegression(), Perceptron(), MLP()\n"
        "assert sum(p.numel() for p in net.parameters()) == 35\n"
        "f = clf(torch.tensor(3.0)) + per(torch.tensor([1., 3.])) + net(torch.Tensor([1, 3]))\n"
        "f.backward()"
    ),
}  # fmt: skip
