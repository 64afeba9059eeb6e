# make run     set up, and take the default flow from its data table to a proved netlist and a comparison
# make test    set up, and run the tests
# make help    the rest
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV   ?= .venv
# Installed first and pinned: a range would draw in several gigabytes of accelerator packages.
TORCH  ?= torch==2.13.0
FLOW   ?= flows/phoneme.yaml
BUILD  ?= build
NAME   := $(basename $(notdir $(FLOW)))
FLOWS  := $(patsubst flows/%.yaml,%,$(wildcard flows/*.yaml))
# What `make figures` measures: a topic such as main, or one id such as main.phoneme_accuracy.
ONLY   ?=

BIN := $(VENV)/bin
DWN := $(BIN)/dwn-asic
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help run test ci lint format bench report report-files report-quick report-unseen figures doctor clean

help:
	@echo 'make run [FLOW=flows/NAME.yaml]   data -> DWN -> proved netlist -> comparison, in $(BUILD)/NAME'
	@echo 'make $(BUILD)/NAME/netlist.v           up to one file; likewise network.npz, design.v, result.json, ...'
	@echo 'make report                       all flows ($(FLOWS)) and studies ($(STUDIES)), in reports/'
	@echo 'make report-quick                 the same tables from a few minutes of runs, in $(BUILD)/report-quick'
	@echo 'make report-unseen                the same tables of data sets that nothing was tried on, in reports/unseen'
	@echo 'make figures [ONLY=main]          measure the figures of reports/figures.csv again'
	@echo 'make test | lint | bench | doctor | clean'

# ---- set-up -------------------------------------------------------------------------------------------------
RUN_READY := $(VENV)/.ready-run
DEV_READY := $(VENV)/.ready-dev

$(RUN_READY): pyproject.toml
	@echo 'Setting up $(VENV) (once) ...'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install '$(TORCH)'
	@$(PIP) install --editable .
	@touch $@

$(DEV_READY): $(RUN_READY)
	@echo 'Adding the development tools to $(VENV) (once) ...'
	@$(PIP) install --editable '.[dev]'
	@touch $@

# ---- one flow -----------------------------------------------------------------------------------------------
RESULT := $(BUILD)/$(NAME)/result.json

run: $(RUN_READY)
	@before=$$({ cksum < $(RESULT); } 2>/dev/null || true); \
	$(MAKE) --no-print-directory --silent $(RESULT) FLOW=$(FLOW) BUILD=$(BUILD); \
	if [ "$$before" = "$$(cksum < $(RESULT))" ]; then \
	    echo '$(BUILD)/$(NAME) is up to date: nothing to do (table: $(BUILD)/$(NAME)/comparison.md)'; \
	else \
	    $(DWN) show $(BUILD)/$(NAME); \
	    echo 'Files: $(BUILD)/$(NAME)/{comparison.md,accuracy_area.svg,design.v,netlist.v,verify.json,result.json}'; \
	fi

# A flow file becomes one small file per stage, which changes only when that stage's part of the flow does.
$(BUILD)/%/config/.done: flows/%.yaml | $(RUN_READY)
	@$(DWN) configure $< --build $(BUILD)
	@touch $@

ifneq ($(FLOW),flows/$(NAME).yaml)
$(BUILD)/$(NAME)/config/.done: $(FLOW) | $(RUN_READY)
	@$(DWN) configure $< --build $(BUILD)
	@touch $@
endif

$(BUILD)/%/config/data.json $(BUILD)/%/config/train.json $(BUILD)/%/config/minimize.json $(BUILD)/%/config/shrink.json \
$(BUILD)/%/config/verilog.json $(BUILD)/%/config/synth.json $(BUILD)/%/config/verify.json \
$(BUILD)/%/config/baseline.json $(BUILD)/%/config/match.json $(BUILD)/%/config/report.json: $(BUILD)/%/config/.done ;

# A csv: source is a prerequisite of its data set.
-include $(wildcard $(BUILD)/*/config/data.mk)

$(BUILD)/%/dataset.npz: $(BUILD)/%/config/data.json
	@$(DWN) data $(BUILD)/$*

$(BUILD)/%/network.npz $(BUILD)/%/graph.json $(BUILD)/%/predictions.npy: \
    $(BUILD)/%/dataset.npz $(BUILD)/%/config/train.json
	@$(DWN) train $(BUILD)/$*

$(BUILD)/%/shrunk/method.json: $(BUILD)/%/dataset.npz $(BUILD)/%/graph.json $(BUILD)/%/config/shrink.json
	@$(DWN) shrink $(BUILD)/$*

$(BUILD)/%/core.json $(BUILD)/%/encoder.json $(BUILD)/%/minimize.json: \
    $(BUILD)/%/graph.json $(BUILD)/%/config/minimize.json
	@$(DWN) minimize $(BUILD)/$*

$(BUILD)/%/design.v $(BUILD)/%/testbench.v: \
    $(BUILD)/%/core.json $(BUILD)/%/encoder.json $(BUILD)/%/config/verilog.json
	@$(DWN) verilog $(BUILD)/$*

$(BUILD)/%/netlist.v $(BUILD)/%/cells.v $(BUILD)/%/synth.json: $(BUILD)/%/design.v $(BUILD)/%/config/synth.json
	@$(DWN) synth $(BUILD)/$*

$(BUILD)/%/verify.json: $(BUILD)/%/netlist.v $(BUILD)/%/testbench.v $(BUILD)/%/config/verify.json
	@$(DWN) verify $(BUILD)/$*

$(BUILD)/%/baselines/summary.json: $(BUILD)/%/dataset.npz $(BUILD)/%/config/baseline.json
	@$(DWN) baseline $(BUILD)/$*

$(BUILD)/%/shrunk/front/matched.json: \
    $(BUILD)/%/shrunk/method.json $(BUILD)/%/baselines/summary.json $(BUILD)/%/config/match.json
	@$(DWN) match $(BUILD)/$*

$(BUILD)/%/result.json $(BUILD)/%/comparison.md $(BUILD)/%/comparison.csv $(BUILD)/%/accuracy_area.svg \
$(BUILD)/%/accuracy_area.png: \
    $(BUILD)/%/verify.json $(BUILD)/%/shrunk/front/matched.json $(BUILD)/%/config/report.json
	@$(DWN) report $(BUILD)/$*

# Nothing that a stage made is thrown away.
.SECONDARY:

# ---- all flows and studies ----------------------------------------------------------------------------------
# A study is a folder of flows that extend one file of flows/base, each run with several seeds.
STUDIES ?= nine ablation
SEEDS   ?= 0 1 2 3 4
OUT     ?= reports
JOBS    ?= 2

define study_rule
$(BUILD)/$(1)/seed-$(2)/%/result.json: flows/$(1)/%.yaml $(wildcard flows/base/*.yaml) | $(DEV_READY)
	@$(DWN) run $$< --seed $(2) --build $(BUILD)/$(1)/seed-$(2) > $(BUILD)/$(1)-$(2)-$$*.log 2>&1 \
	    || { cat $(BUILD)/$(1)-$(2)-$$*.log; exit 1; }
	@touch $$@; echo 'done: $(1)/$$*, seed $(2)'
endef
$(foreach study,$(STUDIES),$(foreach seed,$(SEEDS),$(eval $(call study_rule,$(study),$(seed)))))

# One run on each core. A run that was killed goes on where it was.
report: export OMP_NUM_THREADS = 1
report: $(DEV_READY)
	@mkdir -p $(BUILD)
	@$(MAKE) --no-print-directory --jobs=$(JOBS) report-files

# Asks which tables are there, so only here: those of nine lie beside the project, where it was developed.
ifneq ($(filter report-files,$(MAKECMDGOALS)),)
STUDY_FLOWS := $(wildcard $(STUDIES:%=flows/%/*.yaml))
AVAILABLE   := $(if $(STUDY_FLOWS),$(shell $(DWN) available $(STUDY_FLOWS)))
ifneq ($(filter-out 0,$(.SHELLSTATUS)),)
$(error which tables are there is not known: see above)
endif
runs_of = $(patsubst flows/$(1)/%.yaml,$(BUILD)/$(1)/seed-$(2)/%/result.json,$(filter flows/$(1)/%,$(AVAILABLE)))

report-files: $(foreach study,$(STUDIES),$(foreach seed,$(SEEDS),$(call runs_of,$(study),$(seed)))) \
    $(FLOWS:%=$(BUILD)/%/result.json)
	@$(foreach flow,$(filter-out $(AVAILABLE),$(STUDY_FLOWS)),\
	    echo 'left out, its table is not there: $(flow)';)
	@$(DWN) collect $(FLOWS:%=$(BUILD)/%) --out $(OUT) \
	    $(foreach study,$(STUDIES),$(if $(filter flows/$(study)/%,$(AVAILABLE)),--study $(BUILD)/$(study)))
endif

# The same tables and page from a few minutes of runs.
report-quick:
	@$(MAKE) --no-print-directory report STUDIES=quick SEEDS='0 1' FLOWS=iris_csv OUT=$(BUILD)/report-quick

# Data sets that nothing was chosen or tried on: what the figures of the others are worth elsewhere.
report-unseen:
	@$(MAKE) --no-print-directory report STUDIES=unseen SEEDS='0 1 2' FLOWS= OUT=reports/unseen

figures: $(DEV_READY)
	@$(BIN)/python -m benchmarks.figures --only '$(ONLY)'

# ---- quality ------------------------------------------------------------------------------------------------
# One worker on each core; threads of OpenMP on top would wait for each other.
test: export OMP_NUM_THREADS = 1
test: $(DEV_READY)
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal --benchmark-disable --cov --cov-report=term

# The same with every system tool required instead of skipped.
ci: export DWN_ASIC_REQUIRE_TOOLS = 1
ci: test

lint: $(DEV_READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: $(DEV_READY)
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: $(DEV_READY)
	@$(BIN)/python -m pytest benchmarks --benchmark-only

doctor: $(RUN_READY)
	@$(DWN) doctor

clean:
	rm -rf $(BUILD)
