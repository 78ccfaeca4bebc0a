# Everything a contributor runs. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check

CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# Most tests wait for a server or another process, so more workers than cores keep the cores busy.
JOBS ?= $(shell echo $$(($(CORES) * 2)))

# What some tests need and a machine may not have.
TEST_TOOLS := bash bsdtar busybox curl dash dpkg-shlibdeps fish ksh93 lintian mksh npm openssl posh ruby \
    shasum wget yash zsh

SHELL_FILES := .ci/run .ci/installs installed/launcher installed/env.sh installed/project_version.sh \
    packaging/debian/wasp.prerm $(wildcard packaging/asdf/bin/* packaging/asdf/lib/*.sh)
SHFMT := $(BIN)/shfmt -ci -bn -ln posix
# The parts of the sh program are one text, in which A && B || C is meant as it works, and some functions are called
# by a name that is put together.
SHELLCHECK_PROGRAM := $(BIN)/shellcheck --shell sh --exclude SC2015,SC2317,SC2329

.DEFAULT_GOAL := help
.PHONY: help test mutants torture lint install.sh picture format bench dist deb packages lock clean venv

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z.]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

test: venv ## Run the tests, in parallel (ARGS='-k word' goes to pytest)
	@missing=; \
	for tool in $(TEST_TOOLS); do \
	    command -v $$tool >/dev/null 2>&1 || missing="$$missing $$tool"; \
	done; \
	[ -z "$$missing" ] || echo "Not installed here, so the tests that need them are skipped:$$missing"
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --ignore tests/torture $(ARGS)

mutants: venv ## Break lines one by one, see what no test notices (ARGS='--seed 2 --only sh')
	@$(BIN)/python -m tests.mutants $(ARGS)

lint: venv ## Check style and types: ruff, mypy, vermin, shellcheck, shfmt
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/vermin --quiet --no-tips --violations --target=3.8- telemetry_ping.py installed/telemetry_messages.py
	$(BIN)/shellcheck --exclude SC1091 $(SHELL_FILES)
	$(BIN)/python packaging/assemble.py --program | $(SHELLCHECK_PROGRAM) -
	$(SHFMT) -d $(SHELL_FILES) sh/*.sh
	$(BIN)/python packaging/assemble.py --check

format: venv ## Format the code and mend what can be mended automatically
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(SHFMT) -w $(SHELL_FILES) sh/*.sh

install.sh: venv ## Put install.sh together from sh/, installed/ and telemetry_ping.py
	@$(BIN)/python packaging/assemble.py

picture: venv ## Record an install and draw docs/install.svg (ARGS='--from-file X': offline)
	@$(BIN)/python packaging/picture.py $(ARGS)

torture: venv ## Try to break it, write docs/reliability.md (WASP_TORTURE=10, or all: longer)
	@$(BIN)/python -m pytest tests/torture -n $(JOBS) --dist worksteal \
	    $(or $(ARGS),--page docs/reliability.md)

bench: venv ## Measure, write docs/performance.md (ARGS='telemetry --rounds 9': only look)
	@WASP_TELEMETRY_DISABLE=1 $(BIN)/python -m benchmarks $(or $(ARGS),--page docs/performance.md)

dist: venv ## Make what is published, each in one file: dist/install.sh, dist/install.py
	@PYTHONPATH=packaging $(BIN)/python -m artefacts dist

deb: venv ## Build the Debian package of Wasp (ARGS='-v 0.25.0 --source github')
	@WASP_TELEMETRY_DISABLE=1 $(BIN)/python packaging/deb.py $(ARGS)

packages: venv ## Render the Homebrew formula and the asdf plugin from the table of releases
	@$(BIN)/python packaging/releases.py render

lock: venv ## Choose the newest dependencies and write both lock files
	@$(PIP_INSTALL) uv
	@for lock in '' -dev; do \
	    $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.9 --generate-hashes \
	        --no-header --no-annotate $${lock:+--extra dev --constraint requirements.lock} \
	        --output-file requirements$$lock.lock pyproject.toml || exit; \
	done

clean: ## Remove all that these targets made
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mutants .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The lock is copied into the environment after all of it is installed. As long as the two are the
# same, there is nothing to do.
venv:
	@if cmp -s requirements-dev.lock $(VENV)/installed.lock && $(BIN)/python -c ''; then exit 0; fi; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9))' || \
	    { echo 'Python 3.9 or newer is needed (make PYTHON=/path/to/python3 names one).'; exit 1; }; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo '$(PYTHON) cannot make virtual environments. On Debian or Ubuntu:' \
	        'sudo apt-get install python3-venv'; exit 1; }; \
	echo 'Setting up $(VENV) from requirements-dev.lock (once) …'; \
	$(PYTHON) -m venv --clear $(VENV) && \
	$(PIP_INSTALL) --require-hashes --only-binary :all: -r requirements-dev.lock && \
	cp requirements-dev.lock $(VENV)/installed.lock
