# SPDX-License-Identifier: GPL-2.0-only
#
# The front door: "make help" lists every target.

LANE	?= stock
SHORT	?=
JOBS	?=
WITH	?=
HOST	?=
prefix	?= /usr/local
VERSION	= $(shell sed -n 's/^VERSION ?= //p' lib/version.mk)

VM	:= selftests/vm
BUILD	:= $(CURDIR)/build

# The second and third columns of the lane's row: its kernel, its test programs.
row	= $(subst |, ,$(shell sed -n 's/^$(1) *|//p' $(VM)/lanes))
column	= $(sort $(foreach lane,$(2),$(word $(1),$(call row,$(lane)))))
KERNEL	= $(call column,1,$(LANE))
ARCH	= $(call column,2,$(LANE))
LANES	= $(shell sed -n 's/^\([a-z0-9-]*\) *|.*/\1/p' $(VM)/lanes)
# Those that are built here, and those that Debian has built for this machine.
OWN	= $(patsubst $(VM)/configs/%.config,%,$(wildcard $(VM)/configs/*.config))
DEBIAN	= $(filter-out $(OWN) arm64,$(call column,1,$(LANES)))

# SHORT=1: of each lane only what it is about. JOBS=2: two lanes at a time, or two boots of
# a soak. HOST=no: without the tests that run here.
host	= $(if $(filter no,$(HOST)),,$(call host_tests,$(1)))
check	= $(VM)/check $(if $(SHORT),--short) $(if $(JOBS),--jobs $(JOBS))

SOAKED	= $(shell selftests/soak/run --kernels)

# V=1 shows the compiler's command lines.
make_in		= $(MAKE) --no-print-directory $(if $(V),,-s) -C
in_lib		= $(make_in) lib O=$(BUILD)/lib prefix=$(prefix)
in_tools	= $(make_in) tools O=$(BUILD)/tools LIBDIR=$(BUILD)/lib prefix=$(prefix)
in_selftests	= $(make_in) selftests OUTPUT=$(BUILD)/selftests/$(1) \
		  KSELFTEST_DIR=$$($(VM)/paths.sh kselftest) $(cc_$(1)) \
		  CFLAGS_EXTRA="$(if $(filter i386,$(1)),-m32)"
in_lib_tests	= $(make_in) lib O=$(BUILD)/lib-$(1) $(cc_$(1)) \
		  CFLAGS="-O2 -g $(if $(filter i386,$(1)),-m32)" example examples cache-steps

# For another machine than this one: the compiler, and where its linker finds libraries.
# Its libc.so is a script that names files from the root on: the linker looks for them in
# the folder that --sysroot names, else on this machine.
root_arm64	= $(shell $(VM)/paths.sh sysroot arm64)
cc_arm64	= CC="$$($(VM)/paths.sh cross arm64)gcc-12 --sysroot=$(root_arm64)" \
		  AR=$$($(VM)/paths.sh cross arm64)ar
ld_arm64	= LDFLAGS="$(foreach lib,usr/lib lib,-L$(root_arm64)/$(lib)/aarch64-linux-gnu) \
		  $(foreach lib,lib usr/lib,-Wl,-rpath-link,$(root_arm64)/$(lib)/aarch64-linux-gnu)"
# What building and running its programs takes, and the command for it.
setup_arm64	:= arm64 kernel:stock
tools_arm64	:= tools-arm64
# The runner's own tests suspend the machine to RAM, which that one cannot.
runner_arm64	:= stock

# Beside the kselftests, the VM runs what is executable in these folders. The other files
# there go along.
VM_TESTS	= $(wildcard tools/tests/vm/* lib/tests/vm/*)

# Not under our make's flags and job server: these are run by the check script.
host_tests	= --host "library=env -u MAKEFLAGS $(in_lib) check" \
		  --host "command=env -u MAKEFLAGS $(in_tools) check" \
		  --host "README=$(VM)/tests/test-readme" \
		  --host "tour=driver/check-tour" \
		  --host "runner=$(VM)/tests/test-runner $(1)"

.PHONY: all lib tools tools-arm64 module help demo check check-all guards lanes lint
.PHONY: shell install uninstall may-write dkms deb check-packages clean known-lane coverage soak mutants
.PHONY: in-tree check-in-tree mutants-check model bench bench-check bench-figures program-bench

## all: library, command, and the module for the running kernel
all: lib tools module

## lib: the library
lib:
	@echo "building the library"
	@$(in_lib)

## tools: the command
tools: lib
	@echo "building the command"
	@$(in_tools)

tools-arm64:
	@echo "building the library and the command (arm64)"
	@$(make_in) lib O=$(BUILD)/lib-arm64 $(cc_arm64)
	@$(make_in) tools O=$(BUILD)/tools-arm64 LIBDIR=$(BUILD)/lib-arm64 $(cc_arm64) $(ld_arm64)

## module: the module for the running kernel, where there are headers for it
module:
	@headers=/lib/modules/$$(uname -r)/build; \
	if [ -e $$headers/Makefile ]; then \
		echo "building the module for $$(uname -r)"; \
		$(VM)/build-module.sh $$headers $(BUILD)/kbuild/running && \
		echo "module: build/kbuild/running/driver/labyrinth.ko"; \
	else \
		echo "module: not built, no headers of the running kernel ($$(uname -r)) here"; \
	fi

# For a kernel of the VM.
module-%:
	@echo "building the module for $$($(VM)/paths.sh release $*)"
	@$(VM)/build-module.sh "$$($(VM)/paths.sh headers $*)" $(BUILD)/kbuild/$*

# The test programs for one architecture, and for the runner the list of them, with
# the seconds that selftests/settings grants.
selftests-%:
	@echo "building the test programs ($*)"
	@$(call in_selftests,$*)
	@$(call in_lib_tests,$*)
	@cp $(BUILD)/lib-$*/example $(BUILD)/selftests/$*/readme-example
	@cp $(BUILD)/lib-$*/cache-steps $(BUILD)/lib-$*/example-* $(BUILD)/selftests/$*
	@cp $(VM_TESTS) $(BUILD)/selftests/$*
	@{ $(call in_selftests,$*) list; \
	   for f in $(VM_TESTS); do [ ! -x $$f ] || basename $$f; done; } | \
		sed "s/$$/ $$(sed -n 's/^timeout=//p' selftests/settings)/" >$(BUILD)/selftests/$*/programs

## demo: boots the VM and shows the main job on a real file
demo:
	@$(VM)/setup.sh build vm kernel:stock
	@$(MAKE) --no-print-directory lib tools module-stock
	@$(VM)/run demo

## check: host tests, then a lane in the VM (LANE=next, see "lanes")
check: known-lane
	@$(VM)/setup.sh build vm tests $(setup_$(ARCH)) source kernel:$(KERNEL)
	@$(MAKE) --no-print-directory lib tools module-$(KERNEL) selftests-$(ARCH) $(tools_$(ARCH))
	@$(check) --lane $(LANE) $(call host,$(or $(runner_$(KERNEL)),$(LANE)))

## check-all: host tests, every lane (SHORT=1 JOBS=2 LANES="rt intx")
check-all:
	@$(VM)/setup.sh build vm $(if $(host),tests) source $(patsubst %,kernel:%,$(call column,1,$(LANES))) \
		$(foreach arch,$(call column,2,$(LANES)),$(setup_$(arch)))
	@$(MAKE) --no-print-directory lib tools \
		$(patsubst %,module-%,$(call column,1,$(LANES))) \
		$(foreach arch,$(call column,2,$(LANES)),selftests-$(arch) $(tools_$(arch)))
	@$(check) $(LANES:%=--lane %) $(call host,stock)

# Those with a guard: a planted bug that the lane must find.
GUARDS	?= debug rt kcsan large i386 iommu

## guards: plants a bug for each lane to find (GUARDS="large i386")
guards:
	@$(VM)/setup.sh build vm source $(patsubst %,kernel:%,$(call column,1,$(GUARDS)))
	@$(MAKE) --no-print-directory lib tools \
		$(patsubst %,module-%,$(call column,1,$(GUARDS))) \
		$(patsubst %,selftests-%,$(call column,2,$(GUARDS)))
	@$(VM)/check --host "guards=$(VM)/tests/test-guards $(BUILD)/guards $(GUARDS)"

## lanes: what LANE can be
lanes:
	@$(VM)/run lanes

## soak: the long storms: hours; goes on where it was stopped (MINUTES=60 ONLY=fuzz JOBS=2)
soak:
	@$(VM)/setup.sh build vm source $(SOAKED:%=kernel:%)
	@$(MAKE) --no-print-directory lib tools $(SOAKED:%=module-%) \
		selftests-amd64 selftests-i386
	@selftests/soak/run $(if $(FRACTION),--fraction $(FRACTION)) \
		$(if $(MINUTES),--minutes $(MINUTES)) $(ONLY:%=--only %) \
		$(if $(JOBS),--jobs $(JOBS))

## bench: counts instructions, beside others; draws charts
bench:
	@$(VM)/setup.sh build vm bench kernel:bench
	@$(MAKE) --no-print-directory module-bench program-bench
	@selftests/bench/run full

## bench-check: fails where one costs 10 % more than the figures
## bench-figures: measures and writes those figures
bench-check bench-figures:
	@$(VM)/setup.sh build vm kernel:bench
	@$(MAKE) --no-print-directory module-bench program-bench
	@selftests/bench/run $(@:bench-%=%) $(if $(KTAP),--ktap)

program-bench:
	@$(make_in) selftests/bench O=$(BUILD)/bench/obj

## coverage: lines of driver, library and command that tests reach
coverage:
	@$(VM)/setup.sh build vm source coverage kernel:debug
	@$(MAKE) --no-print-directory selftests-amd64
	@selftests/coverage/run

## lint: checkpatch, sparse, W=1, kernel-doc, shellcheck, ...
lint:
	@$(VM)/setup.sh build vm lint source $(DEBIAN:%=kernel:%)
	@$(VM)/lint.sh $(DEBIAN)

## mutants: plants one bug at a time; does a test notice? (hours)
mutants:
	@$(VM)/setup.sh build vm source $$(selftests/mutants/run --needs kernels)
	@$(MAKE) --no-print-directory lib tools $$(selftests/mutants/run --needs programs)
	@selftests/mutants/run

## mutants-check: whether every planted bug still fits the sources
mutants-check:
	@selftests/mutants/run --check

## model: searches all states of a model of the ownership protocol
model:
	@$(VM)/setup.sh build model
	@selftests/model/check

## in-tree: puts driver and selftests into TREE=.../linux
in-tree:
	@$(VM)/in-tree.sh "$(TREE)"

## check-in-tree: builds and runs them in Debian's kernel sources
check-in-tree:
	@$(VM)/setup.sh build vm tree kernel:next
	@$(MAKE) --no-print-directory lib tools
	@$(VM)/check --host "in-tree=$(VM)/tests/test-in-tree $(BUILD)/in-tree"

## shell: a VM to try things in (LANE=... WITH="a.out")
shell: known-lane
	@$(VM)/setup.sh build vm $(setup_$(ARCH)) source kernel:$(KERNEL)
	@$(MAKE) --no-print-directory lib tools module-$(KERNEL) selftests-$(ARCH) $(tools_$(ARCH))
	@$(VM)/run shell --lane $(LANE) $(WITH:%=--with %)

## install: library and command, under prefix (/usr/local), DESTDIR
install: lib tools may-write
	@$(in_lib) install
	@$(in_tools) install

# Of the folders that are to be written to, the last one that is there.
may-write:
	@place=$(DESTDIR)$(prefix); \
	while [ ! -e "$$place" ]; do place=$$(dirname "$$place"); done; \
	[ -w "$$place" ] || { \
		echo "may not write to $$place: call it with sudo, or with prefix=..."; \
		exit 1; }

# The module is not below a prefix: who takes away a trial elsewhere keeps it.
## uninstall: takes away what install and dkms have put there
uninstall: may-write
	@$(in_lib) uninstall
	@$(in_tools) uninstall
	@$(if $(DESTDIR)$(filter-out /usr/local,$(prefix)),,tools/system/dkms remove $(VERSION))

## dkms: the module for this kernel, and for later ones
dkms:
	@tools/system/dkms add $(VERSION)

## deb: Debian packages, beside this folder
deb:
	@command -v dpkg-buildpackage >/dev/null && command -v dh >/dev/null || { \
		echo "no packaging tools here: apt-get install dpkg-dev debhelper dh-dkms"; \
		exit 1; }
	dpkg-buildpackage -us -uc -b
	@echo "the packages are beside this folder: sudo apt install ../*labyrinth*.deb"

# Each on what the one before has made.
PARTS	:= build install boot autopkgtest

## check-packages: builds, installs, boots and purges the packages (root)
check-packages:
	@[ "$$(id -u)" -eq 0 ] || { echo "this needs root: sudo make check-packages"; exit 1; }
	@$(VM)/setup.sh vm packages chroot:build chroot:user
	@$(VM)/check $(foreach part,$(PARTS),--host "$(part)=selftests/packages/$(part)")

## clean: removes build/; what was fetched is in ~/.cache/labyrinth
clean:
	rm -rf $(BUILD)

## help: this list
help:
	@sed -n 's/^## \([a-z-]*\): \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

known-lane:
	@[ -n "$(KERNEL)" ] || { echo "no such lane: $(LANE); there are: $(LANES)"; exit 1; }
