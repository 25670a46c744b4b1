# SPDX-License-Identifier: BSD-3-Clause
# 64-bit ARM. boot.c runs before translation is on, where the checkers' data cannot be used.
obj-y += start.o boot.o trap.o exception.o thread.o fp.o usercopy.o mmu.o cpu.o smp.o psci.o \
	timer.o cache.o
cflags-boot.o := -fno-sanitize=all -fno-stack-protector
