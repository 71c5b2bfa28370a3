"""`train --runs`: the stored races, and which of them a bare `--resume` means."""

import time

from tutor.errors import UsageError
from tutor.exports import figures
from tutor.headless import printing
from tutor.runs.store import Runs, StoredRun
from tutor.safetext import safe_line
from tutor.training import words


def show(runs: Runs, *, json: bool) -> int:
    """Print the list, the newest first."""
    found = runs.list()
    if json:
        printing.document({"runs": [_plain(each) for each in found]})
        return 0
    if not found:
        printing.talk("No run is stored: one is kept when it takes over a second.")
        return 0
    rows = [("id", "iteration", "", "what")]
    rows += [
        (
            each.id,
            each.far,
            "can go on" if _can_go_on(each) else each.stopped,
            "",
        )
        for each in found
    ]
    lines = figures.aligned([row[:3] for row in rows])
    for line, each in zip(lines, [None, *found], strict=True):
        what = "settings" if each is None else _what(each)
        printing.data(f"{line}  {what}\n")
    return 0


def _what(each: StoredRun) -> str:
    settings = "" if each.spec.watched else words.settings_line(each.spec)
    return safe_line(": ".join(filter(None, (each.title, settings))), 200)


def _plain(each: StoredRun) -> dict[str, object]:
    return {
        "id": each.id,
        "title": each.title,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each.started)),
        "iteration": each.iteration,
        "iterations": each.spec.iterations,
        "stopped": each.stopped,
        "resumable": _can_go_on(each),
        "command": words.command(each.spec),
    }


def _can_go_on(each: StoredRun) -> bool:
    return each.stopped == "interrupted" and not each.spec.watched


def newest(runs: Runs) -> str:
    """The id of the newest race that can go on. Raises UsageError: there is none."""
    for each in runs.list():
        if _can_go_on(each):
            return each.id
    raise UsageError(
        "No stored run was cut off, so there is none to go on with: "
        "`python -m tutor train --runs` lists them."
    )
