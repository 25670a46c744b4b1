// SPDX-License-Identifier: BSD-3-Clause
/*
 * Boot-time set-up of what the machine calls report.
 */
#ifndef SYS_MACHINE_H
#define SYS_MACHINE_H

void machine_boot_code_init(void); /* after random_init() */

#endif
