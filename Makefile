# make run: set up and refresh both portfolios. make test: set up and run the tests; make test-all: also the slow ones.
# make ui: the Dagster UI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup run test test-slow test-all ui lint lock clean system

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -oE '^uv==[0-9.]+' requirements.lock)"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@$(BIN)/python -m compileall -q cx_intel
	@touch $@

run: setup
	@$(BIN)/cx-intel refresh

test: setup
	@$(BIN)/pytest

test-slow: setup
	@$(BIN)/pytest -m slow

test-all: test test-slow

ui: setup
	@$(BIN)/cx-intel ui

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

lock: setup
	@$(BIN)/uv pip compile --quiet --no-emit-index-url --generate-hashes --extra dev pyproject.toml -o requirements.lock

system:
	@bash install-system.sh

clean:
	rm -rf $(VENV) .cx_intel
