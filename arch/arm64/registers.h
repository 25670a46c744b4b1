// SPDX-License-Identifier: BSD-3-Clause
/*
 * Printing registers, a thread's or the kernel's own.
 */
#ifndef ARM64_REGISTERS_H
#define ARM64_REGISTERS_H

#include <stdint.h>

/* Print x0 … x30 through the kernel log. */
void registers_print(const uint64_t x[31]);

#endif
