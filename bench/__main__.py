"""`python -m bench [start|keys|steps|recorder ...]`: measure, print one table.

Exit code 1 when a promise is missed. Other work on the machine shows in the figures.
"""

import importlib
import os
import sys

from bench.figure import Figure, table

ALL = (
    "start",
    "enter",
    "keys",
    "sent",
    "race",
    "trainers",
    "hour",
    "luck",
    "watch",
    "plots",
    "steps",
    "rules",
    "recorder",
)


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"There is no {unknown[0]}; there are {', '.join(ALL)}.", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in names or ALL:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        figures += importlib.import_module(f"bench.{name}").run()
    print(table(figures))
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, Python {sys.version.split()[0]}")
    return 0 if all(figure.kept is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
