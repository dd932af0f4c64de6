# `make run` and `make test` need nothing but Python 3.11 to 3.13 and a package index.
# Another interpreter: make PYTHON=python3.12 run

PYTHON ?= python3
BIN := .venv/bin
# Python compiles what is imported, when it is; all that is installed takes pip half its time.
INSTALL := $(BIN)/python -m pip --quiet --disable-pip-version-check install --no-compile --editable
ON_TENSORFLOW := KERAS_BACKEND=tensorflow

.DEFAULT_GOAL := help
.PHONY: help run test test-jax lint bench claims notebooks site clean

help: ## show these lines
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: .venv/.installed ## train on Shakespeare, some three minutes; print the loss and a page of text
	@$(ON_TENSORFLOW) $(BIN)/lstm-recipes char-rnn train --run runs/make-run --overwrite
	@$(ON_TENSORFLOW) $(BIN)/lstm-recipes char-rnn evaluate runs/make-run
	@$(ON_TENSORFLOW) $(BIN)/lstm-recipes char-rnn sample runs/make-run

test: .venv/.dev ## run the tests, the examples in docstrings among them
	@$(ON_TENSORFLOW) $(BIN)/pytest -n 2 --dist worksteal

test-jax: .venv/.jax ## run the layers' tests on JAX
	@KERAS_BACKEND=jax $(BIN)/pytest tests/layers

lint: .venv/.dev ## check the style
	@$(BIN)/ruff check .

bench: .venv/.installed ## measure the layers, and writing text, against peers
	@$(ON_TENSORFLOW) $(BIN)/python benchmarks/layers.py
	@$(ON_TENSORFLOW) $(BIN)/python benchmarks/sampling.py

claims: .venv/.dev ## re-run what the literature claims, hours; what is interrupted goes on
	@$(ON_TENSORFLOW) $(BIN)/python benchmarks/lab.py
	@$(ON_TENSORFLOW) $(BIN)/python benchmarks/lab.py --network adam
	@$(ON_TENSORFLOW) $(BIN)/python benchmarks/lab.py --network elman
	@$(BIN)/python benchmarks/tables.py

notebooks: .venv/.dev ## make the notebooks from their sources
	@$(ON_TENSORFLOW) $(BIN)/python notebooks/build.py

site: .venv/.dev ## build the site into site/; a tutorial whose notebook has changed is run anew
	@$(ON_TENSORFLOW) $(BIN)/python notebooks/pages.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean: ## remove .venv and all that is generated, but not runs/
	rm -rf .venv build dist site *.egg-info .pytest_cache .hypothesis .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. Each stamp is one installation, made anew when its description changes.

.venv: .venv/.installed

.venv/.installed: setup.cfg pyproject.toml
	@test -x $(BIN)/pip || { $(check_python) && $(PYTHON) -m venv --clear .venv; }
	@echo "Installing LSTM Recipes and TensorFlow into .venv: a minute or two, about 800 MB to download." >&2
	@$(INSTALL) .
	@touch $@

.venv/.dev: .venv/.installed
	@echo "Installing the tools for tests, notebooks and the site into .venv." >&2
	@$(INSTALL) ".[dev,notebooks,site]"
	@touch $@

.venv/.jax: .venv/.dev
	@echo "Installing JAX into .venv." >&2
	@$(INSTALL) ".[jax]"
	@touch $@

define check_python
{ $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || \
	{ echo "LSTM Recipes needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo missing): name another with make PYTHON=python3.12 ..." >&2; exit 1; }; } && \
{ $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	{ echo "$(PYTHON) has no venv module: install it (Debian and Ubuntu: apt install python3-venv) and try again." >&2; exit 1; }; }
endef
