# The lab's commands; `make` alone lists them.
#
#   make compare SERVICES="fastapi-async flask-gthread" EXPERIMENTS=blocked-threads ROUNDS=6
#
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
LAB := $(BIN)/python -m loadtest
ENVIRONMENT = PYTHON="$(PYTHON)" PYTHON_FREE="$(PYTHON_FREE)" $(if $(filter command,$(origin PYTHON)),PYTHON_ASKED=yes) setup/environment
GROUPS := fastapi flask starlette quart django
SOURCES := loadtest services tests grafana benchmarks setup

# What Python and shells read by themselves counts for nothing here (docs/configuration.md).
unexport $(filter-out PYTHONUTF8,$(filter PYTHON%,$(.VARIABLES))) BASH_ENV CDPATH ENV
export PYTHONUTF8 := 1

# The variables that a target takes; any other on the command line is refused.
TAKES_compare := PLAN EXPERIMENTS SERVICES BUDGET ROUNDS SEED BACKEND BUSY RESUME POOLER PYTHON_FREE
TAKES_lesson := LESSON BUSY
TAKES_versus := TARGETS VERSUS
TAKES_live := SERVICES BUDGET POOLER
TAKES_probe := URL PROBE
TAKES_up := BUDGET PROFILE POOLER
TAKES_size := SIZE
TAKES_test := PYTEST
TAKES_test-containers := PYTEST
TAKES_bench-load := BENCH
TAKES_bench-services := BENCH
TAKES_bench-scrapes := BENCH
TAKES_bench-probe := BENCH
TAKES_bench-versus := BENCH
TAKES_bench-verdicts := BENCH
TAKES_falsify := FALSIFY
TAKES_picture := RUN
TAKES_publish := RUN PARTIAL
TAKES_lock := UPGRADE
include setup/variables.mk

# What narrows `make compare`, each as the option of `python -m loadtest run`.
RUN_OPTIONS = \
	$(if $(PLAN),--plan "$(PLAN)") \
	$(if $(EXPERIMENTS),--experiments "$(EXPERIMENTS)") \
	$(if $(SERVICES),--services "$(SERVICES)") \
	$(if $(BUDGET),--budget "$(BUDGET)") \
	$(if $(ROUNDS),--rounds "$(ROUNDS)") \
	$(if $(SEED),--seed "$(SEED)") \
	$(if $(BACKEND),--backend "$(BACKEND)") \
	$(if $(BUSY),--busy "$(BUSY)") \
	$(if $(RESUME),--resume "$(RESUME)")

COMPOSE_OPTIONS = $(if $(BUDGET),--env-file budgets/$(BUDGET).env) $(if $(PROFILE),--profile $(PROFILE)) \
	$(if $(POOLER),--profile pooler)

.PHONY: help
help: ## list what there is to do
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  Variables of make compare: $(TAKES_compare)'

##
.PHONY: compare
compare: ## compare the services, then write a report (PLAN=full; BACKEND=compose for containers)
	@setup/options $(RUN_OPTIONS)
	@$(if $(filter compose,$(BACKEND)),,$(ENVIRONMENT) native && $(ENVIRONMENT) free-threaded)
	@$(if $(filter compose,$(BACKEND)),BUDGET="$(BUDGET)" containers/compare,$(LAB)) run $(RUN_OPTIONS)

.PHONY: versus
versus: native-environment ## compare services of your own (TARGETS="A=http://127.0.0.1:8101/ B=http://127.0.0.1:8102/")
	@$(LAB) versus $(or $(foreach each,$(TARGETS),'$(each)'),$(error make versus needs TARGETS="A=http://… B=http://…")) $(VERSUS)

.PHONY: live
live: native-environment ## services and the Locust UI on 127.0.0.1:8089 without Docker, until Ctrl-C
	@$(LAB) live $(if $(SERVICES),--services "$(SERVICES)") $(if $(BUDGET),--budget "$(BUDGET)")

.PHONY: lesson
lesson: native-environment ## run a lesson and answer its question (LESSON=2); list the lessons
	@$(LAB) lesson $(if $(LESSON),"$(LESSON)") $(if $(BUSY),--busy "$(BUSY)")

.PHONY: probe
probe: native-environment ## how many requests at once your own service works on, and what binds it (URL=http://127.0.0.1:8000/slow)
	@$(LAB) probe '$(or $(URL),$(error make probe needs URL=http://127.0.0.1:8000/…))' $(PROBE)

.PHONY: size
size: native-environment ## workers, threads and pools for a rate (SIZE="--rate 200 --wait-ms 80 --cpu-ms 3 --cores 2")
	@$(LAB) size $(SIZE)

.PHONY: history
history: native-environment ## the runs that exist and their headline figures
	@$(LAB) history

.PHONY: publish
publish: native-environment ## write docs/results.md, the README's table and the lessons' figures from PLAN=full or PLAN=field, docs/published.md from PLAN=published (RUN=results/latest; PARTIAL=yes)
	@$(LAB) publish "$(or $(RUN),results/latest)" $(if $(PARTIAL),--partial)

.PHONY: up
up: ## the same with Docker: Locust 8089, Grafana 3000, Prometheus 9090 (PROFILE=all, ladder, servers: more services)
	@$(if $(BUDGET),setup/options --budget "$(BUDGET)")
	@containers/preflight $(COMPOSE_OPTIONS)
	@docker compose $(COMPOSE_OPTIONS) up --build --wait

.PHONY: keep
keep: ## beside make up: bring back what is stopped, killed, paused or hangs, until Ctrl-C
	@containers/keep

.PHONY: down
down: ## stop the containers and remove their data
	docker compose --profile '*' down --volumes --remove-orphans

# Tests that no other test disturbs run four at a time, as most of them wait; what they share is started
# once (tests/conftest.py). Those marked `waits` measure three at a time, some with these services.
# Those marked `timed` have the machine to themselves. Only files with such a mark are read then: to
# read all takes longer than most of these tests.
MEASURED := fastapi-async flask-sync flask-gthread flask-gevent node go starlette
MARKED = $(shell grep -rl --include='test_*.py' 'pytest\.mark\.$(1)' tests)

.PHONY: test
test: dev-environment ## every test that needs no Docker (PYTEST="tests/loadtest/system -x" for some)
	@.ci/needs
ifdef PYTEST
	$(BIN)/python -m pytest -m "not container" $(PYTEST)
else
	@$(MAKE) --no-print-directory test-together
	@$(MAKE) --no-print-directory test-alone
endif

.PHONY: test-together test-alone
test-together:
	$(BIN)/python -m pytest --numprocesses 4 -m "not (container or timed or waits)"
test-alone:
	LAB_TEST_SERVICES="$${LAB_TEST_SERVICES:-$(MEASURED)}" \
	  $(BIN)/python -m pytest --numprocesses 3 -m "waits and not container" $(call MARKED,waits)
	$(BIN)/python -m pytest -m "timed and not container" $(call MARKED,timed)

.PHONY: test-containers
test-containers: ## build every image and run the whole lab with a Docker engine
	@containers/preflight no-ports
	@$(ENVIRONMENT) dev
	$(BIN)/python -m pytest tests/containers -m container --timeout 900 $(PYTEST)

.PHONY: check
check: dev-environment ## lint, format, types and the floors of loadtest
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-logo

.PHONY: bench-load
bench-load: dev-environment ## the load generators on one core, beside wrk and k6 where installed (BENCH="--rounds 5", BENCH="--closes-after 50")
	$(BIN)/python -m benchmarks.load $(BENCH)

.PHONY: bench-services
bench-services: dev-environment ## what metrics cost each service, and what it costs beside a minimal server of its framework (BENCH="starlette --rounds 12")
	$(BIN)/python -m benchmarks.services $(BENCH)

.PHONY: bench-scrapes
bench-scrapes: dev-environment ## how long the metrics of each Python service take while all its slots are full (BENCH="flask-sync --seconds 120")
	$(BIN)/python -m benchmarks.scrapes $(BENCH)

.PHONY: bench-probe
bench-probe: dev-environment ## how often a probe is right about services that are known (BENCH="--runs 20 --busy --only gunicorn")
	$(BIN)/python -m benchmarks.probe $(BENCH)

.PHONY: bench-versus
bench-versus: dev-environment ## how often versus finds a winner between a service and itself, and one that takes 10 % more CPU (BENCH="--runs 50 --slower 20")
	$(BIN)/python -m benchmarks.own.versus $(BENCH)

.PHONY: bench-verdicts
bench-verdicts: dev-environment ## whether quick runs in a row give the same verdicts, and how long they take (BENCH="--runs 10")
	$(BIN)/python -m benchmarks.runs.verdicts $(BENCH)

.PHONY: falsify
falsify: dev-environment ## put disturbances into trials and count what is noticed (FALSIFY="--seeds 1 2 --rounds 3 --write")
	$(BIN)/python -m benchmarks.falsify $(FALSIFY)

.PHONY: dashboards
dashboards: dev-environment ## write grafana/dashboards from their builder
	$(BIN)/python -m grafana.build

.PHONY: reference
reference: dev-environment ## write what pages take from the code and from the published run, and the schema of experiments
	$(BIN)/python -m loadtest.plan.reference
	$(BIN)/python -m loadtest.report.lessons.build
	$(BIN)/python -m loadtest.report.published

.PHONY: docs
docs: ## make a site of the pages, with search: .lab/site
	@$(ENVIRONMENT) docs
	@setup/site

.PHONY: screenshot
screenshot: dev-environment ## take the picture of Locust's interface anew (docs/images/locust.png)
	LAB_SCREENSHOT=docs/images/locust.png LAB_TEST_SERVICES="fastapi-async flask-sync" \
	  $(BIN)/python -m pytest -q tests/native/live/test_browser.py -k fills_in

.PHONY: picture
picture: ## take the README's picture of a report anew (RUN=results/latest)
	chromium --headless --no-sandbox --hide-scrollbars --window-size=1000,1800 \
	  --screenshot=docs/images/report.png "file://$(abspath $(or $(RUN),results/latest))/report.html"

.PHONY: setup
setup: dev-environment ## create .venv with everything that tests need

.PHONY: clean
clean: ## remove what the lab made, except results/
	rm -rf .venv .lab .mypy_cache .ruff_cache .pytest_cache .hypothesis services/node/node_modules
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: lock
lock: dev-environment ## pin what pyproject.toml asks for, with hashes (UPGRADE=--upgrade for newer versions)
	$(call compile,dev,requirements/dev.txt)
	$(call compile,docs,requirements/docs.txt)
	$(call compile,native,requirements/native.txt,-c requirements/dev.txt)
	$(call compile,free-threaded,requirements/free-threaded.txt,-c requirements/dev.txt)
	$(foreach image,loadtest prometheus,$(call compile,$(image),$(image)/requirements.txt,-c requirements/dev.txt) &&) true
	$(foreach group,$(GROUPS),$(call compile,$(group),services/$(group)/requirements.txt,-c requirements/dev.txt) &&) true

compile = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url $(UPGRADE) $(3) --group pyproject.toml:$(1) --output-file $(2)

.PHONY: native-environment dev-environment
native-environment dev-environment: %-environment:
	@$(ENVIRONMENT) $*

.PHONY: e2e
e2e:
	$(error make e2e is called make test-containers now)
