# Every way to run anything. CI says the same words: see .ci/run.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench soak texts migrate migration lock clean

NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
# The first that runs: a name on PATH may be a shim for a version that is not there.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name $(NEW_ENOUGH) 2>/dev/null && { echo $$name; break; }; done)
BIN := .venv/bin
READY := .venv/.ready
UV := UV_PYTHON_DOWNLOADS=never $(BIN)/uv
COMPILE := $(UV) pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate --quiet

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' Makefile | awk -F ':.*## ' '{ printf "make %-10s %s\n", $$1, $$2 }'

setup: $(READY) ## Make .venv with everything that the product and its tests need
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) $(NEW_ENOUGH) \
		|| { echo "Python 3.11 or newer is needed; name one with: make setup PYTHON=/path/to/python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv \
		|| { echo "This Python cannot make environments; on Debian: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.13"
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@infra/find-chromium
	@touch $@

demo: setup ## Play a whole pilot in virtual time, then serve its pages (ARGS="--weeks 4")
	$(BIN)/pods demo $(ARGS)

test: setup ## Run the tests (ARGS="tests/foundation -k outbox")
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

check: setup ## Check format, rules, types, the container files and the locks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/hadolint infra/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec infra/compose.yaml
	$(BIN)/yamllint --strict infra/compose.yaml
	@! grep -nE '://|--(index|extra-index|find-links)' requirements.lock requirements-runtime.lock \
		|| { echo "A lock names a host: make lock"; exit 1; }

bench: setup ## Measure, side by side, and print tables
	@failed=0; for each in reports series sweeps memory pages intake; do \
		echo "== $$each"; $(BIN)/python -m benchmarks.$$each || failed=1; done; exit $$failed

soak: setup ## Run the long tests
	$(BIN)/python -m pytest -m soak $(ARGS)

texts: setup ## Bring the catalogs of translations up to the texts of the source, and list what is to be translated
	$(BIN)/python -m integration.texts

migrate: setup ## Bring the database of the present settings up to date
	$(BIN)/pods migrate

migration: setup ## Write the next migration: make migration m="Add rooms"
	@test -n "$(m)" || { echo 'Say what it does: make migration m="Add rooms"'; exit 2; }
	@rm -rf var/migration && DATA_DIR=var/migration $(BIN)/pods migrate \
		&& DATA_DIR=var/migration $(BIN)/pods migrate --write "$(m)"; rm -rf var/migration
	@$(BIN)/ruff format --quiet integration/migrations && $(BIN)/ruff check --quiet --fix integration/migrations

lock: setup ## Choose versions anew and write both locks, without hosts
	$(COMPILE) --extra dev -o requirements.lock
	$(COMPILE) -c requirements.lock -o requirements-runtime.lock

clean: ## Remove the environment and everything that was generated
	rm -rf .venv var demo-out .pytest_cache .ruff_cache .hypothesis
