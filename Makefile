# SPDX-License-Identifier: BSD-3-Clause
# The build, as people see it: `make help` tells what can be asked. The rules are in
# tools/build/*.mk, what is compiled in the build.mk of each folder.

MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
SHELL := /bin/sh
unexport GREP_OPTIONS CDPATH

goals := $(or $(MAKECMDGOALS),all)

# Goals that need no configured board, goals that make a configuration, the rest.
plain-goals := help setup clean distclean test bench soak hosted sdk
config-goals := $(filter %_defconfig menuconfig olddefconfig savedefconfig,$(goals))
build-goals := $(filter-out $(plain-goals) $(config-goals),$(goals))

include tools/build/variables.mk

ifneq ($(and $(word 2,$(goals)),$(config-goals)$(filter $(plain-goals),$(goals))),)

# Goals of several kinds: one after the other, each as if it were given alone.
.PHONY: $(goals) one-by-one
$(goals): one-by-one ;
one-by-one:
	@set -e; for goal in $(goals); do $(MAKE) $$goal; done

else

include tools/build/config.mk
ifneq ($(ARCH),)
include tools/build/toolchain.mk
include tools/build/third-party.mk
include tools/build/kernel.mk
include tools/build/user.mk
include tools/build/host.mk
-include $(wildcard tests/host/build.mk)
include tools/build/finish.mk
endif
include tools/build/run.mk

endif
