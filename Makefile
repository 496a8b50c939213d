# Footfall: every command a newcomer needs. `make run` starts it, `make test` proves it.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# uv trusts what the system trusts, and gives up early: pip, which reads its own settings, is tried after it.
export UV_SYSTEM_CERTS = true
export UV_HTTP_RETRIES ?= 1

.PHONY: run demo setup dev check test coverage lint bench docs words script bootstrap plotly regions lock clean
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
	@echo "Making $(VENV) …" >&2
	@$(PY) -m pip install --quiet --no-warn-script-location "uv>=0.13,<1" || { $(ADVISE); exit 1; }

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/uv
	@echo "Installing the locked dependencies …" >&2
	@$(call install,--require-hashes -r requirements.lock)
	@$(VENV)/bin/uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what tests and linters need …" >&2
	@$(call install,--require-hashes -r requirements-dev.lock)
	@touch $@

# $(call install,OPTIONS): uv takes seconds where pip takes a minute, but knows neither pip's certificates nor pip's index.
install = $(VENV)/bin/uv pip install --quiet --python $(PY) $(1) \
	|| { echo "uv could not; pip tries it, which takes a minute …" >&2; $(PY) -m pip install --quiet $(1); } \
	|| { $(ADVISE); exit 1; }

define ADVISE
printf '%s\n' "The packages could not be had. The lines above say why. Type what fits, and your own path or address:" \
	"  a proxy with a certificate of its own:  PIP_CERT=/path/to/ca.pem make $(or $(MAKECMDGOALS),run)" \
	"  a proxy that has to be named:           HTTPS_PROXY=http://proxy:3128 make $(or $(MAKECMDGOALS),run)" \
	"  a package index of your own:            PIP_INDEX_URL=https://index/simple make $(or $(MAKECMDGOALS),run)" >&2
endef

test: dev  ## every test: unit, database on SQLite and PostgreSQL, HTTP, browser
	@sh tests/browser.sh
	@sh tests/proxies.sh
	@sh tests/clients.sh
	@$(PY) -m pytest -n $(TOGETHER) -m "not alone"
	@$(PY) -m pytest -m alone

# How many processes run tests. Browsers and servers need processors too: on two, 4 were slower than 2 and ran into time-outs.
TOGETHER ?= 2
QUICK := tests/unit tests/database -k "not postgresql" -m "not alone and not slow"

check: dev  ## what to run before each commit, in a minute and a half: linters, types, unit tests, the database on SQLite
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(PY) -m pytest -q -n auto $(QUICK)

coverage: dev  ## which lines `make check` runs, in every room; build/coverage/index.html shows the others
	@$(PY) -m pytest -q -n auto --cov --cov-report=term:skip-covered --cov-report=html $(QUICK)

lint: dev  ## linters and types, of the scripts as well where Node is, and advisories about the dependencies
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@.ci/javascript/check
	@$(PY) .ci/audit

bench: dev  ## the benchmarks; their figures go into docs/performance.md
	@$(PY) -m benchmarks --write

docs: dev  ## writes the tables of README.md and docs/reference.md from the code
	@$(PY) -m tests.support.tables

words: dev  ## writes the texts of the code into the catalogues, and the words of the scripts from them
	@$(PY) -m tests.support.catalogues

script: dev  ## rebuilds the site script (developers; needs npx)
	@$(PY) collector/tracker/build.py

# The version for which the locked dash-bootstrap-components is made: `dbc.themes.BOOTSTRAP` names it.
BOOTSTRAP := 5.3.6
SASS := --style=compressed --no-source-map --no-charset --quiet-deps --silence-deprecation=import
bootstrap:  ## rebuilds assets/css/bootstrap.css from bootstrap.scss (developers; needs npm)
	@npm install --silent --no-save --prefix build/bootstrap bootstrap@$(BOOTSTRAP) sass@1.108.2
	@build/bootstrap/node_modules/.bin/sass $(SASS) --load-path=build/bootstrap/node_modules assets/css/bootstrap.scss assets/css/bootstrap.css
	@cp build/bootstrap/node_modules/bootstrap/LICENSE assets/LICENSE-bootstrap.txt

plotly: dev  ## rebuilds plotly.js and the world's outlines for figures (developers; needs npm)
	@$(PY) layouts/figures/build.py

regions: dev  ## rebuilds the outlines of the regions of countries for figures (developers; needs npm, and some minutes)
	@$(PY) layouts/figures/build_regions.py

COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
lock: $(VENV)/bin/uv  ## resolves the dependencies again: what runs first, then what developers need besides
	@rm -f requirements.lock requirements-dev.lock
	@$(VENV)/bin/$(COMPILE) -o requirements.lock
	@$(RUNS_ALSO_HERE) | $(VENV)/bin/$(COMPILE) --extra dev -c - -o requirements-dev.lock

# The same versions for both, but of urllib3: selenium 4.2, which dash[testing] pins, takes none above 1.26, which is out of
# support and has no place in what runs.
RUNS_ALSO_HERE = grep -E '^[a-z0-9.-]+==' requirements.lock | sed 's/ *\\$$//' | grep -v '^urllib3=='

clean:
	@rm -rf $(VENV) .coverage build *.egg-info .pytest_cache .mypy_cache .ruff_cache
