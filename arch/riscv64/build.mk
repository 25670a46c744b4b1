# SPDX-License-Identifier: BSD-3-Clause
# What the contract in kernel/include/arch/ asks for, on 64-bit RISC-V.
obj-y += start.o trap.o usercopy.o fp.o
obj-y += cpu.o exception.o interrupt.o isa.o mmu.o persist.o sbi.o thread.o time.o tlb.o

ifeq ($(CONFIG_SBI_CONSOLE),y)
obj-y += console_sbi.o
else
obj-y += console_none.o
endif

# Nothing else may use the floating-point registers.
cflags-fp.o := -march=rv64gc
