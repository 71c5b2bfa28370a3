"""What is read from the learner's text: where things are made, replaced, switched off."""

import pytest

from tutor.graph import code, origins, switches

NET = """\
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 8)
        self.out = nn.Sequential(
            nn.ReLU(),
            nn.Linear(8, 1),
        )
        self.register_buffer("scale", torch.ones(3))

    def forward(self, x):
        return self.out(self.fc(x))

net = Block()
w = net.fc.weight
for p in net.out.parameters():
    p.requires_grad = False
with torch.no_grad():
    y = net(x)
net.fc = nn.Linear(4, 8)
"""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("net", 14),
        ("net.out.1.weight", 7),
        ("net.out.0", 6),
        ("net.fc.weight", 20),
        ("w", 15),
        ("net.unknown.weight", 14),
        ("missing", None),
    ],
)
def test_where_a_name_is_made(name: str, line: int | None) -> None:
    found = origins.made(NET, name)
    assert (found and found.line) == line


def test_what_takes_a_parts_place() -> None:
    found = origins.replaced(NET, "net.fc.weight", after=19)
    assert found == origins.Place(20, "nn.Linear(4, 8)")
    assert origins.replaced(NET, "net.fc.weight", after=20) is None
    assert origins.replaced(NET, "net.out.1.weight", after=14) is None


def test_buffers_and_returns() -> None:
    buffer = origins.registered(NET, "net.scale")
    assert buffer is not None
    assert buffer.line == 9
    assert [each.line for each in origins.returns_of(NET, "Block", "forward")] == [12]
    assert origins.returns_of(NET, "Other", "forward") == ()


@pytest.mark.parametrize(
    ("text", "name", "lines"),
    [
        (NET, "net.out.1.weight", [17]),
        (NET, "net.fc.weight", []),
        ("w.requires_grad_(False)", "w", [1]),
        ("w.requires_grad_(True)", "w", []),
        ("net.requires_grad_(False)", "net.0.weight", [1]),
        ("net[0].requires_grad_(False)", "net.0.weight", [1]),
        ("net[0].requires_grad_(False)", "net.1.weight", []),
        ("for n, p in net.named_parameters():\n    p.requires_grad_(False)", "net.b", [2]),
        ("e = nn.Embedding.from_pretrained(v)", "e.weight", [1]),
        ("e = nn.Embedding.from_pretrained(v, freeze=False)", "e.weight", []),
    ],
)  # fmt: skip
def test_where_requires_grad_is_switched_off(
    text: str, name: str, lines: list[int]
) -> None:
    assert [each.line for each in switches.switched_off(text, name)] == lines


def test_the_block_around_a_line() -> None:
    found = code.block(NET, 19)
    assert found is not None
    assert (found.switch, found.head) == ("no_grad", 18)
    assert code.block(NET, 17) is None
    decorated = "@torch.no_grad()\ndef f(t):\n    return t"
    around = code.block(decorated, 3)
    assert around is not None
    assert around.head == 1


def test_who_reads_a_number_that_was_taken_out() -> None:
    text = "a = x.item()\nb = a + 1\nc = 3\nd = b * y\ne = c * y"
    assert code.readers(text, 1, "x.item()") == {2, 4}
    assert code.readers(text, None, "x.item()") == frozenset()


@pytest.mark.parametrize("text", ["x = ", "", "\0", "def f(:"])
def test_text_that_does_not_parse_says_nothing(text: str) -> None:
    assert origins.made(text, "x") is None
    assert code.blocks(text) == ()
    assert list(switches.switched_off(text, "x")) == []
