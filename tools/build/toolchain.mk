# SPDX-License-Identifier: BSD-3-Clause
# Compilers and their flags. Result: CC LD AR NM OBJCOPY HOSTCC, kernel-flags,
# user-flags, host-flags, and files that change when a flag does.

ifeq ($(LLVM),1)
$(call need,llvm)
triple-riscv64 := riscv64-linux-gnu
triple-arm64 := aarch64-linux-gnu
CC := clang --target=$(triple-$(ARCH))
LD := ld.lld
AR := llvm-ar
NM := llvm-nm
OBJCOPY := llvm-objcopy
else
prefix-riscv64 := riscv64-linux-gnu-
prefix-arm64 := aarch64-linux-gnu-
ifeq ($(CROSS_COMPILE),)
$(call need,$(ARCH))
endif
cross := $(or $(CROSS_COMPILE),$(prefix-$(ARCH)))
CC := $(cross)gcc
LD := $(cross)ld
AR := $(cross)ar
NM := $(cross)nm
OBJCOPY := $(cross)objcopy
endif
HOSTCC := $(or $(HOSTCC),gcc)

package-riscv64 := gcc-riscv64-linux-gnu
package-arm64 := gcc-aarch64-linux-gnu
package := $(if $(filter 1,$(LLVM)),clang lld llvm,$(package-$(ARCH)))
absent := $(strip $(foreach t,$(firstword $(CC)) $(LD) $(AR) $(NM) $(OBJCOPY),$(if $(shell command -v $t),,$t)))
ifneq ($(absent),)
$(error $(firstword $(absent)) not found: install the Debian package(s) $(package) (`make setup` does))
endif
ifeq ($(shell command -v $(firstword $(HOSTCC))),)
$(error $(HOSTCC) not found: install the Debian package gcc (`make setup` does))
endif

# The first of some flags that the compiler takes.
cc-option = $(firstword $(foreach f,$1,$(if $(shell $(CC) -Werror $f -E -x c /dev/null >/dev/null 2>&1 && echo ok),$f)))

# The compiler's own headers, and none of the machine that builds.
compiler-headers := $(shell $(CC) -print-file-name=include)
ifeq ($(LLVM),1)
compiler-headers := $(shell clang -print-resource-dir)/include
endif
ifeq ($(wildcard $(compiler-headers)/stddef.h),)
$(error $(firstword $(CC)) has no headers of its own in $(compiler-headers): reinstall the Debian package(s) $(package))
endif

# A struct that ends in a flexible array may be a member of another: GCC's extension, clang's too.
warnings := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wundef \
	$(if $(filter 1,$(LLVM)),-Wno-gnu-variable-sized-type-not-at-end)
freestanding := -std=gnu11 -ffreestanding -nostdinc -isystem $(compiler-headers) -fno-pie \
	-fno-common -fno-strict-aliasing -O2 -g -fno-omit-frame-pointer \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
	-ffile-prefix-map=$(CURDIR)/=
# GCC turns a loop that copies bytes into a call of memcpy, even inside memcpy.
freestanding += $(if $(filter 1,$(LLVM)),,-fno-tree-loop-distribute-patterns)

ifeq ($(ARCH),riscv64)
# clang before 17 does not know the two extensions by name, and takes their instructions as given.
march := $(if $(filter 1,$(LLVM)),$(call cc-option,-march=rv64imac_zicsr_zifencei -march=rv64imac),-march=rv64imac_zicsr_zifencei)
kernel-machine := $(march) -mabi=lp64 -mcmodel=medany -mno-relax -msmall-data-limit=0
user-machine := -march=rv64gc -mabi=lp64d -mcmodel=medany -mno-relax -msmall-data-limit=0
kernel-emulation := $(if $(filter 1,$(LLVM)),,-m elf64lriscv)
else
kernel-machine := -march=armv8-a -mgeneral-regs-only -mno-outline-atomics
user-machine := -march=armv8-a -mno-outline-atomics
kernel-emulation := $(if $(filter 1,$(LLVM)),,-m aarch64linux)
endif

# No -Wl here: the linker is called by its own name.
ld-flags := $(kernel-emulation) -nostdlib -static --gc-sections --build-id=none \
	-z noexecstack -z max-page-size=4096 $(if $(filter 1,$(LLVM)),,--no-warn-rwx-segments)

sanitize := -fstack-protector-strong -fsanitize=undefined $(if $(filter 1,$(LLVM)),-fno-sanitize=function)
kernel-flags := $(freestanding) $(kernel-machine) \
	$(if $(CONFIG_DEBUG),$(sanitize),-fno-stack-protector) -include $(autoconf)
user-flags := $(freestanding) $(user-machine) -fno-stack-protector
host-flags := -std=gnu11 -O2 -g -Wall -Wextra -Werror

# $(call flags-file,CLASS,FLAGS): a file that is touched when these flags change, or the
# compiler's version does.
cc-version := $(shell $(CC) -dumpversion)
flags-file = $(call keep,$(O)/flags/$1,$(cc-version) $2)$(O)/flags/$1
