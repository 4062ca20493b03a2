# Everything a newcomer needs: `make up` runs the platform, `make test` tests it; both set up what they need.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
UV := $(shell command -v uv || echo .venv/bin/uv)
# Hundreds of processes begin in a test run; where this is set, each of them compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE
TESTS = .venv/bin/pytest -n 6 --dist loadfile --no-loadscope-reorder
AGENT = services/data-gateway/src/data_gateway/agent
PROJECTS := pyproject.toml uv.lock $(wildcard libs/*/pyproject.toml services/*/pyproject.toml deploy/*/pyproject.toml)

.PHONY: help up test check lint types bench faults plans compose-test fuzz pictures dist docs

help: ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

up: .venv/.ready $(AGENT)/SHA256SUMS ## run the whole platform on http://127.0.0.1:8000 until Ctrl-C
	@exec .venv/bin/pinghome up

test: .venv/.ready $(AGENT)/SHA256SUMS ## run all tests, with real servers (`make test ARGS="-k heartbeat"` for some)
	$(TESTS) $(ARGS)

check: .venv/.ready $(AGENT)/SHA256SUMS ## run the quick ones of the tests
	$(TESTS) tests/integration/resource_cmd tests/integration/common tests/unit $(ARGS)

lint: .venv/.ready ## check style and format
	.venv/bin/ruff check
	.venv/bin/ruff format --check

types: .venv/.ready ## check types
	.venv/bin/mypy

bench: .venv/.ready $(AGENT)/SHA256SUMS ## measure against ceilings and peers (about 20 minutes; installs wrk, nginx and a peer from Debian)
	.venv/bin/python tests/bench $(ARGS)

faults: .venv/.ready $(AGENT)/SHA256SUMS ## kill everything at random under load and count what was lost (about 40 minutes)
	.venv/bin/python tests/faults --long $(ARGS)

plans: .venv/.ready $(AGENT)/SHA256SUMS ## explain every statement of all services on 50,000 monitors and checks (about 4 minutes)
	.venv/bin/pytest -n 0 -p no:cacheprovider tests/plans $(ARGS)

compose-test: .venv/.ready ## run the platform in containers, cut off a region, break a cluster (about 25 minutes; needs a Docker engine)
	.venv/bin/pytest -n 0 -s -p no:cacheprovider tests/compose $(ARGS)

fuzz: .venv/.ready $(AGENT)/SHA256SUMS ## ask every operation 200 times what its OpenAPI document does not say (about 10 minutes)
	.venv/bin/python tests/fuzz $(ARGS)

pictures: .venv/.ready $(AGENT)/SHA256SUMS ## photograph status pages and the console in Chromium into docs/pictures (two minutes; installs Chromium from Debian)
	.venv/bin/python tests/pictures $(ARGS)

dist: $(AGENT)/SHA256SUMS ## build the wheels of all packages into dist/, with the agent that data-gateway offers to servers
	@$(UV) build --quiet --all-packages --wheel --clear --out-dir dist

docs: .venv/.ready ## write docs/settings.md from the settings class, schema.sql from the migrations, deploy/Caddyfile from the addresses
	.venv/bin/python -m pinghome.settings_page
	.venv/bin/python -m pinghome.schema
	.venv/bin/python -m pinghome.caddyfile

.venv/.ready: $(PROJECTS)
	@if ! command -v $(UV) >/dev/null; then \
	  echo "setting up .venv (a minute, once)"; $(PYTHON) -m venv .venv; .venv/bin/pip install --quiet uv; fi
	@$(UV) sync --frozen --quiet --python $(PYTHON)
	@touch $@

$(AGENT)/SHA256SUMS: $(wildcard deploy/agent/*) $(shell find services/agent -name '*.py' -o -name pyproject.toml) | .venv/.ready
	@UV=$(UV) deploy/agent/dist.sh $(AGENT)
