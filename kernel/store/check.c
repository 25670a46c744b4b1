// SPDX-License-Identifier: BSD-3-Clause
/*
 * The checker: walks everything there is and compares what is reachable with what the bitmap, the
 * reference map and the counters say. No recursion (a tree is three levels deep); circles end where
 * a page is met twice.
 */
#include "check.h"

#define CHECK_LINES 64u

size_t store_check_scratch(const struct store *st)
{
	return (st->pages * sizeof(uint16_t) + 7) / 8 * 8;
}

void check_fault(struct check *c, const char *what, uint64_t where, uint64_t detail)
{
	if (c->faults++ < CHECK_LINES)
		store_log(STORE_LOG_ERROR, "check: %s at 0x%llx (0x%llx)", what,
			  (unsigned long long)where, (unsigned long long)detail);
}

static bool in_range(struct check *c, uint64_t page, uint64_t from)
{
	if (page >= c->st->first_data && page < c->st->pages)
		return true;
	check_fault(c, "page number out of range", from, page);
	return false;
}

bool check_claim(struct check *c, uint64_t page, uint64_t from)
{
	if (!in_range(c, page, from))
		return false;
	if (c->seen[page]) {
		check_fault(c, "page used twice", from, page);
		return false;
	}
	c->seen[page] = SEEN_META;
	return true;
}

bool check_content(struct check *c, uint64_t page, uint64_t from)
{
	if (!in_range(c, page, from))
		return false;
	if (c->seen[page] >= SEEN_META) {
		check_fault(c, "page used twice", from, page);
		return false;
	}
	if (c->seen[page] <= REF_MAX)
		c->seen[page]++;
	return true;
}

uint64_t check_word(struct check *c, uint64_t offset)
{
	uint64_t raw = store_raw(c->st, offset);
	uint64_t payload;

	if (store_unseal(raw, &payload))
		return payload;
	check_fault(c, "word fails its check", offset, raw);
	return 0;
}

void check_zero(struct check *c, const char *what, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += 8) {
		if (*store_word_at(c->st, at))
			check_fault(c, what, at, *store_word_at(c->st, at));
	}
}

/* ---- Superblocks, log, reserved pages ---- */

static void check_super(struct check *c, uint64_t page)
{
	const struct super_header *super = store_page_at(c->st, page);
	struct super_header expected;

	if (!store_super_sound(super, page)) {
		check_fault(c, "superblock fails its check", page * STORE_PAGE_SIZE, super->sum);
		return;
	}
	store_geometry(&expected, c->st->pages);
	expected.compat = super->compat;
	expected.ro_compat = super->ro_compat;
	memcpy(expected.uuid, c->st->salt, sizeof(expected.uuid));
	expected.self = page;
	expected.sum = super->sum;
	if (memcmp(super, &expected, sizeof(expected)))
		check_fault(c, "superblock contradicts the store", page * STORE_PAGE_SIZE, 0);
	check_zero(c, "reserved superblock bytes in use",
		   page * STORE_PAGE_SIZE + STATE_OFFSET + 8 * STATE_WORDS,
		   (page + 1) * STORE_PAGE_SIZE);
}

static void check_state(struct check *c)
{
	for (unsigned i = 0; i < STATE_WORDS; i++) {
		uint64_t a = check_word(c, state_offset(SUPER_A_PAGE, i));
		uint64_t b = check_word(c, state_offset(SUPER_B_PAGE, i));

		if (a != b)
			check_fault(c, "superblock copies differ, state word", i, a ^ b);
	}
}

static void check_fixed(struct check *c)
{
	check_super(c, SUPER_A_PAGE);
	check_super(c, SUPER_B_PAGE);
	check_state(c);
	if (!c->st->rdonly && !store_log_sound(c->st))
		check_fault(c, "log record fails its check", LOG_PAGE * STORE_PAGE_SIZE, 0);
	check_zero(c, "reserved log bytes in use",
		   LOG_PAGE * STORE_PAGE_SIZE + sizeof(struct log_record),
		   (LOG_PAGE + 1) * STORE_PAGE_SIZE);
	check_zero(c, "reserved page in use", (LOG_PAGE + LOG_PAGES) * STORE_PAGE_SIZE,
		   SUPER_B_PAGE * STORE_PAGE_SIZE);
}

/* ---- Chains and the orphan list ---- */

static void check_place(struct check *c, uint64_t inode, uint64_t bucket)
{
	const struct inode_header *header = store_page_at(c->st, inode);
	objid_t id = MKID(header->id_hi, header->id_lo);
	struct chain chain;

	if (!check_header(c, inode))
		return;
	if (!id || store_bucket(c->st, id) != bucket)
		check_fault(c, "object in the wrong chain", inode * STORE_PAGE_SIZE, bucket);
	else if (store_chain_find(c->st, id, &chain) == 0 && chain.page != inode)
		check_fault(c, "two objects of one ID", inode * STORE_PAGE_SIZE,
		      chain.page * STORE_PAGE_SIZE);
}

static void check_chain(struct check *c, uint64_t bucket)
{
	uint64_t link = bucket, inode;

	while ((inode = check_word(c, link)) != 0 && check_claim(c, inode, link)) {
		uint64_t flags = check_inode(c, inode);

		if (flags & INODE_HIDDEN)
			check_fault(c, "hidden object in a chain", inode * STORE_PAGE_SIZE, flags);
		if (flags & INODE_DELETED && !check_word(c, inode_word(inode, INODE_IN_COUNT)))
			c->deleted++;
		else if (check_word(c, inode_word(inode, INODE_ORPHAN_NEXT)) |
			 check_word(c, inode_word(inode, INODE_ORPHAN_PREV)))
			check_fault(c, "object with orphan links that is none", inode * STORE_PAGE_SIZE, 0);
		check_place(c, inode, bucket);
		link = inode_word(inode, INODE_NEXT);
	}
}

/* One element of the orphan list. False: the list cannot be followed further. */
static bool check_orphan(struct check *c, uint64_t inode, uint64_t prev, uint64_t *linked)
{
	if (inode < c->st->first_data || inode >= c->st->pages) {
		check_fault(c, "orphan list leads nowhere", prev * STORE_PAGE_SIZE, inode);
		return false;
	}
	if (check_word(c, inode_word(inode, INODE_ORPHAN_PREV)) != prev) {
		check_fault(c, "orphan list is broken", inode_word(inode, INODE_ORPHAN_PREV), prev);
		return false;
	}
	uint64_t flags = check_word(c, inode_word(inode, INODE_FLAGS));

	if (flags == INODE_DELETED && c->seen[inode] == SEEN_META) {
		++*linked;
		return true;
	}
	if (flags != INODE_HIDDEN)
		check_fault(c, "object on the orphan list is in no chain", inode * STORE_PAGE_SIZE,
		      flags);
	if (!check_claim(c, inode, inode_word(prev, INODE_ORPHAN_NEXT)))
		return false;
	check_inode(c, inode);
	if (check_word(c, inode_word(inode, INODE_NEXT)))
		check_fault(c, "hidden object with a chain link", inode_word(inode, INODE_NEXT), 0);
	return true;
}

static void check_orphans(struct check *c)
{
	uint64_t prev = 0, linked = 0;
	uint64_t inode = check_word(c, state_offset(SUPER_A_PAGE, STATE_ORPHANS));

	while (inode && linked <= c->deleted && check_orphan(c, inode, prev, &linked)) {
		prev = inode;
		inode = check_word(c, inode_word(inode, INODE_ORPHAN_NEXT));
	}
	if (linked != c->deleted)
		check_fault(c, "deleted objects missing from the orphan list", linked, c->deleted);
}

/* ---- The bitmap and the counters against what was reached ---- */

static void check_map_word(struct check *c, uint64_t index)
{
	uint64_t offset = c->st->bitmap + 8 * index;
	uint64_t bits = check_word(c, offset);

	if (bits > MAP_FULL)
		check_fault(c, "bitmap word with unknown bits", offset, bits);
	for (unsigned bit = 0; bit < MAP_PAGES; bit++) {
		uint64_t page = index * MAP_PAGES + bit;
		bool marked = bits >> bit & 1;
		bool in_use = page >= c->st->pages || c->seen[page];

		if (marked && !in_use)
			check_fault(c, "leaked page", offset, page);
		if (!marked && in_use)
			check_fault(c, "page in use is marked free", offset, page);
		if (marked && page < c->st->pages)
			c->allocated++;
	}
}

/* What a page's count of further owners must be. */
static uint64_t further_owners(const struct check *c, uint64_t page)
{
	if (page >= c->st->pages || !c->seen[page] || c->seen[page] >= SEEN_META)
		return 0;
	return c->seen[page] - 1u;
}

static void check_ref_word(struct check *c, uint64_t index)
{
	uint64_t offset = c->st->refs + 8 * index;
	uint64_t word = check_word(c, offset);

	for (unsigned i = 0; i < REF_PAGES; i++) {
		uint64_t page = index * REF_PAGES + i;
		uint64_t said = word >> i * REF_BITS & REF_MAX;

		if (said != further_owners(c, page))
			check_fault(c, "count of further owners is wrong", offset, page);
	}
}

static void check_counts(struct check *c)
{
	struct store *st = c->st;
	uint64_t free_pages = check_word(c, state_offset(SUPER_A_PAGE, STATE_FREE));
	uint64_t objects = check_word(c, state_offset(SUPER_A_PAGE, STATE_OBJECTS));

	if (free_pages != st->pages - c->allocated)
		check_fault(c, "free page count is wrong", free_pages, st->pages - c->allocated);
	if (objects != c->objects)
		check_fault(c, "object count is wrong", objects, c->objects);
}

static void check_maps(struct check *c)
{
	struct store *st = c->st;
	uint64_t words = (st->pages + REF_PAGES - 1) / REF_PAGES;

	for (uint64_t i = 0; i < st->bitmap_words; i++)
		check_map_word(c, i);
	check_zero(c, "reserved bitmap bytes in use", st->bitmap + 8 * st->bitmap_words,
		   st->buckets);
	for (uint64_t i = 0; i < words; i++)
		check_ref_word(c, i);
	check_zero(c, "reserved reference bytes in use", st->refs + 8 * words,
		   st->first_data * STORE_PAGE_SIZE);
}

static void check_all(struct check *c)
{
	struct store *st = c->st;

	check_fixed(c);
	for (uint64_t page = 0; page < st->first_data; page++)
		c->seen[page] = SEEN_META;
	for (uint64_t i = 0; i <= st->bucket_mask; i++)
		check_chain(c, st->buckets + 8 * i);
	check_orphans(c);
	check_tie_pages(c);
	check_maps(c);
	check_counts(c);
}

uint64_t store_check(struct store *st, void *scratch)
{
	struct check c = { .st = st, .seen = scratch };

	memset(scratch, 0, store_check_scratch(st));
	store_lock_acquire(&st->lock);
	check_all(&c);
	store_lock_release(&st->lock);
	return c.faults;
}
