// SPDX-License-Identifier: BSD-3-Clause
/*
 * Calls to the SBI firmware.
 */
#include "sbi.h"

#include <abi/errno.h>
#include <base/bits.h>
#include <cpu.h>

struct sbi_result sbi_call(unsigned long extension, unsigned long function, unsigned long arg0,
			   unsigned long arg1, unsigned long arg2, unsigned long arg3,
			   unsigned long arg4)
{
	register unsigned long a0 __asm__("a0") = arg0;
	register unsigned long a1 __asm__("a1") = arg1;
	register unsigned long a2 __asm__("a2") = arg2;
	register unsigned long a3 __asm__("a3") = arg3;
	register unsigned long a4 __asm__("a4") = arg4;
	register unsigned long a6 __asm__("a6") = function;
	register unsigned long a7 __asm__("a7") = extension;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
			 : "memory");
	return (struct sbi_result){ (long)a0, a1 };
}

bool sbi_has(unsigned long extension)
{
	struct sbi_result found = sbi_call(SBI_BASE, 3, extension, 0, 0, 0, 0);

	return found.error == SBI_SUCCESS && found.value != 0;
}

int sbi_errno(long error)
{
	switch (error) {
	case SBI_SUCCESS:
		return 0;
	case SBI_ERR_NOT_SUPPORTED:
		return -ENOSYS;
	case SBI_ERR_INVALID_PARAM:
	case SBI_ERR_INVALID_ADDRESS:
		return -EINVAL;
	case SBI_ERR_DENIED:
		return -EACCES;
	case SBI_ERR_ALREADY_AVAILABLE:
		return -EBUSY;
	default:
		return -EIO;
	}
}

/* The lowest hart ID of a non-empty set of CPUs. */
static uint64_t lowest_hart(uint64_t set)
{
	uint64_t lowest = UINT64_MAX;

	for (; set; set &= set - 1) {
		uint64_t hart = cpus[bit_lowest(set)].hwid;

		if (hart < lowest)
			lowest = hart;
	}
	return lowest;
}

void sbi_for_harts(uint64_t set, sbi_mask_function *function, const void *argument)
{
	while (set) {
		uint64_t base = lowest_hart(set);
		unsigned long mask = 0;

		for (uint64_t rest = set; rest; rest &= rest - 1) {
			unsigned int cpu = bit_lowest(rest);
			uint64_t distance = cpus[cpu].hwid - base;

			if (distance < 64) {
				mask |= 1ul << distance;
				set &= ~(1ull << cpu);
			}
		}
		function(mask, base, argument);
	}
}
