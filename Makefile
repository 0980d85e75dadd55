# What a person types. `make run` and `make test` need nothing installed by hand but make and
# Python 3.11 or newer with its venv module; they say so when it is missing.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first interpreter that really starts, is new enough and can make a virtual environment.
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
V := .venv/bin
PIP := $(V)/python -m pip --disable-pip-version-check --quiet install
TESTS ?= tests

.PHONY: help run setup test check demo bench clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: .venv/runs ## dashboard and watcher together, on port 8501
	@exec $(V)/python -m monitoring serve

demo: .venv/runs ## fills an empty record with a ward worth looking at
	@$(V)/python -m monitoring migrate
	@$(V)/python -m monitoring demo

setup: .venv/tests ## everything that tests need, a browser included

test: .venv/tests ## everything, browsers and both databases included
	@$(V)/python -m pytest -n 2 --dist loadfile -m "not bench" $(TESTS)

check: .venv/tests ## style, types, who imports whom, links in the docs
	@$(V)/ruff check .
	@$(V)/ruff format --check .
	@$(V)/mypy
	@$(V)/python -m pytest -q tests/test_architecture.py tests/test_docs.py

bench: .venv/tests ## measures, and prints the table
	@for file in tests/bench/bench_*.py; do echo "== $$file"; PYTHONPATH=. $(V)/python $$file; done

clean: ## forgets what was installed and cached; never the record
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp is newer than the pins it was made from, so a second run starts at once.

.venv/bin/python:
	@$(or $(PYTHON),false) -c '$(FITS)' || { echo "Python 3.11 or newer with venv is missing." \
	  "On Debian or Ubuntu: sudo apt install make python3-venv" >&2; exit 1; }
	@echo "Making .venv with $(PYTHON)"
	@$(PYTHON) -m venv --clear .venv

.venv/runs: requirements.txt | .venv/bin/python
	@echo "Installing the pinned packages (about a minute, once)"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/tests: requirements-dev.txt tests/browser_setup.py .venv/runs
	@echo "Installing what tests need"
	@$(PIP) -r requirements-dev.txt
	@$(V)/python tests/browser_setup.py .venv/browser
	@touch $@
