# SPDX-License-Identifier: BSD-3-Clause
# The explorer of interleavings, and what it explores. Without sanitizers: they do not know coroutines.
srcs-test_sync := kernel/sched/sync.c lib/base/heap.c tests/host/sync/explore.c
flags-test_sync := -Itests/host/sync -Itests/host/platform -include tests/host/sync/points.h -DEXPLORED_CPUS \
	-DCONFIG_MAX_CPUS=8 -Wno-gnu -Wno-unused-value -fno-sanitize=all -O2
