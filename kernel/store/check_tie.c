// SPDX-License-Identifier: BSD-3-Clause
/*
 * The checker's view of ties. A record that is reached names the object it is reached from and the
 * record before it, so none is reached twice one way; if as many are reached each way as are in
 * use, every one in use stands in both lists.
 */
#include <base/bits.h>

#include "check.h"

#define LINES (STORE_PAGE_SIZE / LINE_BYTES)

static uint64_t used_bits(struct check *c, uint64_t page)
{
	uint64_t at = page * STORE_PAGE_SIZE + 8 * TIE_PAGE_USED;

	return (check_word(c, at) & MAP_FULL) | check_word(c, at + 8) << 32;
}

/* The page of a record that was reached, noted as a tie page the first time. */
static bool claim_tie_page(struct check *c, uint64_t page, uint64_t from)
{
	if (page >= c->st->first_data && page < c->st->pages && c->seen[page] == SEEN_TIES)
		return true;
	if (!check_claim(c, page, from))
		return false;
	const uint64_t *words = store_page_at(c->st, page);

	c->seen[page] = SEEN_TIES;
	if (words[TIE_PAGE_MAGIC] != TIE_MAGIC || words[TIE_PAGE_SELF] != page ||
	    words[TIE_PAGE_SUM] != store_tie_page_sum(c->st, words))
		check_fault(c, "tie page header fails its check", page * STORE_PAGE_SIZE, from);
	return true;
}

/* One record of a list; false: the list cannot be followed. */
static bool check_record(struct check *c, const struct list *list, uint64_t record, uint64_t prev,
			 uint64_t from)
{
	uint64_t at = record * LINE_BYTES;

	if (!claim_tie_page(c, record / LINES, from))
		return false;
	if (!(record % LINES) || !(used_bits(c, record / LINES) >> record % LINES & 1)) {
		check_fault(c, "tie that is not in use", at, from);
		return false;
	}
	if (check_word(c, at + 8 * list->prev) != prev) {
		check_fault(c, "list of ties is broken", at, prev);
		return false;
	}
	if (!check_word(c, at + 8 * TIE_COUNT))
		check_fault(c, "tie counted to zero", at, 0);
	check_zero(c, "reserved tie word in use", at + 8 * TIE_ZERO, at + LINE_BYTES);
	return true;
}

/* All ties one way; `mine` is the word of a record that must name the inode. Returns how many. */
static uint64_t check_list(struct check *c, struct list list, uint64_t inode, enum tie_word mine)
{
	uint64_t from = list.head, prev = 0, count = 0, record;

	while ((record = check_word(c, from)) != 0 && check_record(c, &list, record, prev, from)) {
		uint64_t at = record * LINE_BYTES + 8 * mine;

		if (check_word(c, at) != inode) {
			check_fault(c, "tie of another object", at, inode);
			break;
		}
		count++;
		prev = record;
		from = record * LINE_BYTES + 8 * list.next;
	}
	return count;
}

void check_ties(struct check *c, uint64_t inode)
{
	uint64_t out = check_list(c, store_ties_out(inode), inode, TIE_PARENT);
	uint64_t in = check_list(c, store_ties_in(inode), inode, TIE_CHILD);

	if (out != check_word(c, inode_word(inode, INODE_OUT_COUNT)))
		check_fault(c, "count of children is wrong", inode * STORE_PAGE_SIZE, out);
	if (in != check_word(c, inode_word(inode, INODE_IN_COUNT)))
		check_fault(c, "count of parents is wrong", inode * STORE_PAGE_SIZE, in);
	c->ties += out;
	c->tie_ends += in;
}

/* Not check_zero(): these words change, so on a read-only mount the log may know better. */
static void check_free_line(struct check *c, uint64_t at)
{
	for (uint64_t end = at + LINE_BYTES; at < end; at += 8) {
		if (store_raw(c->st, at))
			check_fault(c, "free tie that is not zero", at, store_raw(c->st, at));
	}
}

/* One tie page by itself. Whether it has room. */
static bool check_tie_page(struct check *c, uint64_t page)
{
	uint64_t at = page * STORE_PAGE_SIZE, used = used_bits(c, page);

	if (!(used & 1) || used == 1)
		check_fault(c, "tie page without ties", at, used);
	if ((check_word(c, at + 8 * TIE_PAGE_USED) | check_word(c, at + 8 * TIE_PAGE_USED + 8)) >
	    MAP_FULL)
		check_fault(c, "tie page with unknown bits", at, used);
	check_zero(c, "reserved tie page word in use", at + 8 * TIE_PAGE_ZERO,
		   at + 8 * TIE_PAGE_USED);
	for (unsigned line = 1; line < LINES; line++) {
		if (!(used >> line & 1))
			check_free_line(c, at + line * LINE_BYTES);
	}
	c->records += bit_count(used & ~1ull);
	if (used == ~0ull && (check_word(c, at + 8 * TIE_PAGE_NEXT) |
			      check_word(c, at + 8 * TIE_PAGE_PREV)))
		check_fault(c, "full tie page with links", at, used);
	return used != ~0ull;
}

/* The list of the pages with room must have `count` elements. */
static void check_roomy(struct check *c, uint64_t count)
{
	uint64_t prev = 0, length = 0;
	uint64_t page = check_word(c, state_offset(SUPER_A_PAGE, STATE_TIES));

	while (page && length <= count) {
		if (page < c->st->first_data || page >= c->st->pages ||
		    c->seen[page] != SEEN_TIES ||
		    check_word(c, page * STORE_PAGE_SIZE + 8 * TIE_PAGE_PREV) != prev) {
			check_fault(c, "list of tie pages is broken", prev * STORE_PAGE_SIZE, page);
			return;
		}
		length++;
		prev = page;
		page = check_word(c, page * STORE_PAGE_SIZE + 8 * TIE_PAGE_NEXT);
	}
	if (length != count)
		check_fault(c, "tie pages missing from their list", length, count);
}

void check_tie_pages(struct check *c)
{
	uint64_t roomy = 0;

	for (uint64_t page = c->st->first_data; page < c->st->pages; page++) {
		if (c->seen[page] == SEEN_TIES)
			roomy += check_tie_page(c, page);
	}
	check_roomy(c, roomy);
	if (c->ties != c->records || c->tie_ends != c->records)
		check_fault(c, "ties in use that are in no list", c->ties, c->records);
}
