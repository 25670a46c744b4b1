// SPDX-License-Identifier: BSD-3-Clause
/*
 * Rolling back a transaction over several objects. Nothing that a log says is believed: a record
 * counts for an object only if one of that object's own locks names this transaction, so that nobody
 * can have others write where he cannot.
 */
#include "txn.h"

#include <twz/persist.h>

#define MOST_LOCKS 65536u
#define WAIT_NS 1000000

struct twz_txlocks *twz_txlocks(twzobj *o)
{
	struct twz_txlocks *t = twz_object_getext(o, TXLOCKS_METAEXT_TAG);
	uint64_t off = (uint64_t)t - (uint64_t)o->base + OBJ_NULLPAGE_SIZE;

	if (!t || off % 8 || off < OBJ_NULLPAGE_SIZE || off > OBJ_TOPDATA - sizeof(*t))
		return NULL;
	if (t->magic != TWZ_TXLOCKS_MAGIC || t->count > MOST_LOCKS ||
	    t->count * sizeof(*t->lock) > OBJ_TOPDATA - sizeof(*t) - off)
		return NULL;
	return t;
}

bool __twz_txlock_is_of(twzobj *o, const struct twz_txlock *lock)
{
	const struct twz_txlocks *t = twz_txlocks(o);
	uint64_t at = (uint64_t)lock - (uint64_t)t - sizeof(*t);

	return t && at % sizeof(*lock) == 0 && at / sizeof(*lock) < t->count;
}

/* --- the parts of a transaction */

static struct tx_part *part_of(struct tx_parts *parts, uint64_t fote)
{
	for (unsigned i = 0; i < parts->count; i++)
		if (parts->part[i].fote == fote)
			return &parts->part[i];
	return NULL;
}

char *__twz_txn_at(struct tx_parts *parts, uint64_t ptr, int *error)
{
	struct tx_part *part = part_of(parts, PPTR_FOTE(ptr));

	(void)error;
	return part && part->held ? part->zero + PPTR_OFFSET(ptr) : NULL;
}

bool __twz_txn_all_held(const struct tx_parts *parts)
{
	for (unsigned i = 0; i < parts->count; i++)
		if (!parts->part[i].held)
			return false;
	return true;
}

/* The ID in an entry of home's FOT; 0 if there is none. */
static objid_t fot_id(twzobj *home, uint64_t fote)
{
	const struct metainfo *mi = twz_object_meta(home);
	const struct fotentry *fe = (void *)((char *)mi - OBJ_METAPAGE + OBJ_FOTE_OFFSET(fote));

	if (fote == 0 || fote >= OBJ_MAXFOTE ||
	    fote >= __atomic_load_n(&mi->fotentries, __ATOMIC_ACQUIRE))
		return 0;
	return (fe->flags & (_FE_VALID | FE_NAME)) == _FE_VALID ? fe->id : 0;
}

static int open_part(struct tx_parts *parts, struct tx_part *part)
{
	objid_t id;
	int r;

	part->obj = parts->home;
	if (part->fote) {
		id = fot_id(parts->home, part->fote);
		if (!id)
			return -ENOENT;
		r = twz_object_init_guid(&part->own, id, FE_READ | FE_WRITE);
		if (r < 0)
			return r;
		part->obj = &part->own;
	}
	part->zero = (char *)part->obj->base - OBJ_NULLPAGE_SIZE;
	return 0;
}

struct meeting {
	struct tx_parts *parts;
	struct tx_part *part;
	uint64_t ptr;
};

/* A lock that was met: its part is in it if it names this transaction. */
static int look_at_lock(void *arg)
{
	struct meeting *m = arg;
	const struct twz_txlock *lock = (void *)(m->part->zero + PPTR_OFFSET(m->ptr));

	if (__twz_txlock_is_of(m->part->obj, lock) && lock->word == m->parts->word &&
	    lock->lane == m->parts->lane && lock->lane_id == m->parts->lane_id)
		m->part->held = true;
	return 0;
}

int __twz_txn_meet(struct tx_parts *parts, uint64_t ptr)
{
	struct meeting m = { parts, part_of(parts, PPTR_FOTE(ptr)), ptr };
	int r;

	if (!parts->rolling_back)
		return 0;
	if (!m.part) {
		if (parts->count == TWZ_TXN_PARTS)
			return 0;
		m.part = &parts->part[parts->count++];
		*m.part = (struct tx_part){ .fote = PPTR_FOTE(ptr) };
		r = open_part(parts, m.part);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
	}
	r = m.part->zero ? __twz_tx_guarded(look_at_lock, &m) : 0;
	return r == -ENOENT ? 0 : r; /* what is gone needs no undoing */
}

/* --- lanes */

int __twz_lane_open(struct twz_tx_log *l, struct tx_parts *parts, twzobj *home,
    struct twz_lane *lane)
{
	int r = __twz_txlog_open(l, home, &lane->tx);

	*parts = (struct tx_parts){ .home = home };
	if (r < 0)
		return r;
	parts->lane = (uint64_t)((char *)lane - l->zero);
	parts->lane_id = twz_object_guid(home);
	parts->word = twz_txlock_word(parts->lane_id, parts->lane, lane->tx.gen);
	l->parts = parts;
	return 0;
}

static int recover(void *log)
{
	return __twz_txlog_recover(log);
}

int __twz_lane_recover(struct twz_tx_log *l)
{
	struct tx_parts *parts = l->parts;
	int r;

	parts->rolling_back = true;
	r = __twz_tx_guarded(recover, l);
	for (unsigned i = 0; i < parts->count; i++)
		twz_object_release(&parts->part[i].own);
	parts->rolling_back = false;
	parts->count = 0;
	return r;
}

/* --- a lock that was not given back */

struct resolving {
	twzobj home;
	struct twz_lane *lane;
	uint32_t gen;
};

/* Whether the transaction is open. */
static bool is_open(const struct resolving *r)
{
	const struct twz_tx *tx = &r->lane->tx;

	return tx->end != 0 && tx->gen == r->gen && tx->closed != tx->gen;
}

static int roll_back(struct resolving *r)
{
	struct tx_parts parts;
	struct twz_tx_log l;
	int e = is_open(r) ? __twz_lane_open(&l, &parts, &r->home, r->lane) : 0;

	if (e == 0 && is_open(r))
		e = __twz_lane_recover(&l);
	return e < 0 ? e : 0;
}

/* Somebody else rolls it back, or has it; whoever has it does not need what we have. */
static void wait_a_little(struct resolving *r)
{
	struct timespec soon = { 0, WAIT_NS };

	twz_thread_sync(THREAD_SYNC_SLEEP, (atomic_ulong *)(void *)&r->lane->tx.closed,
	    r->lane->tx.closed, &soon);
}

static int resolve(void *arg)
{
	struct resolving *r = arg;
	int e;

	while (is_open(r)) {
		if (mutex_try_r(&r->lane->mutex) < 0) {
			wait_a_little(r);
			continue;
		}
		e = roll_back(r);
		mutex_release(&r->lane->mutex);
		if (e < 0)
			return e;
	}
	return 0;
}

int __twz_txlock_resolve(struct twz_txlock *lock)
{
	struct resolving r = { .gen = (uint32_t)lock->word };
	uint64_t off = lock->lane;
	int e;

	if (lock->word != twz_txlock_word(lock->lane_id, off, r.gen)) {
		lock->word = 0;
		return 0;
	}
	if (off % 8 || off < OBJ_NULLPAGE_SIZE || off > OBJ_TOPDATA - sizeof(struct twz_lane))
		return -EINVLOBJ;
	e = twz_object_init_guid(&r.home, lock->lane_id, FE_READ | FE_WRITE);
	if (e < 0)
		return e == -EINVAL ? -EINVLOBJ : e;
	r.lane = (void *)((char *)r.home.base - OBJ_NULLPAGE_SIZE + off);
	e = __twz_tx_guarded(resolve, &r);
	twz_object_release(&r.home);
	if (e == 0)
		lock->word = 0;
	return e;
}
