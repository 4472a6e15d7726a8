# Everything a person does with a checkout. `make help` lists it.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
EMBEDDED := $(BIN)/python -m config.embedded
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --generate-hashes \
	--python-version 3.11 --python-platform x86_64-unknown-linux-gnu --no-emit-index-url

RUN_LOCKS := requirements.txt requirements-embedded.txt
ALL_LOCKS := $(RUN_LOCKS) requirements-dev.txt

.DEFAULT_GOAL := help
.PHONY: help install install-dev stores test lock

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		awk -F'|' '{printf "  make %-14s %s\n", $$1, $$2}'

# A stamp per set of lock files holds their digest: nothing is installed twice, and a changed lock
# file is never forgotten.
install: ## virtual environment with what `make run` needs
	@sh config/embedded/install.sh $(PYTHON) $(VENV) run $(RUN_LOCKS)

install-dev: ## the same with test and check tools
	@sh config/embedded/install.sh $(PYTHON) $(VENV) dev $(ALL_LOCKS)

stores: install ## the stores alone, until Ctrl-C
	@exec $(EMBEDDED) --die-with-parent stores

test: install-dev ## all tests beside fresh stores (ARGS="-k name")
	@exec $(EMBEDDED) --die-with-parent with -- $(BIN)/python -m pytest $(ARGS)

lock: install-dev ## pin what the *.in files ask for, with hashes (ARGS=--upgrade for newer)
	$(COMPILE) $(ARGS) requirements.in -o requirements.txt
	$(COMPILE) $(ARGS) requirements-embedded.in -o requirements-embedded.txt
	$(COMPILE) $(ARGS) requirements-dev.in -o requirements-dev.txt
