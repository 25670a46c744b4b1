# SPDX-License-Identifier: BSD-3-Clause
# The hosted build: libtwz, its tools, examples and tests as programs of the machine that builds
# (docs/hosted.md). A makefile of its own, since it needs no board: `make hosted` calls it.
#
#   BUILD=FOLDER  what is built goes there: FOLDER/hosted, with SANITIZE=1 FOLDER/hosted-san
#   SANITIZE=1    with AddressSanitizer and UndefinedBehaviorSanitizer
#   HOSTCC=cc     the compiler

MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
SHELL := /bin/sh

# --- what is built

# userspace/tests/NAME.c that also run hosted.
hosted-tests := \
	test_alloc \
	test_bstream \
	test_dgram \
	test_env \
	test_event \
	test_full \
	test_hash \
	test_hash_gets \
	test_keys \
	test_mutex \
	test_names \
	test_objects \
	test_ptr \
	test_pty \
	test_queue \
	test_races \
	test_slots \
	test_structures \
	test_threads \
	test_ties \
	test_tx \
	test_txn \

# Folders and files of programs: userspace/bin/NAME/*.c, userspace/bin/NAME.c.
hosted-programs := $(filter obj kv,$(notdir $(patsubst %/,%,$(sort $(dir $(wildcard userspace/bin/*/*.c))))))
hosted-examples := visits guestbook $(patsubst userspace/examples/%.c,%,$(wildcard userspace/examples/stock/*.c))

# --- how

SANITIZE := $(or $(SANITIZE),0)
V := $(or $(V),0)
HOSTCC := $(or $(HOSTCC),cc)
HOSTAR := $(or $(HOSTAR),ar)
Q := $(if $(filter 0,$(V)),@)
build-root := $(patsubst %/,%,$(or $(BUILD),build))
override O := $(build-root)/hosted$(if $(filter 1,$(SANITIZE)),-san)
machine := $(or $(filter x86_64 aarch64,$(shell $(HOSTCC) -dumpmachine | cut -d- -f1)),$(error \
	the hosted build knows x86_64 and aarch64, not $(shell $(HOSTCC) -dumpmachine)))

run = $(if $(Q),@printf '  %-7s %s\n' '$1' '$2'; )$3
keep = $(if $(and $(wildcard $1),$(filter ok,$(if $(subst x$(strip $(file <$1)),,x$(strip $2)),no,ok))),,$(shell mkdir -p $(dir $1))$(file >$1,$(strip $2)))
flags-file = $(call keep,$(O)/flags/$1,$(HOSTCC) $2)$(O)/flags/$1

explicit-O := $(filter-out build,$(build-root))
include tools/build/third-party.mk

warnings := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wundef \
	$(if $(findstring clang,$(HOSTCC)),-Wno-gnu-variable-sized-type-not-at-end,-Wno-format-truncation)
sanitize-1 := -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all
sanitize := $(sanitize-$(SANITIZE))
flags := -std=gnu11 -O2 -g -fPIC -fno-strict-aliasing -fno-omit-frame-pointer -pthread \
	-ffile-prefix-map=$(CURDIR)/= $(sanitize)
# Where a guest runs on the same processor, its frame and what goes with it serve here, too.
guest-include-aarch64 := -Ilib/abi/arch/arm64
guest-sources-aarch64 := $(filter-out %/crt0.S %/thread.S %/machine.c,$(wildcard userspace/libtwz/arch/arm64/*.[cS]))

include-flags := $(guest-include-$(machine)) -Iuserspace/libtwz/hosted/arch/$(machine)/include -Iuserspace/libtwz/hosted/include \
	-Iuserspace/libtwz/include -Ilib/abi/include -Ilib/base/include $(sodium-headers)
cc := $(HOSTCC) $(flags) $(warnings) $(include-flags)
obj = $(addsuffix .o,$(addprefix $(O)/objs/,$(basename $1)))

# --- libtwz: a file of hosted/ stands for the one of the same name in src/

hosted-sources := $(wildcard userspace/libtwz/hosted/*.c userspace/libtwz/hosted/arch/$(machine)/*.[cS]) \
	$(guest-sources-$(machine))
replaced := $(addprefix userspace/libtwz/src/,$(notdir $(hosted-sources)))
libtwz-sources := $(hosted-sources) kernel/obj/id.c lib/base/strlcpy.c lib/base/printf.c lib/base/heap.c \
	$(filter-out $(replaced),$(wildcard userspace/libtwz/src/*.c userspace/libtwz/src/*/*.c))
libtwz-objs := $(call obj,$(libtwz-sources)) $(call third-party-objs,objs,sodium)
libtwz := $(O)/libtwz.a

$(call third-party-rules,objs,$(HOSTCC) $(flags))
$(call keep,$(O)/libtwz.objs,$(libtwz-objs))

$(libtwz): $(libtwz-objs) $(O)/libtwz.objs
	$(call run,AR,$@,rm -f $@; $(HOSTAR) rcsD $@ $(libtwz-objs))

# Names of the C library stay the C library's.
private-printf := -Dsnprintf=base_snprintf -Dvsnprintf=base_vsnprintf
$(O)/objs/lib/base/printf.o: private := $(private-printf)
$(O)/objs/kernel/obj/id.o: private := -Ikernel/include
$(O)/objs/userspace/libtwz/hosted/%.o: private := -Ikernel/include

flags-stamp := $(call flags-file,hosted,$(cc))

$(O)/objs/%.o: %.c $(flags-stamp) | $(third-party-stamps)
	$(call run,HOSTCC,$<,mkdir -p $(@D); $(cc) $(private) -MMD -MP -c -o $@ $<)

$(O)/objs/%.o: %.S $(flags-stamp)
	$(call run,HOSTAS,$<,mkdir -p $(@D); $(cc) -MMD -MP -c -o $@ $<)

# --- programs

objs := $(libtwz-objs)
programs :=

# $(call program,NAME,SOURCES)
define program
programs += $(O)/$1
objs += $(call obj,$2)
$(O)/$1: $(call obj,$2) $(libtwz)
	$$(call run,HOSTLD,$$@,$(HOSTCC) $(flags) -o $$@ $(call obj,$2) $(libtwz))
endef

tests-shared := $(filter-out userspace/tests/test_%,$(wildcard userspace/tests/*.c))
own-tests := $(wildcard tests/host/hosted/test_*.c)
$(foreach t,$(hosted-tests),$(eval $(call program,$t,userspace/tests/$t.c $(tests-shared))))
$(foreach t,$(own-tests),$(eval $(call program,$(basename $(notdir $t)),$t $(tests-shared))))
$(foreach e,$(hosted-examples),$(eval $(call program,$(notdir $e),userspace/examples/$e.c)))
$(foreach p,$(hosted-programs),$(eval $(call program,$p,$(wildcard userspace/bin/$p/*.c userspace/bin/$p.c))))
$(call keep,$(O)/tests.list,$(hosted-tests) $(basename $(notdir $(own-tests))))

$(O)/objs/tests/host/hosted/%.o: private := -Iuserspace/tests

.PHONY: all
all: $(libtwz) $(programs)

$(foreach d,$(sort $(dir $(objs))),$(shell mkdir -p $d))
-include $(objs:.o=.d)
