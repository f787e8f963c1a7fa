# `make` alone lists what there is. The environment makes itself in .venv/ when it is needed.

PYTHON ?= python3
# Tests run in so many processes, each file in one of them: much of what they do is waiting.
# WORKERS=0 for a debugger.
WORKERS ?= 3
PARALLEL = --numprocesses $(WORKERS) --dist loadfile
BIN := .venv/bin
VENV := .venv/.made
FUZZ := .venv/.made_fuzz
MUTATION := .venv/.made_mutation
NODE := tests/interop/node_modules/.made

# Programs that write a generated page into docs/, and with --check say whether it is up to date.
PAGES := "-m issuance_server.observe.event_page" "-m issuance_server.observe.register_schema" \
	tools/draw_states.py "-m tools.asyncapi"

MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo run test test-full check docs gallery vectors fuzz explore sim mutants mutation power-cuts faults bench lock clean programs

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV) ## one certificate from card to paper on a sample city, then stop
	$(BIN)/python -m issuance_server.demo

run: $(VENV) ## the same sample city, left running until Ctrl-C
	$(BIN)/python -m issuance_server.demo --stay

test: $(VENV) $(NODE) programs ## the short form of all tests
	$(BIN)/python -m pytest $(PARALLEL)

test-full: $(VENV) $(NODE) programs ## the long form: more generated cases
	$(BIN)/python -m pytest --full -o faulthandler_timeout=3600 $(PARALLEL)

check: $(VENV) $(NODE) programs ## all that must hold before a commit: style, types, imports, tests, pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	for page in $(PAGES); do $(BIN)/python $$page --check || exit 1; done
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

docs: $(VENV) ## write the generated pages of docs/ anew
	for page in $(PAGES); do $(BIN)/python $$page || exit 1; done

gallery: $(VENV) ## draw the pictures of certificates in docs/gallery/ anew
	$(BIN)/python -m tools.gallery

vectors: $(VENV) ## make the test vectors in tests/vectors/ anew, byte for byte
	$(BIN)/python -m tools.make_vectors

fuzz: $(FUZZ) ## fuzz with coverage for two minutes, or TARGET=... RUNS=...; writes var/fuzz/
	$(BIN)/python -m tests.fuzz

explore: $(VENV) ## search every state that small worlds of both cores can come to; ten minutes or more
	$(BIN)/python -m tests.explorer --long

sim: $(VENV) ## simulate the whole system: SEEDS=1000 for so many, SEED=17 to repeat one
	$(BIN)/python -m tests.sim $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),100) --jobs $(WORKERS))

mutants: $(VENV) ## plant bugs into copies of the product, and see that each is found; MUTANTS="NAME..."
	$(BIN)/python -m tests.sim.mutants --jobs $(WORKERS) $(MUTANTS)

mutation: $(MUTATION) ## change cores and protocol in small ways that tests must notice; an hour or more
	$(BIN)/python -m tools.mutation $(ONLY)

power-cuts: $(VENV) ## cut the power under the store; CUTS=100000 takes half an hour
	$(BIN)/python -m tests.power_cuts --cuts $(or $(CUTS),16000)

faults: $(VENV) programs ## kill, stop and starve real processes and their network; an hour or more, FAULTS="--short"
	$(BIN)/python -m tests.faults $(FAULTS)

bench: $(VENV) ## measure what things cost; BENCH="NAME... --json --strict"
	$(BIN)/python -m tools.bench $(BENCH)

lock: ## take up new releases of what requirements/*.in names (needs uv)
	tools/lock

clean: ## remove the environment and all caches, not var/
	rm -rf .venv build ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage tests/interop/node_modules
	find protocol keys issuance_server terminal_sim tests -name __pycache__ -exec rm -rf {} +

programs:
	@command -v pdftotext >/dev/null && command -v pdffonts >/dev/null \
		|| tools/debian_packages poppler-utils
	@command -v chromium >/dev/null || tools/debian_packages chromium
	@command -v spin >/dev/null && command -v gcc >/dev/null \
		|| tools/debian_packages spin gcc libc6-dev

$(VENV): requirements/dev.txt pyproject.toml tools/set_up
	PYTHON='$(PYTHON)' tools/set_up
	@touch $@

$(FUZZ): $(VENV) requirements/fuzz.txt
	@$(BIN)/python -m pip install --quiet --only-binary :all: --require-hashes \
		--requirement requirements/fuzz.txt \
		|| { echo "No atheris for this Python; try another one: make clean fuzz PYTHON=python3.12" \
			"(make test fuzzes shortly with any)" >&2; exit 1; }
	@touch $@

$(MUTATION): $(VENV) requirements/mutation.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/mutation.txt
	@touch $@

# A Node with OpenSSL 3.5, and what the terminal in JavaScript needs; for tests only.
$(NODE): tests/interop/package.json tests/interop/package-lock.json tests/interop/.npmrc
	@command -v npm >/dev/null || tools/debian_packages npm
	cd tests/interop && npm ci --silent
	@touch $@
