"""The lesson format, version 1: the only declaration of what a lesson file may say.

`lessons/schema.json` is generated from it. Pure data; reading files is `lesson.load`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FORMAT = 1

Identifier = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9-]{0,39}$",
        description="Stable for ever: progress is kept under it.",
        extra={
            "words": "an id: lower-case letters, digits and hyphens, "
            "beginning with a letter, at most 40"
        },
    ),
]
SectionNumber = Annotated[
    str,
    Meta(
        pattern=r"^2\.(1[0-8]|[1-9])$",
        description="Like 2.5; the course has 2.1 to 2.18.",
        extra={"words": "a section: the course has 2.1 to 2.18"},
    ),
]


class Part(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """What every table of a lesson file has in common: no unknown keys."""


class Expect(Part, kw_only=True, frozen=True):
    """What a code cell must do; `check` proves it. All given keys must hold."""

    close: str | None = None
    """An expression: the cell's last value must be close to it (and same shape)."""
    equal: str | None = None
    """An expression: the cell's last value must be equal to it."""
    shape: list[int] | None = None
    dtype: str | None = None
    """Like "float32"."""
    device: str | None = None
    requires_grad: bool | None = None
    raises: str | None = None
    """The exception's type, or "Type: some of its message"."""
    prints: str | None = None
    """Text that the cell's standard output contains."""


class Wrong(Part, kw_only=True, frozen=True):
    """A likely wrong answer to an exercise, and what to say about the mistake."""

    code: str
    say: str
    when: str | None = None
    """An expression over the check's names that recognises the mistake. None: the
    mistake is recognised only by an exact match of the code."""


class WrongAnswer(Part, kw_only=True, frozen=True):
    """A likely wrong answer to a question; exactly one of number, choice, order."""

    say: str
    number: float | None = None
    choice: int | None = None
    """Counted from 1, as on screen."""
    order: list[int] | None = None
    """Items by their number in `items`, from 1, in a wrong order; some or all."""
    groups: dict[str, list[str]] | None = None
    """A misplaced member or more, each under the group it was put in."""


class Cell(Part, kw_only=True, frozen=True, tag_field="kind"):
    """What all cells share."""

    id: Identifier
    aliases: list[Identifier] = []
    """Former ids: progress under them still counts."""
    title: str = ""
    """Short; "" shows the first words of the text or task."""
    text: str = ""
    """Markdown subset, shown above the cell's own part."""
    math: str = ""
    """Formulas, a line each; drawn as stacked fractions, or plain in ASCII."""


class TextCell(Cell, tag="text", kw_only=True, frozen=True):
    """Something to read."""


class CodeCell(Cell, tag="code", kw_only=True, frozen=True):
    """Code to run as it is, or to change and run again."""

    code: str
    expect: Expect | None = None
    device: str | None = None
    """The device the cell needs, like "cuda"; skipped with a reason elsewhere."""


class QuestionCell(Cell, tag="question", kw_only=True, frozen=True):
    """A question answered before anything is run.

    Exactly one of number, choices, items (in their right order) and groups.
    """

    ask: str
    number: float | None = None
    tolerance: float = 0.0
    """Absolute; 0 asks for the exact number."""
    expression: str | None = None
    """Computed in the kernel by `check` and compared with the stated answer."""
    choices: list[str] | None = None
    answer: int | None = None
    """The right choice, counted from 1."""
    items: list[str] | None = None
    """In the right order; shown shuffled, always in the same way."""
    groups: dict[str, list[str]] | None = None
    """Group name to its members."""
    why: str = ""
    """Said after the right answer."""
    wrong: list[WrongAnswer] = []
    hints: list[str] = []


class ExerciseCell(Cell, tag="exercise", kw_only=True, frozen=True):
    """Code to write, judged by `check` in the kernel."""

    task: str
    starter: str
    solution: str
    check: str
    hints: list[str]
    wrong: list[Wrong] = []
    why: str = ""
    """Said after it passed, and with the solution."""
    seconds: Annotated[float, Meta(gt=0, le=60)] = 5.0
    """Limit of the check."""
    mutants: bool = False
    """`check` also tries the function with its result replaced, which must fail."""
    device: str | None = None


class GraphCell(Cell, tag="graph", kw_only=True, frozen=True):
    """Code to walk in the stepper."""

    code: str
    at: dict[str, float | list[float | list[float]]] = {}
    """Leaves made before the code runs."""
    dtype: str = "float64"
    root: str | None = None
    predict: list[str] = []
    """Hidden until the learner has answered: a value "q", a local derivative "dq/dx",
    a gradient "df/dq", what a leaf holds "x.grad"; or "all"."""
    order: Literal["engine", "slide"] = "engine"
    """Of the backward pass: torch's own, or that of the slides."""
    raises: str | None = None
    """The code stops on purpose with an error that has these words in it."""
    build: bool = False
    """The picture begins empty: inputs, nodes and values appear one key at a time."""
    backward: bool = True
    """False: the walk ends with the forward pass."""
    captions: dict[str, str] = {}
    """A sentence said at a step, by what happens there: "start", "input x", "node q",
    "value q", "whole f", "arrive q", "local q", "contribute x", "accumulate x", "leaf x",
    "refused y", "end"."""


Batch = Annotated[
    Annotated[int, Meta(gt=0)] | Literal["all"],
    Meta(extra={"words": 'a batch: a whole number from 1, or "all"'}),
]


class TrainRun(Part, kw_only=True, frozen=True):
    """One curve of a race; what is not given is the cell's."""

    name: str
    """Unlike the other runs' names."""
    of: str | None = None
    """An earlier run that it is forked off."""
    since: int | None = None
    """The iteration of its first point; it is as `of` up to there."""
    dataset: str | None = None
    points: int | None = None
    noise: float | None = None
    test: int | None = None
    model: str | None = None
    widths: list[int] | None = None
    activation: str | None = None
    init: str | None = None
    start: list[float] | None = None
    loss: str | None = None
    optimiser: str | None = None
    momentum: float | None = None
    lr: float | None = None
    decay: float | None = None
    batch: Batch | None = None
    iterations: int | None = None
    seed: int | None = None
    slip: str | None = None
    """A mistake made on purpose, to see what it does."""
    device: str | None = None
    changes: dict[str, float | str] = {}
    """A setting from an iteration on: { "lr@12" = 0.1 }."""


class TrainCell(Cell, tag="train", kw_only=True, frozen=True):
    """A race to watch on the training screen; `training.values` tells what each setting
    may be, `training.options` what it is when it is not given."""

    runs: list[TrainRun] = []
    """Empty: the race of gd, minibatch and sgd; for another model, one run."""
    dataset: str | None = None
    points: int | None = None
    noise: float | None = None
    test: int | None = None
    model: str | None = None
    widths: list[int] | None = None
    activation: str | None = None
    init: str | None = None
    start: list[float] | None = None
    loss: str | None = None
    optimiser: str | None = None
    momentum: float | None = None
    lr: float | None = None
    decay: float | None = None
    batch: Batch | None = None
    iterations: int | None = None
    seed: int | None = None
    slip: str | None = None
    """A mistake made on purpose, to see what it does."""
    device: str | None = None
    changes: dict[str, float | str] = {}
    """A setting from an iteration on: { "lr@12" = 0.1 }."""
    engine: str | None = None
    view: Literal["curves", "contour", "output", "layers", "noise", "luck"] = "curves"
    """What the screen opens with: the losses; the loss over the parameters; what the
    model says over its data; the layers; the noise of batches; many seeds at once."""
    seeds: Annotated[int, Meta(gt=0, le=2000)] = 500
    """Of the luck meter."""
    diverges: list[str] = []
    """Names of the runs whose loss grows without end; `check` proves it of these, and of
    the others that they finish."""
    settings: list[str] = []
    """The settings shown to turn, like ["lr", "batch"]; empty: the usual ones."""
    speed: Annotated[float, Meta(gt=0)] | None = None
    """Iterations a second at first; not given: as many as there can be, or 10 of a
    short race."""
    ask: str = ""
    """A question to keep in mind while watching."""


AnyCell = TextCell | CodeCell | QuestionCell | ExerciseCell | GraphCell | TrainCell


class Lesson(Part, kw_only=True, frozen=True):
    """One lesson file, one section of the course."""

    format: Literal[1]
    section: SectionNumber
    title: str
    minutes: Annotated[int, Meta(gt=0, le=60)]
    cells: list[AnyCell]
    summary: str = ""
    """One line for the home screen: what the learner will be able to do."""
    needs: list[SectionNumber] = []
    objectives: list[str] = []
    setup: str = ""
    """Runs before the first cell, and again after a restart."""
