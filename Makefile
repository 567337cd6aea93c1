# Two commands for a newcomer: `make demo` and `make test`. Everything is set up in .venv/ at the top.
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.ready

CHECKOV := .venv-checkov/bin/checkov

.PHONY: demo test test-checkov check bench generate clean

$(STAMP): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --compile --editable '.[test,check]'
	$(BIN)/python -m compileall -q policies scanners
	touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/python examples/demo.py

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 tests

# checkov pins what other tools need newer, so it lives in an environment of its own
$(CHECKOV):
	$(PYTHON) -m venv .venv-checkov
	.venv-checkov/bin/python -m pip install --quiet 'checkov==3.3.30' --editable '.[terraform]'

test-checkov: $(STAMP) $(CHECKOV)
	CHECKOV=$(abspath $(CHECKOV)) $(BIN)/python -m pytest tests/gate/test_checkov.py

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m benchmarks

generate: $(STAMP)
	$(BIN)/python -m tests.generate

clean:
	rm -rf .venv
