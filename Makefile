# Each target sets up what it needs first; nothing is done twice (see tools/setup.py).
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# Pages run one at a time in one worker (the e2e group), unit tests beside them.
WORKERS ?= 2
TESTS ?= tests e2e

.PHONY: help setup models demo test lint bench clean

help:
	@echo "make setup | models | demo | test | lint | bench | clean"

setup:
	@$(PYTHON) tools/setup.py

# All networks of pyml.hub: 204 MB to download, once, of which 30 MB are kept for pages.
models:
	@$(PYTHON) tools/setup.py --models all

demo: setup
	@$(BIN)/pyml demo mnist

# The tests use two of the networks (47 MB to download, once); those of the others are skipped before `make models`.
test:
	@$(PYTHON) tools/setup.py --models small
	@$(BIN)/python -m pytest $(TESTS) -n $(WORKERS) --dist loadgroup -q

lint:
	@$(PYTHON) tools/setup.py --only python
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: setup
	@benchmarks/run.sh

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
