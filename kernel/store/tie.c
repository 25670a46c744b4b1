// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ties. Each is a record of one line that stands in two lists, its parent's and its child's. To
 * find the tie of two objects both lists are walked side by side, so it costs what the shorter one
 * is long. Records live in pages of 63; those with room are on a list of their own.
 *
 * An object that is marked deleted is on the orphan list exactly while it has no parent: so a mount
 * finds what to free without looking at what is tied.
 */
#include <base/bits.h>

#include "internal.h"

#define LINES (STORE_PAGE_SIZE / LINE_BYTES)
#define USED_BITS 32u

const struct list store_roomy = {
	.head = STATE_OFFSET + 8 * STATE_TIES,
	.unit = STORE_PAGE_SIZE,
	.next = TIE_PAGE_NEXT,
	.prev = TIE_PAGE_PREV,
};

struct list store_ties_out(uint64_t inode)
{
	return (struct list){ inode_word(inode, INODE_TIES_OUT), LINE_BYTES, TIE_OUT_NEXT,
			      TIE_OUT_PREV };
}

struct list store_ties_in(uint64_t inode)
{
	return (struct list){ inode_word(inode, INODE_TIES_IN), LINE_BYTES, TIE_IN_NEXT,
			      TIE_IN_PREV };
}

static uint64_t record_word(uint64_t record, enum tie_word index)
{
	return record * LINE_BYTES + 8ull * index;
}

static uint64_t page_word(uint64_t page, unsigned index)
{
	return page * STORE_PAGE_SIZE + 8ull * index;
}

uint64_t store_tie_page_sum(const struct store *st, const uint64_t *page)
{
	return store_sum(st->salt[0], page, TIE_PAGE_SUM);
}

/* ---- Records: taking and giving back, part of the transaction ---- */

static uint64_t new_tie_page(struct store *st)
{
	uint64_t page;

	if (store_space_need(st, 1) || store_space_take(st, &page))
		return 0;
	uint64_t *words = store_page_at(st, page);
	uint64_t header[3] = { TIE_MAGIC, page };

	header[TIE_PAGE_SUM] = store_tie_page_sum(st, header);
	pm_zero(words, STORE_PAGE_SIZE);
	pm_copy(words, header, sizeof(header));
	pm_store64(&words[TIE_PAGE_USED], store_seal(1));
	store_fresh_done(st, page, 1);
	store_list_add(st, &store_roomy, page);
	return page;
}

static int used_bits(struct store *st, uint64_t page, uint64_t bits[2])
{
	const uint64_t *words = store_page_at(st, page);
	int error = 0;

	if (words[TIE_PAGE_MAGIC] != TIE_MAGIC || words[TIE_PAGE_SELF] != page ||
	    words[TIE_PAGE_SUM] != store_tie_page_sum(st, words))
		error = store_damaged(st, "tie page", page * STORE_PAGE_SIZE);
	for (unsigned i = 0; i < 2 && !error; i++)
		error = store_tx_get(st, page_word(page, TIE_PAGE_USED + i), &bits[i]);
	return error ? store_tx_fail(st, error) : 0;
}

static bool is_full(const uint64_t bits[2])
{
	return bits[0] == MAP_FULL && bits[1] == MAP_FULL;
}

/* The number of a record nobody uses, all zero but for what the caller puts there. 0: failed. */
static uint64_t take_record(struct store *st)
{
	uint64_t page, bits[2];

	if (store_list_first(st, &store_roomy, &page)) {
		store_tx_fail(st, -EUCLEAN);
		return 0;
	}
	if (!page)
		page = new_tie_page(st);
	if (!page || used_bits(st, page, bits))
		return 0;
	if (is_full(bits)) {
		store_tx_fail(st, store_damaged(st, "tie page", page * STORE_PAGE_SIZE));
		return 0;
	}
	unsigned half = (bits[0] & MAP_FULL) == MAP_FULL;
	unsigned bit = bit_lowest(~bits[half]);

	bits[half] |= 1ull << bit;
	store_tx_put(st, page_word(page, TIE_PAGE_USED + half), bits[half]);
	if (is_full(bits))
		store_list_remove(st, &store_roomy, page);
	return page * LINES + half * USED_BITS + bit;
}

static void release_record(struct store *st, uint64_t record)
{
	uint64_t page = record / LINES, line = record % LINES;
	unsigned half = line / USED_BITS;
	uint64_t bits[2];

	if (used_bits(st, page, bits))
		return;
	for (unsigned i = 0; i < TIE_ZERO; i++)
		store_tx_put(st, record_word(record, i), 0);
	if (is_full(bits))
		store_list_add(st, &store_roomy, page);
	bits[half] &= ~(1ull << line % USED_BITS);
	store_tx_put(st, page_word(page, TIE_PAGE_USED + half), bits[half]);
	if (bits[0] != 1 || bits[1])
		return;
	store_list_remove(st, &store_roomy, page);
	int error = store_space_release(st, page);

	if (error)
		store_tx_fail(st, error);
}

/* ---- Finding ---- */

/* Parent and child of a record, which must be inodes. */
static int read_record(struct store *st, uint64_t record, uint64_t *parent, uint64_t *child)
{
	int error = store_read_page(st, record_word(record, TIE_PARENT), parent);

	if (!error)
		error = store_read_page(st, record_word(record, TIE_CHILD), child);
	if (!error && (!*parent || !*child || record % LINES == 0))
		error = store_damaged(st, "tie", record * LINE_BYTES);
	return error;
}

/* Look at a record and go to the next of its list. 1: it ties the two. */
static int look(struct store *st, const struct list *list, uint64_t *record, uint64_t parent,
		uint64_t child)
{
	uint64_t p, c;
	int error = read_record(st, *record, &p, &c);

	if (error || (p == parent && c == child))
		return error ? error : 1;
	return store_list_next(st, list, *record, record);
}

/* The record that ties the two; 0 for none. */
static int find_tie(struct store *st, uint64_t parent, uint64_t child, uint64_t *record)
{
	struct list out = store_ties_out(parent), in = store_ties_in(child);
	uint64_t a, b, most;
	int found = store_read(st, inode_word(child, INODE_IN_COUNT), &most);

	if (!found)
		found = store_list_first(st, &out, &a);
	if (!found)
		found = store_list_first(st, &in, &b);
	for (uint64_t steps = 0; !found && a && b; steps++) {
		if (steps > most)
			return store_damaged(st, "list of ties", in.head);
		*record = a;
		found = look(st, &out, &a, parent, child);
		if (!found) {
			*record = b;
			found = look(st, &in, &b, parent, child);
		}
	}
	if (!found)
		*record = 0;
	return found < 0 ? found : 0;
}

/* ---- Tying and untying ---- */

static int read_marks(struct store *st, uint64_t inode, uint64_t *marks, uint64_t *parents)
{
	int error = store_read(st, inode_word(inode, INODE_FLAGS), marks);

	return error ? error : store_read(st, inode_word(inode, INODE_IN_COUNT), parents);
}

static int count_tie(struct store *st, uint64_t record, int64_t delta)
{
	store_tx_begin(st);
	store_tx_add(st, record_word(record, TIE_COUNT), delta);
	return store_tx_commit(st);
}

static int new_tie(struct store *st, uint64_t parent, uint64_t child, bool orphan)
{
	struct list out = store_ties_out(parent), in = store_ties_in(child);

	store_tx_begin(st);
	uint64_t record = take_record(st);

	if (!record)
		return st->tx.error;
	store_tx_put(st, record_word(record, TIE_PARENT), parent);
	store_tx_put(st, record_word(record, TIE_CHILD), child);
	store_tx_put(st, record_word(record, TIE_COUNT), 1);
	store_list_add(st, &out, record);
	store_list_add(st, &in, record);
	store_tx_add(st, inode_word(parent, INODE_OUT_COUNT), 1);
	store_tx_add(st, inode_word(child, INODE_IN_COUNT), 1);
	if (orphan)
		store_list_remove(st, &store_orphans, child);
	return store_tx_commit(st);
}

int store_tie_locked(struct store *st, uint64_t parent, uint64_t child, uint64_t hidden)
{
	uint64_t marks, parents, parent_marks, record, count;

	store_tx_begin(st);
	int error = read_marks(st, parent, &parent_marks, &parents);

	if (!error)
		error = read_marks(st, child, &marks, &parents);
	if (error)
		return error;
	if (parent == child || (parent_marks & INODE_HIDDEN && parent != hidden) ||
	    (marks & INODE_HIDDEN && child != hidden))
		return -EINVAL;
	error = find_tie(st, parent, child, &record);
	if (!error && record)
		error = store_read(st, record_word(record, TIE_COUNT), &count);
	if (error)
		return error;
	if (!record)
		return new_tie(st, parent, child, marks & INODE_DELETED && !parents);
	return count == PAYLOAD_MAX ? -EMLINK : count_tie(st, record, 1);
}

/* Remove a record, in one transaction. */
static int drop_record(struct store *st, uint64_t record)
{
	uint64_t parent, child, marks, parents;
	int error = read_record(st, record, &parent, &child);

	if (!error)
		error = read_marks(st, child, &marks, &parents);
	if (error)
		return error;
	struct list out = store_ties_out(parent), in = store_ties_in(child);

	store_tx_begin(st);
	store_list_remove(st, &out, record);
	store_list_remove(st, &in, record);
	store_tx_add(st, inode_word(parent, INODE_OUT_COUNT), -1);
	store_tx_add(st, inode_word(child, INODE_IN_COUNT), -1);
	release_record(st, record);
	if (marks & INODE_DELETED && parents == 1)
		store_list_add(st, &store_orphans, child);
	return store_tx_commit(st);
}

int store_tie_drop_first(struct store *st, uint64_t inode)
{
	struct list out = store_ties_out(inode), in = store_ties_in(inode);
	uint64_t record;

	store_tx_begin(st);
	int error = store_list_first(st, &out, &record);

	if (!error && !record)
		error = store_list_first(st, &in, &record);
	if (error || !record)
		return error;
	error = drop_record(st, record);
	return error ? error : 1;
}

static int untie_locked(struct store *st, uint64_t parent, uint64_t child)
{
	uint64_t record, count;

	store_tx_begin(st);
	int error = find_tie(st, parent, child, &record);

	if (error || !record)
		return error ? error : -ENOENT;
	error = store_read(st, record_word(record, TIE_COUNT), &count);
	if (error)
		return error;
	return count > 1 ? count_tie(st, record, -1) : drop_record(st, record);
}

int store_tie(struct store *st, const struct store_handle *parent,
	      const struct store_handle *child)
{
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = store_tie_locked(st, parent->inode, child->inode, 0);

	store_lock_release(&st->lock);
	return error;
}

int store_untie(struct store *st, const struct store_handle *parent,
		const struct store_handle *child)
{
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = untie_locked(st, parent->inode, child->inode);

	store_lock_release(&st->lock);
	return error;
}

int store_tie_counts(struct store *st, const struct store_handle *h, uint64_t *in, uint64_t *out)
{
	store_lock_acquire(&st->lock);
	int error = store_read(st, inode_word(h->inode, INODE_IN_COUNT), in);

	if (!error)
		error = store_read(st, inode_word(h->inode, INODE_OUT_COUNT), out);
	store_lock_release(&st->lock);
	return error;
}

/* ---- Listing ---- */

/*
 * The other end of a tie of `inode`: 1, 0 if it is hidden, -EAGAIN if it is no such tie any more.
 */
static int other_end(struct store *st, uint64_t inode, enum store_tie_way way, uint64_t record,
		     struct store_handle *other)
{
	uint64_t parent, child, marks;
	int error = read_record(st, record, &parent, &child);

	if (error)
		return error;
	other->inode = way == STORE_CHILDREN ? child : parent;
	if ((way == STORE_CHILDREN ? parent : child) != inode)
		return -EAGAIN;
	error = store_inode_id(st, other->inode, &other->id);
	if (!error)
		error = store_read(st, inode_word(other->inode, INODE_FLAGS), &marks);
	return error ? error : !(marks & INODE_HIDDEN);
}

/* Whether the record the cursor stands at still is one of the object's. */
static int still_there(struct store *st, uint64_t inode, enum store_tie_way way, uint64_t record)
{
	uint64_t page = record / LINES, mine;

	if (page < st->first_data || page >= st->pages || record % LINES == 0)
		return -EAGAIN;
	int error = store_read(st, record_word(record, way == STORE_CHILDREN ? TIE_PARENT
									     : TIE_CHILD), &mine);

	return error || mine != inode ? -EAGAIN : 0;
}

static int tie_step(struct store *st, uint64_t inode, enum store_tie_way way,
		    struct store_tie_cursor *cursor, struct store_handle *other)
{
	struct list list = way == STORE_CHILDREN ? store_ties_out(inode) : store_ties_in(inode);
	uint64_t record = cursor->record;
	int error;

	if (!record) {
		error = store_list_first(st, &list, &record);
	} else {
		error = still_there(st, inode, way, record);
		if (!error)
			error = store_list_next(st, &list, record, &record);
	}
	if (error || !record)
		return error;
	cursor->record = record;
	error = store_read(st, record_word(record, TIE_COUNT), &cursor->count);
	return error ? error : other_end(st, inode, way, record, other);
}

int store_tie_next(struct store *st, const struct store_handle *h, enum store_tie_way way,
		   struct store_tie_cursor *cursor, struct store_handle *other)
{
	uint64_t most;

	store_lock_acquire(&st->lock);
	if (!st->rdonly)
		store_tx_begin(st);
	int found = store_state(st, STATE_OBJECTS, &most);

	while (!found) {
		uint64_t before = cursor->record;

		found = tie_step(st, h->inode, way, cursor, other);
		if (!found && (cursor->record == before || !most--))
			break; /* the end; or hidden ones in a circle */
	}
	store_lock_release(&st->lock);
	return found;
}
