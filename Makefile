# Everything that this project does is a target here; `make` alone lists them. For GNU make 3.81 or newer and a POSIX shell.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
unexport PYTHONPATH PYTHONHOME

PY := .venv/bin/python
Q := $(if $(V),,@)

# Command lines from make variables: each is passed only if it is set, and as it was typed (spaces, quotes, dollar signs).
quote = '$(subst ','\'',$(value $(1)))'
option = $(if $(value $(2)), --$(1) $(call quote,$(2)))
flag = $(if $(filter-out 0 no false,$(value $(2))), --$(1))

# First prerequisite of a target that cannot go without a variable: said before anything is installed.
need-%:
	@$(if $(value $*),:,$(error $*= is missing, see `make help`))

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } \
	     /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	     /^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\nVariables go behind the target: make kmodel SIZE=224x224. V=1 shows the commands. PYTHON=PATH names the Python 3.10.\n'

##@ Model

.PHONY: kmodel
kmodel: venv ## make the kmodel and its proof in build/ [WEIGHTS= PRESET=fast|balanced SIZE= CALIBRATION= QUANTISATION= FORMAT= OUTPUT= KNOWN_ONLY=1]
	$(Q)$(PY) -m conversion kmodel$(call option,weights,WEIGHTS)$(call option,preset,PRESET)$(call option,size,SIZE)$(call option,calibration,CALIBRATION)$(call option,quantisation,QUANTISATION)$(call option,format,FORMAT)$(call option,output,OUTPUT)$(call flag,known-only,KNOWN_ONLY)

.PHONY: inspect
inspect: need-FILE venv ## show what a weights, TFLite or kmodel file holds: FILE= [JSON=1 HTML=]
	$(Q)$(PY) -m conversion inspect $(call quote,FILE)$(call flag,json,JSON)$(call option,html,HTML)

.PHONY: eval
eval: need-MODEL need-COCO need-IMAGES venv ## measure COCO keypoint AP: MODEL= COCO= IMAGES= [WHERE= SIZE= LIMIT= WEIGHTS= NO_PEOPLE= JSON=]
	$(Q)$(PY) -m conversion evaluate $(call quote,MODEL)$(call option,coco,COCO)$(call option,images,IMAGES)$(call option,where,WHERE)$(call option,size,SIZE)$(call option,limit,LIMIT)$(call option,weights,WEIGHTS)$(call option,no-people,NO_PEOPLE)$(call option,json,JSON)

##@ Board

KMODEL := build/posenet-mobilenet-075-320x240.kmodel

.PHONY: demo
demo: venv ## run the firmware on a virtual board, pictures into build/demo/ [MODEL= FIRMWARE= SD=]
	$(Q)$(if $(value MODEL),,[ -e $(KMODEL) ] || $(PY) -m conversion kmodel)
	$(Q)$(PY) -m host_tools demo --model $(if $(value MODEL),$(call quote,MODEL),$(KMODEL))$(call option,firmware,FIRMWARE)$(call option,sd,SD)

.PHONY: board
board: venv ## keep a virtual board running [MODEL= FIRMWARE= FLASH= BOARD= CAMERA= LINK= LCD= SD= BLANK=1]
	$(Q)$(PY) -m host_tools board$(call option,model,MODEL)$(call option,firmware,FIRMWARE)$(call option,flash,FLASH)$(call option,board,BOARD)$(call option,camera,CAMERA)$(call option,link,LINK)$(call option,lcd,LCD)$(call option,sd,SD)$(call flag,blank,BLANK)

.PHONY: fps
fps: need-FIRMWARE venv ## frames a second of a MaixPy .bin on the emulated chip, stage by stage: FIRMWARE= [SIZE= MODEL= BOARD= PEOPLE=]
	$(Q)$(PY) -m host_tools fps$(call option,firmware,FIRMWARE)$(if $(value MODEL),$(call option,model,MODEL),$(if $(value SIZE), --model build/posenet-mobilenet-075-$(SIZE).kmodel))$(call option,board,BOARD)$(call option,people,PEOPLE)

.PHONY: flash
flash: need-BOARD venv ## write the kmodel, and MaixPy where named, into a board's flash and read it back: BOARD= [PORT= MODEL= FIRMWARE= PACKAGE= BAUD= PROFILE=1 DRY_RUN=1 NO_VERIFY=1]
	$(Q)$(PY) -m host_tools flash$(call option,board,BOARD)$(call option,port,PORT)$(call option,model,MODEL)$(call option,firmware,FIRMWARE)$(call option,package,PACKAGE)$(call option,baud,BAUD)$(call flag,profile,PROFILE)$(call flag,dry-run,DRY_RUN)$(call flag,no-verify,NO_VERIFY)

.PHONY: deploy
deploy: need-BOARD venv ## put the program, device card and settings on a board or an SD card: BOARD= [PORT= MODEL= SD= HEAP=KIB REMOVE=1 DRY_RUN=1]
	$(Q)$(PY) -m host_tools deploy$(call option,board,BOARD)$(call option,port,PORT)$(call option,model,MODEL)$(call option,sd,SD)$(call option,heap,HEAP)$(call flag,remove,REMOVE)$(call flag,dry-run,DRY_RUN)

.PHONY: monitor
monitor: venv ## watch a board in the terminal, or in a browser with WEB=1 [PORT= JSON=1 WEB= RECORD= REPLAY= SPEED= SNAPSHOT= FRAMES= SECONDS= SMOOTH=1 IDS=1 BAUD= MQTT=]
	$(Q)$(PY) -m host_tools monitor$(call option,port,PORT)$(call flag,json,JSON)$(call flag,web,WEB)$(if $(filter-out 1 yes true 0 no false,$(value WEB)), $(call quote,WEB))$(call option,record,RECORD)$(call option,replay,REPLAY)$(call option,speed,SPEED)$(call option,snapshot,SNAPSHOT)$(call option,frames,FRAMES)$(call option,seconds,SECONDS)$(call flag,smooth,SMOOTH)$(call flag,ids,IDS)$(call option,baud,BAUD)$(call option,mqtt,MQTT)

.PHONY: verify
verify: venv ## prove that a board computes what the host computes [PORT= IMAGE= MODEL= FRAMES= BAUD= JSON=1]
	$(Q)$(PY) -m host_tools verify$(call option,port,PORT)$(call option,image,IMAGE)$(call option,model,MODEL)$(call option,frames,FRAMES)$(call option,baud,BAUD)$(call flag,json,JSON)

.PHONY: profile
profile: venv ## measure the KPU layer by layer on a board that was flashed with PROFILE=1, against the estimate [PORT= MODEL= JSON=1]
	$(Q)$(PY) -m host_tools profile$(call option,port,PORT)$(call option,model,MODEL)$(call flag,json,JSON)

.PHONY: release
release: need-BOARD venv ## pack what a maker without a tool chain needs into dist/: BOARD= [MODEL= OUTPUT=]
	$(Q)$(PY) -m host_tools release$(call option,board,BOARD)$(call option,model,MODEL)$(call option,output,OUTPUT)

##@ Checks

.PHONY: test
test: venv ## run the tests, a process for each of two cores
	$(Q)$(PY) -m pytest -n 2 --dist loadfile

.PHONY: steady
steady: venv ## run the tests three times beside busy processes: none may depend on how fast the machine is
	$(Q)$(PY) -m tests.steady

.PHONY: lint
lint: venv ## check format and style
	$(Q)$(PY) -m ruff format --check .
	$(Q)$(PY) -m ruff check .

.PHONY: bench
bench: venv ## run the benchmarks, also into build/bench.json
	$(Q)$(PY) -m tests.bench

.PHONY: soak
soak: venv ## run the long tests, also into build/soak.json
	$(Q)$(PY) -m pytest -m soak --demand-images --hypothesis-profile=soak --soak-report=build/soak.json

.PHONY: reproduce
reproduce: venv ## print every published figure, and fail where one has changed
	$(Q)$(PY) -m tests.reproduce

##@ Workshop

.PHONY: setup
setup: venv ## make .venv with the locked packages; the other targets do so by themselves [PYTHON=]
	@echo 'Ready: .venv holds what requirements.lock names.'

.PHONY: venv
venv:
	@scripts/setup.sh

.PHONY: rounding
rounding: need-CALIBRATION need-COCO need-IMAGES venv ## compute the rounding that is shipped anew: CALIBRATION= COCO= IMAGES= [WHERE=]
	$(Q)OPENBLAS_NUM_THREADS=1 $(PY) -m conversion.ship_rounding make $(call quote,CALIBRATION)$(call option,coco,COCO)$(call option,images,IMAGES)$(call option,where,WHERE)

.PHONY: lock
lock: ## resolve pyproject.toml into requirements.lock (network)
	$(Q)scripts/lock.sh

.PHONY: clean
clean: ## remove build/ and what the tools cached here
	$(Q)rm -rf build .pytest_cache .ruff_cache .hypothesis
	$(Q)find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## remove .venv, dist/ and egg-info too
	$(Q)rm -rf .venv dist *.egg-info
