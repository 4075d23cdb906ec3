# Two commands: `make chat` and `make test`. Everything lives in .venv; nothing is installed elsewhere.
PORT ?= 7860
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install chat test check reliability bench-peers bench clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Footnoted needs Python 3.11 or later, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

chat: install
	$(BIN)/footnoted chat examples --index .footnoted-examples --port $(PORT)

test: .venv/installed-dev
	$(BIN)/python -m pytest

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Kills, power cuts, damage, failing writes, readers, writers, interrupts, fuzzing, hostile requests and addresses:
# benchmarks/reliability, where xss, injection and orders (a language model's server) take --data too.
RELIABILITY := kills power_loss damage locks readers other_indexes failing_writes again fuzz interrupts probes exfiltration

reliability: .venv/installed-dev
	@failed=; for bar in $(RELIABILITY); do \
	  echo "== $$bar"; $(BIN)/python -m benchmarks.reliability.$$bar || failed="$$failed $$bar"; \
	done; test -z "$$failed" || { echo "missed:$$failed"; exit 1; }

# Other tools to measure against, each in an environment of its own under .bench (5 GB in all).
PEERS := langchain llamaindex txtai

bench-peers: $(PEERS:%=.bench/%/installed)

# .bench/milvus/installed is a Milvus server, 2.3.5, for tests/milvus and benchmarks/stores.py.

.bench/%/installed: benchmarks/peers/%.txt constraints.txt
	$(PYTHON) -m venv .bench/$*
	.bench/$*/bin/python -m pip install --quiet --upgrade pip
	.bench/$*/bin/python -m pip install --quiet --constraint constraints.txt --requirement $<
	touch $@

# Speed beside the peers, a script a bar, on a machine that does nothing else: docs/performance.md.
DATA ?= ../shared/data

bench: .venv/installed bench-peers
	$(BIN)/python benchmarks/embedding.py --data $(DATA)
	$(BIN)/python benchmarks/build.py --data $(DATA)
	$(BIN)/python benchmarks/changed.py --data $(DATA)
	$(BIN)/python benchmarks/ask.py --file $(DATA)/seed/soviet-war-crimes.txt
	$(BIN)/python benchmarks/question.py --data $(DATA)
	$(BIN)/python benchmarks/chat.py --data $(DATA)
	$(BIN)/python benchmarks/figures.py

clean:
	rm -rf .venv .bench .footnoted .footnoted-examples build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
