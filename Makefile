# Two commands: `make solve` sets up and runs the main job, `make test` sets up and runs every check;
# `make train` makes gains by training.

PYTHON ?= python3
VENV ?= .venv
INSTANCE ?= mimic27
SOLVER ?= cpsat

# Published data beside the project are used where they are; otherwise they are downloaded once.
ifeq ($(ENGINE_DATA),)
ifneq ($(wildcard ../shared/data),)
export ENGINE_DATA := $(abspath ../shared/data)
endif
endif

PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: solve train test lint types contracts tests cluster slow benchmarks predictions clean

solve: $(VENV)/.base
	$(VENV)/bin/engine solve --instance $(INSTANCE) --solver $(SOLVER)

train: $(VENV)/.train
	$(VENV)/bin/engine collect --instance digits10 --until-reliable 0.9 --time-limit 300

test: lint types contracts tests cluster

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.dev
	$(VENV)/bin/mypy

contracts: $(VENV)/.dev
	$(VENV)/bin/lint-imports

tests: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -n 2 -q -m "not slow"

# Half a minute on a real cluster of two nodes.
cluster: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -q -m slow tests/engine/executors

slow: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -q -m slow

benchmarks: $(VENV)/.dev
	for table in benchmarks/[a-z]*.py; do $(VENV)/bin/python $$table || exit 1; done

# The predicted gains that come with the engine; needs the published ones.
predictions: $(VENV)/.dev
	$(VENV)/bin/python -m tools.bundle_predictions

$(VENV)/.base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "engine needs Python 3.11 or newer; give one with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) hatchling editables
	$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.train: $(VENV)/.base
	$(PIP) --no-build-isolation --editable '.[train]'
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
