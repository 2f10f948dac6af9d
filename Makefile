# make help lists the targets. Requires Python 3.11 or later; everything else is installed into .venv.
PYTHON ?= python3
DATA ?= synthetic
OUT ?= runs/demo
# SMALL=1 adds the overlay for two CPU cores, LITE=1 that for live video on them.
SMALL ?=
# DEVICES=8 trains on so many GPUs.
DEVICES ?=
LITE ?=

BIN := .venv/bin
FACEGAN := $(BIN)/facegan
FIT = $(FACEGAN) fit -c lightning_config.yaml -c stages/$(1).yaml $(if $(SMALL),-c stages/small/$(1).yaml) $(if $(LITE),$(addprefix -c ,$(wildcard stages/lite/$(1).yaml))) -c data/$(DATA).yaml $(if $(DEVICES),--trainer.devices=$(DEVICES)) $(ARGS)

export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast lint docs benchmark train-stage1 train-stage2 train-stage3 finetune bundle evaluate dashboard app clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# MediaPipe installs OpenCV with a window system, albumentations without, both into one folder. The
# one without is installed last, so that no display libraries are needed.
.venv/ready: constraints.txt setup.cfg
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps --force-reinstall opencv-python-headless
	touch $@

demo: .venv/ready ## run the whole pipeline in a small size; INPUT=DIR: your own videos
	$(FACEGAN) demo --out $(OUT) $(if $(INPUT),--input "$(INPUT)")

# Contiguous tests run in one process, which takes those of another when it is done.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

test: .venv/ready ## run all tests; ARGS="-k name"
	$(PYTEST) $(ARGS)

test-fast: .venv/ready ## run the tests that are not slow and need no browser or clips of real people
	$(PYTEST) -m "not slow and not browser and not real" $(ARGS)

lint: .venv/ready ## run ruff, mypy and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/ready ## build the documentation and API reference in site/
	$(BIN)/mkdocs build --strict

benchmark: .venv/ready ## measure speed and memory on an idle machine: tables, runs/benchmark.json and .png
	mkdir -p runs
	$(BIN)/python -m pytest benchmarks/speed -q -o python_files='bench_*.py' --benchmark-json runs/benchmark.json \
		--benchmark-disable-gc --benchmark-quiet $(ARGS)
	$(BIN)/python benchmarks/speed/report.py runs/benchmark.json

train-stage1: .venv/ready ## train the landmark transformer; DATA=name of data/name.yaml, SMALL=1, DEVICES=8, ARGS=more
	$(call FIT,1_landmark_transform)

train-stage2: .venv/ready ## train the face reenactor: global generator, then coarse to fine
	$(call FIT,2_reenact_128)
	$(call FIT,2_reenact)

train-stage3: .venv/ready ## train the background mixer
	$(call FIT,3_background_mix)

finetune: .venv/ready ## train all end to end, from the last checkpoints of the stages
	$(call FIT,4_joint)

bundle: .venv/ready ## convert the last joint checkpoint to runs/model
	$(FACEGAN) bundle runs/joint/checkpoints/last.ckpt --out runs/model --overwrite

evaluate: .venv/ready ## evaluate runs/model; EVAL_DATA=prepared data set
	$(FACEGAN) evaluate --model $(or $(MODEL),runs/model) --data $(or $(EVAL_DATA),data/$(DATA)/prepared) --out runs/evaluation --overwrite $(ARGS)

dashboard: .venv/ready ## create a view of your Weights & Biases runs; ENTITY=user or team, PROJECT=facegan
	$(BIN)/python -m facegan.cli.dashboard $(if $(ENTITY),--entity "$(ENTITY)") $(if $(PROJECT),--project "$(PROJECT)")

app: .venv/ready ## serve the web page; MODEL=folder, ARGS="--port 8000 …"
	$(FACEGAN) app --model $(or $(MODEL),runs/model) $(ARGS)

clean: ## remove the virtual environment, caches and the demo; other runs stay
	rm -rf .venv runs/demo site build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
