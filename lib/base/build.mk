# SPDX-License-Identifier: BSD-3-Clause
# Freestanding helpers that the kernel and userspace link, and host tools and tests compile.
obj-y += string.o strlcpy.o printf.o heap.o
