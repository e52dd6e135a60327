# RUNTIME=docker|local decides how `make up` runs Asterisk; without it the machine decides.
PYTHON ?= python3
# Test modules at once: as many as processors, so that SIPp keeps its own timers.
TESTERS ?= 2
BIN := .venv/bin
# Bytecode is kept, whatever the shell says: compiling tests and packages anew takes each process seconds.
export PYTHONDONTWRITEBYTECODE :=
# A module of tests stays in one worker, and the long ones, which stand first, begin first.
SPREAD := --dist loadfile --no-loadscope-reorder
.PHONY: up help down status quick test proof test-docker bench lint ruff types imports words

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

proof: .venv/dev ## tests that take long, and properties with many examples: before a release
	@$(BIN)/python -m runtime prepare
	@$(BIN)/python -m pytest -n 2 $(SPREAD) -m "proof or hypothesis" --hypothesis-profile proof

test-docker: .venv/dev ## the main live scenarios with everything in containers
	@$(BIN)/python -m runtime test-docker

bench: .venv/dev ## speeds, against a static dialplan and pyst2
	@$(BIN)/python -m runtime prepare
	@$(BIN)/python -m bench

lint: .venv/dev ## lint, types, imports and words
	@$(MAKE) --no-print-directory -j 4 -O ruff types imports words

ruff: .venv/dev
	$(BIN)/ruff check .

types: .venv/dev
	$(BIN)/mypy

imports: .venv/dev
	$(BIN)/lint-imports

words: .venv/dev
	$(BIN)/python tools/words.py

# What the product needs; and on top of it what tests, checks and benchmarks need.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -m runtime.bootstrap requirements.lock
	@touch $@

.venv/dev: .venv/ready requirements-dev.lock
	@$(PYTHON) -m runtime.bootstrap requirements-dev.lock
	@touch $@
