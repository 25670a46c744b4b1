# SPDX-License-Identifier: BSD-3-Clause
# Parts of libtwz as they are, built so that the compiler reports every store (see test_libtwz_cuts.c).
ifneq ($(shell command -v clang),)
srcs-test_libtwz_cuts := userspace/libtwz/src/fot.c userspace/libtwz/src/meta.c
flags-test_libtwz_cuts := -O1 -fno-sanitize=all -fsanitize=thread -fno-vectorize -fno-slp-vectorize \
	-Iuserspace/libtwz/include -Ilib/abi/arch/riscv64
endif
