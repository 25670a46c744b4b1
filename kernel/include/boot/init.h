// SPDX-License-Identifier: BSD-3-Clause
/*
 * From the object pack to the first user instruction.
 */
#ifndef BOOT_INIT_H
#define BOOT_INIT_H

#include <abi/types.h>

/* Make the kernel's own objects and the pack's, then spawn init. Panics with a clear message. */
void boot_init_start(void);

/* Namespace of the packed objects, 0 = none. */
objid_t boot_pack_nameroot(void);

#endif
