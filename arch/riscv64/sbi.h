// SPDX-License-Identifier: BSD-3-Clause
/*
 * Calls to the SBI firmware (RISC-V Supervisor Binary Interface, version 0.2 and later).
 * Context of all: any; the firmware never blocks on the kernel.
 */
#ifndef SBI_H
#define SBI_H

#include <stdbool.h>
#include <stdint.h>

/* Extensions. */
#define SBI_BASE 0x10
#define SBI_TIME 0x54494d45
#define SBI_IPI 0x735049
#define SBI_RFENCE 0x52464e43
#define SBI_HSM 0x48534d
#define SBI_RESET 0x53525354
#define SBI_DEBUG_CONSOLE 0x4442434e
#define SBI_LEGACY_PUTCHAR 0x1

#define SBI_SUCCESS 0
#define SBI_ERR_FAILED (-1)
#define SBI_ERR_NOT_SUPPORTED (-2)
#define SBI_ERR_INVALID_PARAM (-3)
#define SBI_ERR_DENIED (-4)
#define SBI_ERR_INVALID_ADDRESS (-5)
#define SBI_ERR_ALREADY_AVAILABLE (-6)

struct sbi_result {
	long error; /* SBI_SUCCESS or SBI_ERR_* */
	unsigned long value;
};

struct sbi_result sbi_call(unsigned long extension, unsigned long function, unsigned long a0,
			   unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4);

/* Whether the firmware has an extension. */
bool sbi_has(unsigned long extension);

/* Negative errno for an SBI error. */
int sbi_errno(long error);

/*
 * Call `function` for harts, as the SBI names them: a mask of up to 64 from a base. `cpus` has a
 * bit for each CPU's index. Calls as often as the spread of hart IDs makes necessary.
 */
typedef void sbi_mask_function(unsigned long mask, unsigned long base, const void *argument);
void sbi_for_harts(uint64_t cpus, sbi_mask_function *function, const void *argument);

#endif
