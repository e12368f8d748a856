# The one entrance for people and machines: `make help`. Works with GNU make 3.81 and newer.
# Every port, URL and secret is a variable: `make run PORT=9000` or `PORT=9000 make run`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory
unexport MAKEFLAGS MFLAGS MAKELEVEL

PYTHON ?= python3
PY := .venv/bin/python
DEVSTACK := $(PY) -m devstack
SERVICES := identity config catalog booking
# SERVICE=x narrows a target to one service.
OF_SERVICE := $(if $(SERVICE),--service $(SERVICE))

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: venv
venv: # the virtual environment; quick if nothing has changed
	@$(PYTHON) -ISs deploy/dev/bootstrap.py

.PHONY: service
service:
	@$(if $(filter $(SERVICE),$(SERVICES)),:,echo 'say which service: SERVICE=identity|config|catalog|booking' >&2; exit 2)

##@ Use it
.PHONY: run stop reset ps demo seed cli
run: venv ## start everything, stay until Ctrl-C      PORT=8080 and all other settings by environment
	@$(DEVSTACK) run

stop: venv ## stop what `make run` started
	@$(DEVSTACK) stop

reset: venv ## stop, and remove database, secrets and logs
	@$(DEVSTACK) reset

ps: venv ## processes with pid, port and health
	@$(DEVSTACK) ps

demo: venv ## the journey from sign-in to a booked ticket, against the running system
	@$(DEVSTACK) exec $(PY) -m demo

seed: venv ## fill the database; what is there already stays
	@$(DEVSTACK) seed

cli: venv service ## a command of a service's own          SERVICE=x DO="send-offers"
	@$(if $(DO),:,echo 'say which: DO="send-offers"' >&2; exit 2)
	@$(DEVSTACK) cli $(OF_SERVICE) $(DO)

##@ Database
.PHONY: db-url psql migrate migration rollback migrate-status migrate-sql check-invariants erasure-scan
db-url: venv ## connection URL                        ROLE=auditor, booking, booking_owner, …
	@$(DEVSTACK) db-url $(if $(ROLE),--role $(ROLE))

psql: venv ## psql on the running database           ROLE=auditor, …
	@$(DEVSTACK) psql $(if $(ROLE),--role $(ROLE))

migrate: venv ## bring the schemas up to date            [SERVICE=x]
	@$(DEVSTACK) cli $(OF_SERVICE) migrate

migration: venv service ## write a migration from the models       SERVICE=x M="add stock"
	@test -n "$$M" || { echo 'say what it does: M="add stock"' >&2; exit 2; }
	@$(DEVSTACK) cli $(OF_SERVICE) migration -m "$$M"

rollback: venv service ## undo the last migration, or all down to  SERVICE=x [TO=revision]
	@$(DEVSTACK) cli $(OF_SERVICE) rollback $(if $(TO),--to $(TO))

migrate-status: venv ## revisions, and drift of the models      [SERVICE=x]
	@$(DEVSTACK) cli $(OF_SERVICE) migrate-status

migrate-sql: venv service ## the migrations as SQL                   SERVICE=x
	@$(DEVSTACK) cli $(OF_SERVICE) migrate-sql

check-invariants: venv ## what must be true of the data, as role auditor
	@$(DEVSTACK) exec $(PY) -m check_invariants

# From the command line only: git sets EMAIL for itself, some systems set NAME.
OF_PERSON = $(foreach name,ID EMAIL NAME PHONE VALUE,$(if $(filter command,$(origin $(name))),$(name)))
erasure-scan: venv ## is anything left of a person?          ID=… EMAIL=… NAME=… PHONE=… VALUE=…
	@$(DEVSTACK) erasure-scan $(OF_PERSON)

##@ Production
.PHONY: secrets release validate-deploy backup restore
secrets: ## make the secrets of an installation        DIR=secrets [DATABASE=host:port] [FOR=development]
	@$(PYTHON) deploy/compose/make_secrets.py $(or $(DIR),secrets) \
		$(if $(DATABASE),--database $(DATABASE)) $(if $(filter development,$(FOR)),--development)

release: ## one service: migrations, then its processes  SERVICE=x [ON=k8s] [DRY_RUN=1]
	@deploy/$(or $(ON),compose)/release.sh $(SERVICE)

backup: venv ## the data into a new folder            [DIR=backups/<now>]
	@$(DEVSTACK) backup $(if $(DIR),"$(DIR)")

restore: venv ## back to a backup, while nothing runs     FROM=folder [SERVICE=x] [REPLACE=1]
	@test -n "$(FROM)" || { echo 'say from what: FROM=folder' >&2; exit 2; }
	@$(DEVSTACK) restore "$(FROM)" $(OF_SERVICE) $(if $(REPLACE),--replace)

validate-deploy: venv ## what describes production, by the tools that carry it out
	@$(PY) -m pytest tests/packaging

##@ Quality
.PHONY: test lint format types openapi openapi-check openapi-release previous-release
TESTS := $(if $(SERVICE),services/$(SERVICE)/tests,shared/tests services/*/tests tests)
# Three at a time, as much of it waits; each with servers of its own, what shares them stays in one
# (devstack/testing.py).
IN_PARALLEL := -n 3 --no-loadscope-reorder
test: venv ## everything there is to check            [SERVICE=x]
	@$(MAKE) --no-print-directory -j 2 lint types openapi-check
	@$(PY) -m pytest $(IN_PARALLEL) $(wildcard $(TESTS))

lint: venv ## ruff, the import contracts, migrations through squawk
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports
	@$(PY) -m lint_migrations

format: venv ## format, and repair what ruff can
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

types: venv ## mypy, strict
	@.venv/bin/mypy $(wildcard shared/src services/*/src deploy/dev deploy/compose deploy/gateway shared/tests services/*/tests tests)

previous-release: venv ## does the last release work on this schema? [SERVICE=x]
	@$(PY) -m previous_release $(SERVICE)

openapi: venv ## write openapi.json                      [SERVICE=x]
	@$(DEVSTACK) cli $(OF_SERVICE) openapi

openapi-check: venv ## is it what the code says, and does it break nobody?  [SERVICE=x]
	@$(DEVSTACK) cli $(OF_SERVICE) openapi --check
	@$(PY) -m contracts check $(OF_SERVICE)

openapi-release: venv service ## at a release: what callers rely on from now on  SERVICE=x
	@$(PY) -m contracts release $(OF_SERVICE)

.PHONY: fuzz
fuzz: venv ## the APIs against their documents, at length  [EXAMPLES=100] [SERVICE=x]
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),100) $(PY) -m pytest $(IN_PARALLEL) \
		$(wildcard services/$(or $(SERVICE),*)/tests/contract)

.PHONY: bench
bench: venv ## how fast it is, on a stack of its own [BENCH_SECONDS=2] [BENCH_STORED=1: and with a million bookings]
	@$(PY) -m bench

.PHONY: chaos
chaos: venv ## deletions and sales, everything going wrong  [CHAOS_ONLY=part of a name] [CHAOS_SEED=n]
	@$(PY) -m chaos

.PHONY: browser
browser: ## Chromium for the tests that look at pages, where it can be installed
	@sh deploy/dev/browser.sh

.PHONY: site
site: venv ## the gateway's pages in one folder          SITE=folder
	@test -n "$(SITE)" || { echo 'say where to: SITE=folder' >&2; exit 2; }
	@$(PY) deploy/gateway/assemble.py "$(SITE)"

.PHONY: lock
UV_COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header
lock: venv ## pin all requirements with hashes
	@$(UV_COMPILE) deploy/dev/requirements.in -o deploy/dev/requirements.txt
	@for folder in $(SERVICES:%=services/%) deploy/dev/fakes; do \
		$(UV_COMPILE) $$folder/requirements.in -c deploy/dev/requirements.txt \
			-o $$folder/requirements.txt || exit 1; \
	done
	@$(UV_COMPILE) deploy/gateway/requirements.in -c deploy/dev/requirements.txt \
		-o deploy/gateway/requirements.txt
