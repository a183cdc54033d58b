# `make` prints this manual: every verb with the comment behind it.
PYTHON ?= python3.11
SCOPE ?= full
JOBS ?= 2
BIN := .venv/bin
ARGS ?=
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint peers chaos bench train-nano screenshots lock clean
test: export OMP_NUM_THREADS ?= 1

help: ## print this manual
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## build .venv and the review page (SCOPE=service: without training, vLLM and development tools)
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11, or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 1; }
	@SCOPE=$(SCOPE) $(PYTHON) scripts/setup.py

demo: setup ## run the whole reading path on synthetic patients, up to the review page (ONCE=1: end after the draft)
	@$(BIN)/unirg demo $(if $(ONCE),--once) $(ARGS)

test: setup peers lint ## set up, install the peers where allowed, lint, run every test (ARGS="-k name" to choose; JOBS=n at a time)
# files in their order: behind a browser's tests an event loop runs on, in which asyncio.run refuses to start
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: ## ruff, mypy --strict, the import contracts, the page's types and lint
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@cd app/web && npm run --silent typecheck && npm run --silent lint

peers: ## install the servers that the tests talk to (Debian packages, only as root)
	@$(PYTHON) scripts/peers.py

chaos: setup peers ## kill -9 every process and Redis at random under 100 studies (half an hour; STUDIES=n)
	@CHAOS_STUDIES=$(or $(STUDIES),100) $(BIN)/python -m pytest tests/e2e/test_chaos.py -s

bench: setup peers ## measure intake against Orthanc and DCMTK, images against pydicom, time to draft, the page; figures in var/bench
	@mkdir -p var/bench
	@$(BIN)/python -m tests.bench.bench_imaging --output var/bench/imaging.json
	@$(BIN)/python -m tests.bench.bench_ingest --json var/bench/ingest.json
	@$(BIN)/python -m tests.bench.bench_latency --json var/bench/latency.json
	@$(BIN)/python -m tests.bench.bench_worklist --json var/bench/worklist.json
	@$(BIN)/python -m tests.bench.bench_viewer --json var/bench/viewer.json
	@$(BIN)/python -m tests.bench.bench_report --json var/bench/report.json

train-nano: setup ## train the nano checkpoint from nothing, with its recorded command and seed (45 min on two cores)
	@$(BIN)/python -m training.train_nano $(ARGS)

screenshots: setup peers ## write the README's pictures (docs/screenshots) from the running demo
	@$(BIN)/python -m scripts.screenshots

lock: ## write requirements/*.lock from the present .venv, after it has passed `make test`
	@$(BIN)/python scripts/lock.py

clean: ## remove what set-up, builds and tests made (not the data of a running service in var/)
	rm -rf .venv .setup app/web/dist app/web/node_modules build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
