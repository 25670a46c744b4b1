// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the parts of the checker share.
 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "internal.h"

/* Values of check.seen above any number of owners. */
#define SEEN_META 0x8000u /* metadata: an inode, node, leaf, a fixed area */
#define SEEN_TIES 0x8001u /* a tie page */

struct check {
	struct store *st;
	uint16_t *seen;     /* for each page: how many name it as content, or SEEN_ */
	uint64_t faults;
	uint64_t objects;   /* inodes reached */
	uint64_t deleted;   /* of those in chains, marked deleted and without a parent */
	uint64_t allocated; /* set bits in the bitmap, for pages that exist */
	uint64_t ties;      /* records reached from their parents */
	uint64_t tie_ends;  /* … from their children */
	uint64_t records;   /* in use, as their pages say */
};

/* Counts and logs a fault. */
void check_fault(struct check *c, const char *what, uint64_t where, uint64_t detail);

/*
 * Note that `page`, named by the word at `from`, is in use: as metadata, which has one owner, or as
 * content, which may have more. False: it cannot be.
 */
bool check_claim(struct check *c, uint64_t page, uint64_t from);
bool check_content(struct check *c, uint64_t page, uint64_t from);

/* A sealed word's payload; 0 with a fault if it is damaged. */
uint64_t check_word(struct check *c, uint64_t offset);

void check_zero(struct check *c, const char *what, uint64_t from, uint64_t to);

/* check_object.c: everything about one inode but the list it is on. Returns its flags. */
uint64_t check_inode(struct check *c, uint64_t inode);
bool check_header(struct check *c, uint64_t inode);

/* check_tie.c: the ties of an object; then, when all objects were seen, the pages they are in. */
void check_ties(struct check *c, uint64_t inode);
void check_tie_pages(struct check *c);

#endif
