# SPDX-License-Identifier: BSD-3-Clause
# What the tests of the object store are linked from.
store-portable := $(addprefix kernel/store/,word.c media.c tx.c list.c space.c index.c tree.c share.c run.c \
	tie.c orphan.c free.c super.c mount.c check.c check_object.c check_tie.c pm_site.c)
store-hosted := tests/host/store/hosted.c
srcs-test_store := $(store-portable) kernel/store/pm.c $(store-hosted)
# The explorer sees every store instead of pm.c making it. Without sanitizers: it lives by its speed,
# and the other tests run the same code with them.
srcs-test_store_crash := $(store-portable) $(store-hosted) tests/host/store/trace.c
flags-test_store_crash := -O2 -fno-sanitize=all
srcs-test_store_damage := $(store-portable) kernel/store/pm.c $(store-hosted) tests/host/store/sample.c
srcs-fuzz_store := $(srcs-test_store_damage)
