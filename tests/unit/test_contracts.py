"""The import contracts of pyproject.toml name every module they should."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
EXCEPT = {
    "Only the engine imports torch and IPython": {"engine"},
    "Only ui imports textual and rich": {"cli", "ui"},
    "Only plotting touches plotext": {"plotting"},
    "Only kernel.channels speaks to Jupyter's sockets": {"kernel"},
}


def rooms() -> set[str]:
    entries = (ROOT / "tutor").iterdir()
    modules = {each.stem for each in entries if each.suffix == ".py"}
    packages = {each.parent.name for each in (ROOT / "tutor").glob("*/__init__.py")}
    return (modules | packages) - {"__init__", "__main__"}


@pytest.mark.parametrize("name", EXCEPT)
def test_a_new_module_is_under_every_contract(name: str) -> None:
    (contract,) = [each for each in CONTRACTS["contracts"] if each["name"] == name]
    named = {module.removeprefix("tutor.") for module in contract["source_modules"]}
    assert rooms() - EXCEPT[name] - named == set()
