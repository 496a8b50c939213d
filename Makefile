# Footfall: every command a newcomer needs. `make run` starts it, `make test` proves it.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run demo setup dev test lint bench script lock clean
.DEFAULT_GOAL := run

run: setup  ## start Footfall on http://127.0.0.1:8050, data under ./data
	@exec $(PY) app.py serve

demo: setup  ## a demo site that visitors are walking through, no login
	@exec $(PY) app.py demo

setup: $(VENV)/.runtime  ## the environment with the locked dependencies

dev: $(VENV)/.dev  ## what tests, linters and benchmarks need as well

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit("Footfall needs Python 3.11 or newer; this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV) || { echo "no venv module: type \`sudo apt-get install -y python3-venv\`" >&2; rm -rf $(VENV); exit 1; }
	@$(VENV)/bin/python -m pip install --quiet --no-warn-script-location "uv>=0.9,<1"

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/uv
	@$(VENV)/bin/uv pip install --quiet --python $(PY) --require-hashes -r requirements.lock
	@$(VENV)/bin/uv pip install --quiet --python $(PY) --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@$(VENV)/bin/uv pip install --quiet --python $(PY) --require-hashes -r requirements-dev.lock
	@touch $@

test: dev  ## every test: unit, database on SQLite and PostgreSQL, HTTP, browser
	@sh tests/browser.sh
	@sh tests/proxies.sh
	@$(PY) -m pytest

lint: dev  ## linters and types
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

bench: dev  ## the benchmarks; each prints its figures
	@$(PY) -m benchmarks

script: dev  ## builds the site script anew (developers; needs npx)
	@$(PY) collector/tracker/build.py

COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
lock: $(VENV)/bin/uv  ## resolves the dependencies anew: all of them first, then the part that runs
	@rm -f requirements.lock requirements-dev.lock
	@$(VENV)/bin/$(COMPILE) --extra dev -o requirements-dev.lock
	@$(VENV)/bin/$(COMPILE) -c requirements-dev.lock -o requirements.lock

clean:
	@rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
