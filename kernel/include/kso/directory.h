// SPDX-License-Identifier: BSD-3-Clause
/*
 * Directories of kernel state objects: what there is on the machine, for programs to read. The root
 * has the directories of threads, devices and data; devices have their parts.
 *
 * An entry is found by its index, which its owner keeps; holes are used again. Readers take no
 * lock: they take `count` first, and an entry whose ID is not 0.
 */
#ifndef KSO_DIRECTORY_H
#define KSO_DIRECTORY_H

#include <stdint.h>

#include <abi/kso.h>
#include <spinlock.h>

struct object;

/* An index plus 1; 0 = not entered. */
typedef uint64_t directory_place;

struct directory {
	struct object *object; /* holds a reference */
	uint64_t at;           /* object offset of its struct kso_dir_attachments */
	struct spinlock lock;
	/* Guarded by lock. */
	uint64_t count;
	directory_place free; /* a hole, which holds the next one in its `info`; 0: none */
};

extern struct directory kso_root;
extern struct directory kso_threads; /* nobody but the kernel's own thread has a right to it */
extern struct directory kso_devices;
extern struct directory kso_data;

/*
 * Make the root and its directories. Boot CPU, once, before anything is entered. Panics without
 * memory.
 */
void kso_init(void);

/* Use an object, which has a header, as a directory: its entries begin at a base offset. */
void directory_open(struct directory *directory, struct object *object, uint32_t base_offset);

/* Enter an object. 0: out of memory. No lock held. */
directory_place directory_enter(struct directory *directory, objid_t id, uint32_t type, uint64_t info);

/* Take it out again. Place 0 is ignored. No lock held. */
void directory_leave(struct directory *directory, directory_place place);

#endif
