// SPDX-License-Identifier: BSD-3-Clause
/* The slots of a view. The number of slots is the machine's; no slot number is a constant. */
#ifndef TWZ_SYS_SLOTS_H
#define TWZ_SYS_SLOTS_H

#include <abi/view.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How many slots a view has. */
size_t twz_nslots(void);

#define TWZSLOT_ALLOC_START (twz_nslots() / 2 + 16)
#define TWZSLOT_ALLOC_MAX (13 * twz_nslots() / 16 - 1)
#define TWZSLOT_THRD (twz_nslots() / 2)
#define TWZSLOT_STACK (twz_nslots() / 2 + 1)
#define TWZSLOT_UNIX (twz_nslots() / 2 + 2)
#define TWZSLOT_TMPSTACK (twz_nslots() / 2 + 5)
#define TWZSLOT_FILES_BASE (13 * twz_nslots() / 16)
#define TWZSLOT_MMAP_BASE (14 * twz_nslots() / 16)
#define TWZSLOT_MMAP_NUM (twz_nslots() / 32)
#define TWZSLOT_CVIEW (twz_nslots() - 16)
#define TWZSLOT_TCTRL (twz_nslots() - 15)
#define TWZSLOT_MAX_SLOT (twz_nslots() - 1)

#ifdef __cplusplus
}
#endif

#endif
