// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the kernel tells the first thread. The bootinfo object (ID 2, kernel-owned, read-only)
 * stands in BOOTINFO_SLOT of the first view; the thread's first argument is the address of its
 * base.
 */
#ifndef ABI_BOOTINFO_H
#define ABI_BOOTINFO_H

#include <abi/types.h>

#define BOOTINFO_ID ((objid_t)2)
#define BOOTINFO_VERSION 1u

/* Slots of the view that the kernel builds for init, beside slots 0 and 1 (program.h).
 * N is the number of slots; these are the placements of the slot table in twz/sys/slots.h. */
#define BOOT_SLOT_THREAD(n) ((n) / 2)
#define BOOT_SLOT_STACK(n) ((n) / 2 + 1)
#define BOOT_SLOT_VIEW(n) ((n) - 16)
#define BOOT_SLOT_BOOTINFO(n) ((n) - 15)

struct twz_bootinfo {
	uint32_t version;
	uint32_t flags;          /* 0 */
	objid_t pack_nameroot;   /* namespace of the packed objects, 0 = none */
	objid_t init;            /* the program object this view runs */
	uint64_t boot_ns;        /* monotonic time at which user mode was first entered */
	uint64_t cmdline_length; /* without the NUL */
	char cmdline[3072];      /* /chosen/bootargs, NUL-terminated, cut to fit */
};

_Static_assert(offsetof(struct twz_bootinfo, cmdline) == 64, "bootinfo cmdline");
_Static_assert(sizeof(struct twz_bootinfo) <= 4096, "bootinfo fits one page");

#endif
