// SPDX-License-Identifier: BSD-3-Clause
/*
 * Allocation in transactions. `state` is recorded like any other word and says after a crash whether
 * the transaction was committed. Then what it allocated is let go of, and what it freed is freed; else
 * what it allocated is freed. Each step is failure-atomic (twz/alloc.h), and state goes back to 0
 * after all of them, so that the next to come does what is left.
 */
#include "log.h"

#include <twz/txalloc.h>

/* What was not settled must not be taken for this transaction's. */
static int claim(const struct twz_tx *tx, struct twz_tx_allocs *a)
{
	uint32_t mine = (uint32_t)((tx->epoch ^ tx->gen) * 0x9e3779b97f4a7c15ull >> 32) ^ tx->gen;

	if (a->whose == mine)
		return a->state ? -EBUSY : 0;
	for (unsigned i = 0; i < TWZ_TX_ALLOCS; i++)
		if (a->owned[i])
			return -EBUSY;
	if (a->state)
		return -EBUSY;
	a->whose = mine;
	a->count = 0;
	return 0;
}

int tx_alloc(twzobj *o, struct twz_tx *tx, struct twz_tx_allocs *a, size_t len,
    void (*ctor)(void *, void *), void *data, void **p)
{
	int r = claim(tx, a);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < TWZ_TX_ALLOCS; i++) {
		if (a->owned[i])
			continue;
		r = twz_alloc(o, len, &a->owned[i], 0, ctor, data);
		*p = r == 0 ? a->owned[i] : NULL;
		return r;
	}
	return -ENOMEM;
}

int tx_free(struct twz_tx *tx, struct twz_tx_allocs *a, void *p)
{
	int r = claim(tx, a);

	if (r < 0)
		return r;
	if (a->count >= TWZ_TX_ALLOCS)
		return -ENOMEM;
	a->freed[a->count++] = p;
	return 0;
}

int tx_record_allocs(struct twz_tx *tx, struct twz_tx_allocs *a)
{
	uint64_t n;
	int r = claim(tx, a);

	if (r < 0)
		return r;
	n = a->count < TWZ_TX_ALLOCS ? a->count : TWZ_TX_ALLOCS;
	r = n ? tx_record_new(tx, a->freed, n * sizeof(*a->freed)) : 0;

	if (r == 0)
		r = tx_record(tx, &a->state, sizeof(a->state));
	if (r == 0)
		a->state = TWZ_TX_KEPT | n;
	return r;
}

static void let_go(twzobj *o, struct twz_tx_allocs *a)
{
	memset(a->owned, 0, sizeof(a->owned));
	__twz_obj_flush(o, a->owned, sizeof(a->owned));
	__twz_obj_fence(o);
}

/* The word of each goes to 0 with it. */
static void free_all(twzobj *o, void **words, uint64_t n)
{
	for (uint64_t i = 0; i < n && i < TWZ_TX_ALLOCS; i++)
		if (words[i])
			twz_free(o, words[i], &words[i], 0);
}

int tx_alloc_settle(twzobj *o, struct twz_tx *tx, struct twz_tx_allocs *a)
{
	int r = TXCHECK(o, tx);

	/* What the allocator had begun may still set one of our words. */
	if (r >= 0)
		r = twz_alloc_recover(o);
	if (r < 0)
		return r;
	if (a->state) {
		let_go(o, a);
		free_all(o, a->freed, a->state & (TWZ_TX_KEPT - 1));
		__twz_obj_fence(o);
		a->state = 0;
		__twz_obj_flush(o, &a->state, sizeof(a->state));
		__twz_obj_fence(o);
	} else {
		free_all(o, a->owned, TWZ_TX_ALLOCS);
	}
	a->whose = 0;
	return 0;
}
