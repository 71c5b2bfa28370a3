# make run [TORCH=cpu] [PYTHON=python3.12]   open the tutor; sets itself up at first
# make test                                   set up the test tools, run every test
# make check | quick | bench | wheel          see below

PYTHON ?= python3
TORCH ?=
VENV := .venv
BIN := $(VENV)/bin
SET_UP := $(PYTHON) scripts/set_up.py $(if $(TORCH),--torch $(TORCH))

# The box's own pytest plugins stay out: only ours are loaded.
PYTEST := PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 $(BIN)/python -m pytest \
	-p pytest_asyncio.plugin -p pytest_timeout -p syrupy -p _hypothesis_pytestplugin

.PHONY: run test quick snapshots check bench format wheel ready ready-dev clean

run: ready
	@$(BIN)/python -m tutor

ready:
	@$(SET_UP)

ready-dev:
	@$(SET_UP) --dev

test: ready-dev
	$(PYTEST)

quick: ready-dev          # unit and UI tests, in about two and a half minutes
	$(PYTEST) -p xdist -n 4 -m "not gpu and not kernel and not slow" -q \
		tests/unit tests/ui tests/test_imports.py

snapshots: ready-dev      # rewrite the text snapshots of the screens; read the diff
	$(PYTEST) -m "not gpu" --snapshot-update tests/ui

check: ready-dev          # what CI asks before the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports
	$(BIN)/python -m tutor check --static

bench: ready-dev
	$(BIN)/python -m bench

format: ready-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

wheel: ready-dev
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
