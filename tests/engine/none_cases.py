"""Held-out cases: a learner's code, a question about a gradient, and the right answer.

`lines` are those of the operations where the gradient stops (or that changed the tensor);
what merely set them up (a `with`, a zero mask, the call of a helper) is in `also`.
A parameter that nothing used: `lines` has the line that made it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One program, the tensor asked about, and the lines a right answer names."""

    id: str
    code: str
    ask: str
    kind: str
    lines: tuple[int, ...]
    also: tuple[int, ...] = ()
    say: str = ""


NONE_CASES: tuple[Case, ...] = (
    Case(
        id="detach-in-loss",
        code="""w = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
b = torch.zeros(3, requires_grad=True)
x = torch.tensor([1.0, 2.0, 3.0])
target = torch.tensor([1.0, 0.0, 1.0])
scores = w * x
loss = F.mse_loss(scores.detach() + b, target)
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(6,),
        also=(1, 7),
        say="The prediction is detached on its way into the loss, so only b is trained.",
    ),
    Case(
        id="no-grad-around-backbone",
        code="""torch.manual_seed(0)
backbone = nn.Linear(4, 8)
head = nn.Linear(8, 2)
x = torch.randn(16, 4)
y = torch.randint(0, 2, (16,))
with torch.no_grad():
    feats = backbone(x)
logits = head(F.relu(feats))
loss = F.cross_entropy(logits, y)
loss.backward()
""",
        ask="backbone.weight",
        kind="none",
        lines=(7,),
        also=(2, 6, 10),
        say="The features are computed with gradients switched off; the head still learns.",
    ),
    Case(
        id="inference-mode-features",
        code="""torch.manual_seed(1)
encoder = nn.Sequential(nn.Linear(5, 3), nn.Tanh())
decoder = nn.Linear(3, 5)
x = torch.randn(6, 5)
with torch.inference_mode():
    code = encoder(x)
code = code.clone()
recon = decoder(code)
loss = F.mse_loss(recon, x)
loss.backward()
""",
        ask="encoder.0.weight",
        kind="none",
        lines=(6,),
        also=(2, 5, 7, 10),
        say="inference_mode computes the code without a graph; clone() makes it usable, not linked.",
    ),
    Case(
        id="integer-leaf",
        code="""w = torch.tensor([1, 2, 3])
x = torch.tensor([0.5, 0.5, 1.0])
wf = w.float().requires_grad_()
loss = (wf * x).sum() ** 2
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(1,),
        also=(3, 4, 5),
        say="An integer tensor can have no gradient; the float copy is another tensor.",
    ),
    Case(
        id="cast-to-int-in-the-middle",
        code="""w = torch.tensor([1.7, 2.2], requires_grad=True)
b = torch.tensor(0.1, requires_grad=True)
x = torch.tensor([3.0, 4.0])
counts = (w * 10).int()
pred = counts * x + b
loss = (pred - 5).pow(2).mean()
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(4,),
        also=(1, 5, 7),
        say="int() rounds to an integer tensor, which has no graph.",
    ),
    Case(
        id="non-leaf-by-to-dtype",
        code="""torch.manual_seed(0)
x = torch.randn(20, 3, dtype=torch.float64)
y = torch.randn(20, 1, dtype=torch.float64)
w = torch.randn(3, 1, requires_grad=True).to(torch.float64)
b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
loss = ((x @ w + b - y) ** 2).mean()
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(4,),
        also=(7,),
        say=".to() gave a new tensor, which is a result and not a leaf.",
    ),
    Case(
        id="non-leaf-by-scaling-the-init",
        code="""torch.manual_seed(42)
D_in, H, D_out = 4, 6, 2
x = torch.randn(10, D_in)
y = torch.randn(10, D_out)
W1 = torch.randn(D_in, H, requires_grad=True) * 0.01
W2 = torch.randn(H, D_out, requires_grad=True)
h = (x @ W1).clamp(min=0)
loss = (h @ W2 - y).pow(2).sum()
loss.backward()
""",
        ask="W1",
        kind="none",
        lines=(5,),
        also=(9,),
        say="The leaf is the randn; W1 is that leaf times 0.01.",
    ),
    Case(
        id="rebinding-in-the-loop",
        code="""x = torch.linspace(-1, 1, 8)
y = 3 * x
w = torch.tensor(0.0, requires_grad=True)
for step in range(3):
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    if w.grad is not None:
        w = w - 0.1 * w.grad
""",
        ask="w",
        kind="none",
        lines=(8,),
        also=(3, 6),
        say="After the update w is the result of a subtraction, no longer the leaf.",
    ),
    Case(
        id="data-in-forward",
        code="""torch.manual_seed(0)
x = torch.randn(8, 3)
y = torch.randn(8)
w = torch.zeros(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
pred = x @ w.data + b
loss = (pred - y).abs().mean()
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(6,),
        also=(4, 8),
        say=".data is w without the graph.",
    ),
    Case(
        id="item-in-the-penalty",
        code="""w = torch.tensor([3.0, -4.0], requires_grad=True)
b = torch.tensor(1.0, requires_grad=True)
x = torch.tensor([0.2, 0.4, 0.6])
data_loss = (b * x - 1).pow(2).mean()
penalty = w.norm().item()
loss = data_loss + 0.1 * penalty
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(5,),
        also=(1, 6, 7),
        say="item() makes a Python number of the penalty.",
    ),
    Case(
        id="total-of-items",
        code="""torch.manual_seed(0)
net = nn.Linear(2, 1)
batches = [torch.randn(4, 2) for _ in range(3)]
total = torch.zeros(1, requires_grad=True)
for xb in batches:
    out = net(xb)
    loss = out.pow(2).mean()
    total = total + loss.item()
total.backward()
""",
        ask="net.weight",
        kind="none",
        lines=(8,),
        also=(2, 4, 9),
        say="Each batch's loss is added as a number; the total is a leaf of its own.",
    ),
    Case(
        id="through-a-list",
        code="""w = torch.tensor([0.3, 0.6, 0.9], requires_grad=True)
shift = torch.zeros(3, requires_grad=True)
values = w.tolist()
values.sort(reverse=True)
ranked = torch.tensor(values)
loss = (ranked * torch.tensor([1.0, 0.5, 0.25]) + shift).sum()
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(3,),
        also=(1, 5, 7),
        say="tolist() leaves the graph; the tensor made of the list is a new one.",
    ),
    Case(
        id="through-numpy",
        code="""import numpy as np

torch.manual_seed(3)
net = nn.Linear(4, 4)
temp = nn.Parameter(torch.ones(1))
x = torch.randn(5, 4)
out = net(x)
arr = np.clip(out.detach().numpy(), 0, None)
act = torch.from_numpy(arr)
loss = (act * temp).mean()
loss.backward()
""",
        ask="net.weight",
        kind="none",
        lines=(8,),
        also=(4, 9, 11),
        say="numpy knows nothing of the graph; detach() was what let the call through.",
    ),
    Case(
        id="torch-tensor-of-a-tensor",
        code="""w = torch.tensor([1.0, 2.0], requires_grad=True)
c = torch.tensor([0.5, 0.5], requires_grad=True)
scaled = w * 2
features = torch.tensor(scaled)
loss = (features * c).sum()
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(4,),
        also=(1, 6),
        say="torch.tensor(t) copies the values only (and warns).",
    ),
    Case(
        id="tensor-of-a-list-of-losses",
        code="""w = torch.tensor([1.0, -1.0], requires_grad=True)
xs = [torch.tensor([1.0, 2.0]), torch.tensor([3.0, 1.0])]
losses = []
for x in xs:
    losses.append((w @ x - 1) ** 2)
stacked = torch.tensor(losses, requires_grad=True)
loss = stacked.mean()
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(6,),
        also=(1, 8),
        say="A list of losses is made into a fresh leaf; torch.stack would have kept the graph.",
    ),
    Case(
        id="as-tensor-of-scalars",
        code="""slope = torch.tensor(2.0, requires_grad=True)
offset = torch.tensor(0.5, requires_grad=True)
gain = torch.tensor(1.0, requires_grad=True)
theta = torch.as_tensor([slope, offset])
x = torch.arange(4.0)
pred = gain * (theta[0] * x + theta[1])
loss = pred.sum()
loss.backward()
""",
        ask="slope",
        kind="none",
        lines=(4,),
        also=(1, 6, 8),
        say="as_tensor of a list of scalars reads their values.",
    ),
    Case(
        id="argmax-and-the-hack",
        code="""torch.manual_seed(0)
net = nn.Linear(4, 3)
x = torch.randn(10, 4)
y = torch.randint(0, 3, (10,))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
opt.zero_grad()
logits = net(x)
pred = logits.argmax(dim=1)
loss = F.mse_loss(pred.float(), y.float())
loss.requires_grad = True
loss.backward()
opt.step()
""",
        ask="net.weight",
        kind="none",
        lines=(8,),
        also=(2, 10, 11),
        say="argmax has no derivative; requires_grad = True on the loss only silences the error.",
    ),
    Case(
        id="accuracy-as-loss",
        code="""torch.manual_seed(0)
x = torch.randn(30, 2)
y = (x[:, 0] > 0).float()
w = torch.tensor([0.1, -0.2], requires_grad=True)
probs = torch.sigmoid(x @ w)
correct = ((probs > 0.5).float() == y).float()
loss = 1 - correct.mean()
loss.requires_grad_(True)
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(6,),
        also=(4, 8, 9),
        say="A comparison gives booleans: no derivative.",
    ),
    Case(
        id="math-exp",
        code="""import math

log_scale = torch.tensor(0.3, requires_grad=True)
mean = torch.tensor(0.0, requires_grad=True)
x = torch.tensor([0.5, -0.2, 1.4])
scale = math.exp(log_scale)
z = (x - mean) / scale
nll = 0.5 * z.pow(2).sum() + 3 * math.log(scale)
nll.backward()
""",
        ask="log_scale",
        kind="none",
        lines=(6,),
        also=(3, 7, 9),
        say="math.exp turns the tensor into a Python float.",
    ),
    Case(
        id="requires-grad-forgotten",
        code="""torch.manual_seed(0)
x = torch.randn(10, 2)
y = x @ torch.tensor([2.0, -1.0]) + 0.5
w = torch.zeros(2)
b = torch.zeros(1, requires_grad=True)
for epoch in range(3):
    loss = ((x @ w + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        b -= 0.1 * b.grad
        b.grad.zero_()
""",
        ask="w",
        kind="none",
        lines=(4,),
        also=(7, 8),
        say="w was made without requires_grad.",
    ),
    Case(
        id="buffer-instead-of-parameter",
        code="""class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.register_buffer("scale", torch.ones(3))

    def forward(self, x):
        return self.scale * self.fc(x)


torch.manual_seed(0)
net = Scaled()
scale = net.scale
loss = net(torch.randn(4, 3)).pow(2).mean()
loss.backward()
""",
        ask="scale",
        kind="none",
        lines=(5,),
        also=(8, 13, 15),
        say="A buffer is saved with the model but not learned.",
    ),
    Case(
        id="switched-off-before-the-second-stage",
        code="""w = torch.tensor([1.0, 1.0], requires_grad=True)
v = torch.tensor([0.5, 2.0], requires_grad=True)
x = torch.tensor([1.0, -1.0])
stage1 = (w * x).pow(2).sum()
stage1.backward()
w.grad = None
w.requires_grad_(False)
stage2 = (w * v * x).pow(2).sum()
stage2.backward()
""",
        ask="w",
        kind="none",
        lines=(7,),
        also=(1, 5, 6, 8, 9),
        say="Stage one is over and w is switched off; its old gradient was dropped.",
    ),
    Case(
        id="unused-in-forward",
        code="""class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.norm = nn.LayerNorm(8)
        self.fc2 = nn.Linear(8, 1)

    def forward(self, x):
        h = F.relu(self.fc1(x))
        return self.fc2(h)


torch.manual_seed(0)
net = Block()
opt = torch.optim.Adam(net.parameters())
loss = net(torch.randn(5, 4)).mean()
loss.backward()
opt.step()
""",
        ask="net.norm.weight",
        kind="none",
        lines=(5,),
        also=(8, 9, 10, 14, 16, 17),
        say="The layer is registered but forward() never calls it.",
    ),
    Case(
        id="branch-not-taken",
        code="""class Res(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.body = nn.Linear(d_in, d_out)
        self.skip = nn.Linear(d_in, d_out)

    def forward(self, x):
        out = torch.tanh(self.body(x))
        if x.shape != out.shape:
            x = self.skip(x)
        return x + out


torch.manual_seed(0)
net = Res(4, 4)
loss = net(torch.randn(2, 4)).sum()
loss.backward()
""",
        ask="net.skip.weight",
        kind="none",
        lines=(5,),
        also=(7, 9, 10, 11, 15, 16, 17),
        say="The projection is only used when the shapes differ, and here they do not.",
    ),
    Case(
        id="early-return",
        code="""class Probe(nn.Module):
    def __init__(self):
        super().__init__()
        self.hid = nn.Linear(3, 5)
        self.out = nn.Linear(5, 2)

    def forward(self, x):
        h = self.hid(x).relu()
        if self.training:
            return h
        return self.out(h)


torch.manual_seed(0)
net = Probe()
logits = net(torch.randn(6, 3))
loss = F.cross_entropy(logits, torch.tensor([0, 1, 0, 1, 1, 0]))
loss.backward()
""",
        ask="net.out.weight",
        kind="none",
        lines=(5,),
        also=(7, 9, 10, 11, 15, 16, 18),
        say="forward() returns the hidden layer while training.",
    ),
    Case(
        id="used-but-not-in-the-loss",
        code="""torch.manual_seed(0)
trunk = nn.Linear(4, 6)
main_head = nn.Linear(6, 2)
aux_head = nn.Linear(6, 3)
x = torch.randn(8, 4)
y = torch.randint(0, 2, (8,))
h = torch.tanh(trunk(x))
logits = main_head(h)
aux = aux_head(h)
loss = F.cross_entropy(logits, y)
loss.backward()
""",
        ask="aux_head.weight",
        kind="none",
        lines=(9,),
        also=(4, 10, 11),
        say="The auxiliary output is computed, then left out of the loss.",
    ),
    Case(
        id="second-loss-overwrites-the-first",
        code="""torch.manual_seed(0)
trunk = nn.Linear(5, 4)
box, cls = nn.Linear(4, 4), nn.Linear(4, 2)
x, boxes = torch.randn(3, 5), torch.rand(3, 4)
labels = torch.tensor([0, 1, 1])
h = trunk(x).relu()
loss = F.smooth_l1_loss(box(h), boxes)
loss = F.cross_entropy(cls(h), labels)
loss.backward()
""",
        ask="box.weight",
        kind="none",
        lines=(7,),
        also=(3, 8, 9),
        say="The box loss is computed, then `loss` is rebound where `loss +=` was meant.",
    ),
    Case(
        id="frozen-layers",
        code="""torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
for p in net[0].parameters():
    p.requires_grad = False
opt = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
x, y = torch.randn(4, 3), torch.tensor([0, 1, 1, 0])
loss = F.cross_entropy(net(x), y)
loss.backward()
opt.step()
""",
        ask="net.0.weight",
        kind="none",
        lines=(4,),
        also=(2, 3, 5, 8),
        say="The first layer's parameters are frozen by hand.",
    ),
    Case(
        id="pretrained-embedding-is-frozen",
        code="""torch.manual_seed(0)
vectors = torch.randn(10, 4)
emb = nn.Embedding.from_pretrained(vectors)
clf = nn.Linear(4, 2)
tokens = torch.tensor([[1, 2, 3], [4, 5, 6]])
doc = emb(tokens).mean(dim=1)
loss = F.cross_entropy(clf(doc), torch.tensor([0, 1]))
loss.backward()
""",
        ask="emb.weight",
        kind="none",
        lines=(3,),
        also=(6, 8),
        say="from_pretrained freezes by default.",
    ),
    Case(
        id="zero-grad-after-backward",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.01)
x, y = torch.randn(12, 3), torch.randn(12, 1)
for epoch in range(2):
    pred = net(x)
    loss = F.mse_loss(pred, y)
    loss.backward()
    opt.zero_grad()
    opt.step()
""",
        ask="net.weight",
        kind="none",
        lines=(9,),
        also=(2, 8),
        say="zero_grad() throws the gradient away before step() and before we look.",
    ),
    Case(
        id="grad-set-to-none-by-hand",
        code="""x = torch.tensor([1.0, 2.0, 3.0])
y = torch.tensor([2.0, 4.0, 6.0])
w = torch.tensor(0.5, requires_grad=True)
lr = 0.05
for _ in range(4):
    loss = (w * x - y).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        w -= lr * w.grad
    w.grad = None
""",
        ask="w",
        kind="none",
        lines=(10,),
        also=(3, 7),
        say="The last statement of the loop drops the gradient.",
    ),
    Case(
        id="backward-never-called",
        code="""torch.manual_seed(0)
net = nn.Linear(2, 2)
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
x, y = torch.randn(6, 2), torch.tensor([0, 1, 0, 1, 0, 1])
for epoch in range(5):
    opt.zero_grad()
    loss = F.cross_entropy(net(x), y)
    opt.step()
print(f"loss {loss.item():.3f}")
""",
        ask="net.weight",
        kind="none",
        lines=(),
        also=(2, 6, 7, 8),
        say="No call of backward() at all; step() silently does nothing.",
    ),
    Case(
        id="backward-of-the-other-loss",
        code="""w_g = torch.tensor([0.1, 0.2], requires_grad=True)
w_d = torch.tensor([0.3, -0.4], requires_grad=True)
z = torch.tensor([1.0, 2.0])
real = torch.tensor([0.5, 0.7])
loss_d = (w_d * real - 1).pow(2).sum()
loss_g = (w_g * z - real).pow(2).sum()
loss_d.backward(retain_graph=True)
loss_d.backward()
""",
        ask="w_g",
        kind="none",
        lines=(6,),
        also=(1, 5, 7, 8),
        say="Copied and pasted: loss_d is run backward twice, loss_g never.",
    ),
    Case(
        id="autograd-grad-instead",
        code="""w = torch.tensor([2.0, 3.0], requires_grad=True)
x = torch.tensor([1.0, -1.0])
loss = (w * x).pow(2).sum()
(g,) = torch.autograd.grad(loss, w)
with torch.no_grad():
    w -= 0.1 * g
""",
        ask="w",
        kind="none",
        lines=(4,),
        also=(1,),
        say="torch.autograd.grad returns the gradient and fills no .grad.",
    ),
    Case(
        id="backward-with-inputs",
        code="""torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
x = torch.randn(5, 3)
loss = net(x).pow(2).mean()
loss.backward(inputs=list(net[2].parameters()))
""",
        ask="net.0.weight",
        kind="none",
        lines=(5,),
        also=(2,),
        say="inputs= restricts which leaves get a gradient.",
    ),
    Case(
        id="custom-function-returns-none",
        code="""class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x * w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * w, None


x = torch.ones(3, requires_grad=True)
w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
out = Scale.apply(x, w)
out.sum().backward()
""",
        ask="w",
        kind="none",
        lines=(10,),
        also=(14, 15, 16),
        say="The hand-written backward gives None for its second input.",
    ),
    Case(
        id="plain-list-is-not-unfrozen",
        code="""class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(3, 3) for _ in range(2)]
        self.out = nn.Linear(3, 1)

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.out(x)


torch.manual_seed(0)
net = Stack()
for layer in net.layers:
    layer.requires_grad_(False)
net.requires_grad_(True)
w = net.layers[0].weight
net(torch.randn(4, 3)).sum().backward()
""",
        ask="w",
        kind="none",
        lines=(16,),
        also=(4, 15, 17, 18, 19),
        say="net.requires_grad_(True) does not reach layers in a plain list (no ModuleList).",
    ),
    Case(
        id="replaced-parameter",
        code="""torch.manual_seed(0)
layer = nn.Linear(3, 2)
w = layer.weight
layer.weight = nn.Parameter(torch.full((2, 3), 0.1))
x = torch.randn(4, 3)
loss = layer(x).pow(2).mean()
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(4,),
        also=(3, 6, 7),
        say="w is the old parameter; the layer has worked with a new one since line 4.",
    ),
    Case(
        id="head-replaced-after-backward",
        code="""class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 2, 3)
        self.fc = nn.Linear(2, 10)

    def forward(self, x):
        return self.fc(self.conv(x).mean(-1))


torch.manual_seed(0)
net = Net()
logits = net(torch.randn(3, 1, 8))
F.cross_entropy(logits, torch.tensor([1, 2, 3])).backward()
net.fc = nn.Linear(2, 4)
""",
        ask="net.fc.weight",
        kind="none",
        lines=(15,),
        also=(5, 12, 14),
        say="The head is new: the gradient belonged to the head before it.",
    ),
    Case(
        id="deepcopy-is-trained-instead",
        code="""import copy

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
student = copy.deepcopy(net)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
x, y = torch.randn(8, 3), torch.randn(8, 1)
loss = F.mse_loss(student(x), y)
loss.backward()
opt.step()
""",
        ask="net.0.weight",
        kind="none",
        lines=(5,),
        also=(4, 6, 8, 9),
        say="The copy runs forward, the optimiser holds the original.",
    ),
    Case(
        id="set-grad-enabled-by-phase",
        code="""torch.manual_seed(0)
body, head = nn.Linear(4, 4), nn.Linear(4, 1)
x, y = torch.randn(6, 4), torch.randn(6, 1)
phase = "training"
with torch.set_grad_enabled(phase == "train"):
    h = torch.tanh(body(x))
out = head(h)
loss = F.mse_loss(out, y)
loss.backward()
""",
        ask="body.weight",
        kind="none",
        lines=(6,),
        also=(2, 4, 5, 9),
        say="The phase's name is misspelt, so the context switches gradients off.",
    ),
    Case(
        id="decorated-helper",
        code="""torch.manual_seed(0)
proj = nn.Linear(6, 3)
clf = nn.Linear(3, 2)


@torch.no_grad()
def embed(batch):
    batch = batch - batch.mean(0)
    out = proj(batch)
    return F.normalize(out, dim=1)


x, y = torch.randn(8, 6), torch.randint(0, 2, (8,))
loss = F.cross_entropy(clf(embed(x)), y)
loss.backward()
""",
        ask="proj.weight",
        kind="none",
        lines=(9,),
        also=(2, 6, 7, 10, 14, 15),
        say="The helper carries @torch.no_grad() from its days in the evaluation script.",
    ),
    Case(
        id="detached-hidden-state",
        code="""torch.manual_seed(0)
cell = nn.RNNCell(2, 4)
h0 = nn.Parameter(torch.randn(1, 4))
seq = torch.randn(5, 1, 2)
h = h0
for x in seq:
    h = cell(x, h.detach())
loss = h.pow(2).sum()
loss.backward()
""",
        ask="h0",
        kind="none",
        lines=(7,),
        also=(3, 9),
        say="Truncation at every step: the learned first state is cut off at the first.",
    ),
    Case(
        id="gan-generator-detached",
        code="""torch.manual_seed(0)
G = nn.Sequential(nn.Linear(2, 4), nn.Tanh())
D = nn.Linear(4, 1)
opt_g = torch.optim.Adam(G.parameters())
z, real = torch.randn(8, 2), torch.randn(8, 4)
ones, zeros = torch.ones(8, 1), torch.zeros(8, 1)
bce = F.binary_cross_entropy_with_logits
fake = G(z).detach()
loss_d = bce(D(real), ones) + bce(D(fake), zeros)
loss_d.backward()
loss_g = bce(D(fake), ones)
loss_g.backward()
opt_g.step()
""",
        ask="G.0.weight",
        kind="none",
        lines=(8,),
        also=(2, 10, 11, 12),
        say="The detached fakes, right for D's loss, are used for G's loss too.",
    ),
    Case(
        id="wrapped-in-parameter",
        code="""torch.manual_seed(0)
w = torch.tensor([[0.2, 0.4]], requires_grad=True)
layer = nn.Linear(2, 1, bias=False)
layer.weight = nn.Parameter(w)
x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
loss = layer(x).sum()
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(4,),
        also=(2, 6, 7),
        say="nn.Parameter(w) is a new leaf that shares w's numbers, not its graph.",
    ),
    Case(
        id="intermediate-not-retained",
        code="""torch.manual_seed(0)
fc1, fc2 = nn.Linear(3, 4), nn.Linear(4, 1)
x = torch.randn(2, 3)
h = F.relu(fc1(x))
y = fc2(h)
y.sum().backward()
""",
        ask="h",
        kind="none",
        lines=(4,),
        also=(6,),
        say="h is a result; without retain_grad() its gradient is not kept.",
    ),
    Case(
        id="learned-index",
        code="""table = torch.arange(12.0).reshape(6, 2).requires_grad_()
pos = torch.tensor([0.6, 3.8], requires_grad=True)
idx = pos.round().long()
picked = table[idx]
loss = (picked - 1).pow(2).mean()
loss.backward()
""",
        ask="pos",
        kind="none",
        lines=(3,),
        also=(2, 4, 6),
        say="Indices are integers: looking up a table gives no gradient to the position.",
    ),
    Case(
        id="sample-not-rsample",
        code="""torch.manual_seed(0)
mu = torch.zeros(4, requires_grad=True)
dec = nn.Linear(4, 4)
target = torch.ones(3, 4)
q = torch.distributions.Normal(mu, 1.0)
z = q.sample((3,))
loss = F.mse_loss(dec(z), target)
loss.backward()
""",
        ask="mu",
        kind="none",
        lines=(6,),
        also=(2, 8),
        say="sample() draws without gradient; rsample() is the one with the trick.",
    ),
    Case(
        id="multinomial-policy",
        code="""torch.manual_seed(0)
policy = nn.Linear(3, 2)
baseline = nn.Parameter(torch.zeros(1))
state = torch.randn(5, 3)
probs = F.softmax(policy(state), dim=-1)
action = torch.multinomial(probs, 1)
reward = (action == 1).float()
loss = -(reward - baseline).mean()
loss.backward()
""",
        ask="policy.weight",
        kind="none",
        lines=(6,),
        also=(2, 7, 9),
        say="The chosen action carries no graph; REINFORCE would use its log-probability.",
    ),
    Case(
        id="ranking-by-argsort",
        code="""scores = torch.tensor([0.2, 0.9, 0.5], requires_grad=True)
temp = torch.tensor(1.0, requires_grad=True)
gains = torch.tensor([3.0, 2.0, 0.0])
order = scores.argsort(descending=True)
discount = 1 / torch.log2(torch.arange(3) + 2.0)
dcg = (gains[order] * discount).sum()
loss = -temp * dcg
loss.backward()
""",
        ask="scores",
        kind="none",
        lines=(4,),
        also=(1, 6, 8),
        say="argsort gives positions, which are integers.",
    ),
    Case(
        id="cut-on-both-paths",
        code="""w = torch.tensor([1.0, -2.0], requires_grad=True)
b = torch.zeros(2, requires_grad=True)
x = torch.tensor([[1.0, 2.0], [0.5, 0.5]])
pred = x * w.detach() + b
l1 = w.abs().sum().item()
loss = (pred - 1).pow(2).mean() + 0.1 * l1
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(4, 5),
        also=(1, 6, 7),
        say="Two paths from w to the loss: one detached, the other a Python number.",
    ),
    Case(
        id="detach-underscore",
        code="""torch.manual_seed(0)
enc = nn.Linear(3, 4)
dec = nn.Linear(4, 3)
x = torch.randn(5, 3)
code = enc(x)
code.detach_()
print("mean code", code.mean().item())
recon = dec(code.relu())
loss = F.l1_loss(recon, x)
loss.backward()
""",
        ask="enc.weight",
        kind="none",
        lines=(6,),
        also=(2, 10),
        say="detach_() cuts the tensor itself, for every later use.",
    ),
    Case(
        id="cached-features",
        code="""torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
x, y = torch.randn(6, 4), torch.randn(6, 1)
cache = {}
for epoch in range(2):
    opt.zero_grad()
    if "x" in cache:
        h = cache["x"]
    else:
        h = net[0](x)
        cache["x"] = h.detach()
    loss = F.mse_loss(net[1](torch.relu(h)), y)
    loss.backward()
    opt.step()
""",
        ask="net.0.weight",
        kind="none",
        lines=(12,),
        also=(2, 7, 8, 9, 14),
        say="From the second epoch on the cache gives detached features.",
    ),
    Case(
        id="fgsm-copy-gets-the-grad",
        code="""torch.manual_seed(0)
net = nn.Linear(4, 2)
x = torch.rand(1, 4, requires_grad=True)
y = torch.tensor([1])
adv = x.clone().detach()
adv.requires_grad_(True)
loss = F.cross_entropy(net(adv), y)
loss.backward()
adv = (adv + 0.1 * adv.grad.sign()).clamp(0, 1)
""",
        ask="x",
        kind="none",
        lines=(5,),
        also=(3, 6, 7, 8),
        say="The copy requires grad and is used; x itself takes no part.",
    ),
    Case(
        id="zip-stops-early",
        code="""torch.manual_seed(0)
first = nn.Linear(2, 1)
second = nn.Linear(2, 1)
third = nn.Linear(2, 1)
heads = [first, second, third]
batches = [torch.randn(4, 2), torch.randn(4, 2)]
loss = torch.zeros(())
for head, xb in zip(heads, batches):
    loss = loss + head(xb).pow(2).mean()
loss.backward()
""",
        ask="third.weight",
        kind="none",
        lines=(4,),
        also=(5, 6, 8, 9, 10),
        say="Three heads, two batches: zip never gets to the third.",
    ),
    Case(
        id="written-into-numpy-array",
        code="""import numpy as np

w = torch.tensor([0.5, 1.5], requires_grad=True)
bias = torch.tensor(0.0, requires_grad=True)
xs = [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])]
preds = np.zeros(2, dtype=np.float32)
for i, x in enumerate(xs):
    preds[i] = (w @ x).item()
out = torch.from_numpy(preds) + bias
loss = F.mse_loss(out, torch.ones(2))
loss.backward()
""",
        ask="w",
        kind="none",
        lines=(8,),
        also=(3, 9, 11),
        say="The results are collected in a numpy array, number by number.",
    ),
    Case(
        id="contrastive-one-side-only",
        code="""def info_nce(q, k, tau=0.1):
    q, k = F.normalize(q, dim=1), F.normalize(k, dim=1)
    logits = q @ k.detach().T / tau
    return F.cross_entropy(logits, torch.arange(len(q)))


torch.manual_seed(0)
query_enc, key_enc = nn.Linear(4, 3), nn.Linear(4, 3)
x = torch.randn(6, 4)
q = query_enc(x + 0.1 * torch.randn_like(x))
k = key_enc(x)
loss = info_nce(q, k)
loss.backward()
""",
        ask="key_enc.weight",
        kind="none",
        lines=(3,),
        also=(8, 11, 12, 13),
        say="As in momentum contrast, the keys get no gradient: here by a detach in a function.",
    ),
    Case(
        id="siamese-both-sides-cut",
        code="""torch.manual_seed(0)
enc, predictor = nn.Linear(4, 3), nn.Linear(3, 3)
x = torch.randn(8, 4)
x1, x2 = x + 0.1 * torch.randn(8, 4), x + 0.1 * torch.randn(8, 4)
z1 = enc(x1).detach()
with torch.no_grad():
    z2 = enc(x2)
loss = -F.cosine_similarity(predictor(z1), z2).mean()
loss.backward()
""",
        ask="enc.weight",
        kind="none",
        lines=(5, 7),
        also=(2, 6, 9),
        say="Both views of the encoder are cut, each in its own way; only the predictor learns.",
    ),
    Case(
        id="hard-gate-and-reported-ratio",
        code="""gate = torch.tensor([0.4, -0.3, 1.2], requires_grad=True)
v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
soft = torch.sigmoid(gate)
hard = (soft > 0.5).float()
ratio = round(soft.mean().item(), 2)
out = v * hard
loss = (out - 2).pow(2).sum() + ratio
loss.backward()
""",
        ask="gate",
        kind="none",
        lines=(4, 5),
        also=(1, 6, 7, 8),
        say="The gate is compared with a threshold, its penalty rounded to a Python float.",
    ),
)

ZERO_CASES: tuple[Case, ...] = (
    Case(
        id="dead-relu",
        code="""x = torch.tensor([[1.0, 2.0], [2.0, 1.0]])
w = torch.tensor([-1.0, -0.5], requires_grad=True)
z = x @ w - 3
a = F.relu(z)
loss = (a - 1).pow(2).mean()
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(4,),
        also=(2, 3, 6),
        say="Every pre-activation is negative.",
    ),
    Case(
        id="dead-relu-by-bias-init",
        code="""class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(3, 5)
        self.fc2 = nn.Linear(5, 1)
        nn.init.constant_(self.fc1.bias, -50.0)

    def forward(self, x):
        h = self.fc1(x)
        h = torch.relu(h)
        return self.fc2(h)


torch.manual_seed(0)
net = MLP()
loss = F.mse_loss(net(torch.randn(8, 3)), torch.randn(8, 1))
loss.backward()
""",
        ask="net.fc1.weight",
        kind="zero",
        lines=(10,),
        also=(6, 9, 15, 17),
        say="The bias pushes every unit below zero.",
    ),
    Case(
        id="saturated-sigmoid",
        code="""ages = torch.tensor([310.0, 420.0, 550.0, 640.0])
label = torch.tensor([0.0, 1.0, 0.0, 1.0])
w = torch.tensor(1.0, requires_grad=True)
p = torch.sigmoid(w * ages)
loss = ((p - label) ** 2).mean()
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(4,),
        also=(3, 6),
        say="Unscaled inputs in the hundreds: sigmoid is exactly 0 or 1 in float32.",
    ),
    Case(
        id="saturated-tanh",
        code="""class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(2, 3)
        self.out = nn.Linear(3, 1)

    def forward(self, x):
        h = 1000 * self.inp(x)
        h = torch.tanh(h)
        return self.out(h)


torch.manual_seed(0)
net = Net()
nn.init.constant_(net.inp.weight, 0.5)
x = torch.tensor([[1.0, 2.0], [3.0, 0.5]])
net(x).sum().backward()
""",
        ask="net.inp.weight",
        kind="zero",
        lines=(9,),
        also=(8, 14, 15, 17),
        say="The first layer's output is multiplied by 1000 before tanh.",
    ),
    Case(
        id="saturated-softmax",
        code="""scores = torch.tensor([5.0, 1.0, -2.0], requires_grad=True)
values = torch.tensor([1.0, 2.0, 3.0])
temperature = 0.01
attn = F.softmax(scores / temperature, dim=0)
out = (attn * values).sum()
out.backward()
""",
        ask="scores",
        kind="zero",
        lines=(4,),
        also=(1, 3, 6),
        say="The scores are so far apart that softmax is exactly one-hot.",
    ),
    Case(
        id="softmax-over-one-output",
        code="""torch.manual_seed(0)
net = nn.Linear(4, 1)
x = torch.randn(8, 4)
y = torch.randint(0, 2, (8, 1)).float()
probs = F.softmax(net(x), dim=1)
loss = F.mse_loss(probs, y)
loss.backward()
""",
        ask="net.weight",
        kind="zero",
        lines=(5,),
        also=(2, 7),
        say="Softmax over a single column is always 1.",
    ),
    Case(
        id="cross-entropy-with-one-class",
        code="""torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
x = torch.randn(5, 3)
y = torch.zeros(5, dtype=torch.long)
logits = net(x)
loss = F.cross_entropy(logits, y)
loss.backward()
""",
        ask="net.2.weight",
        kind="zero",
        lines=(6,),
        also=(2, 4, 5, 7),
        say="With one logit the only class has probability 1: the loss is 0, whatever the logit.",
    ),
    Case(
        id="multiplied-by-a-zero-mask",
        code="""w = torch.tensor([0.4, 0.6, 0.8], requires_grad=True)
mask = torch.zeros(3)
x = torch.tensor([1.0, 2.0, 3.0])
h = torch.exp(w * x)
masked = h * mask
loss = masked.sum() + 1.0
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(5,),
        also=(1, 2, 7),
        say="The attention mask is still the empty one it was initialised with.",
    ),
    Case(
        id="kl-warm-up-at-step-zero",
        code="""log_var = torch.tensor([0.1, -0.3], requires_grad=True)
mu = torch.tensor([0.5, 0.2], requires_grad=True)
x = torch.tensor([1.0, 1.0])
step, warmup = 0, 1000
beta = step / warmup
recon = F.mse_loss(mu, x)
kl = -0.5 * (1 + log_var - mu.pow(2) - log_var.exp()).sum()
loss = recon + beta * kl
loss.backward()
""",
        ask="log_var",
        kind="zero",
        lines=(8,),
        also=(1, 4, 5, 9),
        say="beta is 0 at the first step, and log_var is only in the KL term.",
    ),
    Case(
        id="clamped-probability",
        code="""logit = torch.tensor([4.0, 5.0], requires_grad=True)
p = torch.sigmoid(logit)
p = p.clamp(0.05, 0.95)
loss = -torch.log(1 - p).mean()
loss.backward()
""",
        ask="logit",
        kind="zero",
        lines=(3,),
        also=(1, 5),
        say="clamp() holds everything at its upper bound, where its slope is 0.",
    ),
    Case(
        id="ppo-clip",
        code="""old_logp = torch.tensor([-2.0, -1.5])
new_logp = torch.tensor([-1.0, -0.5], requires_grad=True)
adv = torch.tensor([1.0, 2.0])
ratio = torch.exp(new_logp - old_logp)
clipped = ratio.clamp(0.8, 1.2)
loss = -torch.min(ratio * adv, clipped * adv).mean()
loss.backward()
""",
        ask="new_logp",
        kind="zero",
        lines=(5, 6),
        also=(2, 7),
        say="The ratio lies outside the clip range, and the min takes the clipped side.",
    ),
    Case(
        id="max-not-taken",
        code="""weak = torch.tensor([0.1, 0.2, 0.3], requires_grad=True)
strong = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
x = torch.tensor([1.0, 1.0, 2.0])
a = weak * x
b = strong * x
out = torch.maximum(a, b)
out.sum().backward()
""",
        ask="weak",
        kind="zero",
        lines=(6,),
        also=(1, 7),
        say="In every place the other branch is the larger.",
    ),
    Case(
        id="where-takes-the-other-side",
        code="""slope = torch.tensor(0.25, requires_grad=True)
w = torch.tensor(1.5, requires_grad=True)
x = torch.tensor([0.5, 1.0, 2.0])
z = w * x
out = torch.where(z > 0, z, slope * z)
loss = out.mean()
loss.backward()
""",
        ask="slope",
        kind="zero",
        lines=(5,),
        also=(1, 3, 7),
        say="No input is negative, so the leaky side is never chosen.",
    ),
    Case(
        id="row-never-selected",
        code="""w = torch.tensor([1.0, 2.0], requires_grad=True)
v = torch.tensor([3.0, 4.0], requires_grad=True)
experts = torch.stack([w, v])
route = torch.tensor([1, 1, 1])
x = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [2.0, 2.0]])
chosen = experts[route]
loss = (chosen * x).sum()
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(6,),
        also=(1, 4, 8),
        say="Both experts are stacked; the router only ever picks the second.",
    ),
    Case(
        id="mean-taken-away",
        code="""logits = torch.tensor([1.0, -2.0, 0.5, 4.0], requires_grad=True)
target = 0.0
centred = logits - logits.mean()
loss = centred.sum() - target
loss.backward()
""",
        ask="logits",
        kind="zero",
        lines=(3,),
        also=(1, 4, 5),
        say="The sum of the centred values is 0 whatever the logits are: the paths cancel.",
    ),
    Case(
        id="branches-cancel",
        code="""w = torch.tensor([0.5, 1.5], requires_grad=True)
x = torch.tensor([2.0, 4.0])
gain = 3 * (w * x)
cost = -3 * (w * x)
profit = gain + cost
loss = (profit - 1).sum()
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(3, 4),
        also=(1, 5, 7),
        say="The gradients of the two branches cancel: they add up to a constant.",
    ),
    Case(
        id="quantised-by-round",
        code="""w = torch.tensor([0.24, -0.71, 1.3], requires_grad=True)
x = torch.tensor([1.0, 2.0, 3.0])
levels = w / 0.1
w_q = torch.round(levels) * 0.1
loss = (w_q @ x - 1) ** 2
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(4,),
        also=(1, 6),
        say="round() is flat almost everywhere: no straight-through estimator here.",
    ),
    Case(
        id="binarised-by-sign",
        code="""torch.manual_seed(0)
net = nn.Linear(4, 3)
x = torch.randn(6, 4)
bits = torch.sign(net(x))
target = torch.ones(6, 3)
loss = F.mse_loss(bits, target)
loss.backward()
""",
        ask="net.weight",
        kind="zero",
        lines=(4,),
        also=(2, 7),
        say="sign() has slope 0 everywhere.",
    ),
    Case(
        id="dropout-of-everything",
        code="""class Net(nn.Module):
    def __init__(self, keep=1.0):
        super().__init__()
        self.enc = nn.Linear(3, 4)
        self.drop = nn.Dropout(p=keep)
        self.dec = nn.Linear(4, 1)

    def forward(self, x):
        h = torch.tanh(self.enc(x))
        h = self.drop(h)
        return self.dec(h)


torch.manual_seed(0)
net = Net()
loss = net(torch.randn(5, 3)).pow(2).mean()
loss.backward()
""",
        ask="net.enc.weight",
        kind="zero",
        lines=(10,),
        also=(2, 5, 15, 17),
        say="p is the probability to drop, not to keep.",
    ),
    Case(
        id="zero-initialised-head",
        code="""class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 4)
        self.head = nn.Linear(4, 2)
        nn.init.zeros_(self.head.weight)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.head(h)


torch.manual_seed(0)
net = Net()
loss = F.cross_entropy(net(torch.randn(6, 3)), torch.tensor([0, 1, 0, 1, 1, 0]))
loss.backward()
""",
        ask="net.body.weight",
        kind="zero",
        lines=(10,),
        also=(6, 14, 16),
        say="The gradient goes back through the head's weights, which are all 0.",
    ),
    Case(
        id="grad-zeroed-after-backward",
        code="""torch.manual_seed(0)
x = torch.randn(16, 2)
y = x @ torch.tensor([1.0, -2.0])
w = torch.zeros(2, requires_grad=True)
for epoch in range(3):
    loss = F.mse_loss(x @ w, y)
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    w.grad.zero_()
""",
        ask="w",
        kind="zero",
        lines=(10,),
        also=(4, 7),
        say="The gradient is zeroed before anyone looks at it.",
    ),
    Case(
        id="zero-grad-not-set-to-none",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
loss = net(torch.randn(4, 3)).pow(2).mean()
loss.backward()
opt.step()
opt.zero_grad(set_to_none=False)
""",
        ask="net.weight",
        kind="zero",
        lines=(7,),
        also=(2, 5),
        say="zero_grad(set_to_none=False) fills the gradient with zeros.",
    ),
    Case(
        id="clipped-to-nothing",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 2)
opt = torch.optim.Adam(net.parameters())
max_norm = 0
loss = F.cross_entropy(net(torch.randn(4, 3)), torch.tensor([0, 1, 1, 0]))
opt.zero_grad()
loss.backward()
nn.utils.clip_grad_norm_(net.parameters(), max_norm)
opt.step()
""",
        ask="net.weight",
        kind="zero",
        lines=(8,),
        also=(2, 4, 7),
        say="max_norm=0 scales every gradient to 0.",
    ),
    Case(
        id="hook-that-zeroes",
        code="""w = torch.tensor([1.0, 2.0], requires_grad=True)
w.register_hook(lambda g: g * 0)
x = torch.tensor([3.0, -1.0])
y = torch.sigmoid(w * x)
loss = -y.log().sum()
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(2,),
        also=(1, 6),
        say="A hook left over from an experiment.",
    ),
    Case(
        id="backward-of-zeros",
        code="""w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
x = torch.tensor([0.5, 0.25, 2.0])
y = w.pow(2) * x
weight = torch.zeros_like(y)
y.backward(weight)
""",
        ask="w",
        kind="zero",
        lines=(5,),
        also=(1, 4),
        say="The vector given to backward() is all zeros.",
    ),
    Case(
        id="only-padding",
        code="""torch.manual_seed(0)
emb = nn.Embedding(10, 4, padding_idx=0)
rnn_in = torch.zeros(2, 5, dtype=torch.long)
vecs = emb(rnn_in)
clf = nn.Linear(4, 2)
loss = F.cross_entropy(clf(vecs.mean(1)), torch.tensor([0, 1]))
loss.backward()
""",
        ask="emb.weight",
        kind="zero",
        lines=(4,),
        also=(2, 3, 7),
        say="The batch is nothing but padding, and padding_idx gets no gradient.",
    ),
    Case(
        id="padding-mask-covers-all",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 4)
tokens = torch.randn(2, 5, 3)
labels = torch.randint(0, 4, (2, 5))
lengths = torch.tensor([0, 0])
mask = (torch.arange(5)[None] < lengths[:, None]).float()
logits = net(tokens)
per_token = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
loss = (per_token * mask).sum() / mask.sum().clamp(min=1)
loss.backward()
""",
        ask="net.weight",
        kind="zero",
        lines=(9,),
        also=(2, 5, 6, 10),
        say="The lengths were read wrong (all 0), so the mask takes every token's loss away.",
    ),
    Case(
        id="all-labels-ignored",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 4)
x = torch.randn(6, 3)
labels = torch.full((6,), -100)
logits = net(x)
loss = F.cross_entropy(logits, labels, reduction="sum")
loss.backward()
""",
        ask="net.weight",
        kind="zero",
        lines=(6,),
        also=(2, 4, 7),
        say="Every label is -100, which cross_entropy ignores.",
    ),
    Case(
        id="l1-at-zero",
        code="""w = torch.zeros(4, requires_grad=True)
b = torch.tensor(1.0, requires_grad=True)
fit = (b - 3) ** 2
sparsity = w.abs().sum()
loss = fit + 0.01 * sparsity
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(4,),
        also=(1, 6),
        say="The slope of |w| at exactly 0 is taken as 0.",
    ),
    Case(
        id="both-factors-zero",
        code="""u = torch.zeros(3, 1, requires_grad=True)
v = torch.zeros(1, 2, requires_grad=True)
x = torch.tensor([[1.0, 2.0, 3.0]])
y = torch.tensor([[1.0, -1.0]])
low_rank = u @ v
loss = (x @ low_rank - y).pow(2).sum()
loss.backward()
""",
        ask="u",
        kind="zero",
        lines=(5,),
        also=(1, 2, 7),
        say="A product of two zeros: each factor's slope is the other.",
    ),
    Case(
        id="max-pool-drops-it",
        code="""w = torch.tensor([0.1, 0.2, 0.3], requires_grad=True)
big = torch.tensor([1.0, 2.0, 3.0])
signal = torch.stack([w, big], dim=1).reshape(1, 1, 6)
pooled = F.max_pool1d(signal, 2)
loss = pooled.pow(2).sum()
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(4,),
        also=(1, 6),
        say="In every window the neighbour is larger.",
    ),
    Case(
        id="hinge-inside-the-margin",
        code="""x = torch.tensor([[2.0, 1.0], [-1.0, -3.0]])
y = torch.tensor([1.0, -1.0])
w = torch.tensor([1.0, 1.0], requires_grad=True)
score = x @ w
hinge = torch.clamp(1 - y * score, min=0)
loss = hinge.mean()
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(5,),
        also=(3, 7),
        say="Every sample is beyond the margin: the loss is 0 and flat.",
    ),
    Case(
        id="triplet-already-satisfied",
        code="""torch.manual_seed(0)
enc = nn.Linear(2, 2, bias=False)
anchor = torch.tensor([[1.0, 0.0]])
positive = torch.tensor([[1.0, 0.1]])
negative = torch.tensor([[-90.0, 40.0]])
a, p, n = enc(anchor), enc(positive), enc(negative)
loss = F.triplet_margin_loss(a, p, n, margin=0.2)
loss.backward()
""",
        ask="enc.weight",
        kind="zero",
        lines=(7,),
        also=(2, 5, 8),
        say="The negatives are farther away than the margin asks for.",
    ),
    Case(
        id="target-is-the-prediction",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 1)
x = torch.randn(7, 3)
pred = net(x)
target = pred.detach().clone()
loss = F.mse_loss(pred, target)
loss.backward()
""",
        ask="net.weight",
        kind="zero",
        lines=(6,),
        also=(2, 5, 7),
        say="The target is the model's own output: the error is exactly 0.",
    ),
    Case(
        id="images-divided-as-integers",
        code="""torch.manual_seed(0)
net = nn.Linear(4, 2)
img = torch.tensor([[12, 200, 90, 254], [0, 77, 31, 128]], dtype=torch.uint8)
x = (img // 255).float()
logits = net(x)
loss = F.cross_entropy(logits, torch.tensor([0, 1]))
loss.backward()
""",
        ask="net.weight",
        kind="zero",
        lines=(5,),
        also=(2, 4, 7),
        say="// on bytes gives 0 for every pixel under 255, so the weights see only zeros.",
    ),
    Case(
        id="one-step-rnn",
        code="""torch.manual_seed(0)
rnn = nn.RNN(3, 4, batch_first=True)
x = torch.randn(2, 3).unsqueeze(1)
out, h = rnn(x)
loss = out.pow(2).mean()
loss.backward()
""",
        ask="rnn.weight_hh_l0",
        kind="zero",
        lines=(4,),
        also=(2, 3, 6),
        say="One time step from a zero state: the recurrent weights are multiplied by 0.",
    ),
    Case(
        id="two-dead-relu-and-zero-weight",
        code="""w = torch.tensor([1.0, 2.0], requires_grad=True)
x = torch.tensor([-1.0, -3.0])
alpha = 0.0
act = F.relu(w * x)
reg = w.pow(2).sum()
loss = act.sum() + alpha * reg
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(4, 6),
        also=(1, 3, 7),
        say="One path ends in a dead ReLU, the other is multiplied by 0.",
    ),
    Case(
        id="two-gate-and-clamp",
        code="""w = torch.tensor([40.0, 60.0], requires_grad=True)
x = torch.tensor([1.0, 2.0])
gate = torch.sigmoid(w * x)
value = torch.clamp(w / 10, max=1.0)
out = gate * value
loss = (out - 3).pow(2).sum()
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(3, 4),
        also=(1, 7),
        say="The gate is saturated and the value is clamped: both slopes are 0.",
    ),
    Case(
        id="two-round-and-where",
        code="""step = torch.tensor([0.3, 0.7], requires_grad=True)
scale = torch.tensor(2.0, requires_grad=True)
use_raw = torch.tensor([False, False])
grid = torch.floor(step * 4) / 4
mixed = torch.where(use_raw, step, grid)
loss = (scale * mixed).sum()
loss.backward()
""",
        ask="step",
        kind="zero",
        lines=(4, 5),
        also=(1, 3, 7),
        say="The step is rounded on one path and not chosen on the other.",
    ),
    Case(
        id="two-max-and-hinge",
        code="""torch.manual_seed(0)
net = nn.Linear(2, 1)
nn.init.constant_(net.weight, 0.5)
nn.init.zeros_(net.bias)
x = torch.tensor([[1.0, 1.0], [2.0, 1.0]])
score = net(x).squeeze(1)
prior = torch.full((2,), 10.0)
best = torch.max(score, prior)
hinge = F.relu(0.5 - score)
loss = best.mean() + hinge.mean()
loss.backward()
""",
        ask="net.weight",
        kind="zero",
        lines=(8, 9),
        also=(2, 7, 11),
        say="The max takes the prior, and the margin is satisfied.",
    ),
    Case(
        id="two-tanh-and-detach",
        code="""w = torch.tensor([30.0, -25.0], requires_grad=True)
x = torch.tensor([1.0, 1.0])
squashed = torch.tanh(w * x)
baseline = w.detach() * 0.1
loss = (squashed - baseline).pow(2).sum()
loss.backward()
""",
        ask="w",
        kind="zero",
        lines=(3, 4),
        also=(1, 6),
        say="One path is saturated, the other is detached.",
    ),
    Case(
        id="two-heads-each-dead",
        code="""class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(3, 4)
        self.a = nn.Linear(4, 1)
        self.b = nn.Linear(4, 1)
        nn.init.zeros_(self.a.weight)

    def forward(self, x):
        h = torch.tanh(self.enc(x))
        left = self.a(h)
        right = self.b(F.dropout(h, p=1.0))
        return left + right


torch.manual_seed(0)
net = TwoHeads()
loss = (net(torch.randn(5, 3)) - 1).pow(2).mean()
loss.backward()
""",
        ask="net.enc.weight",
        kind="zero",
        lines=(11, 12),
        also=(7, 17, 19),
        say="One head has zero weights, the other head's input is dropped whole.",
    ),
)

INPLACE_CASES: tuple[Case, ...] = (
    Case(
        id="exp-then-plus-equals",
        code="""w = torch.tensor([0.1, 0.2], requires_grad=True)
x = torch.tensor([1.0, 2.0])
rate = torch.exp(w * x)
rate += 1e-6
loss = rate.sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(4,),
        also=(3, 6),
        say="exp() keeps its own result for backward.",
    ),
    Case(
        id="sigmoid-recentred",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 1)
x = torch.randn(6, 3)
z = net(x)
z += 0.1
p = torch.sigmoid(z)
p -= 0.5
loss = p.pow(2).mean()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(7,),
        also=(6, 9),
        say="sigmoid() keeps its result; the addition to z before it is harmless.",
    ),
    Case(
        id="tanh-scaled-among-harmless",
        code="""torch.manual_seed(0)
enc = nn.Linear(4, 4)
x = torch.randn(5, 4)
h = enc(x)
h.add_(0.5)
h.mul_(2.0)
a = torch.tanh(h)
a.mul_(3.0)
a = a + 1
a.sub_(0.25)
loss = a.mean()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(8,),
        also=(7, 12),
        say="Three in-place steps; only the one after tanh() hurts.",
    ),
    Case(
        id="residual-after-relu",
        code="""class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(2, 2, 3, padding=1)
        self.conv2 = nn.Conv1d(2, 2, 3, padding=1)

    def forward(self, x):
        out = self.conv1(x)
        out = self.conv2(out)
        out = F.relu(out)
        out += x
        return out


torch.manual_seed(0)
net = Block()
loss = net(torch.randn(1, 2, 8)).mean()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(11,),
        also=(10, 17, 18),
        say="The ReLU's result is needed by its backward; the skip connection is added into it.",
    ),
    Case(
        id="attention-mask-after-softmax",
        code="""torch.manual_seed(0)
d = 4
q, k, v = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)
x = torch.randn(3, d)
mask = torch.triu(torch.ones(3, 3, dtype=torch.bool), 1)
scores = q(x) @ k(x).T
scores /= d**0.5
scores.masked_fill_(mask, float("-inf"))
attn = F.softmax(scores, dim=-1)
attn.masked_fill_(attn < 0.1, 0.0)
out = attn @ v(x)
out += x
out.mean().backward()
""",
        ask="",
        kind="inplace",
        lines=(10,),
        also=(9, 13),
        say="Masking the scores in place is fine; masking the softmax's result is not.",
    ),
    Case(
        id="slice-of-a-squared-tensor",
        code="""w = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
h = w * 2
energy = h.pow(2)
first = h[0]
first.zero_()
loss = energy.sum() + h.sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(5,),
        also=(3, 4, 7),
        say="A slice is a view: zeroing it changes h, which pow() keeps.",
    ),
    Case(
        id="index-assignment-on-saved-input",
        code="""torch.manual_seed(0)
w = torch.randn(3, 2, requires_grad=True)
x = torch.randn(4, 3)
h = x @ w
gated = h * torch.sigmoid(h)
h[:, 0] = 0
loss = gated.sum() + h.sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(6,),
        also=(5, 8),
        say="Both factors of the product are kept; one of them gets a new first column.",
    ),
    Case(
        id="clamp-after-sqrt-among-harmless",
        code="""p = torch.tensor([4.0, 9.0, 0.0], requires_grad=True)
q = p + 0.5
q.clamp_(min=1e-3)
q += 1
dist = torch.sqrt(q)
dist.clamp_(max=2.5)
total = dist.sum()
total += 1
total.backward()
""",
        ask="",
        kind="inplace",
        lines=(6,),
        also=(5, 9),
        say="sqrt() keeps its result; the clamp of its argument is fine.",
    ),
    Case(
        id="step-between-two-backwards",
        code="""torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
x, y = torch.randn(6, 3), torch.randn(6, 1)
out = net(x)
loss1 = F.mse_loss(out, y)
loss2 = out.abs().mean()
opt.zero_grad()
loss1.backward(retain_graph=True)
opt.step()
loss2.backward()
""",
        ask="",
        kind="inplace",
        lines=(10,),
        also=(5, 9, 11),
        say="The step changes the weights the second backward still needs.",
    ),
    Case(
        id="gan-step-of-d-before-backward-of-g",
        code="""torch.manual_seed(0)
G, D = nn.Linear(2, 3), nn.Linear(3, 1)
opt_g = torch.optim.Adam(G.parameters())
opt_d = torch.optim.Adam(D.parameters())
z, real = torch.randn(5, 2), torch.randn(5, 3)
fake = G(z)
loss_g = -D(fake).mean()
loss_d = D(fake.detach()).mean() - D(real).mean()
opt_d.zero_grad()
loss_d.backward()
opt_d.step()
opt_g.zero_grad()
loss_g.backward()
opt_g.step()
""",
        ask="",
        kind="inplace",
        lines=(11,),
        also=(7, 10, 13),
        say="G's loss was computed through D's old weights, and D has been updated since.",
    ),
    Case(
        id="hidden-state-carried-over-the-step",
        code="""torch.manual_seed(0)
cell = nn.RNNCell(2, 3)
opt = torch.optim.SGD(cell.parameters(), lr=0.01)
h = torch.zeros(1, 3)
for t in range(3):
    x = torch.randn(1, 2)
    h = cell(x, h)
    loss = h.pow(2).sum()
    opt.zero_grad()
    loss.backward(retain_graph=True)
    opt.step()
""",
        ask="",
        kind="inplace",
        lines=(11,),
        also=(7, 10),
        say="retain_graph=True keeps the old graph, but the weights in it have been stepped.",
    ),
    Case(
        id="update-before-backward",
        code="""torch.manual_seed(0)
x, y = torch.randn(8, 3), torch.randn(8, 1)
w1 = torch.randn(3, 4, requires_grad=True)
w2 = torch.randn(4, 1, requires_grad=True)
grad_w2 = torch.ones(4, 1)
pred = torch.tanh(x @ w1) @ w2
loss = (pred - y).pow(2).mean()
with torch.no_grad():
    w2 -= 0.01 * grad_w2
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(9,),
        also=(6, 8, 10),
        say="The order of update and backward is swapped: w2 is needed for w1's gradient.",
    ),
    Case(
        id="wgan-clipping-too-early",
        code="""torch.manual_seed(0)
critic = nn.Sequential(nn.Linear(2, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1))
real, fake = torch.randn(6, 2), torch.randn(6, 2)
loss = critic(fake).mean() - critic(real).mean()
loss += 0.1
with torch.no_grad():
    for p in critic.parameters():
        p.clamp_(-0.01, 0.01)
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(8,),
        also=(4, 6, 7, 9),
        say="The critic's weights are clipped after the forward pass, before the backward pass.",
    ),
    Case(
        id="out-argument",
        code="""w = torch.tensor([1.0, 2.0], requires_grad=True)
a = torch.tensor([3.0, 4.0])
b = torch.tensor([0.5, 0.5])
buf = torch.empty(2)
torch.mul(a, b, out=buf)
first = w * buf
torch.add(a, b, out=buf)
second = buf.sum() * w
loss = (first + second).sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(7,),
        also=(6, 10),
        say="out= writes into a tensor that the product keeps.",
    ),
    Case(
        id="inplace-relu-after-sigmoid",
        code="""class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(3, 4)
        self.fc2 = nn.Linear(4, 1)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        h = self.act(self.fc1(x))
        s = torch.sigmoid(self.fc2(h)) - 0.5
        s = s.exp()
        s = self.act(s)
        return s


torch.manual_seed(0)
net = Gate()
loss = net(torch.randn(4, 3)).mean()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(12,),
        also=(6, 11, 18, 19),
        say="ReLU(inplace=True) overwrites the sigmoid's result; after the linear layer it is fine.",
    ),
    Case(
        id="inplace-dropout-on-softmax",
        code="""torch.manual_seed(0)
lin = nn.Linear(4, 4)
x = torch.randn(3, 4)
logits = lin(x)
logits *= 2
weights = torch.softmax(logits, dim=-1)
weights = F.dropout(weights, 0.5, training=True, inplace=True)
loss = (weights @ x.t()).sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(7,),
        also=(6, 9),
        say="Dropout in place overwrites the softmax's result.",
    ),
    Case(
        id="copy-into-the-state",
        code="""w = torch.tensor([0.5, 0.5], requires_grad=True)
state = torch.ones(2)
xs = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
loss = torch.zeros(())
for x in xs:
    new = torch.tanh(w * state + x)
    loss = loss + new.sum()
    state.copy_(new.detach())
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(8,),
        also=(6, 9),
        say="The state's buffer is overwritten although the last step's product keeps it.",
    ),
    Case(
        id="buffer-zeroed-after-use",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 1)
buffer = torch.zeros(4, 3)
samples = torch.randn(4, 3)
for i in range(4):
    buffer[i] = samples[i]
out = net(buffer)
buffer.zero_()
loss = out.pow(2).mean()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(8,),
        also=(7, 10),
        say="The buffer is cleared for the next batch, too early.",
    ),
    Case(
        id="leaf-changed-directly",
        code="""w = torch.tensor([1.0, 2.0], requires_grad=True)
x = torch.tensor([0.5, 0.5])
x *= 2
w += 0.1
loss = (w * x).sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(4,),
        also=(6,),
        say="A leaf that requires grad may not be changed in place: an error at once.",
    ),
    Case(
        id="view-of-a-leaf",
        code="""w = torch.ones(3, 3, requires_grad=True)
x = torch.tensor([1.0, 2.0, 3.0])
mask = torch.ones(3)
mask[1] = 0
w[0, 0] = 0.0
loss = (w @ x * mask).sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(5,),
        also=(7,),
        say="Setting one weight to 0 writes through a view into a leaf: an error at once.",
    ),
    Case(
        id="normalised-in-place",
        code="""v = torch.tensor([3.0, 4.0], requires_grad=True)
u = v * 1.0
u += 0.5
length = u.norm()
u /= length
loss = (u * torch.tensor([1.0, -1.0])).sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(5,),
        also=(4, 7),
        say="norm() keeps the vector, which is then divided in place.",
    ),
    Case(
        id="rows-filled-in-a-loop",
        code="""decay = torch.tensor(0.9, requires_grad=True)
out = torch.zeros(4, 2)
out[0] = torch.tensor([1.0, 2.0])
for i in range(1, 4):
    out[i] = out[i - 1] * decay
loss = out.sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(5,),
        also=(7,),
        say="Each row is computed from the row before, and each write changes the whole tensor.",
    ),
    Case(
        id="embedding-with-max-norm",
        code="""torch.manual_seed(0)
emb = nn.Embedding(5, 3, max_norm=1.0)
proj = torch.randn(3, 2, requires_grad=True)
idx = torch.tensor([1, 2])
everything = emb.weight @ proj
picked = emb(idx) @ proj
loss = everything.sum() + picked.sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(6,),
        also=(2, 5, 8),
        say="With max_norm the lookup itself rescales the weights in place.",
    ),
    Case(
        id="helper-changes-its-argument",
        code="""def standardise(t):
    mu, sd = t.mean().item(), t.std().item()
    t -= mu
    t /= sd
    return t


w = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
x = w * 3
power = x**2
z = standardise(x)
loss = power.sum() + z.sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(3, 4),
        also=(10, 11, 13),
        say="The helper standardises its argument in place, twice.",
    ),
    Case(
        id="batch-noise-added-to-the-input",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 2)
x = torch.randn(4, 3)
x -= x.mean(0)
clean = net(x)
x += 0.1 * torch.randn(4, 3)
noisy = net(x)
loss = F.mse_loss(noisy, clean)
loss += 1e-3
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(6,),
        also=(5, 10),
        say="The linear layer keeps its input for the weight's gradient, although x needs none.",
    ),
    Case(
        id="sliding-window",
        code="""torch.manual_seed(0)
w = torch.full((3,), 0.3, requires_grad=True)
window = torch.tensor([1.0, 2.0, 3.0])
target = torch.tensor([2.0, 2.5])
loss = torch.zeros(())
for t in range(2):
    pred = window @ w
    loss += (pred - target[t]) ** 2
    window[t] = pred.detach()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(9,),
        also=(7, 10),
        say="The window that the model read is overwritten with the prediction.",
    ),
    Case(
        id="view-by-chunk",
        code="""torch.manual_seed(0)
lin = nn.Linear(3, 8)
x = torch.randn(2, 3)
gates = lin(x)
gates += 0.1
acts = torch.sigmoid(gates)
i, f = acts.chunk(2, dim=1)
f += 1.0
c = i * 2.0
c += f
loss = c.mean()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(8,),
        also=(6, 7, 12),
        say="A chunk is a view of the LSTM-like gates; the bias is added into it after sigmoid().",
    ),
    Case(
        id="transposed-view",
        code="""a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
b = a + 1
gram = b @ b.t()
bt = b.t()
bt[0] *= 2
loss = gram.sum() + bt.sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(5,),
        also=(3, 4, 7),
        say="t() shares the memory of the matrix that the product keeps.",
    ),
    Case(
        id="division-then-zeroing-small",
        code="""torch.manual_seed(0)
num, den = nn.Linear(2, 3), nn.Linear(2, 3)
x = torch.randn(4, 2)
n = num(x)
n *= 2
d = den(x).abs()
d += 1
ratio = n / d
ratio.mul_(0.5)
d[d < 1.5] = 1.5
loss = ratio.sum() + d.sum()
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(10,),
        also=(8, 12),
        say="The quotient keeps its denominator; the small ones are filled afterwards.",
    ),
    Case(
        id="ema-of-the-weights-the-wrong-way",
        code="""import copy

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
ema = copy.deepcopy(net)
out = net(torch.randn(5, 2))
loss = out.pow(2).mean()
with torch.no_grad():
    for p, avg in zip(net.parameters(), ema.parameters()):
        p.mul_(0.1).add_(avg, alpha=0.9)
loss.backward()
""",
        ask="",
        kind="inplace",
        lines=(10,),
        also=(6, 8, 9, 11),
        say="The average is written into the model instead of the other way round.",
    ),
)

HEALTHY_CASES: tuple[Case, ...] = (
    Case(
        id="straight-through",
        code="""w = torch.tensor([0.24, -0.71], requires_grad=True)
x = torch.tensor([1.0, 2.0])
w_q = w + (torch.round(w) - w).detach()
loss = (w_q @ x - 1) ** 2
loss.backward()
""",
        ask="w",
        kind="healthy",
        lines=(),
        say="Forward is rounded, backward is the identity: the detach is on purpose.",
    ),
    Case(
        id="plain-list-of-layers",
        code="""class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(3, 3), nn.Linear(3, 1)]

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x


torch.manual_seed(0)
net = Stack()
w = net.layers[0].weight
net(torch.randn(4, 3)).sum().backward()
""",
        ask="w",
        kind="healthy",
        lines=(),
        say="A plain list hides the layers from parameters(), but not from autograd.",
    ),
    Case(
        id="in-place-on-a-linear-output",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 4)
x = torch.randn(5, 3)
h = net(x)
h += 1
h.relu_()
loss = h.mean()
loss += 1
loss.backward()
""",
        ask="net.weight",
        kind="healthy",
        lines=(),
        say="A linear layer does not keep its output, and relu_ keeps the changed one.",
    ),
    Case(
        id="validation-in-between",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 2)
x, y = torch.randn(6, 3), torch.tensor([0, 1, 1, 0, 1, 0])
logits = net(x)
loss = F.cross_entropy(logits, y)
with torch.no_grad():
    acc = (net(x).argmax(1) == y).float().mean().item()
running = loss.detach() * 0.9
print(f"{acc:.2f} {running.item():.3f}")
loss.backward()
""",
        ask="net.weight",
        kind="healthy",
        lines=(),
        say="The no_grad block computes something else.",
    ),
    Case(
        id="input-through-frozen-layers",
        code="""torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
net.requires_grad_(False)
net.eval()
x = torch.rand(1, 4).requires_grad_()
loss = F.cross_entropy(net(x), torch.tensor([1]))
loss.backward()
""",
        ask="x",
        kind="healthy",
        lines=(),
        say="The layers are frozen, yet the gradient passes through them to the image.",
    ),
    Case(
        id="retained-intermediate",
        code="""w = torch.tensor([1.0, 2.0], requires_grad=True)
h = w * 3
h.retain_grad()
loss = h.pow(2).sum()
loss.backward()
""",
        ask="h",
        kind="healthy",
        lines=(),
        say="h is no leaf, but it was asked to keep its gradient.",
    ),
    Case(
        id="half-dead-relu",
        code="""w = torch.tensor([1.0, -1.0], requires_grad=True)
x = torch.tensor([2.0, 2.0])
a = F.relu(w * x)
loss = a.sum()
loss.backward()
""",
        ask="w",
        kind="healthy",
        lines=(),
        say="One unit is dead, the other is not.",
    ),
    Case(
        id="zero-grad-before-backward",
        code="""torch.manual_seed(0)
net = nn.Linear(2, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
history = []
for epoch in range(2):
    opt.zero_grad()
    loss = F.mse_loss(net(torch.ones(3, 2)), torch.full((3, 1), 5.0))
    loss.backward()
    opt.step()
    history.append(loss.item())
""",
        ask="net.weight",
        kind="healthy",
        lines=(),
        say="zero_grad comes first, and step() leaves the gradient where it is.",
    ),
    Case(
        id="written-into-a-buffer",
        code="""w = torch.tensor(1.5, requires_grad=True)
out = torch.zeros(3)
for i in range(3):
    out[i] = w * i
loss = (out - 1).abs().sum()
loss.backward()
""",
        ask="w",
        kind="healthy",
        lines=(),
        say="Index assignment into a plain tensor is recorded.",
    ),
    Case(
        id="detached-target-only",
        code="""torch.manual_seed(0)
net = nn.Linear(3, 2)
s, s2 = torch.randn(4, 3), torch.randn(4, 3)
r = torch.ones(4)
q = net(s)[:, 0]
with torch.no_grad():
    target = r + 0.9 * net(s2).max(1).values
loss = F.smooth_l1_loss(q, target)
loss.backward()
""",
        ask="net.weight",
        kind="healthy",
        lines=(),
        say="As in Q-learning, only the target is detached.",
    ),
    Case(
        id="update-through-data",
        code="""w = torch.tensor([1.0, 1.0], requires_grad=True)
x = torch.tensor([1.0, 3.0])
for _ in range(2):
    if w.grad is not None:
        w.grad.zero_()
    loss = (w @ x - 2) ** 2
    loss.backward()
    w.data -= 0.01 * w.grad
""",
        ask="w",
        kind="healthy",
        lines=(),
        say="The update through .data leaves w a leaf, and its gradient is kept.",
    ),
    Case(
        id="one-path-cut-one-alive",
        code="""w = torch.tensor([3.0, 4.0], requires_grad=True)
direction = w / w.norm().detach()
scale = w.max().item()
loss = (direction * torch.tensor([1.0, 2.0])).sum() * scale
loss.backward()
""",
        ask="w",
        kind="healthy",
        lines=(),
        say="The detached norm only scales; the direct path is alive.",
    ),
)
