"""One run that computes: its data, model, optimiser and batches, its settings at each
iteration, and the points that were not sent yet.

What happens once in many iterations (a setting changes, a snapshot is due) is found by
one comparison in each; what is off costs nothing.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Generator, Tensor

from tutor.engine import datasets, devices, losses, models, optimisers, slips, snapshots
from tutor.engine.optimisers import RandomSearch
from tutor.engine.snapshots import Snapshot, Snapshots
from tutor.training.findings import Finding
from tutor.training.forks import from_here, same_until
from tutor.training.run import Points, RunEnd, Stopped
from tutor.training.spec import Kept, RunSpec

DIVERGED = 1e6
"""A loss of so many times the first one (or of 1) will not come back."""
BATCH_SEED = 10_000
MOVE_SEED = 30_000
"""What is added to the seed for the generators of batches and of random moves."""


class Run:
    """A run, at `iteration`."""

    workers = 1
    """Processes that compute it together."""

    def __init__(
        self, spec: RunSpec, silent_until: int = -1, like: "Run | None" = None
    ) -> None:
        """Of the points up to `silent_until` nothing is told: somebody has them. `like`
        has the same data.

        Raises TutorError when its device is not there.
        """
        self.spec = spec
        self.now = replace(spec, changes=())
        """The settings of the last update."""
        self.device = devices.device(spec.device)
        self.data: datasets.Data = like.data if like else _data(spec, self.device)
        self.test: datasets.Data | None = (
            like.test if like else _test_data(spec, self.device)
        )
        self.model = models.model(spec, self.data.x.shape[1]).to(self.device)
        self.parameters = tuple(self.model.parameters())
        self._reading = models.without_gradients(self.model)
        """Of the losses that are only told."""
        self.findings: list[Finding] = []
        """Not yet taken by anybody."""
        self.snapshots = Snapshots()
        self._is_elsewhere = self.device.type != "cpu"
        self.iteration = 0
        self.diverged = False
        self.seconds = 0.0
        """Of computing so far; whoever calls `advance` counts them."""
        self._samples = 0
        self._sent_seconds = 0.0
        self._batches = Generator().manual_seed(BATCH_SEED + spec.seed)
        self._moves = Generator().manual_seed(MOVE_SEED + spec.seed)
        self.optimiser = optimisers.optimiser(self.now, self.model, self._moves)
        self._watched = models.watched(spec, self.model)
        self._ready: list[Points] = []
        self._clear()
        self.scratch: Run | None = None
        """The same one at an earlier iteration; `back`'s."""
        self._told = silent_until
        self._loss = losses.loss(self.now)
        self._settle()
        self._last_loss = self._loss_of(self.data)
        self._bound = DIVERGED * max(1.0, self._last_loss)
        self.snapshots.add(self.snapshot())
        if self._told < 0:
            self._record()
        if spec.device == "auto" and self.device.type == "cpu" and silent_until < 0:
            there = ", ".join(devices.here())
            self.findings.append(Finding(spec.name, "device", text=there))

    # ------------------------------------------------------------------ one iteration

    def advance(self) -> None:
        """One update of the parameters, and the point after it."""
        if self.iteration >= self._next_event:
            self._event()
        self._update()
        self.iteration += 1
        self._samples += self._per_iteration
        self._note()

    # ------------------------------------------------------- several, made elsewhere

    def steady_for(self) -> int:
        """How many updates there are until something else is due; what is due now is
        done first."""
        if self.iteration >= self._next_event:
            self._event()
        return min(self._next_event, self.spec.iterations) - self.iteration

    def drawn(self, count: int) -> Tensor | None:
        """(count, batch) numbers of the data points of the next updates; None: all."""
        batch, points, generator = self.now.batch, self.spec.points, self._batches
        if batch is None:
            return None
        orders = [torch.randperm(points, generator=generator) for _ in range(count)]
        return torch.stack([order[:batch] for order in orders])

    def take_block(
        self, losses: list[float], tests: list[float], history: list[Tensor]
    ) -> int:
        """Note updates that were made elsewhere, up to one that diverged; `history`: of
        each parameter (updates, ...). Returns how many count."""
        good = (at for at, loss in enumerate(losses) if not loss <= self._bound)
        count = next(good, len(losses) - 1) + 1
        self._losses += losses[:count]
        self._test_losses += tests[:count]
        self._last_loss = losses[count - 1]
        self.iteration += count
        self._samples += count * self._per_iteration
        if self._params:
            flat = torch.cat([each.flatten(1) for each in history], 1)[:count]
            columns = flat.T.tolist()
            for held, column in zip(self._params.values(), columns, strict=True):
                held += column
        with torch.no_grad():
            for into, column in zip(self.parameters, history, strict=True):
                into.copy_(column[count - 1])
        if not self._last_loss <= self._bound:
            self._diverge()
        return count

    def _event(self) -> None:
        """What is due before the update of this iteration."""
        at = self.iteration
        last = self.snapshots.before(at)
        if last is None or at - last.iteration >= self.snapshots.stride:
            self.snapshots.add(self.snapshot())
        self._change(replace(self.spec.at(at), changes=()))
        self._settle()
        due = [each.at for each in self.spec.changes]
        due += [self._told, slips.LOOKED if self._told < 0 else 0]
        last = self.snapshots.before(at)
        due.append((last.iteration if last else 0) + self.snapshots.stride)
        self._next_event = min(each for each in due if each > at)

    def _settle(self) -> None:
        """Choose what each iteration does, from this one to the next event."""
        self._next_event = self.iteration
        self._per_iteration = self.now.samples_per_iteration
        self._update = self._updating()
        if self._told < 0 and self.iteration < slips.LOOKED:
            self._update = self._looking(self._update)
        silent = self.iteration < self._told
        self._note = _nothing if silent else self._record_and_check

    def _change(self, new: RunSpec) -> None:
        """Go on with other settings, those in `CHANGEABLE`."""
        old, self.now = self.now, new
        if new == old:
            return
        if new.samples_per_iteration != old.samples_per_iteration:
            self._flush()
        if new.optimiser != old.optimiser:
            self.optimiser = optimisers.optimiser(new, self.model, self._moves)
        elif self.optimiser is not None:
            for group in self.optimiser.param_groups:
                group["lr"] = new.lr
                if new.optimiser == "momentum":
                    group["momentum"] = new.momentum
        if new.activation != old.activation and new.model == "mlp":
            for each in (self.model, self._reading):
                models.activate(each, new.activation)
        if new.loss != old.loss:
            self._loss = losses.loss(new)
            self._last_loss = self._loss_of(self.data)
            self._bound = max(self._bound, DIVERGED * self._last_loss)

    def _updating(self) -> Callable[[], None]:
        update = {"random": self._move, "none": _nothing}.get(
            self.now.optimiser, self._descend
        )
        if self.now.slip == "no-zero-grad" and update == self._descend:
            update = self._descend_without_clearing
        decay, optimiser, lr = self.now.decay, self.optimiser, self.now.lr
        if not decay or optimiser is None:
            return update
        groups = optimiser.param_groups

        def decayed() -> None:
            for group in groups:
                group["lr"] = lr / (1 + decay * self.iteration)
            update()

        return decayed

    def _descend(self) -> None:
        x, y = self._batch()
        loss = self._loss(self.model(x), y)
        self._clear_gradients()
        loss.backward()
        self.optimiser.step()  # type: ignore[union-attr]

    def _clear_gradients(self) -> None:
        """What `optimiser.zero_grad()` does, in a fiftieth of its time."""
        for each in self.parameters:
            each.grad = None

    def _descend_without_clearing(self) -> None:
        x, y = self._batch()
        self._loss(self.model(x), y).backward()
        self.optimiser.step()  # type: ignore[union-attr]

    def _move(self) -> None:
        x, y = self._batch()
        assert isinstance(self.optimiser, RandomSearch)
        self.optimiser.step(lambda: self._loss(self.model(x), y))

    def _looking(self, update: Callable[[], None]) -> Callable[[], None]:
        """The same update, after a look for mistakes in what it is about to do."""

        def looked() -> None:
            drawn = self._batches.get_state()
            x, y = self._batch()
            self._batches.set_state(drawn)
            if self.optimiser is not None and self.now.slip != "no-zero-grad":
                self._clear_gradients()
            loss = self._loss(self.model(x), y)
            self.findings += slips.found(
                self.spec, self.model, self.data, self._loss, loss, self.iteration
            )
            update()

        return looked

    def _batch(self) -> tuple[Tensor, Tensor]:
        """(batch, features), (batch, 1): drawn without repeats, or all the data."""
        if self.now.batch is None:
            return self.data.x, self.data.y
        order = torch.randperm(self.spec.points, generator=self._batches)
        chosen = order[: self.now.batch]
        if self._is_elsewhere:
            chosen = chosen.to(self.device)
        return self.data.x[chosen], self.data.y[chosen]

    # -------------------------------------------------------------------- its points

    def _loss_of(self, data: datasets.Data) -> float:
        return self._loss(self._reading(data.x), data.y).item()

    def _record(self) -> None:
        loss = self._loss_of(self.data)
        self._losses.append(loss)
        self._last_loss = loss
        if self.test is not None:
            self._test_losses.append(self._loss_of(self.test))
        for name, number in self._watched.items():
            self._params[name].append(number.item())

    def _record_and_check(self) -> None:
        self._record()
        if not self._last_loss <= self._bound:  # true for nan
            self._diverge()

    def _diverge(self) -> None:
        self.diverged = True
        self.findings += slips.ended(
            self.spec,
            self.model,
            self.data,
            self._loss,
            self.iteration,
            self._last_loss,
        )

    def _clear(self) -> None:
        self._losses: list[float] = []
        self._test_losses: list[float] = []
        self._params: dict[str, list[float]] = {name: [] for name in self._watched}

    def take(self) -> list[Points]:
        """The points since the last time."""
        self._flush()
        ready, self._ready = self._ready, []
        return ready

    def _flush(self) -> None:
        """One batch of points has one number of samples per iteration."""
        count = len(self._losses)
        if not count:
            return
        each = self._per_iteration
        first = self._sent_seconds + (self.seconds - self._sent_seconds) / count
        self._ready.append(
            Points(
                run=self.spec.name,
                start=self.iteration - count + 1,
                samples=self._samples - (count - 1) * each,
                per_iteration=each,
                losses=tuple(self._losses),
                params={name: tuple(column) for name, column in self._params.items()},
                test_losses=tuple(self._test_losses),
                seconds=(first if self.iteration >= count else 0.0, self.seconds),
                device=str(self.device),
                workers=self.workers,
            )
        )
        self._sent_seconds = self.seconds
        self._clear()

    def standing(self) -> RunEnd:
        """Where the run is now."""
        stopped: Stopped = "interrupted"
        if self.diverged:
            stopped = "diverged"
        elif self.iteration >= self.spec.iterations:
            stopped = "finished"
        return RunEnd(
            stopped,
            self.iteration,
            self._last_loss,
            {name: number.item() for name, number in self._watched.items()},
            self._accuracy(self.data),
            None if self.test is None else self._accuracy(self.test),
            str(self.device),
            workers=self.workers,
        )

    def _accuracy(self, data: datasets.Data) -> float | None:
        if data.task != "classify":
            return None
        with torch.no_grad():
            return losses.accuracy(self.now, self.model(data.x), data)

    # ------------------------------------------------------------- settings, and copies

    @property
    def place(self) -> int:
        """Its iteration, or that of its first point that is still to come."""
        return max(self.iteration, self._told + (self.spec.since > 0), self.spec.since)

    @property
    def is_begun(self) -> bool:
        """Whether it has a point; a fork has none before it branches off."""
        return max(self.iteration, self._told) >= self.spec.since

    @property
    def size(self) -> int:
        """Bytes of its parameters."""
        return sum(
            each.numel() * each.element_size() for each in self.model.parameters()
        )

    def adopt(self, spec: RunSpec) -> None:
        """Go on with what `spec` says of the iterations that are not computed yet.

        Raises TutorError when it is another run altogether.
        """
        if not same_until(spec, self.spec, self.iteration):
            spec = from_here(self.spec, spec, self.iteration)
        self.spec = spec
        self.scratch = None
        self._next_event = self.iteration

    def snapshot(self) -> Snapshot:
        """All that is needed to go on from here."""
        uncleared = self.now.slip == "no-zero-grad"
        return Snapshot(
            iteration=self.iteration,
            samples=self._samples,
            seconds=self.seconds,
            bound=self._bound,
            optimiser=self.now.optimiser,
            parameters=snapshots.parameters(self.model),
            gradients=snapshots.gradients(self.model) if uncleared else [],
            memory=snapshots.memory(self.optimiser, self.model),
            batches=self._batches.get_state(),
            moves=self._moves.get_state() if self._moves_at_random else None,
        )

    @property
    def _moves_at_random(self) -> bool:
        return "random" in {
            self.spec.optimiser,
            *(each.value for each in self.spec.changes),
        }

    def restore(self, taken: Snapshot) -> None:
        """Be where the snapshot was taken: of this run, or of one that is alike up to
        there."""
        self._clear()
        self._change(replace(self.spec.at(taken.iteration - 1), changes=()))
        is_same = taken.optimiser == self.now.optimiser
        snapshots.put_back(taken, self.model, self.optimiser, is_same)
        self._batches.set_state(taken.batches)
        if taken.moves is not None:
            self._moves.set_state(taken.moves)
        self.iteration, self._samples = taken.iteration, taken.samples
        self.seconds = self._sent_seconds = taken.seconds
        self._bound = taken.bound
        self._last_loss = self._loss_of(self.data)
        self.diverged = not self._last_loss <= self._bound
        if taken.iteration:
            self.snapshots.add(taken)
        self._settle()
        if self.iteration > self._told:
            self._record()

    def kept(self, most: int) -> Kept:
        """Where it stands, to travel; without the state where that has more bytes."""
        state = snapshots.as_text(self.snapshot(), most)
        return Kept(self.spec.name, self.iteration, state)

    def follow(self, stood: Kept) -> None:
        """Be where it was computed to elsewhere; its points were told there."""
        self._told = max(self.told, stood.iteration)
        self.restore(snapshots.from_text(stood.state))

    @property
    def told(self) -> int:
        """The last iteration whose point was taken, or needs not be told."""
        return max(self.iteration - len(self._losses), self._told)

    def hush(self, until: int) -> None:
        """Of the points up to there nothing is told any more."""
        if until > self.told:
            self._told = until
            self._clear()
            self._settle()


def _data(spec: RunSpec, device: torch.device) -> datasets.Data:
    made = datasets.data(spec.dataset, spec.points, spec.noise, spec.seed)
    return made.to(device)


def _test_data(spec: RunSpec, device: torch.device) -> datasets.Data | None:
    made = datasets.test_data(spec)
    return None if made is None else made.to(device)


def _nothing() -> None:
    pass
