"""Lesson 2.5 accepts right code however it is written, and names mistakes likewise.

That the lesson's own solutions and wrong answers are judged as told is `check`'s proof.
"""

from functools import partial

import pytest

from tests.lessons import judging, tables
from tests.lessons.judging import function

judged = partial(judging.judged, "2.5")

CHANNELS = "channels_first(img)"
OUTER = "outer(a, b)"
COLUMNS = "standardise(t)"
MASK = "without_negatives(t)"
DISTANCES = "distances(p, q)"


test_right_code_passes_however_it_is_written = tables.right_code_passes(
    "2.5",
    [
        ("fold", "y = x.view(3, 4, 5, 10)\nrank = len(y.shape)\n"),
        ("fold", "y = torch.arange(600).reshape((3, 4, -1, 10)); rank = y.dim()\n"),
        ("fold", "y = x.unflatten(0, (3, 4, 5, 10))\nrank = 4\n"),
        ("channels", function(CHANNELS, "return img.movedim(-1, 0)")),
        ("channels", function(CHANNELS, "return img.permute((2, 0, 1)).contiguous()")),
        (
            "channels",
            function(CHANNELS, "return img.transpose(0, 2).transpose(1, 2).clone()"),
        ),
        (
            "channels",
            function(CHANNELS, "return torch.stack([c for c in img.unbind(2)])"),
        ),
        ("outer", function(OUTER, "return a.unsqueeze(1) * b")),
        ("outer", function(OUTER, "return a.reshape(-1, 1) * b.reshape(1, -1)")),
        ("outer", function(OUTER, "return a[:, None] @ b[None]")),
        ("outer", function(OUTER, "x = a.expand(len(b), len(a)).T; return x.mul(b)")),
        (
            "columns",
            function(
                COLUMNS, "return (t - t.mean(0, keepdim=True)) / t.std(0, correction=0)"
            ),
        ),
        ("columns", function(COLUMNS, "c = t - t.mean(0); return c / c.std(dim=0)")),
        (
            "columns",
            function(
                COLUMNS,
                "c = t - t.sum(dim=0) / len(t); return c / (c ** 2).mean(dim=0).sqrt()",
            ),
        ),
        (
            "columns",
            function(COLUMNS, "m, s = t.mean(-2), t.std(-2); return (t - m) / s"),
        ),
        (
            "columns",
            function(
                COLUMNS, "return ((t.T - t.T.mean(1)[:, None]) / t.std(0)[:, None]).T"
            ),
        ),
        ("mask", function(MASK, "return torch.where(t < 0, 0, t)")),
        ("mask", function(MASK, "return t.clamp(min=0)")),
        ("mask", function(MASK, "return t * (t > 0)")),
        ("mask", function(MASK, "return torch.relu(t)")),
        ("mask", function(MASK, "return t.masked_fill(t < 0, 0)")),
        ("mask", function(MASK, "new = t + 0; new[t < 0] = 0.0; return new")),
        ("mask", function(MASK, "return (t + t.abs()) / 2")),
        ("distances", function(DISTANCES, "return (p[:, None] - q).norm(dim=-1)")),
        (
            "distances",
            function(
                DISTANCES,
                "d = p.unsqueeze(1) - q.unsqueeze(0); return torch.sqrt((d * d).sum(2))",
            ),
        ),
        (
            "distances",
            function(
                DISTANCES,
                "s = (p * p).sum(1)[:, None] + (q * q).sum(1) - 2 * p @ q.T; "
                "return s.clamp(min=0) ** 0.5",
            ),
        ),
        (
            "distances",
            function(
                DISTANCES,
                "return torch.einsum('nmd,nmd->nm', *[p[:, None] - q] * 2).sqrt()",
            ),
        ),
    ],
)


test_a_mistake_is_named_however_it_is_written = tables.mistakes_are_named(
    "2.5",
    [
        ("fold", "x.reshape(3, 4, 5, 10)\nrank = 4\ny = x\n", "does not change `x`"),
        ("fold", "y = x.reshape(3, 4, 50)\nrank = 4\n", "not (3, 4, 5, 10)"),
        ("fold", "y = x.reshape(3, 4, 5, 10)\nrank = 3\n", "not the right number"),
        ("fold", "y = x.flip(0).reshape(3, 4, 5, 10)\nrank = 4\n", "read in order"),
        ("fold", "y = x.reshape(3, 4, 5, 10)\n", "There is no `rank` yet."),
        ("channels", function(CHANNELS, "return img.T"), "lies on its side"),
        ("channels", function(CHANNELS, "img.permute(2, 0, 1)"), "returned None"),
        (
            "channels",
            function(CHANNELS, "return img.view(img.shape[2], *img.shape[:2])"),
            "in reading order",
        ),
        ("outer", function(OUTER, "return torch.einsum('i,j->ij', a, b)"), "broadcast"),
        ("outer", function(OUTER, "return torch.dot(a, b)"), "inner product"),
        ("outer", function(OUTER, "return (a * b).sum()"), "inner product"),
        ("outer", function(OUTER, "return a * b[:, None]"), "swapped"),
        ("columns", function(COLUMNS, "return (t - t.mean(1)) / t.std(1)"), "`dim=1`"),
        (
            "columns",
            function(COLUMNS, "t = t - t.mean(dim=0); return t / t.std()"),
            "not the right numbers",
        ),
        ("columns", function(COLUMNS, "return (t - t.mean()) / t.std()"), "own"),
        ("mask", function(MASK, "t.clamp_(min=0); return t"), "caller's tensor"),
        ("mask", function(MASK, "t[t < 0] = 0; return t.clone()"), "caller's tensor"),
        ("mask", function(MASK, "return t[t >= 0]"), "keeps only what it picks"),
        ("mask", function(MASK, "return (t > 0)"), "not the right numbers"),
        (
            "distances",
            function(DISTANCES, "return (p - q).norm(dim=1)"),
            "its own axis",
        ),
        (
            "distances",
            function(DISTANCES, "return (q[:, None] - p).norm(dim=-1)"),
            "transposed",
        ),
        (
            "distances",
            function(DISTANCES, "return ((p[:, None] - q) ** 2).sum(dim=0).sqrt()"),
            "shape",
        ),
        (
            "distances",
            function(DISTANCES, "return (p[:, None] - q[None]).pow(2).sum(-1)"),
            "root is missing",
        ),
    ],
)


@pytest.mark.parametrize("cell_id", ["outer", "mask", "distances"])
def test_a_loop_is_told_with_its_line(cell_id: str) -> None:
    loops = {
        "outer": function(
            OUTER,
            "new = torch.zeros(len(a), len(b)); "
            "for i in range(len(a)): new[i] = a[i] * b; return new",
        ),
        "mask": function(
            MASK,
            "new = t.clone().reshape(-1); "
            "for i in range(len(new)): new[i] = max(new[i], 0); "
            "return new.reshape(t.shape)",
        ),
        "distances": function(
            DISTANCES,
            "new = torch.zeros(len(p), len(q)); "
            "for i in range(len(p)): new[i] = (p[i] - q).norm(dim=1); return new",
        ),
    }
    verdict = judged(cell_id, loops[cell_id])

    assert verdict.message.endswith("needs no loop: line 3 has one.")


test_cells_keep_to_the_lesson_rules_of_length = tables.cells_keep_to_length(
    "2.5", prose=6, width=74
)
