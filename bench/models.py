"""The programs that the recorder's cost is measured on: plain torch, random weights.

Each maker returns a forward pass that ends in a scalar, and the leaves it fills.
"""

from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn import functional

Forward = Callable[[], torch.Tensor]
Made = tuple[Forward, list[torch.Tensor]]
Net = tuple[nn.Module, tuple[torch.Tensor, ...]]
"""A module and what it is called with, for tools that take no plain code."""


def seed() -> Made:
    """f(x, y) = 3x^2 + 2y: four ops on scalars."""
    x = torch.tensor(2.0, requires_grad=True)
    y = torch.tensor(5.0, requires_grad=True)

    def forward() -> torch.Tensor:
        q = x**2
        u = 3 * q
        z = 2 * y
        return u + z

    return forward, [x, y]


class Seed(nn.Module):
    """`seed` as a module."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return 3 * x**2 + 2 * y


def seed_net() -> Net:
    x = torch.tensor(2.0, requires_grad=True)
    return Seed(), (x, torch.tensor(5.0, requires_grad=True))


def mlp_net() -> Net:
    torch.manual_seed(0)
    layers = [nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)]
    return nn.Sequential(*layers), (torch.randn(64, 2),)


def mlp() -> Made:
    """2-3-5-1 on a batch of 64."""
    net, (inputs,) = mlp_net()
    targets = torch.randn(64, 1)

    def forward() -> torch.Tensor:
        y = net(inputs)
        return functional.mse_loss(y, targets)

    return forward, list(net.parameters())


def chain() -> Made:
    """1000 ops on scalars."""
    x = torch.tensor(0.5, requires_grad=True)

    def forward() -> torch.Tensor:
        y = x
        for _ in range(500):
            y = torch.sin(y) * 1.5
        return y

    return forward, [x]


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions beside a shortcut."""

    def __init__(self, before: int, inside: int, stride: int) -> None:
        super().__init__()
        after = 4 * inside
        self.conv1 = nn.Conv2d(before, inside, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inside)
        self.conv2 = nn.Conv2d(inside, inside, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inside)
        self.conv3 = nn.Conv2d(inside, after, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            fit = nn.Conv2d(before, after, 1, stride, bias=False)
            self.shortcut = nn.Sequential(fit, nn.BatchNorm2d(after))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = functional.relu(self.bn1(self.conv1(x)))
        h = functional.relu(self.bn2(self.conv2(h)))
        h = self.bn3(self.conv3(h))
        return functional.relu(h + self.shortcut(x))


class ResNet(nn.Module):
    """Fifty layers deep: 3, 4, 6 and 3 bottlenecks. 25.6 million parameters."""

    def __init__(self, blocks: Iterable[int] = (3, 4, 6, 3), classes: int = 1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, 2, 1)
        stages, before = [], 64
        for number, count in enumerate(blocks):
            inside = 64 * 2**number
            stage = []
            for place in range(count):
                stride = 2 if number > 0 and place == 0 else 1
                stage.append(Bottleneck(before, inside, stride))
                before = 4 * inside
            stages.append(nn.Sequential(*stage))
        self.stages = nn.Sequential(*stages)
        self.fc = nn.Linear(before, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(functional.relu(self.bn1(self.conv1(x))))
        x = self.stages(x)
        scores: torch.Tensor = self.fc(x.mean((2, 3)))
        return scores


def resnet_net() -> Net:
    torch.manual_seed(0)
    return ResNet(), (torch.randn(2, 3, 64, 64),)


def resnet() -> Made:
    """Two pictures of 3x64x64."""
    net, (pictures,) = resnet_net()
    labels = torch.tensor([1, 7])

    def forward() -> torch.Tensor:
        return functional.cross_entropy(net(pictures), labels)

    return forward, list(net.parameters())


class Block(nn.Module):
    """Attention and a feed-forward part, each behind a norm and beside a shortcut."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.ln_2 = nn.LayerNorm(width)
        self.fc = nn.Linear(width, 4 * width)
        self.out = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.ln_1(x))
        more: torch.Tensor = self.out(
            functional.gelu(self.fc(self.ln_2(x)), approximate="tanh")
        )
        return x + more

    def attention(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        shape = batch, length, self.heads, width // self.heads
        q, k, v = self.attn(x).split(width, dim=2)
        q, k, v = (each.view(shape).transpose(1, 2) for each in (q, k, v))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        mixed = mixed.transpose(1, 2).reshape(batch, length, width)
        found: torch.Tensor = self.proj(mixed)
        return found


class Gpt(nn.Module):
    """The sizes of GPT-2: 12 blocks, width 768; 124 million parameters."""

    def __init__(
        self, layers: int = 12, width: int = 768, heads: int = 12, words: int = 50257
    ) -> None:
        super().__init__()
        self.wte = nn.Embedding(words, width)
        self.wpe = nn.Embedding(1024, width)
        self.h = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
        for block in self.h:
            x = block(x)
        return functional.linear(self.ln_f(x), self.wte.weight)


def gpt_net() -> Net:
    torch.manual_seed(0)
    return Gpt(), (torch.randint(0, 50257, (1, 32)),)


def gpt() -> Made:
    """One text of 32 tokens."""
    net, (tokens,) = gpt_net()
    targets = torch.randint(0, 50257, (32,))

    def forward() -> torch.Tensor:
        return functional.cross_entropy(net(tokens)[0], targets)

    return forward, list(net.parameters())


MAKERS = {"seed": seed, "mlp": mlp, "chain": chain, "resnet": resnet, "gpt": gpt}
NETS = {"seed": seed_net, "mlp": mlp_net, "resnet": resnet_net, "gpt": gpt_net}
