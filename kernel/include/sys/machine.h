// SPDX-License-Identifier: BSD-3-Clause
/*
 * Boot-time set-up of what the machine calls report.
 */
#ifndef SYS_MACHINE_H
#define SYS_MACHINE_H

#include <stdint.h>

void machine_boot_code_init(void); /* after random_init() */

/* 1 … 2^62-1; another one after each reset. */
uint64_t machine_boot_code(void);

#endif
