// SPDX-License-Identifier: BSD-3-Clause
/*
 * From the object pack to the first user instruction.
 */
#ifndef BOOT_INIT_H
#define BOOT_INIT_H

#include <abi/types.h>

/* Make the kernel's own objects and the pack's, then spawn init. Panics with a clear message. */
void boot_init_start(void);

/*
 * A thread has ended. If it was the first one nobody starts anything any more: that is said, and
 * with the boot option panic=poweroff the machine is powered off as after a panic. Other threads go
 * on otherwise. No lock held.
 */
void boot_thread_ended(objid_t id);

/* Namespace of the packed objects, 0 = none. */
objid_t boot_pack_nameroot(void);

#endif
