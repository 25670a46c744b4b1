# SPDX-License-Identifier: BSD-3-Clause
# The kernel. Each folder's build.mk lists its objects (obj-y += x.o, obj-$(CONFIG_Y)
# += z.o), the folders below it (subdir-y += mm) and, where one file needs a compiler
# flag of its own, cflags-x.o := -flag. An object's source is x.c or x.S beside it.

# What is listed but not there fails when it is needed, so that the rest can be built.
define no-source
$(O)/obj/$1/$2 $(O)/user/obj/$1/$2:
	@echo "$1/build.mk lists $2, but there is no $(2:.o=.c) or $(2:.o=.S) in $1" >&2; exit 1
endef
define no-folder
$1-list += $2/build.mk.o
$(O)/obj/$2/build.mk.o $(O)/user/obj/$2/build.mk.o:
	@echo "$2 has no build.mk: it must list the folder's objects" >&2; exit 1
endef

# $(call read-folder,CLASS,DIR): append the objects of DIR and of those below it to
# CLASS-list, as paths in the source tree.
read-folder = $(eval $(call $(if $(wildcard $2/build.mk),read-build-mk,no-folder),$1,$2))
define read-build-mk
obj-y :=
subdir-y :=
include $2/build.mk
$$(foreach o,$$(obj-y),$$(if $$(wildcard $$(patsubst %.o,$2/%.c,$$o) $$(patsubst %.o,$2/%.S,$$o)),,$$(eval $$(call no-source,$2,$$o))))
$$(foreach o,$$(obj-y),$$(eval cflags/$2/$$o := $$(value cflags-$$o))$$(eval cflags-$$o :=))
$1-list += $$(addprefix $2/,$$(obj-y))
$$(foreach d,$$(subdir-y),$$(call read-folder,$1,$2/$$d))
endef

kernel-list :=
kernel-folders := $(foreach d,arch/$(ARCH) kernel drivers lib/base,$(if $(wildcard $d/*.[cS] $d/*/*.[cS]),$d))
$(foreach d,$(kernel-folders),$(call read-folder,kernel,$d))

kernel-objs := $(addprefix $(O)/obj/,$(kernel-list)) $(call third-party-objs,obj,$(third-party))
kernel-include := -Ikernel/include -Iarch/$(ARCH)/include -Ilib/abi/include -Ilib/abi/arch/$(ARCH) -Ilib/base/include \
	-I$(O)/include $(third-party-headers) $(shim-headers)
kernel-cc := $(CC) $(kernel-flags) $(warnings) $(kernel-include) -D__KERNEL__
kernel-flags-file := $(call flags-file,kernel,$(kernel-cc) $(foreach o,$(kernel-list),$(if $(cflags/$o),$o $(cflags/$o))))

$(O)/obj/%.o: %.c $(kernel-flags-file) | $(third-party-stamps)
	$(call run,CC,$<,$(kernel-cc) $(cflags/$*.o) -MMD -MP -c -o $@ $<)

$(O)/obj/%.o: %.S $(kernel-flags-file) | $(third-party-stamps)
	$(call run,AS,$<,$(kernel-cc) $(cflags/$*.o) -MMD -MP -c -o $@ $<)

$(call third-party-rules,obj,$(CC) $(kernel-flags) $(shim-headers))

# What $(call linker-script,FLAGS) does: preprocess $< with dependencies.
linker-script = $(CC) -E -P -x assembler-with-cpp -U$(ARCH) -Uriscv -Ulinux -Uunix -D__LINKER__ $1 -MMD -MP -MT $@ -MF $@.d -o $@ $<

$(O)/kernel.lds: arch/$(ARCH)/kernel.lds.S $(kernel-flags-file)
	$(call run,LDS,$<,$(call linker-script,$(kernel-flags) $(kernel-include) -D__KERNEL__))

$(call keep,$(O)/kernel.objs,$(kernel-objs))

$(O)/kernel.elf: $(kernel-objs) $(O)/kernel.lds $(O)/kernel.objs $(autoconf) tools/build/link-kernel tools/build/mksyms
	$(call run,LD,$@,CC='$(CC) $(kernel-machine)' NM='$(NM)' PYTHON='$(PYTHON)' SYMBOLS='$(CONFIG_SYMBOLS)' tools/build/link-kernel $@ $(LD) $(ld-flags) -T $(O)/kernel.lds @$(O)/kernel.objs)

$(O)/Image: $(O)/kernel.elf
	$(call run,OBJCOPY,$@,$(OBJCOPY) -O binary -R .note* -R .comment $< $@)

.PHONY: kernel
kernel: $(O)/Image
