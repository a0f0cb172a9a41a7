# Everything happens in .venv, which is made when missing. Needs python3 (3.11 or newer) alone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet
# The one release whose build without CUDA is known to pass; a range may take 5 GB of CUDA.
TORCH := torch==2.13.0
# Two processes halve the time on two cores; a file stays with one, for what its tests share.
PYTEST_OPTIONS ?= -n 2 --dist loadfile

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.PHONY: help demo test test-all lint bench

help:
	@echo "make demo      install the core without torch and measure the pictures in examples/"
	@echo "make test      install the test set-up; run ruff, mypy and the fast tests"
	@echo "make test-all  the same with the slow tests and every optional dependency"
	@echo "make lint      ruff and mypy alone"
	@echo "make bench     run the scripts of benchmarks/"
	@echo "PYTHON=python3.12 make ... makes .venv with another Python"

demo: $(VENV)/core.stamp
	$(BIN)/crystalgauge measure examples --out out/demo

# All checks run, whatever the first ones say; pytest comes last and so does its summary.
CHECKS = for check in "ruff check ." "ruff format --check ." mypy; do \
  echo "$$check"; $(BIN)/$$check || status=1; done

lint: $(VENV)/test.stamp
	@status=0; $(CHECKS); exit $$status

test: $(VENV)/test.stamp
	@status=0; $(CHECKS); $(BIN)/python -m pytest $(PYTEST_OPTIONS) || status=$$?; exit $$status

test-all: $(VENV)/full.stamp
	@status=0; $(CHECKS); \
	$(BIN)/python -m pytest -m "not gpu" $(PYTEST_OPTIONS) || status=$$?; exit $$status

bench: $(VENV)/full.stamp
	@status=0; for script in benchmarks/*.py; do \
	  echo "== $$script"; $(BIN)/python $$script || status=1; done; exit $$status

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "CrystalGauge needs Python 3.11 or newer; $(PYTHON) is not. Name one that is:" >&2; \
	  echo "  make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu run:" >&2; \
	  echo "  apt-get install python3-venv" >&2; exit 1; }

# A stamp is renewed when pyproject.toml changes, so that a second run starts at once.
$(VENV)/core.stamp: pyproject.toml | $(BIN)/pip
	@echo "installing crystalgauge into $(VENV)"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/test.stamp: pyproject.toml | $(BIN)/pip
	@echo "installing crystalgauge with its test set-up into $(VENV); this takes minutes"
	@$(PIP) install $(TORCH)
	@$(PIP) install --editable ".[test,train,monitor]"
	@touch $(VENV)/core.stamp $@

# The server of PostgreSQL is no Python package; its tests are skipped where there is none.
POSTGRES = ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || \
  { [ "$$(id -u)" = 0 ] && apt-get install -y --no-install-recommends postgresql; } || \
  echo "no PostgreSQL server, its tests will be skipped; on Debian: apt-get install postgresql"

$(VENV)/full.stamp: $(VENV)/test.stamp
	@echo "installing every optional dependency into $(VENV); this takes minutes"
	@$(PIP) install $(TORCH) --editable ".[test,train,pretrained,formats,openvino,mitsuba,monitor,postgres]"
	@$(POSTGRES)
	@touch $@
