# Everyline: every command a person or a script needs. `make` alone lists them.

PYTHON ?= python3
VENV := .venv/bin
PORT ?= 8400
DATA ?= data
NAME ?=
LANGUAGE ?=
WORKERS ?= 2
PYTEST_ARGS ?=
CODE := $(wildcard everyline tools tests benchmarks)

.DEFAULT_GOAL := help
.PHONY: help setup setup-development setup-suite demo check check-style check-types check-layers check-templates check-scripts \
  check-structure test bench build words lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-18s %s\n", $$1, $$2}' Makefile

setup: ## install everything the product needs into this folder, start nothing
	@$(PYTHON) -m tools.prepare product

setup-development: ## the same, and what checks, tests and benchmarks need
	@$(PYTHON) -m tools.prepare development

demo: setup ## start the sample company: make demo [PORT=8400] [DATA=data]
	@exec $(VENV)/everyline demo --data "$(DATA)" --port "$(PORT)"

check: check-style check-types check-layers check-templates check-scripts check-structure ## all checks; each by name too
check-style: setup-development ## ruff: rules and format
	$(VENV)/ruff check $(CODE)
	$(VENV)/ruff format --check $(CODE)
check-types: setup-development ## mypy, strict
	$(VENV)/mypy $(CODE)
check-layers: setup-development ## import-linter: who may import whom
	$(VENV)/lint-imports --no-cache
check-templates: setup-development ## templates: they parse, hold no inline script, and every text is for translation
	$(VENV)/python -m tools.templates
check-scripts: setup-development ## TypeScript, strict
	$(VENV)/python -m tools.node node_modules/typescript/bin/tsc --noEmit
check-structure: setup-development ## the rules of the tree
	$(VENV)/pytest tests/structure -q

setup-suite: setup-development ## the same, and the servers and programs that the suite drives
	@$(PYTHON) -m tools.prepare machine

test: setup-suite ## the whole suite, with the real servers it drives: make test [PYTEST_ARGS=…] [WORKERS=2]
	$(VENV)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

bench: setup-development ## measure: make bench [NAME=…]
	@$(VENV)/python -m benchmarks $(NAME)

build: setup ## build scripts and translations anew
	$(VENV)/python -m tools.assets

words: setup-development ## collect the interface's strings into the catalogues: make words [LANGUAGE=de, a new one]
	@mkdir -p everyline/locale
	$(VENV)/pybabel -q extract -F tools/babel.cfg -k _ -k mark -k translated --no-location --omit-header --sort-output \
	  -o everyline/locale/everyline.pot everyline
	$(VENV)/pybabel -q update -i everyline/locale/everyline.pot -d everyline/locale -D everyline --no-fuzzy-matching \
	  --ignore-obsolete $(if $(LANGUAGE),-l $(LANGUAGE) --init-missing)

LOCK := $(VENV)/pip-compile --quiet --upgrade --no-header --generate-hashes --strip-extras --allow-unsafe \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

lock: setup-development ## choose the newest versions that fit and write them down with their hashes
	$(LOCK) --extra phone -o requirements/runtime.txt pyproject.toml
	$(LOCK) --extra dev -c requirements/runtime.txt -o requirements/dev.txt pyproject.toml
	$(LOCK) -c requirements/dev.txt -o requirements/build.txt requirements/build.in
	$(LOCK) -o requirements/node.txt requirements/node.in
	$(LOCK) -o requirements/tryton.txt requirements/tryton.in
	$(VENV)/python -m tools.node npm install --package-lock-only --silent
	cd benchmarks/lighthouse && PYTHONPATH=$(CURDIR) $(CURDIR)/$(VENV)/python -m tools.node npm install --package-lock-only --silent

clean: ## remove everything that was built or installed in this folder; data stays
	rm -rf .venv node_modules everyline/static/build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
