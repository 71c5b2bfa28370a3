"""Blocks of updates: the same sums as torch's own optimisers do one by one."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tutor.engine import compiled, maker
from tutor.engine.compiled import UPDATES, Kind
from tutor.training.spec import RunSpec

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "sse": lambda outputs, y: ((outputs - y) ** 2).sum(),
    "bce": functional.binary_cross_entropy_with_logits,
}
RUNS = [
    RunSpec("line", batch=4, points=50),
    RunSpec("all", batch=None, points=50, loss="mae"),
    RunSpec("sum", batch=3, points=50, loss="sse", lr=0.001),
    RunSpec("momentum", batch=4, points=50, optimiser="momentum", momentum=0.8),
    RunSpec("neuron", model="perceptron", points=40, batch=5, loss="bce", lr=0.5),
    RunSpec(
        "net",
        model="mlp",
        widths=(4, 3),
        points=40,
        batch=8,
        loss="bce",
        optimiser="adam",
        test=20,
    ),
    RunSpec("relu", model="mlp", widths=(5,), activation="relu", points=40, batch=8),
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))


def kind_of(spec: RunSpec) -> Kind:
    kind = compiled.kind_of(spec, features=1 if spec.model == "linear" else 2)
    assert kind is not None
    return kind


class Plain:
    """The same run as a learner would write it."""

    def __init__(self, spec: RunSpec, kind: Kind) -> None:
        torch.manual_seed(3)
        self.spec = spec
        layers: list[nn.Module] = []
        for at, (wide, after) in enumerate(
            zip(kind.sizes, kind.sizes[1:], strict=False)
        ):
            if at:
                layers.append({"tanh": nn.Tanh(), "relu": nn.ReLU()}[kind.activation])
            layers.append(nn.Linear(wide, after))
        if kind.sigmoid:
            layers.append(nn.Sigmoid())
        self.model = nn.Sequential(*layers)
        self.loss = LOSSES[spec.loss]
        if kind.sigmoid:
            self.loss = functional.binary_cross_entropy
        parameters = self.model.parameters()
        self.optimiser: torch.optim.Optimizer
        if spec.optimiser == "adam":
            self.optimiser = torch.optim.Adam(parameters, lr=spec.lr)
        else:
            momentum = spec.momentum if spec.optimiser == "momentum" else 0
            self.optimiser = torch.optim.SGD(parameters, spec.lr, momentum)

    def update(self, x: Tensor, y: Tensor) -> None:
        self.optimiser.zero_grad()
        self.loss(self.model(x), y).backward()
        self.optimiser.step()

    def loss_on(self, x: Tensor, y: Tensor) -> float:
        with torch.no_grad():
            return self.loss(self.model(x), y).item()


def data(points: int, features: int) -> tuple[Tensor, Tensor]:
    x = torch.randn(points, features)
    return x, (x[:, :1] > 0).float()


def compare(spec: RunSpec, function: compiled.Function | None) -> None:
    kind = kind_of(spec)
    plain = Plain(spec, kind)
    params = [each.detach().clone() for each in plain.model.parameters()]
    memory = compiled.blank_memory(kind, params)
    everything = data(spec.points, kind.sizes[0])
    test = data(spec.test, kind.sizes[0]) if spec.test else None
    for number in range(3):
        drawn = None
        if kind.batch < kind.points:
            drawn = torch.randint(spec.points, (UPDATES, kind.batch))
        rates = compiled.rates(
            kind, [spec.lr] * UPDATES, spec.momentum, 1 + number * UPDATES
        )
        block = compiled.block(
            kind, params, memory, rates, drawn, everything, test, function
        )
        params, memory = block.params, block.memory
        for at in range(UPDATES):
            rows = slice(None) if drawn is None else drawn[at]
            plain.update(everything[0][rows], everything[1][rows])
            assert block.losses[at].item() == pytest.approx(
                plain.loss_on(*everything), rel=1e-4
            )
            if test is not None:
                assert block.tests[at].item() == pytest.approx(
                    plain.loss_on(*test), rel=1e-4
                )
            for column, now in zip(
                block.history, plain.model.parameters(), strict=True
            ):
                torch.testing.assert_close(column[at], now.detach())


@pytest.mark.parametrize("spec", RUNS, ids=lambda spec: str(spec.name))
def test_a_block_is_as_many_updates_of_torchs_own(spec: RunSpec) -> None:
    compare(spec, None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch's own, about torch
@pytest.mark.parametrize("spec", [RUNS[0], RUNS[5]], ids=["line", "net"])
def test_compiled_it_is_the_same(spec: RunSpec) -> None:
    if maker.compiler() is None:
        pytest.skip("there is no C++ compiler")
    maker.make(kind_of(spec))
    assert [each.suffix for each in maker.place(kind_of(spec)).parent.iterdir()] == [
        ".so"
    ]
    compare(spec, maker.loaded(maker.place(kind_of(spec))))


@pytest.mark.parametrize(
    "spec",
    [
        RunSpec("random", optimiser="random"),
        RunSpec("slip", slip="no-zero-grad"),
        RunSpec("ball", model="point", dataset="bowl", loss="value"),
    ],
)
def test_what_cannot_be_compiled_is_left_to_the_eager_loop(spec: RunSpec) -> None:
    assert compiled.kind_of(spec, 1) is None


def test_without_a_compiler_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    made = maker.Maker()
    assert made.get(kind_of(RUNS[0])) is None
    assert "no C++ compiler" in made.problem
    assert not made.busy


@pytest.mark.slow
def test_another_process_compiles_while_the_run_goes_on() -> None:
    if maker.compiler() is None:
        pytest.skip("there is no C++ compiler")
    made, kind = maker.Maker(), kind_of(RUNS[1])
    assert made.get(kind) is None
    (process,) = made._working.values()
    assert process.wait(timeout=240) == 0
    function = made.get(kind)
    assert function is not None
    assert not made.busy
    compare(RUNS[1], function)
    another = maker.Maker().get(kind)  # at once: it lies in the cache
    assert another is not None
    compare(RUNS[1], another)


def test_a_library_that_is_none_is_told(tmp_path: Path) -> None:
    made, kind = maker.Maker(), kind_of(RUNS[1])
    if made.problem:
        pytest.skip("there is no C++ compiler")
    maker.place(kind).parent.mkdir(parents=True)
    maker.place(kind).write_bytes(b"cut off")
    assert made.get(kind) is None
    assert "cannot be loaded" in made.problem
    assert made.get(kind) is None
    assert not made.busy


def test_a_disk_that_does_not_take_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, kind = maker.Maker(), kind_of(RUNS[1])
    if made.problem:
        pytest.skip("there is no C++ compiler")
    (tmp_path / "compiled").write_text("a file where the folder should be")
    code = """if True:
        import sys
        from tutor.engine import maker
        maker.make = lambda kind: maker.place(kind).parent.mkdir()
        maker.main(sys.argv[1])
    """
    process = [sys.executable, "-c", code, json.dumps(asdict(kind))]
    monkeypatch.setattr(maker, "_process", lambda kind: subprocess.Popen(process))
    assert made.get(kind) is None
    assert made._working[kind].wait(timeout=120) == 3
    assert made.get(kind) is None
    assert (
        f"the disk does not take what torch.compile makes ({tmp_path}" in made.problem
    )


def test_another_processor_or_torch_has_another_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = kind_of(RUNS[1])
    places = {maker.place(kind), maker.place(kind_of(RUNS[0]))}
    monkeypatch.setattr(maker, "_made_for", lambda: ("2.13.0", "another"))
    assert len(places | {maker.place(kind)}) == 3


def test_an_interrupt_does_not_end_the_compilation() -> None:
    made, kind = maker.Maker(), kind_of(RUNS[1])
    if made.problem:
        pytest.skip("there is no C++ compiler")
    assert made.get(kind) is None
    (process,) = made._working.values()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == -signal.SIGTERM
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_compilation_that_fails_is_told_and_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    made, kind = maker.Maker(), kind_of(RUNS[1])
    if made.problem:
        pytest.skip("there is no C++ compiler")
    assert made.get(kind) is None
    for process in list(made._working.values()):
        process.wait(timeout=60)
    assert made.get(kind) is None
    assert "torch.compile does not work" in made.problem
    assert made.get(kind) is None
    assert not made.busy
