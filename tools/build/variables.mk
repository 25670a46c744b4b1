# SPDX-License-Identifier: BSD-3-Clause
# The variables that people set on make's command line: checked here, each mistake
# told in one line. Result: BOARD, boards, O (the output folder), Q, PYTHON.

known-variables := BOARD O V LLVM CROSS_COMPILE HOSTCC APPS PORTS SANITIZE \
	SMP MEM CPU MMU GIC PMEM PMEM_SIZE AUTORUN APPEND ICOUNT TIMEOUT MINUTES T

given-variables := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
unknown-variables := $(filter-out $(known-variables) MAKEFLAGS MAKEOVERRIDES,$(given-variables))
ifneq ($(unknown-variables),)
$(error unknown variable $(firstword $(unknown-variables)); known: $(known-variables))
endif

# Short names are taken from the command line only: the environment may hold them for
# reasons of its own.
from-command-line = $(if $(filter command,$(firstword $(origin $1))),$($1))
explicit-O := $(patsubst %/,%,$(call from-command-line,O))
verbose := $(or $(call from-command-line,V),0)
tests := $(call from-command-line,T)
LLVM := $(or $(LLVM),0)

ifeq ($(filter 0 1,$(verbose)),)
$(error V=$(verbose): must be 0 (short lines) or 1 (whole commands))
endif
ifeq ($(filter 0 1,$(LLVM)),)
$(error LLVM=$(LLVM): must be 0 (GCC and binutils) or 1 (clang and lld))
endif
Q := $(if $(filter 0,$(verbose)),@)

boards := $(sort $(patsubst boards/%/Kconfig,%,$(wildcard boards/*/Kconfig)))
known-boards = the boards are: $(boards)

# `make BOARD_defconfig` chooses the board, and this checkout remembers it.
defconfig-goal := $(firstword $(filter %_defconfig,$(config-goals)))
remembered-board := $(strip $(if $(wildcard build/.board),$(file <build/.board)))
given-board := $(BOARD)
ifneq ($(defconfig-goal),)
override BOARD := $(patsubst %_defconfig,%,$(defconfig-goal))
else ifeq ($(given-board),)
override BOARD := $(or $(filter $(boards),$(remembered-board)),qemu-virt-riscv64)
endif
ifneq ($(words $(BOARD)),1)
$(error BOARD='$(BOARD)': must be one word; $(known-boards))
endif
ifeq ($(filter $(boards),$(BOARD)),)
$(error unknown board '$(BOARD)'; $(known-boards))
endif

ifneq ($(word 2,$(CURDIR)),)
$(error make cannot work in a folder whose path holds blanks: $(CURDIR))
endif
ifneq ($(word 2,$(explicit-O)),)
$(error O='$(explicit-O)': the output folder's name must not hold blanks)
endif
ifneq ($(filter $(CURDIR) $(addprefix $(CURDIR)/,arch boards kernel lib userspace tools tests drivers),$(abspath $(explicit-O))),)
$(error O=$(explicit-O): that is the source tree; name a folder of its own)
endif
ifneq ($(and $(explicit-O),$(wildcard $(explicit-O)),$(if $(wildcard $(explicit-O)/.),,file)),)
$(error O=$(explicit-O): that is a file, not a folder)
endif
override O := $(or $(explicit-O),build/$(BOARD))
ifneq ($(build-goals)$(config-goals),)
ifeq ($(shell mkdir -p $(O) 2>/dev/null && test -w $(O) && echo ok),)
$(error the output folder $(O) cannot be made or written to)
endif
endif

# Debian's own Python is the one that has Debian's Python packages.
PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)
export PYTHONDONTWRITEBYTECODE := 1

# $(call run,WORD,FILE,COMMAND): run COMMAND, showing a short line or the whole of it.
run = $(if $(Q),@printf '  %-7s %s\n' '$1' '$2'; )$3

# $(call keep,FILE,TEXT): make FILE hold TEXT, touching it only when that is a change.
keep = $(if $(and $(wildcard $1),$(filter ok,$(if $(subst x$(strip $(file <$1)),,x$(strip $2)),no,ok))),,$(shell mkdir -p $(dir $1))$(file >$1,$(strip $2)))

# $(call need,GROUPS): install what is missing of these groups of tools/setup.
need = $(if $(shell tools/setup $1 1>&2 && echo ok),,$(error tools that the build needs are missing (see above); `make setup` installs them all))
