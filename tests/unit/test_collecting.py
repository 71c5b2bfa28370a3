"""What the app is made of is not looked through while it draws."""

import subprocess
import sys

CODE = """
import gc
from tutor.progress import Progress
from tutor.ui.app import _real_session
before = len(gc.get_objects())
session = _real_session(Progress(None))
print(before, len(gc.get_objects()), *gc.get_threshold())
"""


def test_a_collection_finds_little_to_look_at_once_the_app_is_there() -> None:
    printed = subprocess.check_output([sys.executable, "-c", CODE], text=True)
    before, after, *thresholds = map(int, printed.split())
    assert before > 10_000
    assert after < before / 10
    assert thresholds[0] > 1000
