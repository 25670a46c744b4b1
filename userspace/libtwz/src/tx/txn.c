// SPDX-License-Identifier: BSD-3-Clause
/* Transactions over several objects: twz/txn.h. */
#include "txn.h"

#include <twz/persist.h>

int twz_txlocks_init(twzobj *o, struct twz_txlocks *t, uint32_t count)
{
	uint64_t off = (uint64_t)t - (uint64_t)o->base + OBJ_NULLPAGE_SIZE;

	if (off % 64 || off < OBJ_NULLPAGE_SIZE || off > OBJ_TOPDATA - sizeof(*t) || count == 0 ||
	    count > 65536 || count * sizeof(*t->lock) > OBJ_TOPDATA - sizeof(*t) - off)
		return -EINVAL;
	if (twz_object_getext(o, TXLOCKS_METAEXT_TAG))
		return -EEXIST;
	memset(t, 0, sizeof(*t) + count * sizeof(*t->lock));
	t->magic = TWZ_TXLOCKS_MAGIC;
	t->count = count;
	__twz_obj_flush(o, t, sizeof(*t) + count * sizeof(*t->lock));
	__twz_obj_fence(o);
	return twz_object_addext(o, TXLOCKS_METAEXT_TAG, t);
}

void twz_lane_init(struct twz_lane *lane, uint32_t logsz)
{
	memset(lane, 0, offsetof(struct twz_lane, tx));
	tx_init(&lane->tx, logsz);
}

/* --- one lock: the mutex, then whose it is */

static void set_seq(struct twz_txlock *lock, uint64_t seq)
{
	__atomic_store_n(&lock->seq, seq, __ATOMIC_RELEASE);
}

static void give_back(struct twz_txlock *lock)
{
	__atomic_store_n(&lock->word, 0, __ATOMIC_RELAXED);
	set_seq(lock, (lock->seq | 1) + 1);
	mutex_release(&lock->mutex);
}

/* What it says reaches the memory with the next fence, before anything under it changes. */
static void mark(struct twz_txn *t, struct twz_txlock *lock)
{
	set_seq(lock, lock->seq | 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	lock->lane_id = t->parts.lane_id;
	lock->lane = t->parts.lane;
	__atomic_store_n(&lock->word, t->parts.word, __ATOMIC_RELAXED);
	__twz_obj_flush(t->log.obj, lock, sizeof(*lock));
}

/* Take the mutex; wait only in order. */
static int take(const struct twz_txn *t, objid_t id, struct twz_txlock *lock)
{
	uint64_t off = (uintptr_t)lock & (OBJ_MAXSIZE - 1);
	int r;

	for (unsigned i = 0; i < t->locks; i++) {
		uint64_t other = (uintptr_t)t->held[i].lock & (OBJ_MAXSIZE - 1);

		if (t->held[i].id > id || (t->held[i].id == id && other > off))
			return mutex_try(&lock->mutex) < 0 ? -EDEADLK : 0;
	}
	r = mutex_acquire_r(&lock->mutex);
	return r < 0 ? r : 0;
}

static bool holds(const struct twz_txn *t, objid_t id, const struct twz_txlock *lock)
{
	uint64_t off = (uintptr_t)lock & (OBJ_MAXSIZE - 1);

	for (unsigned i = 0; i < t->locks; i++)
		if (t->held[i].id == id && ((uintptr_t)t->held[i].lock & (OBJ_MAXSIZE - 1)) == off)
			return true;
	return false;
}

/* --- a transaction */

int twz_txn_begin(struct twz_txn *t, twzobj *home, struct twz_lane *lane)
{
	uint64_t off = (uint64_t)lane - (uint64_t)home->base + OBJ_NULLPAGE_SIZE;
	int r;

	if (!home->base || off % 8 || off < OBJ_NULLPAGE_SIZE || off > OBJ_TOPDATA - sizeof(*lane))
		return -EINVAL;
	mutex_acquire(&lane->mutex);
	t->lane = lane;
	t->locks = 0;
	r = __twz_lane_open(&t->log, &t->parts, home, lane);
	if (r == 0)
		r = __twz_lane_recover(&t->log);
	if (r < 0) {
		mutex_release(&lane->mutex);
		return r;
	}
	__twz_txlog_begin(&t->log);
	t->parts.word = twz_txlock_word(t->parts.lane_id, t->parts.lane, t->log.gen);
	return 0;
}

/* The part that o is; a new one if need be. */
static int part_for(struct twz_txn *t, twzobj *o, objid_t id, struct tx_part **part)
{
	ssize_t fote = 0;

	for (unsigned i = 0; i < t->parts.count; i++) {
		*part = &t->parts.part[i];
		if ((*part)->obj == o || twz_object_guid((*part)->obj) == id)
			return 0;
	}
	if (t->parts.count == TWZ_TXN_PARTS)
		return -E2BIG;
	if (id != t->parts.lane_id)
		fote = twz_object_addfot(t->log.obj, id, FE_READ | FE_WRITE);
	if (fote < 0)
		return (int)fote;
	*part = &t->parts.part[t->parts.count++];
	(*part)->fote = (uint64_t)fote;
	(*part)->zero = (char *)o->base - OBJ_NULLPAGE_SIZE;
	(*part)->obj = o;
	(*part)->held = false;
	return 0;
}

/* The mutex is ours: what was interrupted under it, then that it is ours. */
static int make_ours(struct twz_txn *t, twzobj *o, objid_t id, struct twz_txlock *lock)
{
	struct tx_part *part = NULL;
	int r = __twz_txlock_resolve(lock);

	if (r == 0)
		r = part_for(t, o, id, &part);
	if (r == 0)
		r = __twz_txlog_append(&t->log,
		    part->fote << OBJ_SHIFT | ((uintptr_t)lock & (OBJ_MAXSIZE - 1)), TWZ_TX_LOCK, NULL);
	if (r < 0)
		return r;
	part->held = true;
	mark(t, lock);
	t->held[t->locks].id = id;
	t->held[t->locks++].lock = lock;
	return 0;
}

int twz_txn_lock(struct twz_txn *t, twzobj *o, struct twz_txlock *lock)
{
	objid_t id = twz_object_guid(o);
	int r;

	if (!__twz_txlock_is_of(o, lock))
		return -EINVAL;
	if (holds(t, id, lock))
		return 0;
	if (t->locks == TWZ_TXN_LOCKS)
		return -E2BIG;
	r = take(t, id, lock);
	if (r < 0)
		return r;
	r = make_ours(t, o, id, lock);
	if (r < 0)
		mutex_release(&lock->mutex);
	return r;
}

static int append(struct twz_txn *t, const void *p, size_t len, uint32_t kind)
{
	for (unsigned i = 0; i < t->parts.count; i++) {
		const struct tx_part *part = &t->parts.part[i];
		uint64_t off = (uint64_t)p - (uint64_t)part->zero;
		uint64_t ptr = part->fote << OBJ_SHIFT | off;
		int r;

		if (off >= OBJ_MAXSIZE || !part->held)
			continue;
		if (len > OBJ_TOPDATA || !__twz_txlog_may_record(&t->log, ptr, (uint32_t)len))
			return -EINVAL;
		r = __twz_txlog_append(&t->log, ptr, (uint32_t)len | kind, p);
		if (r == 0 && kind)
			t->log.fresh += len;
		return r;
	}
	return -EINVAL;
}

int twz_txn_record(struct twz_txn *t, const void *p, size_t len)
{
	int r = append(t, p, len, 0);

	if (r == 0)
		__twz_txlog_publish(&t->log);
	return r;
}

int twz_txn_record_tmp(struct twz_txn *t, const void *p, size_t len)
{
	return append(t, p, len, 0);
}

int twz_txn_record_new(struct twz_txn *t, const void *p, size_t len)
{
	return append(t, p, len, TWZ_TX_NEW);
}

void twz_txn_publish(struct twz_txn *t)
{
	__twz_txlog_publish(&t->log);
}

static void end(struct twz_txn *t)
{
	while (t->locks)
		give_back(t->held[--t->locks].lock);
	t->parts.count = 0;
	mutex_release(&t->lane->mutex);
}

int twz_txn_commit(struct twz_txn *t)
{
	__twz_txlog_commit(&t->log);
	end(t);
	return 0;
}

void twz_txn_abort(struct twz_txn *t)
{
	__twz_txlog_undo(&t->log, 0);
	end(t);
}

/* --- readers, and others without a transaction */

/* Have the mutex, undo, give it back. */
static int pass_through(struct twz_txlock *lock)
{
	int r = __twz_txlock_resolve(lock);

	if (r < 0)
		mutex_release(&lock->mutex);
	else
		give_back(lock);
	return r;
}

int twz_txlock_read(twzobj *o, struct twz_txlock *lock, uint64_t *seq)
{
	int r;

	if (!__twz_txlock_is_of(o, lock))
		return -EINVAL;
	for (;;) {
		*seq = __atomic_load_n(&lock->seq, __ATOMIC_ACQUIRE);
		if (*seq % 2 == 0 && __atomic_load_n(&lock->word, __ATOMIC_ACQUIRE) == 0)
			return 0;
		mutex_acquire(&lock->mutex);
		r = pass_through(lock);
		if (r < 0)
			return r;
	}
}

bool twz_txlock_unchanged(const struct twz_txlock *lock, uint64_t seq)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&lock->seq, __ATOMIC_RELAXED) == seq;
}

int twz_txlocks_recover(twzobj *o)
{
	struct twz_txlocks *t = twz_txlocks(o);
	int n = 0, r;

	for (uint32_t i = 0; t && i < t->count; i++) {
		struct twz_txlock *lock = &t->lock[i];

		if (lock->word == 0 || mutex_try(&lock->mutex) < 0)
			continue;
		r = pass_through(lock);
		if (r < 0)
			return r;
		n++;
	}
	return n;
}

int twz_txlock_forget(twzobj *o, struct twz_txlock *lock)
{
	if (!__twz_txlock_is_of(o, lock))
		return -EINVAL;
	if (mutex_try(&lock->mutex) < 0)
		return -EBUSY;
	lock->word = 0;
	__twz_obj_flush(o, lock, sizeof(*lock));
	__twz_obj_fence(o);
	give_back(lock);
	return 0;
}
