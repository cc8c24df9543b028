# The same commands by hand, in hooks and in CI. `make` alone lists them.
# Needs Python 3.11 or newer, make, and a package index that pip can reach; everything else goes into .venv.

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
SYNCED := $(VENV)/.synced

BUNDLE ?= out/bundle
OUT ?= out/scores.parquet
ARGS ?=

# No one is told what we do, and no artifact may execute.
export MLFLOW_DISABLE_TELEMETRY := true
export BENTOML_DO_NOT_TRACK := True
export MLFLOW_ALLOW_PICKLE_DESERIALIZATION := false

.DEFAULT_GOAL := .commands
.PHONY: .commands setup demo test check docs bench train score serve ui lock clean

.commands:
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-7s %s\n", $$1, $$2}' Makefile

# `make help` and a slip of the finger both get the list; only the slip is an error.
.DEFAULT:
	@test "$@" = help || echo "There is no make $@. There are:"
	@$(MAKE) --silent .commands
	@test "$@" = help

setup: $(SYNCED)  ## make .venv as the lock file says (the others do it by themselves)

demo: $(SYNCED)  ## the whole story on 23,570 real customers, in under two minutes
	$(BIN)/tiercast demo $(ARGS)

test: $(SYNCED)  ## every test and every doctest, on two cores
	$(PY) -m pytest -n 2 --dist worksteal --durations=15 $(ARGS)

check: $(SYNCED)  ## lint, format, types, import law
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

docs: $(SYNCED)  ## does every link, every example and every documented command hold?
	$(PY) -m pytest -n 2 -q --doctest-glob='*.md' README.md CONTRIBUTING.md docs tiercast \
		tests/repo/test_docs.py tests/repo/test_commands.py $(ARGS)

bench: $(SYNCED)  ## speed and size beside the usual scripts: machine, versions, ratios
	$(PY) -m benchmarks $(ARGS)

# One part of it: make bench-score, or the ladder up to 20 million customers, which make bench leaves out: make bench-large.
bench-%: $(SYNCED)
	$(PY) -m benchmarks $* $(ARGS)

train: $(SYNCED)  ## make train DATA=orders.parquet AS_OF=2026-06-30 [BUNDLE=out/bundle] [ARGS=...]
	@test -n "$(DATA)" -a -n "$(AS_OF)" || { echo "Say what to learn from: make train DATA=orders.parquet AS_OF=2026-06-30"; exit 2; }
	$(BIN)/tiercast train "$(DATA)" --as-of "$(AS_OF)" --bundle "$(BUNDLE)" $(ARGS)

score: $(SYNCED)  ## make score DATA=orders.parquet AS_OF=2026-07-31 [BUNDLE=...] [OUT=...]
	@test -n "$(DATA)" -a -n "$(AS_OF)" || { echo "Say whom to score: make score DATA=orders.parquet AS_OF=2026-07-31"; exit 2; }
	$(BIN)/tiercast score "$(DATA)" --as-of "$(AS_OF)" --bundle "$(BUNDLE)" --out "$(OUT)" $(ARGS)

serve: $(SYNCED)  ## the HTTP service on this machine [BUNDLE=out/bundle]
	$(BIN)/tiercast serve --bundle "$(BUNDLE)" $(ARGS)

ui: $(SYNCED)  ## MLflow's pages over ./mlruns, on this machine
	$(BIN)/mlflow server --host 127.0.0.1 --workers 1 --backend-store-uri sqlite:///mlruns/mlflow.db $(ARGS)

# The lock names no host, so that it installs from whatever index pip and uv are set up for.
lock:  ## pin every dependency anew, by hash, for Python 3.11 to 3.13
	@test -x $(BIN)/uv || { echo "make lock needs uv, which make setup installs."; exit 1; }
	$(BIN)/uv pip compile --universal --python-version 3.11 --all-extras --group dev --no-emit-index-url \
		--no-header --no-annotate --generate-hashes --quiet pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --extra serve --extra registry --no-emit-index-url \
		--no-header --no-annotate --generate-hashes --quiet --constraint requirements.lock pyproject.toml -o deploy/requirements.txt

clean:  ## remove what the tools left behind; .venv, out/ and mlruns/ stay
	rm -rf dist build demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# --- how .venv comes to be -------------------------------------------------------------------------------------------

define SAY_WHAT_PYTHON_LACKS
import sys
if sys.version_info < (3, 11):
    sys.exit("Tiercast needs Python 3.11 or newer and %s is %d.%d: run make PYTHON=/path/to/python3.11." % (sys.executable, sys.version_info[0], sys.version_info[1]))
try:
    import ensurepip, venv
except ImportError:
    sys.exit("This Python cannot make virtual environments: install them (Debian, Ubuntu: apt-get install python3-venv) and run make again.")
endef
export SAY_WHAT_PYTHON_LACKS

define SAY_WHAT_LIGHTGBM_LACKS
try:
    import lightgbm
except OSError as error:
    raise SystemExit("LightGBM cannot start (%s): install the OpenMP runtime (Debian, Ubuntu: apt-get install libgomp1; macOS: brew install libomp) and run make again." % error)
endef
export SAY_WHAT_LIGHTGBM_LACKS

# uv takes half a minute where pip takes two; where there is no uv, or it cannot reach the index that pip can, pip does it.
$(SYNCED): requirements.lock pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { echo "No $(PYTHON) here: install Python 3.11 or newer, or run make PYTHON=/path/to/python3.11."; exit 1; }
	@$(PY) -c 'import sys, pip; assert sys.version_info >= (3, 11)' 2>/dev/null \
		|| { "$(PYTHON)" -c "$$SAY_WHAT_PYTHON_LACKS" && echo "Making $(VENV) ..." && "$(PYTHON)" -m venv --clear $(VENV); }
	@echo "Installing what requirements.lock says ..."
	@if $(PY) -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) \
		&& $(BIN)/uv pip sync --quiet --python $(PY) requirements.lock \
		&& $(BIN)/uv pip install --quiet --python $(PY) --no-deps -e . ; then :; \
	else \
		echo "uv did not manage; pip does the same, in a few minutes ..."; \
		$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock \
		&& $(PY) -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	fi
	@$(PY) -c "$$SAY_WHAT_LIGHTGBM_LACKS"
	@touch $@
