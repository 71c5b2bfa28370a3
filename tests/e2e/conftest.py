"""Every end-to-end test has a data folder of its own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("TUTOR_HOME", str(folder))
    return folder
