"""A small net live on the screen against Lightning and Keras, where they can be imported;
and the compiled engine against the eager one and against TensorFlow Playground.
"""

from functools import partial
from importlib.util import find_spec

from bench.figure import Figure
from bench.pairs import ROUNDS, Trainers, against, live_against
from bench.race import alone

PEERS = {
    "lightning": ("pytorch_lightning", 5.0),
    "keras": ("keras", 7.0),
}
"""The module, and how many times faster we want to be."""
PLAYGROUND = 8475 / 7001
"""Its own engine under node, relative to the bare loop without a loss on all the data, as
measured once beside it on one core."""
ENGINES = (
    ("compiled-race", "eager-race", 10.0, "the race of 2.14, compiled"),
    ("compiled-line", "eager-line", 10.0, "linear, batch 4, compiled"),
    ("compiled-net", "unwatched-net", PLAYGROUND, "net, compiled, Playground"),
)


def run() -> list[Figure]:
    there = [name for name, (module, _) in PEERS.items() if find_spec(module)]
    figures = []
    if there:
        with Trainers() as trainers, alone("net") as line:
            for name in there:
                what = f"net, live, {name}"
                figures.append(
                    live_against(line, trainers, f"{name}-net", PEERS[name][1], what)
                )
    return figures + engines()


def engines() -> list[Figure]:
    """The compiled engine; its first call may wait for the compiler."""
    figures = []
    with Trainers() as trainers:
        for ours, other, limit, what in ENGINES:
            for name in (ours, other):
                trainers.rate(name, 0.1)
            sides = [partial(trainers.rate, name, 0.5) for name in (ours, other)]
            figures.append(against(*sides, limit, what, other, 2 * ROUNDS))
    return figures


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
