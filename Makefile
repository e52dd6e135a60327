# RUNTIME=docker|local decides how `make up` runs Asterisk; without it the machine decides.
PYTHON ?= python3
# Test modules at once: more than processors, since live tests wait most of the time.
TESTERS ?= 3
BIN := .venv/bin
# A module of tests stays in one worker, and the long ones, which stand first, begin first.
SPREAD := --dist loadfile --no-loadscope-reorder
.PHONY: up help down status quick test proof test-docker bench lint ruff types imports

up: .venv/ready ## install what is missing, start everything, place a test call
	@$(BIN)/python -m runtime up

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

down: .venv/ready ## stop what `make up` started
	@$(BIN)/python -m runtime down

status: .venv/ready ## what runs, and what is wrong
	@$(BIN)/python -m runtime status

quick: lint ## lint, types, imports and the tests that need no Asterisk: while you work
	@$(BIN)/python -m runtime prepare
	@$(BIN)/python -m pytest -n 2 $(SPREAD) -m "not live and not docker and not proof" --hypothesis-profile quick

test: lint ## lint, types, imports and every test but the proofs: before you submit
	@$(BIN)/python -m runtime prepare
	@$(BIN)/python -m pytest -n $(TESTERS) $(SPREAD)

proof: .venv/ready ## tests that take long, and properties with many examples: before a release
	@$(BIN)/python -m runtime prepare
	@$(BIN)/python -m pytest -n 2 $(SPREAD) -m "proof or hypothesis" --hypothesis-profile proof

test-docker: .venv/ready ## the main live scenarios with everything in containers
	@$(BIN)/python -m runtime test-docker

bench: .venv/ready ## speeds, against a static dialplan and pyst2
	@$(BIN)/python -m runtime prepare
	@$(BIN)/python -m bench

lint: .venv/ready ## lint, types and imports
	@$(MAKE) --no-print-directory -j 3 -O ruff types imports

ruff:
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

.venv/ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "Installing the Debian package python3-venv"; apt-get update && apt-get install -y --no-install-recommends python3-venv; }
	@echo "Installing Python packages into .venv (once, about a minute)"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --no-deps -e .
	@touch $@
