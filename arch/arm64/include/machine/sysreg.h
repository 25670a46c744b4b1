// SPDX-License-Identifier: BSD-3-Clause
/*
 * System registers. Those that older assemblers do not name go by their encoding.
 */
#ifndef MACHINE_SYSREG_H
#define MACHINE_SYSREG_H

#include <stdint.h>

#define SYSREG_NAME_(name) #name

#define sysreg_read(name)                                                             \
	({                                                                            \
		uint64_t sysreg_value_;                                               \
		__asm__ volatile("mrs %0, " SYSREG_NAME_(name) : "=r"(sysreg_value_)); \
		sysreg_value_;                                                        \
	})

/* The memory clobber keeps accesses on their side of the write; it is not a barrier for the CPU. */
#define sysreg_write(name, value)                                      \
	__asm__ volatile("msr " SYSREG_NAME_(name) ", %x0"             \
			 : /* none */                                  \
			 : "rZ"((uint64_t)(value))                     \
			 : "memory")

#define isb() __asm__ volatile("isb" : : : "memory")
#define dsb(domain) __asm__ volatile("dsb " #domain : : : "memory")
#define dmb(domain) __asm__ volatile("dmb " #domain : : : "memory")

#define ID_AA64MMFR2_EL1 s3_0_c0_c7_2

#define ICC_IAR1_EL1 s3_0_c12_c12_0
#define ICC_EOIR1_EL1 s3_0_c12_c12_1
#define ICC_BPR1_EL1 s3_0_c12_c12_3
#define ICC_CTLR_EL1 s3_0_c12_c12_4
#define ICC_SRE_EL1 s3_0_c12_c12_5
#define ICC_IGRPEN1_EL1 s3_0_c12_c12_7
#define ICC_SGI1R_EL1 s3_0_c12_c11_5
#define ICC_PMR_EL1 s3_0_c4_c6_0

/* A four-bit field of an identification register. */
static inline unsigned int id_field(uint64_t value, unsigned int shift)
{
	return (unsigned int)(value >> shift) & 15u;
}

#endif
