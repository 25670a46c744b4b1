# SPDX-License-Identifier: BSD-3-Clause
# The queue in every interleaving, with positions of few bits. Without sanitizers: they do not know coroutines.
srcs-test_queue_order := userspace/libtwz/src/queue.c tests/host/sync/explore.c
flags-test_queue_order := -Iuserspace/libtwz/include -Ilib/abi/arch/riscv64 -include tests/host/queue/points.h \
	-DQUEUE_POSITION_BITS=4 -Wno-gnu -Wno-unused-value -Wno-macro-redefined -Wno-builtin-macro-redefined \
	-fno-sanitize=all -O2
