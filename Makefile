# Everything that this project does is a target here; `make` alone lists them. For GNU make 3.81 or newer and a POSIX shell.
# With `make -f PATH/Makefile` the tools run where they are called: files are named, and build/ is made, from there.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
unexport PYTHONPATH PYTHONHOME

# Command lines from make variables: each is passed only if it is set, and as it was typed (spaces, quotes, dollar signs).
quote = '$(subst ','\'',$(value $(1)))'
option = $(if $(value $(2)), --$(1) $(call quote,$(2)))
flag = $(if $(filter-out 0 no false,$(value $(2))), --$(1))
pairs = $(foreach pair,$(value $(2)), $(1)$(call quote,pair))

# The project's folder, nothing where that is the current one; its Python, which elsewhere is told where the packages are.
makefile := $(strip $(MAKEFILE_LIST))
root := $(if $(filter-out Makefile,$(makefile)),$(shell cd "$$(dirname $(call quote,makefile))" && pwd))
PY := $(if $(root),PYTHONPATH=$(call quote,root) $(call quote,root)/).venv/bin/python
# Before what works on the project itself, and before the scripts of the project.
in_root := $(if $(root),cd $(call quote,root) && )
scripts := $(if $(root),$(call quote,root)/)scripts
Q := $(if $(V),,@)

# A variable that was typed and that no target of this call takes is a mistake: said before anything is done.
given := $(strip $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name))))
goals := $(MAKECMDGOALS)
unknown := $(if $(given),$(shell GIVEN=$(call quote,given) GOALS=$(call quote,goals) awk -f $(scripts)/known_variables.awk $(call quote,makefile)))
$(if $(unknown),$(error $(unknown)))

# First prerequisite of a target that cannot go without a variable: said before anything is installed.
need-%:
	@$(if $(value $*),:,$(error $*= is missing, see `make help`))

.PHONY: help
help: ## list the targets
	@BOARDS="$$(ls $(if $(root),$(call quote,root)/)boards/*.toml | tr '\n' ' ')" awk -f $(scripts)/help.awk $(call quote,makefile)

##@ Model

.PHONY: kmodel
kmodel: venv ## make the kmodel and its proof in build/ [WEIGHTS= PRESET=fast|balanced|portrait|sharp SIZE= CALIBRATION= QUANTISATION= FORMAT= OUTPUT= KNOWN_ONLY=1]
	$(Q)$(PY) -m conversion kmodel$(call option,weights,WEIGHTS)$(call option,preset,PRESET)$(call option,size,SIZE)$(call option,calibration,CALIBRATION)$(call option,quantisation,QUANTISATION)$(call option,format,FORMAT)$(call option,output,OUTPUT)$(call flag,known-only,KNOWN_ONLY)

.PHONY: inspect
inspect: need-FILE venv ## show what a weights, TFLite or kmodel file holds: FILE= [JSON=1 HTML=]
	$(Q)$(PY) -m conversion inspect $(call quote,FILE)$(call flag,json,JSON)$(call option,html,HTML)

.PHONY: eval
eval: need-MODEL need-COCO need-IMAGES venv ## measure COCO keypoint AP: MODEL= COCO= IMAGES= [WHERE= UPRIGHT=1 SIZE= LIMIT= WEIGHTS= NO_PEOPLE= ZOOM=0..4 REPLACE=1 JSON=]
	$(Q)$(PY) -m conversion evaluate $(call quote,MODEL)$(call option,coco,COCO)$(call option,images,IMAGES)$(call option,where,WHERE)$(call flag,upright,UPRIGHT)$(call option,size,SIZE)$(call option,limit,LIMIT)$(call option,weights,WEIGHTS)$(call option,no-people,NO_PEOPLE)$(call option,zoom,ZOOM)$(call flag,replace,REPLACE)$(call option,json,JSON)

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
fps: need-FIRMWARE venv ## frames a second of a MaixPy .bin on the emulated chip, stage by stage: FIRMWARE= [SIZE= MODEL= BOARD= PEOPLE= ZOOM=]
	$(Q)$(PY) -m host_tools fps$(call option,firmware,FIRMWARE)$(if $(value MODEL),$(call option,model,MODEL),$(if $(value SIZE), --model build/posenet-mobilenet-075-$(SIZE).kmodel))$(call option,board,BOARD)$(call option,people,PEOPLE)$(call option,zoom,ZOOM)

.PHONY: flash
flash: need-BOARD venv ## write the kmodel, and MaixPy where named, into a board's flash and read it back: BOARD= [PORT= MODEL= FIRMWARE= PACKAGE= BAUD= PROFILE=1 DRY_RUN=1 NO_VERIFY=1]
	$(Q)$(PY) -m host_tools flash$(call option,board,BOARD)$(call option,port,PORT)$(call option,model,MODEL)$(call option,firmware,FIRMWARE)$(call option,package,PACKAGE)$(call option,baud,BAUD)$(call flag,profile,PROFILE)$(call flag,dry-run,DRY_RUN)$(call flag,no-verify,NO_VERIFY)

.PHONY: deploy
deploy: $(if $(value REMOVE),,need-BOARD) venv ## put the program, device card and settings on a board or an SD card: BOARD= [PORT= MODEL= SD= HEAP=KIB MAIN= SET='KEY=VALUE …' REMOVE=1 FORCE=1 DRY_RUN=1]
	$(Q)$(PY) -m host_tools deploy$(call option,board,BOARD)$(call option,port,PORT)$(call option,model,MODEL)$(call option,sd,SD)$(call option,heap,HEAP)$(call option,main,MAIN)$(call pairs,--set ,SET)$(call flag,remove,REMOVE)$(call flag,force,FORCE)$(call flag,dry-run,DRY_RUN)

.PHONY: config
config: venv ## show a board's settings, change them, keep them for its next start [PORT= SET='KEY=VALUE …' SAVE=1]
	$(Q)$(PY) -m host_tools config $(if $(filter-out 0 no false,$(value SAVE)),save,$(if $(value SET),set,get))$(call option,port,PORT)$(call pairs,,SET)

.PHONY: erase
erase: need-BOARD venv ## erase a board's files, or with ALL=1 its whole flash: BOARD= [PORT= ALL=1 BAUD= DRY_RUN=1]
	$(Q)$(PY) -m host_tools erase$(call option,board,BOARD)$(call option,port,PORT)$(call flag,all,ALL)$(call option,baud,BAUD)$(call flag,dry-run,DRY_RUN)

.PHONY: monitor
monitor: venv ## watch a board in the terminal, or in a browser with WEB=1 [PORT= JSON=1 WEB= RECORD= REPLAY= SPEED= SNAPSHOT= FRAMES= SECONDS= SMOOTH=1 IDS=1 BAUD= MQTT=]
	$(Q)$(PY) -m host_tools monitor$(call option,port,PORT)$(call flag,json,JSON)$(call flag,web,WEB)$(if $(filter-out 1 yes true 0 no false,$(value WEB)), $(call quote,WEB))$(call option,record,RECORD)$(call option,replay,REPLAY)$(call option,speed,SPEED)$(call option,snapshot,SNAPSHOT)$(call option,frames,FRAMES)$(call option,seconds,SECONDS)$(call flag,smooth,SMOOTH)$(call flag,ids,IDS)$(call option,baud,BAUD)$(call option,mqtt,MQTT)

.PHONY: verify
verify: venv ## prove that a board computes what the host computes [PORT= IMAGE= MODEL= FRAMES= BAUD= JSON=1]
	$(Q)$(PY) -m host_tools verify$(call option,port,PORT)$(call option,image,IMAGE)$(call option,model,MODEL)$(call option,frames,FRAMES)$(call option,baud,BAUD)$(call flag,json,JSON)

.PHONY: profile
profile: venv ## measure the KPU layer by layer on a board that was flashed with PROFILE=1, against the estimate [PORT= MODEL= JSON=1]
	$(Q)$(PY) -m host_tools profile$(call option,port,PORT)$(call option,model,MODEL)$(call flag,json,JSON)

.PHONY: doctor
doctor: venv ## look at packages, port, permission and the board: what is wrong, and what to do [PORT= JSON=1]
	$(Q)$(PY) -m host_tools doctor$(call option,port,PORT)$(call flag,json,JSON)

.PHONY: ports
ports: venv ## list what is plugged in, and which of it may be a board [JSON=1]
	$(Q)$(PY) -m host_tools ports$(call flag,json,JSON)

.PHONY: boards
boards: venv ## list the boards that BOARD= takes [JSON=1]
	$(Q)$(PY) -m host_tools boards$(call flag,json,JSON)

.PHONY: release
release: need-BOARD venv ## pack what a maker without a tool chain needs into dist/: BOARD= [MODEL= OUTPUT=]
	$(Q)$(PY) -m host_tools release$(call option,board,BOARD)$(call option,model,MODEL)$(call option,output,OUTPUT)

##@ Checks

.PHONY: test
test: venv ## run the tests in four processes, for two cores: they wait now and then
	$(Q)$(in_root)$(PY) -m pytest -n 4 --dist loadfile --no-loadscope-reorder

.PHONY: steady
steady: venv ## run the tests three times beside busy processes: none may depend on how fast the machine is
	$(Q)$(in_root)$(PY) -m tests.steady

.PHONY: lint
lint: venv ## check format and style
	$(Q)$(in_root)$(PY) -m ruff format --check .
	$(Q)$(in_root)$(PY) -m ruff check .

.PHONY: wheel
wheel: venv ## build the wheel, install it elsewhere, walk from a blank virtual board to verified poses [PYTHONS='3.10 3.13']
	$(Q)$(in_root)$(PY) -m tests.wheel$(call pairs,,PYTHONS)

.PHONY: bench
bench: venv ## run the benchmarks, also into build/bench.json
	$(Q)$(in_root)$(PY) -m tests.bench

.PHONY: soak
soak: venv ## run the long tests, hours of two cores, also into build/soak.json
	$(Q)$(in_root)$(PY) -m pytest -m soak -n 3 --dist loadfile --no-loadscope-reorder --demand-images --hypothesis-profile=soak \
		--soak-report=build/soak.json

.PHONY: reproduce
reproduce: venv ## print every published figure, and fail where one has changed [RUNS='model bench …']
	$(Q)$(in_root)$(PY) -m tests.reproduce$(call pairs,,RUNS)

##@ Workshop

.PHONY: setup
setup: venv ## make .venv with the locked packages; the other targets do so by themselves [PYTHON=]
	@echo 'Ready: .venv holds what requirements.lock names.'

.PHONY: venv
venv:
	@$(scripts)/setup.sh

.PHONY: rounding
rounding: need-CALIBRATION need-COCO need-IMAGES venv ## compute the rounding that is shipped anew: CALIBRATION= COCO= IMAGES= [WHERE=]
	$(Q)OPENBLAS_NUM_THREADS=1 $(PY) -m conversion.ship_rounding make $(call quote,CALIBRATION)$(call option,coco,COCO)$(call option,images,IMAGES)$(call option,where,WHERE)

.PHONY: lock
lock: ## resolve pyproject.toml into requirements.lock (network)
	$(Q)$(scripts)/lock.sh

.PHONY: clean
clean: ## remove build/ and what the tools cached here
	$(Q)$(in_root)rm -rf build .pytest_cache .ruff_cache .hypothesis
	$(Q)$(in_root)find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## remove .venv, dist/ and egg-info too
	$(Q)$(in_root)rm -rf .venv dist *.egg-info
