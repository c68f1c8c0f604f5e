# `make demo` and `make test` set up all they need; the environment is built once and again when its files change.
PYTHON ?= python3.11
VENV ?= .venv
STAMP = $(VENV)/.installed-$(shell cat constraints.txt pyproject.toml Makefile | cksum | cut -d ' ' -f 1)
RUN = $(VENV)/bin/
# Processes that run tests side by side, a file of tests each; 0 runs them in turn. Three keep two cores busy, as tests of
# servers mostly wait.
TEST_PROCESSES ?= 3

.PHONY: demo test quick check api setup constraints clean

demo: setup
	$(RUN)musc demo

test: check
	$(RUN)python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(PYTEST_OPTIONS)

# What needs no server, no browser and no process of its own: about a minute.
quick: setup
	$(RUN)python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder -m 'not slow' $(PYTEST_OPTIONS)

check: setup
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)bandit --quiet --configfile pyproject.toml --recursive musc storage planning reports tasks flows web cli

# The reference of the Python interface, made from the docstrings: site/index.html
api: setup
	$(RUN)python docs/api.py site

# The project itself is installed every time: it takes a second, and the environment may serve another checkout.
# Everything is compiled: where Python may not write its byte code (containers, services, PYTHONDONTWRITEBYTECODE), every start
# of a command would compile torch and all others again, which takes about as long as the rest of the start.
setup: $(STAMP)
	VIRTUAL_ENV=$(abspath $(VENV)) $(RUN)uv pip install --quiet --no-deps --no-build-isolation --editable .
	$(RUN)python -m compileall -q musc storage planning reports tasks flows web cli

$(STAMP):
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(RUN)python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(abspath $(VENV)) $(RUN)uv pip install --quiet --compile-bytecode --constraints constraints.txt \
		setuptools --requirements pyproject.toml --extra dask --extra s3 --group dev
	touch $@

# Resolve everything anew and write down what was chosen. torch and torchvision must be one release pair.
constraints:
	rm -rf .venv-constraints
	$(PYTHON) -m venv .venv-constraints
	.venv-constraints/bin/python -m pip install --quiet uv
	VIRTUAL_ENV=$(abspath .venv-constraints) .venv-constraints/bin/uv pip install --editable '.[dask,s3]' --group dev
	( head -1 constraints.txt; VIRTUAL_ENV=$(abspath .venv-constraints) .venv-constraints/bin/uv pip freeze \
		--exclude-editable ) > constraints.new
	mv constraints.new constraints.txt
	rm -rf .venv-constraints

clean:
	rm -rf .venv .venv-constraints site musc-demo musc-results .mypy_cache .ruff_cache .pytest_cache
