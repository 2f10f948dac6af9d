# make help tells what there is. Needs Python 3.11 and make; everything else goes into .venv.
PYTHON ?= python3
DATA ?= synthetic
OUT ?= runs/demo
# SMALL=1 adds the overlay for two CPU cores, LITE=1 that of networks which are live on them.
SMALL ?=
LITE ?=

BIN := .venv/bin
FACEGAN := $(BIN)/facegan
FIT = $(FACEGAN) fit -c lightning_config.yaml -c stages/$(1).yaml $(if $(SMALL),-c stages/small/$(1).yaml) $(if $(LITE),$(addprefix -c ,$(wildcard stages/lite/$(1).yaml))) -c data/$(DATA).yaml $(ARGS)

export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast lint docs benchmark train-stage1 train-stage2 train-stage3 finetune bundle evaluate dashboard app clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# opencv arrives twice, for MediaPipe with a window system and for albumentations without; both
# write to one folder. The one without is put on top, so that no display library is needed.
.venv/ready: constraints.txt setup.cfg
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps --force-reinstall opencv-python-headless
	touch $@

demo: .venv/ready ## the whole path in a small size; INPUT=DIR takes your own videos
	$(FACEGAN) demo --out $(OUT) $(if $(INPUT),--input "$(INPUT)")

test: .venv/ready ## all tests
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

test-fast: .venv/ready ## tests that are neither slow nor need a browser or clips of real people
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile -m "not slow and not browser and not real" $(ARGS)

lint: .venv/ready ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/ready ## the documentation with its API reference as a site in site/
	$(BIN)/mkdocs build --strict

benchmark: .venv/ready ## speed and memory: a table, runs/benchmark.json and .png; the machine must be idle
	mkdir -p runs
	$(BIN)/python -m pytest benchmarks/speed -q -o python_files='bench_*.py' --benchmark-json runs/benchmark.json \
		--benchmark-disable-gc --benchmark-quiet $(ARGS)
	$(BIN)/python benchmarks/speed/report.py runs/benchmark.json

train-stage1: .venv/ready ## landmark transformer; DATA=name of data/name.yaml, SMALL=1, ARGS=more
	$(call FIT,1_landmark_transform)

train-stage2: .venv/ready ## face reenactor: the global generator at half the size, then all of it
	$(call FIT,2_reenact_128)
	$(call FIT,2_reenact)

train-stage3: .venv/ready ## background mixer
	$(call FIT,3_background_mix)

finetune: .venv/ready ## all end to end, from the three stages' last checkpoints
	$(call FIT,4_joint)

bundle: .venv/ready ## the joint stage's last checkpoint as runs/model
	$(FACEGAN) bundle runs/joint/checkpoints/last.ckpt --out runs/model --overwrite

evaluate: .venv/ready ## the paper's measures of runs/model; EVAL_DATA=prepared data set
	$(FACEGAN) evaluate --model $(or $(MODEL),runs/model) --data $(or $(EVAL_DATA),data/$(DATA)/prepared) --out runs/evaluation --overwrite $(ARGS)

dashboard: .venv/ready ## a view of your runs at Weights & Biases; ENTITY=user or team, PROJECT=facegan
	$(BIN)/python -m facegan.cli.dashboard $(if $(ENTITY),--entity "$(ENTITY)") $(if $(PROJECT),--project "$(PROJECT)")

app: .venv/ready ## the web page; MODEL=folder, ARGS="--port 8000 …"
	$(FACEGAN) app --model $(or $(MODEL),runs/model) $(ARGS)

clean: ## removes the virtual environment, caches and the demo; trained runs stay
	rm -rf .venv runs/demo site build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
