# Everything a person does with a checkout. `make help` lists it.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
EMBEDDED := $(BIN)/python -m config.embedded
# make takes the command down with it, even when make itself is killed.
BOUND := exec $(EMBEDDED) --die-with-parent

RUN_LOCKS := requirements.txt requirements-embedded.txt
ALL_LOCKS := $(RUN_LOCKS) requirements-dev.txt
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --generate-hashes \
	--python-version 3.11 --python-platform x86_64-unknown-linux-gnu --no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: help run stores logs psql redis-cli mongo manage tour front test mutants chaos check format schema lock \
	install install-dev clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

run: install ## stores, web, live sockets, worker and beat until Ctrl-C, on http://127.0.0.1:8000
	@$(BOUND) run

stores: install ## the stores alone, until Ctrl-C
	@$(BOUND) stores

logs: ## follow the logs of what runs
	@exec tail -n 20 -F .data/logs/*.log

psql: install ## PostgreSQL's prompt on the live database
	@exec $(EMBEDDED) psql $(ARGS)

redis-cli: install ## redis-cli on the live holds (ARGS="ttl KEY")
	@exec $(EMBEDDED) redis-cli $(ARGS)

mongo: install ## mongosh, or a Python prompt with `db`, on the live audit trail
	@exec $(EMBEDDED) mongo $(if $(ARGS),'$(ARGS)')

manage: install ## a management command beside `make run` (ARGS="holds --watch")
	@exec $(BIN)/python manage.py $(ARGS)

tour: install ## the README's tour against `make run` (FEED=CSMT:MAO, or a feed's zip)
	@exec $(BIN)/python -m tests.tour

front: install-dev ## the front door at length: every call by schemathesis (EXAMPLES=60 SEED=1)
	@SEATLOCK_FRONT_EXAMPLES=$(or $(EXAMPLES),60) SEATLOCK_FRONT_SEED=$(or $(SEED),20261121) \
		$(BOUND) with --profile front -- $(BIN)/python -m pytest tests/front

test: install-dev ## all tests beside fresh stores (ARGS="-k name")
	@$(BOUND) with -- $(BIN)/python -m tests.side_by_side $(ARGS)

mutants: install-dev ## plant bugs one by one, print what caught each (ONLY=lock,pin RESUME=1 SAMPLE=1)
	@exec $(BIN)/python -m tests.mutants $(if $(ONLY),--only $(ONLY)) $(if $(RESUME),--resume) \
		$(if $(SAMPLE),--sample)

.PHONY: bench record rush profile scale
bench: install-dev ## each hot call beside a bare view, 10 minutes (SECONDS=2 ROUNDS=4)
	@exec env SECONDS=$(SECONDS) ROUNDS=$(ROUNDS) $(EMBEDDED) --die-with-parent with --profile bench -- \
		$(BIN)/python -m tests.bench bench

record: install-dev ## the record minute: tickets sold in 60 s, everything on (SECONDS=60)
	@exec env SECONDS=$(SECONDS) $(EMBEDDED) --die-with-parent with --profile record -- \
		$(BIN)/python -m tests.bench record

rush: install-dev ## 10,000 travellers, half of them bots, for 1,000 seats (TRAVELLERS=10000)
	@TRAVELLERS=$(TRAVELLERS) $(BOUND) with --profile rush -- $(BIN)/python -m tests.bench rush

scale: install-dev ## latency against how much there is, sweep, memory; resumable (SHARE=0.3)
	@SHARE=$(SHARE) $(BOUND) with --profile scale -- $(BIN)/python -m tests.bench scale

profile: install-dev ## where the time goes: flame graphs and CPU by part (CALLS=lock_1,confirm)
	@CALLS=$(CALLS) $(BOUND) with --profile profile -- $(BIN)/python -m tests.bench profile

.PHONY: bench-live
bench-live: install-dev ## 2,000 live sockets on one departure (SOCKETS=2000 SECONDS=20 RATES=5,20,100)
	@SOCKETS=$(SOCKETS) SECONDS=$(SECONDS) RATES=$(RATES) $(BOUND) with --profile bench-live -- \
		$(BIN)/python -m tests.live.bench

.PHONY: sim sim-long
sim: install-dev ## simulate the engine under faults, SEEDS=300 (SEED=n replays one)
	@$(BOUND) with --profile sim -- $(BIN)/python -m tests.simulator \
		$(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),300))

sim-long: install-dev ## the same for 5,000 seeds, from FIRST=1000
	@$(BOUND) with --profile sim -- $(BIN)/python -m tests.simulator --seeds $(or $(SEEDS),5000) \
		--first $(or $(FIRST),1000)

chaos: install-dev ## break every process in turn under load, 10 minutes (ARGS=--short: 3)
	@exec $(BIN)/python -m tests.chaos $(ARGS)

check: install-dev ## linters, types, layers; migrations, schema and compose file up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	@$(BOUND) with --profile check -- sh .ci/up-to-date $(BIN)/python

format: install-dev ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: install-dev ## write docs/openapi.yaml and the Postman collection anew
	@$(BOUND) with --profile schema -- $(BIN)/python manage.py spectacular --validate \
		--file docs/openapi.yaml
	@$(BIN)/python docs/postman.py

.PHONY: messages browsers screenshots bench-pages
screenshots: install-dev ## every page in light, dark and phone width, beside `THROTTLES=off make run`
	@exec $(BIN)/python -m tests.browser.screenshots

bench-pages: install-dev ## how soon pages can be used in a cold browser, beside `make run` (ROUNDS=15)
	@exec $(BIN)/python -m tests.browser.usable

messages: install-dev ## gather what the pages say into web/locale/, and compile it
	@$(BOUND) with --profile messages -- $(BIN)/python manage.py update_messages

browsers: ## a Chromium for the tests of the pages, from the system's packages (as root)
	@command -v chromium >/dev/null || { apt-get update -qq && \
		apt-get install -qq -y --no-install-recommends chromium fonts-noto-core; } || \
		{ echo "install Chromium, or say where one is: CHROMIUM=/path make test" >&2; exit 1; }

lock: install-dev ## pin what the *.in files ask for, with hashes (ARGS=--upgrade for newer)
	$(COMPILE) $(ARGS) requirements.in -o requirements.txt
	$(COMPILE) $(ARGS) requirements-embedded.in -o requirements-embedded.txt
	$(COMPILE) $(ARGS) requirements-dev.in -o requirements-dev.txt

# Nothing is installed twice, and a changed lock file is never forgotten: see the script.
install: ## virtual environment with what `make run` needs
	@sh config/embedded/install.sh $(PYTHON) $(VENV) run $(RUN_LOCKS)

install-dev: ## the same with test and check tools
	@sh config/embedded/install.sh $(PYTHON) $(VENV) dev $(ALL_LOCKS)

clean: ## delete virtual environment, embedded data and caches
	@if [ -d .data ]; then $(EMBEDDED) forget; fi
	rm -rf $(VENV) staticfiles .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
