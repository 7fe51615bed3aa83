# make run: set up and refresh both shipped portfolios. make ui: the Dagster UI. The other targets are for those who
# change the code: CONTRIBUTING.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK := requirements-dev.lock
SAYING := bash tools/with_progress.sh
unexport PYTHONDONTWRITEBYTECODE # else each test process compiles the tests anew

.PHONY: setup install install-postgres run ui test test-slow test-engines test-spark test-all bench coverage lint format docs wheel lock words first-hour system clean

setup: $(STAMP)

# Installs what a lock names, and the program itself from where it lies; uv is a tool for this and named by the lock for development.
define install_locked
@test -x $(BIN)/python || $(SAYING) "Making $(VENV)" $(PYTHON) -m venv $(VENV)
@test -x $(BIN)/uv || $(SAYING) "Installing uv" $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	"$$(grep -oE '^uv==[0-9.]+' $(LOCK))"
@$(SAYING) "Installing the packages of $(1)" $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(1)
@$(SAYING) "Installing cx_intel" $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
@$(SAYING) "Compiling" $(BIN)/python -m compileall -q cx_intel
endef

$(STAMP): $(LOCK) pyproject.toml
	$(call install_locked,$(LOCK))
	@touch $@

# For a deployment: the packages of requirements.lock alone.
install:
	$(call install_locked,requirements.lock)

# The same, with Dagster's storage in PostgreSQL.
install-postgres:
	$(call install_locked,requirements-postgres.lock)

run: setup
	@$(BIN)/cx-intel refresh

ui: setup
	@$(BIN)/cx-intel ui

test: setup
	@$(BIN)/pytest

test-slow: setup
	@$(BIN)/pytest -m slow

# Every model on PostgreSQL, and compiled for the other engines; part of test-slow.
test-engines: setup
	@$(BIN)/pytest -m 'slow or not slow' cx_intel_tests/engines

# A portfolio on Spark and Iceberg: brings PySpark and the jars, which `make setup` leaves out. Needs Java 17.
test-spark: setup
	@$(SAYING) "Installing PySpark" $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-spark.lock
	@$(SAYING) "Making Iceberg's jars" $(BIN)/python tools/iceberg_jars.py build/iceberg
	@ICEBERG_JARS=$(CURDIR)/build/iceberg $(BIN)/pytest -n0 -m 'slow or not slow' cx_intel_tests/integration/spark

test-all: test test-slow

# What refreshes of large companies cost, beside hand-written SQL (benchmarks/README.md): half an hour, 4 GB of disk.
bench: setup
	@$(BIN)/python benchmarks/size/run.py

# The fast suite, with the lines that no test reaches in build/coverage/index.html.
coverage: setup
	@$(BIN)/pytest --cov --cov-report=html:build/coverage --cov-report=term:skip-covered

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/vulture

format: setup
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: setup
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html"

# Builds the wheel, and proves it: installed alone with the packages of requirements.lock, away from the checkout.
wheel: setup
	@bash tools/wheel.sh $(BIN)

# The locks name the same versions: those for development and for PostgreSQL keep to the one for deployments, but for
# SQLAlchemy, of which dagster-postgres needs an older one.
lock: setup
	@$(BIN)/uv pip compile --quiet --universal --no-emit-index-url --generate-hashes pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --no-emit-index-url --generate-hashes --constraint requirements.lock --group dev \
		pyproject.toml -o $(LOCK)
	@grep -v '^sqlalchemy==' requirements.lock | grep -oE '^[A-Za-z0-9._-]+==[^ \\]+' > $(VENV)/but-sqlalchemy.txt
	@$(BIN)/uv pip compile --quiet --universal --no-emit-index-url --no-header --generate-hashes --constraint $(VENV)/but-sqlalchemy.txt \
		--no-annotate --extra postgres pyproject.toml -o requirements-postgres.lock
	@$(BIN)/uv pip compile --quiet --universal --no-emit-index-url --no-header --generate-hashes --constraint requirements.lock \
		--no-annotate --extra spark pyproject.toml -o requirements-spark.lock

# Collects the texts of the reports and merges them into the catalogues (docs/languages.md)
words: setup
	@$(BIN)/pybabel -q extract -F cx_intel/reports/words/babel.cfg --no-default-keywords -k say -k term -k count:1,2 -k plural:1,2 -k sentence:2 \
		--no-location --sort-output --width=120 -o $(BIN)/words.pot cx_intel/reports cx_intel/orchestration/schedules cx_intel/contracts/staging/reasons.py
	@$(BIN)/pybabel -q update -i $(BIN)/words.pot -o cx_intel/reports/words/de.po -l de --ignore-obsolete --no-fuzzy-matching \
		--width=120
	@sed -i -E '/^"(Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team):/d' \
		cx_intel/reports/words/de.po

# Follows docs/first-hour.md and makes its pictures anew: three minutes, a Chromium.
first-hour: setup
	@$(BIN)/python tools/first_hour.py

system:
	@bash install-system.sh

clean:
	rm -rf $(VENV) .cx_intel build dist
