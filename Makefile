# RUNTIME=docker|local decides how `make up` runs Asterisk; without it the machine decides.
PYTHON ?= python3
# Test modules at once: more than processors, since live tests wait most of the time.
TESTERS ?= 3
BIN := .venv/bin
.PHONY: up down status test test-docker bench lint

up: .venv/ready
	@$(BIN)/python -m runtime up

down: .venv/ready
	@$(BIN)/python -m runtime down

status: .venv/ready
	@$(BIN)/python -m runtime status

test: lint
	@$(BIN)/python -m runtime prepare
	@$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder

test-docker: .venv/ready
	@$(BIN)/python -m runtime test-docker

bench: .venv/ready
	@$(BIN)/python -m runtime prepare
	@$(BIN)/python -m bench

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "Installing the Debian package python3-venv"; apt-get update && apt-get install -y --no-install-recommends python3-venv; }
	@echo "Installing Python packages into .venv (once, about a minute)"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --no-deps -e .
	@touch $@
