// SPDX-License-Identifier: BSD-3-Clause
/*
 * Supervisor registers. Every access is volatile and a compiler barrier: it stays where it is
 * written.
 */
#ifndef MACHINE_CSR_H
#define MACHINE_CSR_H

#include <machine/layout.h>

#define csr_read(name)                                                               \
	({                                                                           \
		unsigned long value_;                                                \
		__asm__ volatile("csrr %0, " #name : "=r"(value_) : : "memory");     \
		value_;                                                              \
	})
#define csr_write(name, value) \
	__asm__ volatile("csrw " #name ", %0" : : "rK"((unsigned long)(value)) : "memory")
#define csr_set(name, bits) \
	__asm__ volatile("csrs " #name ", %0" : : "rK"((unsigned long)(bits)) : "memory")
#define csr_clear(name, bits) \
	__asm__ volatile("csrc " #name ", %0" : : "rK"((unsigned long)(bits)) : "memory")

/* Registers that older assemblers do not know by name. */
#define CSR_SENVCFG 0x10a
#define CSR_STIMECMP 0x14d

/* sie, sip */
#define INT_SOFTWARE (1ul << 1)
#define INT_TIMER (1ul << 5)
#define INT_EXTERNAL (1ul << 9)

#define SCOUNTEREN_TIME 2ul

/* senvcfg: user mode may execute cbo.clean and cbo.flush. */
#define SENVCFG_CBCFE (1ul << 6)

#endif
