# Every target makes what it needs; the stamps in .venv keep the second run short.
# Python 3.11 or newer: make PYTHON=python3.12 ...

PYTHON ?= python3
PHOTOS ?=
OUT ?= colorized
PORT ?= 8000
PYTEST_ARGS ?=
# The version the tests are run with; pinned before the rest so that one build of it is taken, and taken once.
TORCH ?= torch==2.13.0

VENV := .venv
BIN := $(VENV)/bin
EXAMPLES := examples/photos
DEMO := demo
NPM := $(shell command -v npm 2>/dev/null)
RUNTIME := node_modules/onnxruntime-web/dist

.PHONY: help colorize video serve page test lint format docs bench train-demo clean

help:
	@echo "make colorize [PHOTOS=folder] [OUT=folder]  color the example photos, or a folder of yours"
	@echo "make serve [PORT=8000]                      the page and the HTTP API on this machine"
	@echo "make page [PORT=8000]                       the page without a server, as files in ./build/page, and shows it"
	@echo "make video                                  color a clip of three seconds into ./colorized"
	@echo "make test [PYTEST_ARGS='-k name']           the test suite, or a part of it"
	@echo "make lint                                   ruff, and mypy over all code"
	@echo "make format                                 let ruff put the code in shape"
	@echo "make docs                                   the docs as a site in ./site"
	@echo "make train-demo                             train the three stages on generated scenes and evaluate them"
	@echo "make bench                                  time and memory of a 12-megapixel photo"
	@echo "make clean                                  remove .venv, caches and the results in ./colorized, ./demo and ./site"

# A second run replaces the results of the bundled photos, but never a file among those of somebody else's.
colorize: $(VENV)/installed
	@mkdir -p "$(OUT)"
	$(BIN)/instcolor colorize $(if $(PHOTOS),"$(PHOTOS)",$(EXAMPLES) --overwrite) --out "$(OUT)"
	@echo "The results are in $(OUT)"

video: $(VENV)/installed-video
	@mkdir -p "$(OUT)"
	$(BIN)/instcolor video examples/films/harbor.mp4 --out "$(OUT)/harbor.mp4" --overwrite

serve: $(VENV)/installed-serve
	$(BIN)/instcolor serve --port $(PORT)

# Without npm the runtime is downloaded by the command itself.
page: $(VENV)/installed $(if $(NPM),$(RUNTIME))
	$(BIN)/instcolor page export build/page --overwrite $(if $(NPM),--runtime $(RUNTIME))
	@echo "It is in build/page, and until Ctrl-C at http://127.0.0.1:$(PORT)/"
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory build/page

$(RUNTIME): package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --silent
	touch $@

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "The site is site/index.html"

bench: $(VENV)/installed
	$(BIN)/python benchmarks/end_to_end.py

train-demo: $(VENV)/installed-dev
	$(BIN)/python -m instcolor.training.scenes $(DEMO)
	$(BIN)/instcolor train all --config demo --out $(DEMO)/runs
	$(BIN)/instcolor evaluate $(DEMO)/val --boxes $(DEMO)/val/boxes.json --size 96 --out $(DEMO)/evaluation --overwrite \
	    --weights $(DEMO)/runs/full/model.safetensors,$(DEMO)/runs/instance/model.safetensors,$(DEMO)/runs/fusion/model.safetensors

clean:
	rm -rf $(VENV) site colorized $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	    "Python 3.11 or newer is needed, this is %s: make PYTHON=python3.12 ..." % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/installed: $(VENV)/made pyproject.toml
	$(BIN)/python -m pip install --quiet -e .
	touch $@

$(VENV)/installed-serve: $(VENV)/made pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[serve]"
	touch $@ $(VENV)/installed

$(VENV)/installed-video: $(VENV)/made pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[video]"
	touch $@ $(VENV)/installed

$(VENV)/installed-docs: $(VENV)/made pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[docs]"
	touch $@ $(VENV)/installed

$(VENV)/installed-dev: $(VENV)/made pyproject.toml
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@ $(VENV)/installed $(VENV)/installed-serve $(VENV)/installed-video
