# Two commands do everything on a machine with python3 (>= 3.11), make and the package registries.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN ?= outputs/demo
export HF_HUB_OFFLINE ?= 1

.PHONY: demo six test campaign lint docs clean

demo: $(VENV)/installed   ## train an encoder of label sets on the built-in corpus, and measure it
	@echo "== 1/2 views, training, thresholds ($(RUN)) =="
	$(BIN)/python scripts/pretrain_sets.py run=$(RUN) views=4800 validation_views=800 fitting.epochs=6
	@echo "== 2/2 figures of held-out sources =="
	$(BIN)/python scripts/probe_sets.py $(RUN) views=800

six: RUN = outputs/six
six: $(VENV)/installed   ## pretrain clean + 6 artifacts with one label, probe, draw the map
	@echo "== 1/3 pretraining on the built-in corpus ($(RUN)) =="
	$(BIN)/python scripts/pretrain.py trainer=demo run=$(RUN)
	@echo "== 2/3 probing =="
	$(BIN)/python scripts/probe.py run=$(RUN)
	@echo "== 3/3 embedding map =="
	$(BIN)/python analysis/embedding_map.py run=$(RUN)

test: $(VENV)/installed   ## run all tests; hundreds of processes share what the first has compiled
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

campaign: $(VENV)/installed   ## kills, full disks, damaged files, several writers and many requests at once; under 30 minutes; not a part of test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m campaign --timeout 1800 -rP tests/campaigns

lint: $(VENV)/installed   ## style, types, and the JavaScript of the pages
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/oxlint contrastive_artifacts

docs: $(VENV)/installed   ## the manual, into site/; a link or a reference that leads nowhere is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

$(VENV)/installed: pyproject.toml
	@echo "== installing into $(VENV) (once; about two minutes) =="
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11"'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) outputs site
