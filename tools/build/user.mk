# SPDX-License-Identifier: BSD-3-Clause
# Userspace: the library libtwz and the programs, found by where their files stand.
#
#   userspace/init/*.c                 the program init
#   userspace/bin/NAME.c, bin/NAME/*.c the program NAME
#   userspace/tests/test_*.c           one program each; other files there belong to all of them
#   bench/guest/bench_*.c              the same for benchmarks
#   APPS="PATH ..."                    more: a .c file, a folder of them, or a linked program

user-include := -Iuserspace/libtwz/include -Iuserspace/libtwz/arch/$(ARCH)/include \
	-Ilib/abi/include -Ilib/abi/arch/$(ARCH) -Ilib/base/include $(sodium-headers) $(shim-headers)
user-cc := $(CC) $(user-flags) $(warnings) $(user-include)
user-flags-file := $(call flags-file,user,$(user-cc))
user-obj = $(addsuffix .o,$(addprefix $(O)/user/obj/,$(basename $1)))

# --- libtwz, with lib/base and the third-party code it may call

crt0 := userspace/libtwz/arch/$(ARCH)/crt0.S
libtwz-sources := $(wildcard userspace/libtwz/src/*.c userspace/libtwz/src/*/*.c) \
	$(filter-out $(crt0),$(wildcard userspace/libtwz/arch/$(ARCH)/*.[cS]))
user-base-list :=
$(call read-folder,user-base,lib/base)
libtwz-objs := $(call user-obj,$(libtwz-sources) $(user-base-list)) \
	$(call third-party-objs,user/obj,sodium)
libtwz := $(O)/user/libtwz.a

$(call third-party-rules,user/obj,$(CC) $(user-flags) $(shim-headers))
$(call keep,$(O)/user/libtwz.objs,$(libtwz-objs))

$(libtwz): $(libtwz-objs) $(O)/user/libtwz.objs
	$(call run,AR,$@,rm -f $@; $(AR) rcsD $@ @$(O)/user/libtwz.objs)

$(O)/user/obj/%.o: %.c $(user-flags-file) | $(third-party-stamps)
	$(call run,CC,$<,$(user-cc) -MMD -MP -c -o $@ $<)

$(O)/user/obj/%.o: %.S $(user-flags-file) | $(third-party-stamps)
	$(call run,AS,$<,$(user-cc) -MMD -MP -c -o $@ $<)

$(O)/user/program.lds: userspace/libtwz/program.lds.S $(user-flags-file)
	$(call run,LDS,$<,$(call linker-script,$(user-flags) $(user-include)))

# --- programs

programs :=
user-objs := $(libtwz-objs) $(call user-obj,$(crt0))

linked-programs :=
new-program = $(if $(filter $1,$(programs) $(foreach p,$(linked-programs),$(firstword $(subst =, ,$p)))),$(error two programs are called $1))

# $(call program,NAME,SOURCES): a program of the sources given.
define program
$(call new-program,$1)
programs += $1
$1-objs := $(call user-obj,$2)
user-objs += $(call user-obj,$2)
$(call keep,$(O)/user/$1.objs,$(call user-obj,$2))
$(O)/user/$1.elf: $(call user-obj,$(crt0) $2) $(libtwz) $(O)/user/program.lds $(O)/user/$1.objs
	$$(call run,LD,$$@,$(LD) $(ld-flags) -T $(O)/user/program.lds -o $$@ $(call user-obj,$(crt0) $2) $(libtwz))
endef

# $(call programs-of,PATTERN,SHARED): one program for each file, with the shared files.
programs-of = $(foreach s,$(wildcard $1),$(eval $(call program,$(basename $(notdir $s)),$s $2)))

ifneq ($(wildcard userspace/init/*.c),)
$(eval $(call program,init,$(wildcard userspace/init/*.c)))
endif
$(call programs-of,userspace/bin/*.c)
$(foreach d,$(patsubst %/,%,$(sort $(dir $(wildcard userspace/bin/*/*.c)))),$(eval $(call program,$(notdir $d),$(wildcard $d/*.c))))
$(call programs-of,userspace/tests/test_*.c,$(filter-out userspace/tests/test_%,$(wildcard userspace/tests/*.c)))
$(call programs-of,bench/guest/bench_*.c,$(filter-out bench/guest/bench_%,$(wildcard bench/guest/*.c)))

# --- programs from elsewhere

# $(call app,PATH): add what stands at PATH.
define app
$(if $(wildcard $1),,$(error APPS: $1: there is no such file or folder))
$(if $(wildcard $1/.),$(if $(wildcard $1/*.c),,$(error APPS: $1: that folder holds no .c file)))
$(if $(wildcard $1/.)$(filter %.c,$1),
  $(eval $(call program,$(basename $(notdir $1)),$(if $(wildcard $1/.),$(wildcard $1/*.c),$1))),
  $(call new-program,$(basename $(notdir $1)))$(eval linked-programs += $(basename $(notdir $1))=$1))
endef
$(foreach a,$(abspath $(APPS)),$(call app,$a))

program-files := $(foreach p,$(programs),$(O)/user/$p.elf)

.PHONY: user
user: $(program-files)

# --- for the SDK: libtwz beside a C library, which has its own strings and calls main() itself

sdk-libtwz := $(O)/user/sdk/libtwz.a
sdk-libtwz-objs := $(filter-out $(call user-obj,lib/base/string.c lib/base/strlcpy.c lib/base/printf.c userspace/libtwz/src/main.c),$(libtwz-objs))
$(call keep,$(O)/user/sdk/libtwz.objs,$(sdk-libtwz-objs))

$(sdk-libtwz): $(sdk-libtwz-objs) $(O)/user/sdk/libtwz.objs
	$(call run,AR,$@,rm -f $@; $(AR) rcsD $@ @$(O)/user/sdk/libtwz.objs)

.PHONY: sdk-libtwz
sdk-libtwz: $(sdk-libtwz) $(O)/user/program.lds $(call user-obj,$(crt0))
