# SPDX-License-Identifier: BSD-3-Clause
# What the tests of the object store are linked from.
store-portable := $(addprefix kernel/store/,word.c media.c tx.c list.c space.c index.c tree.c share.c run.c \
	tie.c orphan.c free.c super.c mount.c check.c check_object.c check_tie.c pm_site.c)
store-hosted := tests/host/store/hosted.c
srcs-test_store := $(store-portable) kernel/store/pm.c $(store-hosted)
srcs-test_store_parts := $(srcs-test_store)
# The explorer sees every store instead of pm.c making it. Without sanitizers: it lives by its speed,
# and the other tests run the same code with them.
store-explorer := $(store-portable) $(store-hosted) $(addprefix tests/host/store/,trace.c trace_pm.c model.c explore.c)
srcs-test_store_crash := $(store-explorer)
flags-test_store_crash := -O2 -fno-sanitize=all
# The same, and the compiler reports every store; not what it could merge or hide in a vector.
ifneq ($(shell command -v clang),)
srcs-test_store_seen := $(store-explorer) $(addprefix tests/host/store/,seen.c bypass.c)
flags-test_store_seen := -O1 -fno-sanitize=all -fsanitize=thread -fno-vectorize -fno-slp-vectorize
ldflags-test_store_seen := $(foreach f,memcpy memmove memset,-Xlinker --wrap=$f)
endif
srcs-test_store_damage := $(store-portable) kernel/store/pm.c $(store-hosted) tests/host/store/sample.c
srcs-test_store_bits := $(srcs-test_store_damage)
flags-test_store_bits := -O2 -fno-sanitize=all
srcs-test_store_scale := $(store-portable) $(store-hosted) tests/host/store/pm_sparse.c
flags-test_store_scale := -O2 -fno-sanitize=all
srcs-fuzz_store := $(srcs-test_store_damage)
