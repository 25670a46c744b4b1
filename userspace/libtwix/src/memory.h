// SPDX-License-Identifier: BSD-3-Clause
/* What those who map memory (memory.c) and those who change what is mapped (remap.c) share. */
#ifndef TWIX_MEMORY_H
#define TWIX_MEMORY_H

#include "twix.h"

/* A mapped file, or memory that is shared with the processes that come of fork(). */
struct mapping {
	uintptr_t start; /* 0: free */
	size_t len;
	size_t slot; /* of a private copy, else 0 */
	objid_t id;  /* the object: of a copy, that it is of */
	bool shared_memory; /* in no file: tied to this view */
	twzobj obj;  /* else a handle */
};

/* TWIX_LOCK_MEMORY is held around all of these. */
struct mapping *twix_mapping_of(uintptr_t start);
/* The number of the arena that has all of [start, start + len), or -1. */
ssize_t twix_arena_of(uintptr_t start, size_t len);
/* Whether all pages of an arena in this range are taken, or none is. */
bool twix_arena_has(size_t n, uintptr_t start, size_t len, bool taken);
void twix_arena_take(size_t n, uintptr_t start, size_t len);
/* The object that stands in a slot of this program's own mappings, by the slot's number. */
objid_t *twix_private_id(size_t n);
void *twix_take_pages(size_t count);
/* The pages read as zeroes again, and cost nothing. */
void twix_drop_pages(size_t n, uintptr_t start, size_t len);
/* What is not mapped is none the worse for it. */
void twix_unmap(uintptr_t at, size_t len);

#endif
