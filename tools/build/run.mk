# SPDX-License-Identifier: BSD-3-Clause
# Goals about the whole tree: run, debug, test, bench, clean, help, setup.

.PHONY: help setup clean distclean run debug test bench soak hosted sdk

quote = '$(subst ','\'',$1)'
option = $(if $($2),$1 $(call quote,$($2)))

ifneq ($(filter run debug,$(goals)),)
$(call need,run $(if $(filter debug,$(goals)),debug))
endif
ifneq ($(filter test bench soak,$(goals)),)
$(call need,$(if $(filter test,$(goals)),,config riscv64 arm64 run))
endif

run-options = --board $(BOARD) --build $(call quote,$(O)) $(call option,--smp,SMP) \
	$(call option,--mem,MEM) $(call option,--cpu,CPU) $(call option,--mmu,MMU) \
	$(call option,--gic,GIC) $(call option,--pmem,PMEM) $(call option,--pmem,PMEM2) \
	$(call option,--pmem-size,PMEM_SIZE) $(call option,--autorun,AUTORUN) \
	$(call option,--append,APPEND) $(call option,--icount,ICOUNT) $(call option,--timeout,TIMEOUT)

# Who boots to type gets a shell. Who has programs run, or debugs, gets the ports that were asked for.
ifeq ($(origin PORTS)$(AUTORUN)$(filter debug,$(goals)),undefined)
PORTS := busybox
endif

# First the programs of others, then the same with them as APPS.
ifneq ($(PORTS),)

ports-build := $(abspath $(or $(explicit-O),build))

run debug: ports
	+@TWZ_PORTS_BUILT=1 $(MAKE) $@ PORTS= APPS="$(APPS) $$(ls -d $(foreach p,$(PORTS) session,$(call quote,$(ports-build))/ports/$(ARCH)/$p/out/*) $(call quote,$(ports-build))/sdk/twizzler-sdk-$(ARCH)/programs/* 2>/dev/null | tr "\n" " ")"

.PHONY: ports
ports:
	+@$(call sdk-make,$(ARCH)) PORTS="$(PORTS)" ports

else

run: all
	$(if $(TWZ_PORTS_BUILT)$(AUTORUN),,@echo "PORTS is empty: there is no shell, only the prompt of init")
	@exec tools/run $(run-options)

debug: all
	@exec tools/run $(run-options) --gdb

endif

setup:
	@tools/setup && echo "everything that building, running and testing need is installed"

# --- all boards: each is built as if asked for by itself, and the host's tests with the
# last one

build-board = $(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) \
	BOARD=$1 O=$(if $(explicit-O),$(explicit-O)/$1)
build-hosted = $(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) -f tools/build/hosted.mk \
	BUILD=$(call quote,$(or $(explicit-O),build)) V=$(verbose)
sdk-archs := riscv64 arm64
sdk-make = $(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) -f tools/build/sdk.mk ARCH=$1 BUILD=$(call quote,$(abspath $(or $(explicit-O),build))) V=$(verbose)
build-root = $(if $(explicit-O),--build $(call quote,$(explicit-O)))

test:
	+@$(if $(filter host,$(tests)),,$(foreach b,$(boards),$(call build-board,$b) all &&)) \
		$(call build-board,$(lastword $(boards))) host-tests
	+@$(build-hosted) SANITIZE=0 && $(build-hosted) SANITIZE=1
	+@$(if $(filter host,$(tests)),,$(foreach a,$(sdk-archs),$(call sdk-make,$a) clang all PORTS="dash busybox lua5.4 zlib sqlite bash toybox" &&)) true
	@unset MAKEFLAGS MFLAGS MAKELEVEL; exec tests/run $(build-root) $(tests)

# Without the debugging checks, which a user of the system does not run with either.
bench-root := $(or $(explicit-O),build)/bench

bench:
	+@$(foreach b,$(boards),tools/build/release-config $b $(call quote,$(bench-root))/$b && \
		$(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) \
		BOARD=$b O=$(call quote,$(bench-root))/$b all &&) true
	+@$(foreach a,$(sdk-archs),$(call sdk-make,$a) all PORTS=dash &&) true
	@unset MAKEFLAGS MFLAGS MAKELEVEL; exec bench/run --build $(call quote,$(bench-root)) \
		$(if $(explicit-O),--sdk $(call quote,$(explicit-O))) $(tests)

# Rare failures: kernels that pause at random, and programs that race.
soak-root := $(or $(explicit-O),build)/soak

soak:
	+@$(foreach b,$(boards),tools/build/soak-config $b $(call quote,$(soak-root))/$b && \
		$(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) \
		BOARD=$b O=$(call quote,$(soak-root))/$b all &&) true
	@unset MAKEFLAGS MFLAGS MAKELEVEL; exec tests/soak --build $(call quote,$(soak-root)) --delays \
		$(call option,--minutes,MINUTES) $(tests)

# --- libtwz and its programs for the machine that builds: a makefile of its own

hosted:
	+@$(build-hosted)

# --- the SDK of each architecture: a makefile of its own, too

ifneq ($(filter sdk,$(goals)),)
$(call need,config $(sdk-archs))
endif

sdk:
	+@$(foreach a,$(sdk-archs),$(call sdk-make,$a) &&) true

# --- removing: only what a build makes, by name, as O may be a folder with other things

built := obj user host host-tests flags kernel.elf kernel.elf.syms.S Image initrd.pack initrd.list \
	kernel.lds kernel.lds.d kernel.objs
configured := include auto.mk .config .config.old defconfig third-party
hosted-built := $(addprefix $(or $(explicit-O),build)/,hosted hosted-san sdk ports)
boards-built := $(if $(explicit-O),$(wildcard $(addprefix $(O)/,$(boards))))

clean:
	@rm -rf $(if $(explicit-O),,build/host-tests) $(hosted-built) $(foreach d,$(O) $(boards-built),$(addprefix $d/,$(built)))

distclean:
ifneq ($(explicit-O),)
	@rm -rf $(hosted-built) $(foreach d,$(O) $(boards-built),$(addprefix $d/,$(built) $(configured)))
	@rmdir $(boards-built) $(wildcard $(O)) 2>/dev/null || true
else
	@rm -rf build
endif

# --- help

board-line = $(shell printf '    %-22s %s\n' '$1' "$$(sed -n 's/^board-about := //p' boards/$1/board.mk)")
define help-text
Twizzler: what make can do

  make run              build, then boot in QEMU   (SMP= MEM= CPU= MMU= GIC= PMEM= PMEM_SIZE=
                        PMEM2= AUTORUN='program args; ...' APPEND= ICOUNT= TIMEOUT=)
  make debug            the same, stopped, with gdb attached
  make test             build every board, run every test                   (T=which tests)
  make bench            build every board, run the benchmarks               (T=which)
  make soak             look for rare failures                          (MINUTES=10 T=programs)
  make hosted           build libtwz, its tools and tests for this machine     (SANITIZE=1)
  make sdk              build the SDK: C compilers and a sysroot for each architecture
  make                  build the kernel, the programs and the object pack
  make kernel, user     build only that

  make BOARD_defconfig  choose the board from now on, with its own configuration
  make menuconfig       change the configuration
  make olddefconfig     fit an edited or old .config to the options there are
  make savedefconfig    write what differs from the defaults
  make setup            install the Debian packages that all of this needs
  make clean            remove what was built; distclean: the configuration too

  BOARD=name            build for this board ($(BOARD) now)
  O=folder              build there instead of in build/BOARD
  LLVM=1                clang and lld instead of GCC and binutils
  CROSS_COMPILE=prefix- another GCC
  APPS='path ...'       put more programs into the pack
  PORTS='name ...'      programs of others by recipe (userspace/ports); busybox for run; PORTS=: none, no shell
  V=1                   show whole commands

  Boards:
endef
help:
	$(info $(help-text))
	@for board in $(boards); do \
		printf '    %-21s %s\n' "$$board" "$$(sed -n 's/^board-about := //p' boards/$$board/board.mk)"; done
