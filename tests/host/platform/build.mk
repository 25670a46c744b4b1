# SPDX-License-Identifier: BSD-3-Clause
# Tests of the platform half of the kernel, with the host playing the machine.
platform-flags := -Itests/host/platform -DCONFIG_MAX_CPUS=8 -DCONFIG_LOG_LEVEL=3 -DCONFIG_DEBUG=1 \
	$(libfdt-headers) -Wno-gnu
# libfdt leans on conversions that the kernel's own code may not.
tree-flags := $(platform-flags) -Wno-sign-compare -Wno-unused-parameter
tree-sources := kernel/boot/fdt.c kernel/boot/ranges.c kernel/boot/options.c kernel/boot/machine.c \
	kernel/boot/memory.c kernel/boot/cpus.c tests/host/platform/host.c tests/host/platform/tree.c \
	lib/base/strlcpy.c \
	$(libfdt-sources)

srcs-test_ranges := kernel/boot/ranges.c
flags-test_ranges := $(platform-flags)
srcs-test_options := kernel/boot/options.c tests/host/platform/host.c
flags-test_options := $(platform-flags)
srcs-test_discover := $(tree-sources)
flags-test_discover := $(tree-flags)
srcs-fuzz_discover := $(tree-sources)
flags-fuzz_discover := $(tree-flags)
srcs-test_phys := kernel/mm/phys.c kernel/mm/slab.c kernel/boot/ranges.c kernel/spinlock.c \
	kernel/debug/lockcheck.c tests/host/platform/host.c
flags-test_phys := $(platform-flags)
srcs-test_time := kernel/sched/time.c tests/host/platform/host.c
flags-test_time := $(platform-flags)
srcs-test_resume_book := kernel/kso/resume_book.c kernel/spinlock.c kernel/debug/lockcheck.c \
	tests/host/platform/host.c
flags-test_resume_book := $(platform-flags)
srcs-test_asid := kernel/mm/asid.c kernel/mm/flush.c kernel/spinlock.c kernel/debug/lockcheck.c \
	tests/host/platform/host.c
flags-test_asid := $(platform-flags) -DHOST_STEPS
