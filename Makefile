# Everything on a fresh machine with Python 3.10 or newer: `make demo` to see it work, `make test` for the tests,
# `make gate` for all that must pass before a change lands.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test gate lint types clean

demo: $(VENV)/installed
	$(BIN)/arcodec compress -v -f data/sample.txt -o $(VENV)/sample.txt.arc
	$(BIN)/arcodec list $(VENV)/sample.txt.arc
	$(BIN)/arcodec decompress -f $(VENV)/sample.txt.arc -o $(VENV)/sample.txt
	cmp data/sample.txt $(VENV)/sample.txt && echo "the same bytes came back"

test: $(VENV)/installed-for-tests
	$(BIN)/python -m pytest -n 2

gate: test lint types

lint: $(VENV)/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-for-tests
	$(BIN)/mypy

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/installed-for-tests: $(VENV)/installed
	$(BIN)/pip install --quiet -c constraints.txt -e '.[test]'
	touch $@

clean:
	rm -rf $(VENV)
