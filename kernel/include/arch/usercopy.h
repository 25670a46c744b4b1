// SPDX-License-Identifier: BSD-3-Clause
/*
 * Architecture contract: touching user memory. Only mm/usercopy.h uses these.
 *
 * The user range has been checked to lie below the user limit. User access is open only inside
 * (PAN clear, SUM set). A fault goes to upcall_copy_fault(); if that cannot resolve it, the
 * routine returns -EFAULT and any part of the destination may have been written.
 * Context: no lock held; the current thread's address space is active.
 */
#ifndef ARCH_USERCOPY_H
#define ARCH_USERCOPY_H

#include <stddef.h>
#include <stdint.h>

int arch_copy_from_user(void *to, uintptr_t from, size_t length);
int arch_copy_to_user(uintptr_t to, const void *from, size_t length);

#endif
