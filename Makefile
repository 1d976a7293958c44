# Two commands: `make run` to use it, `make test` to check it. Needs python3 (3.11 or later, with venv) and make.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install --quiet --require-hashes --no-deps

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test check lint types layers pytest format lock licences clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

# -- the environment ------------------------------------------------------------------------------------------------------
# A copy of the lock inside the environment says what is installed: an unchanged lock means nothing to do.

setup: .venv/requirements.lock .venv/kernels ## The environment .venv, from the lock

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "rayapp needs Python 3.11 or later: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "python3 has no venv: on Debian and Ubuntu, apt install python3-venv" >&2; rm -rf .venv; exit 1; }

.venv/requirements.lock: requirements.lock pyproject.toml | .venv/bin/python .venv/kernels
	@echo "setting up .venv (some 700 MB; a minute or two)"
	@$(INSTALL) -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@echo "compiling kernels and the default pack, once"
	@$(BIN)/rayapp warm || echo "rayapp warm failed, see above; what needs the default pack will fail too" >&2
	@cp requirements.lock $@

# numba keeps a compiled kernel though another file's that it calls has changed: with any of them changed all are compiled again.
.venv/kernels: $(wildcard rayapp/scoring/*.py rayapp/scoring/*/*.py) | .venv/bin/python
	@find rayapp -name '*.nb[ic]' -delete
	@touch $@

setup-dev: .venv/requirements-dev.lock .venv/kernels

.venv/requirements-dev.lock: requirements-dev.lock .venv/requirements.lock
	@$(INSTALL) -r requirements-dev.lock
	@cp requirements-dev.lock $@

# -- use ------------------------------------------------------------------------------------------------------------------

run: setup ## Everything on this machine: Ray, PostgreSQL, HTTP; stays up until Ctrl-C
	@exec $(BIN)/rayapp up

# -- check ----------------------------------------------------------------------------------------------------------------

test: check pytest ## All checks and all tests

check: lint types layers ## ruff, mypy --strict and the import layers

lint: setup-dev ## ruff
	@$(BIN)/ruff check .

types: setup-dev
	@$(BIN)/mypy

layers: setup-dev
	@$(BIN)/lint-imports --no-logo

pytest: setup-dev
	@$(BIN)/pytest $(ARGS)

# -- upkeep ---------------------------------------------------------------------------------------------------------------

format: setup-dev ## ruff's own fixes
	@$(BIN)/ruff check --fix .

lock: setup-dev ## Renew both locks and the list of licences from pyproject.toml
	$(PIP) install --quiet 'pip-tools>=7.6'
	$(BIN)/pip-compile --extra build --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --extra build --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
	$(INSTALL) -r requirements-dev.lock
	$(BIN)/python tools/list_licences.py > THIRD_PARTY_LICENCES.md

clean: ## Remove the environment and every cache
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find rayapp tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
