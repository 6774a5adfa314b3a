# Every command a person types. `make` alone lists them.

PORT ?= 8000
# Where the demo keeps its data.
DEMO_DIR ?= var
VENV ?= .venv
# The first that is new enough and complete; else python3, which then says what it lacks.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python tools/python_check.py >/dev/null 2>&1 && break; python=python3; done; echo $$python)
# One for each processor; `make test JOBS=0` runs in this process, for a debugger.
JOBS ?= auto
# What pytest runs, and how: make test TESTS=tests/orgs ARGS="-k invitation"
TESTS ?=
ARGS ?=
# Where `make screenshots` puts them.
SCREENSHOTS ?= docs/screenshots
# How many steps the random histories of `make soak` have, and which they are.
STEPS ?= 20000
SEED ?= 2

BIN := $(VENV)/bin
# Whoever has nothing left to do takes from the others.
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
# Tools that import the settings: those of development. Bytecode is kept, also where a container's
# environment says not to: otherwise each process compiles the tests anew.
DEVELOPMENT := DEBUG=true PYTHONDONTWRITEBYTECODE=
# Settings as in production, for `check --deploy`. The values are made up, and lead nowhere.
PRODUCTION := DEBUG=false \
	SECRET_KEY=0nly-f0r-the-check-0f-the-settings-7f3b1c9d5e8a2460-x \
	ENCRYPTION_KEY=0nly-f0r-the-check-0f-encrypti0n-2c9e7a4b1d6f8350-y \
	ALLOWED_HOSTS=app.example.com BASE_URL=https://app.example.com \
	DATABASE_URL=postgres://holdfast:holdfast@127.0.0.1:1/holdfast \
	EMAIL_URL=smtp+tls://holdfast:holdfast@127.0.0.1:1 \
	STRIPE_SECRET_KEY=sk_test_check STRIPE_API_HOST= STRIPE_TEST_CLOCK=

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: python ## Run everything on this machine: product, Stripe's stand-in, a cast (PORT=8000)
	@$(PYTHON) tools/install.py $(VENV) requirements.txt
	@exec env $(DEVELOPMENT) $(BIN)/python manage.py demo --port $(PORT) --directory $(DEMO_DIR)

.PHONY: test
test: install ## Run the tests on SQLite, in parallel
	$(DEVELOPMENT) $(PYTEST) -m "not postgres and not redis and not browser and not thorough and not html" $(ARGS) $(TESTS)

.PHONY: test-postgres
test-postgres: install ## Run what uses the database, on PostgreSQL (DATABASE_URL=postgres://…), and Redis (REDIS_URL=redis://…)
	@case "$(DATABASE_URL)" in postgres*) ;; *) echo >&2 "Say which PostgreSQL: make \
	test-postgres DATABASE_URL=postgres://user:password@127.0.0.1:5432/holdfast"; exit 1;; esac
	$(DEVELOPMENT) DATABASE_URL="$(DATABASE_URL)" \
	$(PYTEST) -m "(database or postgres or redis) and not browser and not thorough and not html" $(ARGS) $(TESTS)

.PHONY: test-thorough
test-thorough: install ## Play thousands of histories of billing: every order, crash and loss
	$(DEVELOPMENT) $(PYTEST) -m thorough $(ARGS) $(TESTS)

.PHONY: soak
soak: install ## Play random histories of billing for long: make soak STEPS=20000 SEED=7
	$(DEVELOPMENT) HISTORIES_STEPS=$(STEPS) HISTORIES_SEED=$(SEED) \
	$(BIN)/python -m pytest -n 0 -m thorough tests/billing/histories/test_machine.py

.PHONY: test-workers
test-workers: install ## Run what workers do, with TASKS=database or TASKS=redis
	$(DEVELOPMENT) $(BIN)/python -m pytest -n 0 $(ARGS) tests/billing/test_workers.py

.PHONY: test-browser
test-browser: install ## Run the tests that drive a real browser (needs Debian's chromium)
	$(DEVELOPMENT) $(BIN)/python -m pytest -m "browser and not pictures" $(ARGS) $(TESTS)

.PHONY: screenshots
screenshots: install ## Take a picture of every page in each state (needs Debian's chromium)
	$(DEVELOPMENT) SCREENSHOTS="$(SCREENSHOTS)" $(BIN)/python -m pytest -n 0 -p no:randomly \
	-m pictures $(ARGS) tests/pictures

.PHONY: walkthrough
walkthrough: install ## Drive the running product through its whole story, over HTTP
	$(DEVELOPMENT) $(BIN)/python manage.py walkthrough

.PHONY: check
check: install ## Lint, types, imports, templates, migrations, settings, locks, the HTML of all pages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	find templates sandbox/templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 --check {} +
	$(DEVELOPMENT) $(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(DEVELOPMENT) $(BIN)/python manage.py makemigrations --check --dry-run
	$(DEVELOPMENT) $(BIN)/python -m tools.check_migrations
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python tools/check_locks.py
	$(DEVELOPMENT) $(PYTEST) -m html tests/html

.PHONY: audit
audit: install ## Ask whether a vulnerability is known of what is locked; 75: it could not be asked
	$(BIN)/python tools/audit.py

.PHONY: format
format: install ## Format code and templates, and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	-find templates sandbox/templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 {} +

.PHONY: install
install: python ## Make .venv with everything that development needs
	@$(PYTHON) tools/install.py $(VENV) requirements-dev.txt

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"

.PHONY: lock
lock: install ## Compile requirements*.in; UPGRADE=--upgrade takes newer versions
	$(COMPILE) $(UPGRADE) requirements.in --output-file requirements.txt
	$(COMPILE) $(UPGRADE) requirements-dev.in --constraint requirements.txt \
	--output-file requirements-dev.txt

.PHONY: reset
reset: ## Forget the demo's data
	rm -f $(addprefix $(DEMO_DIR)/,demo.sqlite3* sandbox.sqlite3* test-clock demo.lock)

.PHONY: clean
clean: ## Remove .venv and everything else that was made, but not var/
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

.PHONY: python
python:
	@command -v $(PYTHON) >/dev/null || { echo >&2 "Holdfast needs Python 3.11 or newer, and \
	$(PYTHON) is not there: install it (Debian and Ubuntu: sudo apt install python3 python3-venv)."; \
	exit 1; }
	@$(PYTHON) tools/python_check.py
