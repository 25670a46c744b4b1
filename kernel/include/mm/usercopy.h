// SPDX-License-Identifier: BSD-3-Clause
/*
 * The one pair of functions that touches user memory, and typed helpers.
 *
 * Each checks the range against the user half, then copies; faults are resolved like the user's
 * own. -EFAULT: some of the destination may have been written. Context: current thread's address
 * space active, no lock held.
 */
#ifndef MM_USERCOPY_H
#define MM_USERCOPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/errno.h>
#include <arch/mmu.h>
#include <arch/usercopy.h>

static inline uintptr_t user_limit(void)
{
	return (uintptr_t)arch_mmu.user_slots << 30;
}

/* Whether [address, address + length) lies in the user half. */
static inline bool user_range_ok(uintptr_t address, size_t length)
{
	uintptr_t limit = user_limit();
	return length <= limit && address <= limit - length;
}

static inline int copy_from_user(void *to, uintptr_t from, size_t length)
{
	return user_range_ok(from, length) ? arch_copy_from_user(to, from, length) : -EFAULT;
}

static inline int copy_to_user(uintptr_t to, const void *from, size_t length)
{
	return user_range_ok(to, length) ? arch_copy_to_user(to, from, length) : -EFAULT;
}

#endif
