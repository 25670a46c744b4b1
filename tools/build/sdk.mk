# SPDX-License-Identifier: BSD-3-Clause
# The SDK (docs/sdk.md): compiler wrappers and a sysroot with musl, libtwix and libtwz. A makefile of
# its own, for one architecture at a time: `make sdk` calls it for each.
#
#   ARCH=riscv64|arm64
#   BUILD=FOLDER       what is built goes there: FOLDER/sdk/twizzler-sdk-ARCH and its tarball
#
# The goal `clang` compiles libtwix with clang, to see that it can.

MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
SHELL := /bin/sh
# What was said on the command line is for this makefile, not for those it calls.
MAKEOVERRIDES :=

V := $(or $(V),0)
Q := $(if $(filter 0,$(V)),@)
run = $(if $(Q),@printf '  %-7s %s\n' '$1' '$2'; )$3

cpu := $(if $(filter arm64,$(ARCH)),aarch64,$(ARCH))
gnu := $(cpu)-linux-gnu
machine-riscv64 := -march=rv64gc -mabi=lp64d -mcmodel=medany -mno-relax
machine-arm64 := -march=armv8-a -mno-outline-atomics
machine := $(machine-$(ARCH))

# make splits names at blanks: where the folder's own name has one, it must not be seen.
build := $(or $(BUILD),build)
work := $(build)/sdk/work-$(ARCH)
name := twizzler-sdk-$(ARCH)
tree := $(build)/sdk/$(name)
usr := $(tree)/sysroot/usr
board-build := $(work)/board

# --- musl: its source with our files in place of its own

musl-source := $(work)/musl-source
overlay := $(wildcard userspace/musl/overlay/*/*/* userspace/musl/overlay/*/*/*/*)

$(work)/musl.fetched: userspace/musl/recipe tools/fetch-source
	@mkdir -p $(@D)
	@tools/fetch-source userspace/musl/recipe $(musl-source) && touch $@

$(work)/musl.built: $(work)/musl.fetched $(overlay) $(lastword $(MAKEFILE_LIST))
	$(call run,MUSL,$(ARCH),tools/sdk/build-musl $(musl-source) $(work)/musl $(work)/musl-root $(cpu) '$(machine)' && touch $@)

# --- libtwz, as the board's build makes it

.PHONY: libtwz
libtwz:
	+@$(MAKE) BOARD=qemu-virt-$(ARCH) O=$(board-build) sdk-libtwz

# --- libtwix, against musl's headers

gcc-headers = $(shell $(gnu)-gcc -print-file-name=include)
clang-headers = $(shell clang -print-resource-dir)/include
twix-flags = -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Wmissing-prototypes \
	-Wstrict-prototypes $(machine) -nostdinc -isystem $1 -isystem $(work)/musl-root/usr/include \
	-Iuserspace/libtwz/include -Iuserspace/libtwz/arch/$(ARCH)/include -Ilib/abi/include -Ilib/abi/arch/$(ARCH) \
	-fno-pie -fno-strict-aliasing -fno-stack-protector -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -ffile-prefix-map=$(CURDIR)/=
twix-cc := $(gnu)-gcc $(call twix-flags,$(gcc-headers))
twix-clang = clang --target=$(gnu) $(call twix-flags,$(clang-headers))
twix-sources := $(wildcard userspace/libtwix/src/*.c userspace/libtwix/arch/$(ARCH)/*.[cS])
twix-objs := $(patsubst %,$(work)/obj/%.o,$(basename $(twix-sources)))

$(work)/obj/%.o: %.c $(work)/musl.built
	@mkdir -p $(@D)
	$(call run,CC,$<,$(twix-cc) -MMD -MP -c -o $@ $<)

$(work)/obj/%.o: %.S $(work)/musl.built
	@mkdir -p $(@D)
	$(call run,AS,$<,$(twix-cc) -MMD -MP -c -o $@ $<)

$(work)/obj-clang/%.o: %.c $(work)/musl.built
	@mkdir -p $(@D)
	$(call run,CLANG,$<,$(twix-clang) -MMD -MP -c -o $@ $<)

.PHONY: clang
clang: $(patsubst %.c,$(work)/obj-clang/%.o,$(filter %.c,$(twix-sources)))

$(work)/libtwix.a: $(twix-objs)
	$(call run,AR,$@,rm -f $@; $(gnu)-ar rcsD $@ $^)

# --- the tree, anew each time: it is small, and nothing old stays in it

.PHONY: all tree
all: tree ports
	$(call run,TAR,$(tree).tar.gz,tar -C $(build)/sdk --sort=name --owner=0 --group=0 --mtime=@0 -czf $(tree).tar.gz $(name))

tree: libtwz $(work)/libtwix.a $(work)/musl.built
	$(call run,SDK,$(tree),tools/sdk/assemble $(ARCH) $(cpu) '$(machine)' $(work) $(board-build) $(tree))
	$(call run,LD,$(tree)/programs/linux,mkdir -p $(tree)/programs && $(tree)/bin/$(cpu)-twizzler-cc -O2 -static-pie -s -o $(tree)/programs/linux userspace/libtwix/host/linux.c)

# --- programs of others, built with it: PORTS="NAME ..." of userspace/ports. Libraries that a port
# --- installs become part of the tree.

ports-folder := $(build)/ports/$(ARCH)
ports := $(foreach p,$(PORTS),$(ports-folder)/$p/built)

$(ports-folder)/%/built: userspace/ports/%/recipe userspace/ports/%/build $(work)/libtwix.a $(board-build)/user/sdk/libtwz.a | tree
	$(call run,PORT,$* ($(ARCH)),tools/sdk/build-port $* $(cpu) $(tree) $(@D) && touch $@)

$(board-build)/user/sdk/libtwz.a: libtwz ;

# --- the first process of a session, which starts the shell: make run, tests

session := $(ports-folder)/session/out/session
session-sources := $(wildcard userspace/init/session/*.c)

$(session): $(session-sources) $(work)/libtwix.a $(board-build)/user/sdk/libtwz.a | tree
	@mkdir -p $(@D)
	$(call run,CC,$@,$(tree)/bin/$(cpu)-twizzler-cc -O2 -Wall -Wextra -Werror -o $@ $(session-sources))

.PHONY: ports
ports: $(ports) $(session) | tree
	@for port in $(PORTS); do \
		[ ! -d $(ports-folder)/$$port/sysroot ] || cp -R $(ports-folder)/$$port/sysroot $(tree)/; \
	done

-include $(twix-objs:.o=.d) $(patsubst $(work)/obj/%.o,$(work)/obj-clang/%.d,$(twix-objs))
