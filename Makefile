# Each target sets up what it needs first; nothing is done twice (see tools/setup.py).
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# Pages run one at a time in one worker, which waits for them most of the time; unit tests beside them (conftest.py).
WORKERS ?= 3
# Tests start Python again and again: what it compiles of pyml is kept, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=
TESTS ?= tests e2e
MARK ?= not slow

.PHONY: help setup models demo docs test test-all lint promises examples parity bench gpu-check gpu-carry clean

help:
	@echo "make setup | models | demo | docs | test | test-all | lint | promises | examples | parity | bench | gpu-check | gpu-carry | clean"

setup:
	@$(PYTHON) tools/setup.py

# All networks of pyml.hub: 204 MB to download, once, of which 30 MB are kept for pages.
models:
	@$(PYTHON) tools/setup.py --models all

demo: setup
	@$(BIN)/pyml demo mnist

# The documentation site into build/docs; its packages go into .venv the first time.
docs:
	@$(PYTHON) tools/setup.py --only docs
	@$(BIN)/python -m tools.docs $(ARGS)

# The tests use two of the networks (47 MB to download, once), those of the others are skipped before `make models`; and
# TensorFlow.js (4 MB), which they compare with.
test:
	@$(PYTHON) tools/setup.py --models small --tests
	@$(BIN)/python -m pytest $(TESTS) -m "$(MARK)" -n $(WORKERS) -q

# The slow ones too, and every network: 400 MB more to download, once. `make test MARK=` runs the slow ones without those.
test-all:
	@$(PYTHON) tools/setup.py --models all --tests
	@$(BIN)/python tests/saving/fetch_models.py
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[marimo]'
	@$(MAKE) --no-print-directory test MARK=

lint:
	@$(PYTHON) tools/setup.py --only python
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python tools/lint_tests.py

# The tests that show what pyml promises; OF=functions for one table of tests/promises/, the slow tests of it too.
OF ?= ground functions layers files start seeing
promises:
	@$(PYTHON) tools/setup.py --models small --tests
	@$(BIN)/python tools/promises.py --run $(OF)

# The examples of docstrings, README and docs, executed; `make test` runs them too.
EXAMPLES ?= tests/test_documents.py tests/test_tutorial.py tests/keras/test_examples.py tests/keras/test_preprocessing.py \
  tests/saving/test_saving_examples.py \
  tests/data/test_data_examples.py tests/hub/test_docs.py tests/test_ops.py
examples:
	@$(PYTHON) tools/setup.py --models small --tests
	@$(BIN)/python -m pytest $(EXAMPLES) -k "example or document or docs or readme or tutorial" -n $(WORKERS) -q

# Which of Keras' and the array API's names are there, with their parameters; ARGS=keras.ops for one module.
parity:
	@$(PYTHON) tools/setup.py --only python
	@$(BIN)/python tools/parity.py $(ARGS)

bench: setup
	@benchmarks/run.sh

# On a machine with a GPU; ARGS as `python -m benchmarks.gpu --help` names them. Sets nothing up: it may have no network.
GPU_PYTHON ?= $(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON))
gpu-check:
	@$(GPU_PYTHON) -m benchmarks.gpu $(ARGS)

# What the check needs on a machine without network, into build/gpu/carry; PYTHONS are the versions there.
PYTHONS ?= 3.12
gpu-carry:
	@$(PYTHON) -m benchmarks.gpu.carry --python $(PYTHONS)

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
