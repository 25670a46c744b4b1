// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the machine needs to make stores durable, for sysinfo.
 */
#ifndef OBJ_PERSIST_H
#define OBJ_PERSIST_H

#include <arch/persist.h>

const struct arch_pm *persist_hardware(void); /* valid after persist_init() */

#endif
