# Everything a clone needs: `make run` checks the gallery, `make test` runs the tests. Needs make and Python 3.11 or newer.

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON := $(BIN)/python
CASES  ?= cases/*.yaml
TESTS  ?= tests

# Where several processes share the cores, threads inside numpy only get into each other's way.
ONE_THREAD := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: run test lint golden bench soak verdicts diagnose mutants wheel clean

run: $(VENV)/.compiled
	@$(BIN)/gradcheck run $(CASES)

test: $(VENV)/.installed-dev
	@$(ONE_THREAD) $(PYTHON) -m pytest -n auto $(TESTS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Rewrites the expected outputs; the diff is to be reviewed.
golden: $(VENV)/.installed-dev
	@GOLDEN=1 $(ONE_THREAD) $(PYTHON) -m pytest -n auto $(TESTS)

# About a quarter of an hour; `make bench WORKLOADS=w3` takes one. Other checkers are compared where they are installed.
bench: $(VENV)/.installed-dev $(VENV)/.compiled
	@$(if $(WORKLOADS),,$(PYTHON) tests/benchmarks/startup.py)
	@$(if $(WORKLOADS),,$(PYTHON) tests/benchmarks/peers.py)
	@$(PYTHON) tests/benchmarks/bench.py $(WORKLOADS)
	@$(if $(WORKLOADS),,$(PYTHON) tests/benchmarks/grading.py)

# The property tests and the fuzzer, at length.
soak: $(VENV)/.installed-dev
	@SOAK=1 $(ONE_THREAD) $(PYTHON) -m pytest -n auto $(TESTS)

verdicts: $(VENV)/.installed-dev
	@$(PYTHON) tests/verdict_table.py

# Planted mistakes, and what the diagnosis calls them.
diagnose: $(VENV)/.installed-dev
	@$(ONE_THREAD) $(PYTHON) tests/diagnosis_table.py

# Small mistakes planted in the verdict, one at a time: how many its tests notice.
mutants: $(VENV)/.installed-dev
	@$(ONE_THREAD) $(PYTHON) tests/mutation_score.py

# A wheel, installed in an environment of its own, checks a case there.
wheel: $(VENV)/.installed-dev
	@rm -rf build/wheel
	@$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/wheel .
	@$(PYTHON) -m venv build/wheel/venv
	@build/wheel/venv/bin/pip install --quiet --disable-pip-version-check build/wheel/*.whl
	@cd build/wheel && venv/bin/gradcheck run ../../cases/01_apples_and_oranges.yaml

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps keep a second run quick: pip is asked again only when pyproject.toml has changed.
$(VENV)/.installed: pyproject.toml | $(PYTHON)
	@echo "installing gradcheck into $(VENV) ..."
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(PYTHON)
	@echo "installing gradcheck and its tools into $(VENV) ..."
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable ".[test,lint]"
	@touch $@ $(VENV)/.installed

# Where Python is told not to write bytecode, every start would compile the package anew.
$(VENV)/.compiled: $(VENV)/.installed $(shell find gradcheck -name '*.py')
	@$(PYTHON) -m compileall -q gradcheck
	@touch $@

$(PYTHON):
	@for python in "$${SYSTEM_PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "creating $(VENV) with $$("$$python" --version)"; \
	    "$$python" -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); \
	    echo "'$$python -m venv' failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	  fi; \
	done; \
	echo "no Python 3.11 or newer was found; set SYSTEM_PYTHON to one, e.g. make run SYSTEM_PYTHON=/opt/python3.12/bin/python3" >&2; \
	exit 1
