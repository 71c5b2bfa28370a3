"""The stored traces of the other tests are what the recorder makes today."""

import pytest
import torch

from tests.stored_traces import LARGE, REQUESTS, settled, stored
from tutor.engine.trace import record


@pytest.mark.parametrize("name", [*REQUESTS, *LARGE])
def test_a_stored_trace_is_the_recorders(name: str) -> None:
    if torch.__version__.partition("+")[0] != "2.13.0":
        pytest.skip("recorded with torch 2.13.0")
    trace = settled(record({**REQUESTS, **LARGE}[name]))
    assert trace == stored(name), "renew them: python -m tests.stored_traces"
