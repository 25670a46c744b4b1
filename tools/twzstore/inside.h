// SPDX-License-Identifier: BSD-3-Clause
/*
 * Looking into the store beneath its interface: the only part of twzstore that knows the format. It
 * reads, trusts nothing, and says nothing of what is damaged: that is for the checker.
 */
#ifndef TWZSTORE_INSIDE_H
#define TWZSTORE_INSIDE_H

#include <stdio.h>
#include <store/store.h>

/* Pages that an object owns, its own metadata included; 0 if that is damaged. */
uint64_t inside_object_pages(struct store *st, const struct store_handle *h);

/* Pages of objects that the next mount for writing frees, at most. */
uint64_t inside_orphan_pages(struct store *st);

/* Whether the log holds an operation that is not in place yet. */
bool inside_log_pending(const struct store *st);

/*
 * Mark the start of a new region, known to be zero, as one where a format has begun, which then
 * need not look at all of it.
 */
void inside_begin_format(void *base);

/* Print superblocks, state and log. */
void inside_dump_store(struct store *st, FILE *out);

/* Print an object's inode and tree. */
void inside_dump_object(struct store *st, const struct store_handle *h, FILE *out);

/* What a page of the store is used for. */
enum page_use { PAGE_UNUSED, PAGE_INODE, PAGE_NODE, PAGE_LEAF, PAGE_CONTENT, PAGE_TIES };

struct page_owner {
	objid_t id; /* 0: not known */
	uint64_t inode;
	uint64_t pgnr; /* of content: its number in the object; side pages come behind */
	enum page_use use;
};

struct page_map {
	struct page_owner *owner; /* one a page; NULL: no memory */
	uint64_t pages;
};

/* Who uses which page, by walking everything that can be walked. Free it. */
void inside_map(struct store *st, struct page_map *map);
void inside_map_free(struct page_map *map);

/* Print what stands at an offset, in words, and whom it concerns; no newline. */
void inside_place(struct store *st, const struct page_map *map, uint64_t offset, FILE *out);

#endif
