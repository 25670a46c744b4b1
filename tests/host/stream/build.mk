# SPDX-License-Identifier: BSD-3-Clause
# Streams in every interleaving of a few threads. Without sanitizers: they do not know coroutines.
srcs-test_stream_order := $(addprefix userspace/libtwz/src/,stream.c bstream.c event.c) \
	userspace/libtwz/hosted/arch/x86_64/copy.c tests/host/sync/explore.c
flags-test_stream_order := -Iuserspace/libtwz/include -Ilib/abi/arch/riscv64 -include tests/host/stream/points.h \
	-Wno-gnu -Wno-unused-value -Wno-macro-redefined -Wno-builtin-macro-redefined -fno-sanitize=all -O2 \
	-ffunction-sections
ldflags-test_stream_order := -Xlinker --gc-sections
