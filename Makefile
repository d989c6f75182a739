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

.PHONY: solve train test lint types contracts tests cluster slow base lowest benchmarks predictions clean

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
	$(VENV)/bin/python -m pytest -n 2 --dist worksteal -q -m "not slow"

# Half a minute on a real cluster of two nodes.
cluster: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -q -m slow tests/engine/executors

slow: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -q -m slow

# With the base install alone: what needs an extra is skipped, and says which.
base: $(VENV)-base/.tests
	$(VENV)-base/bin/python -m pytest -n 2 --dist worksteal -q -m "not slow"

# With the lowest version of every declared dependency; old libraries warn of what later ones changed.
lowest: $(VENV)-lowest/.tests
	$(VENV)-lowest/bin/python -m pytest -n 2 --dist worksteal -q -m "not slow" -W ignore::DeprecationWarning -W ignore::FutureWarning

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

$(VENV)-base/.tests: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)-base
	$(VENV)-base/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		hatchling editables hypothesis pytest pytest-xdist
	$(VENV)-base/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--no-build-isolation --editable .
	@touch $@

$(VENV)-lowest/.tests: pyproject.toml
	$(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet --disable-pip-version-check hatchling editables uv
	$(VENV)-lowest/bin/uv pip compile --quiet --resolution lowest-direct --all-extras pyproject.toml \
		--output-file $(VENV)-lowest/requirements.txt
	$(VENV)-lowest/bin/python -m pip install --quiet --disable-pip-version-check \
		--requirement $(VENV)-lowest/requirements.txt
	$(VENV)-lowest/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-base $(VENV)-lowest .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
