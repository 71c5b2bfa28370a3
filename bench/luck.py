"""The race of 2.14 over 500 seeds at once, against the same runs one by one.

One by one is the engine's own eager loop, the same settings, the same points; each with
one torch thread, alternating.
"""

import time
from dataclasses import replace

from bench.figure import Figure, quantile
from tutor.engine import luck, train
from tutor.training import options
from tutor.training.luck import LuckEnd, LuckRequest
from tutor.training.run import Finished
from tutor.training.spec import RaceSpec, SliceRequest

SEEDS = 500
ALONE = 10
"""Seeds trained one by one in each turn."""
TURNS = 5
LIMIT = 15.0


def run() -> list[Figure]:
    """Milliseconds a seed, the medians of alternating turns."""
    at_once(2)  # what torch imports at its first optimiser is nobody's cost
    one_by_one(range(1))
    ours, other = [], []
    for turn in range(TURNS):
        ours.append(at_once(SEEDS))
        other.append(one_by_one(range(turn * ALONE, (turn + 1) * ALONE)))
    mine, theirs = quantile(ours, 0.5), quantile(other, 0.5)
    return [
        Figure(
            f"the race of 2.14, {SEEDS} seeds at once",
            mine,
            theirs,
            "ms/seed",
            f"1/{LIMIT:.0f}",
            theirs / mine >= LIMIT,
            f"{theirs / mine:.0f} times cheaper per seed; {TURNS} alternating turns; "
            f"other: the eager loop, {ALONE} seeds one by one",
        )
    ]


def at_once(seeds: int) -> float:
    """Milliseconds a seed."""
    request = LuckRequest(options.race(None), seeds=seeds)
    began = time.perf_counter()
    *_, end = luck.luck(request)
    took = time.perf_counter() - began
    assert isinstance(end, LuckEnd)
    assert len(end.runs["sgd"].losses) == seeds
    return 1000 * took / seeds


def one_by_one(seeds: range) -> float:
    """Milliseconds a seed."""
    race = options.race(None)
    began = time.perf_counter()
    for seed in seeds:
        runs = tuple(replace(each, seed=seed) for each in race.runs)
        *_, finished = train.train(SliceRequest(RaceSpec(runs)))
        assert isinstance(finished, Finished)
        assert finished.over
    return 1000 * (time.perf_counter() - began) / len(seeds)


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
