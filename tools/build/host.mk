# SPDX-License-Identifier: BSD-3-Clause
# Programs that run on the machine that builds, and the object pack that one of them
# makes: the objects that the kernel finds in its initrd.

$(call third-party-rules,host/obj,$(HOSTCC) $(host-flags))

# --- twzpack: tools/twzpack/*.c, and what tools/twzpack/build.mk adds from elsewhere in
# twzpack-srcs (files of the tree) and twzpack-cflags

twzpack := $(O)/host/twzpack
twzpack-srcs :=
twzpack-cflags :=
-include $(wildcard tools/twzpack/build.mk)
twzpack-objs := $(patsubst %.c,$(O)/host/obj/%.o,$(wildcard tools/twzpack/*.c) $(twzpack-srcs)) \
	$(call third-party-objs,host/obj,sodium)
host-cc := $(HOSTCC) $(host-flags) -Itools/twzpack -Ilib/abi/include -Ilib/base/include \
	-Ikernel/include $(sodium-headers) $(twzpack-cflags)
host-flags-file := $(call flags-file,host,$(host-cc))
$(call keep,$(O)/host/twzpack.objs,$(twzpack-objs))

$(O)/host/obj/%.o: %.c $(host-flags-file) | $(third-party-stamps)
	$(call run,HOSTCC,$<,$(host-cc) -MMD -MP -c -o $@ $<)

$(twzpack): $(twzpack-objs) $(O)/host/twzpack.objs
	$(call run,HOSTLD,$@,$(HOSTCC) -o $@ $(twzpack-objs))

# --- twzstore: tools/twzstore/*.c, and what its build.mk lists of the kernel

twzstore := $(O)/host/twzstore
include tools/twzstore/build.mk
twzstore-objs := $(patsubst %.c,$(O)/host/obj/%.o,$(wildcard tools/twzstore/*.c) $(twzstore-srcs)) \
	$(call third-party-objs,host/obj,sodium)
$(call keep,$(O)/host/twzstore.objs,$(twzstore-objs))

$(twzstore): $(twzstore-objs) $(O)/host/twzstore.objs
	$(call run,HOSTLD,$@,$(HOSTCC) -o $@ $(twzstore-objs))

all: $(twzstore)

# --- the pack

pack-entries := $(foreach p,$(programs),$p=$(O)/user/$p.elf) $(linked-programs)
$(call keep,$(O)/initrd.list,$(pack-entries))

$(O)/initrd.pack: $(twzpack) $(program-files) $(foreach e,$(linked-programs),$(lastword $(subst =, ,$e))) $(O)/initrd.list
	$(call run,PACK,$@,$(twzpack) create -o $@ --init init $(pack-entries))

.PHONY: pack
pack: $(O)/initrd.pack
