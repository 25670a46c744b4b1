// SPDX-License-Identifier: BSD-3-Clause
/*
 * Transactions over several objects and by several threads and programs at once. What is changed
 * stands under locks in the objects themselves; the undo log is a lane, in any object. After a crash,
 * or the end of a thread, whoever takes one of the locks next undoes the whole transaction first.
 *
 *	twz_txn_begin(&t, &home, lane);
 *	r = twz_txn_lock(&t, &from, &from_locks->lock[0]);
 *	if (r == 0)
 *		r = twz_txn_lock(&t, &to, &to_locks->lock[0]);
 *	if (r == 0)
 *		r = twz_txn_record(&t, &account->balance, 8);
 *	...
 *	account->balance -= sum;
 *	...
 *	if (r == 0)
 *		r = twz_txn_commit(&t);
 *	else
 *		twz_txn_abort(&t);		and once more if r is -EDEADLK
 *
 * Isolation: strict two-phase locking. Locks are kept until the commit is durable, so transactions
 * that lock whatever they read or write are serialisable in the order of their commits, and nobody
 * who locks sees what a crash may undo. Who only reads may take a snapshot instead (twz_txlock_read):
 * a set of snapshots of which none has changed is one state between two commits. What stands under a
 * lock is changed only by a transaction that holds it; a lock may guard any data of its object.
 *
 * Deadlocks cannot arise: a transaction waits only for locks that come, by object ID and offset,
 * behind all it holds; another one that is taken gives -EDEADLK at once.
 */
#ifndef TWZ_TXN_H
#define TWZ_TXN_H

#include <abi/errno.h>
#include <twz/mutex.h>
#include <twz/obj.h>
#include <twz/tx.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TXLOCKS_METAEXT_TAG 0x7e10c0050001ull

/* A lock: a line in the object that it guards. All-zero is free. */
struct twz_txlock {
	struct mutex mutex;
	/* --- under mutex: the transaction that holds it, or ended without giving it back */
	objid_t lane_id; /* object of its lane */
	uint64_t lane;   /* object offset of its lane */
	uint64_t word;   /* atomic; its number there, and in the upper half a check of all three; 0: given
			  * back. A power cut may leave a part of the three; that was never in force. */
	uint64_t seq;    /* atomic; odd while it is held */
	uint64_t resv;
};

_Static_assert(sizeof(struct twz_txlock) == 64, "txlock");
_Static_assert(offsetof(struct twz_txlock, lane_id) == 16, "txlock lane_id");
_Static_assert(offsetof(struct twz_txlock, seq) == 48, "txlock seq");

/* What stands in word. */
static inline uint64_t twz_txlock_word(objid_t lane_id, uint64_t lane, uint32_t gen)
{
	uint64_t h = (ID_LO(lane_id) ^ gen) * 0x9e3779b97f4a7c15ull;

	h = ((h << 31 | h >> 33) ^ ID_HI(lane_id)) * 0x9e3779b97f4a7c15ull;
	h = ((h << 31 | h >> 33) ^ lane) * 0x9e3779b97f4a7c15ull;
	return (h >> 32 | 1) << 32 | gen;
}

/* All locks of an object, which has TXLOCKS_METAEXT_TAG for them. Only these count: what looks like
 * a lock elsewhere does not let anybody's log write to the object. */
struct twz_txlocks {
	uint64_t magic;
	uint32_t count;
	uint32_t resv0;
	uint64_t resv1[6];
	struct twz_txlock lock[0]; /* count of them */
};

#define TWZ_TXLOCKS_MAGIC 0x736b636f6c787474ull

_Static_assert(sizeof(struct twz_txlocks) == 64, "txlocks");

/* A lane: what one transaction at a time uses as its log. 8-aligned; 64 is faster. */
struct twz_lane {
	struct mutex mutex;
	uint64_t resv[6];
	struct twz_tx tx; /* its log follows */
};

_Static_assert(sizeof(struct twz_lane) == 192, "lane");

#define TWZ_TXN_PARTS 16u /* most objects of a transaction */
#define TWZ_TXN_LOCKS 32u /* most locks of a transaction */

/*
 * Make count free locks at t in o's data, durably, and the object known for them. -EINVAL not 64-
 * aligned, not in o's data, or count 0 or above 65536; -EEXIST it has locks already; -ENOMEM no free
 * extension.
 */
int twz_txlocks_init(twzobj *o, struct twz_txlocks *t, uint32_t count);

/* The locks of o; NULL if it has none, or if what it has makes no sense. */
struct twz_txlocks *twz_txlocks(twzobj *o);

/* Make a lane whose log has logsz bytes, durably. Of an object as persistent as all it is used for. */
void twz_lane_init(struct twz_lane *lane, uint32_t logsz);

/* A transaction that is being run; members are private. At its end the handles that it was given
 * are no longer used. */
struct tx_part {
	uint64_t fote; /* of the lane's object */
	char *zero;    /* object offset 0 in this view */
	twzobj *obj;
	twzobj own; /* opened for a roll-back */
	bool held;
};

struct tx_parts {
	twzobj *home;
	uint64_t lane, word; /* what locks say of this transaction */
	objid_t lane_id;
	bool rolling_back;
	unsigned count;
	struct tx_part part[TWZ_TXN_PARTS];
};

struct twz_txn {
	struct twz_tx_log log;
	struct twz_lane *lane;
	struct tx_parts parts;
	unsigned locks;
	struct {
		objid_t id;
		struct twz_txlock *lock;
	} held[TWZ_TXN_LOCKS];
};

/*
 * Begin on a lane of home, open for reading and writing, waiting while somebody else uses it, and
 * undoing what was interrupted there. 0; -EINVAL, -EINVLOBJ what stands there is no lane; an error
 * of a part that the interrupted transaction changed and this program cannot open (-EACCES,
 * -ENOSPC). On an error nothing was begun.
 */
int twz_txn_begin(struct twz_txn *t, twzobj *home, struct twz_lane *lane);

/*
 * Take a lock of o, open for reading and writing, until the end of t. What an interrupted
 * transaction did under it is undone first, here and in all its objects. Again for one that is held:
 * 0. -EDEADLK it is taken and comes before one that t holds: abort, and do it again; -EINVAL not one
 * of the object's locks; -E2BIG too many locks or objects; -ENOMEM the log is full; -ENOSPC home's
 * FOT is full; -ENOENT the log of the interrupted transaction is gone (see twz_txlock_forget);
 * errors of opening what takes part in it. The transaction can go on.
 */
int twz_txn_lock(struct twz_txn *t, twzobj *o, struct twz_txlock *lock);

/* Log old bytes, durably; then they may be changed. They stand in an object of which t holds a lock,
 * as mapped by the handle given for it. -EINVAL they do not; -ENOMEM the log is full. */
int twz_txn_record(struct twz_txn *t, const void *p, size_t len);

/* Log several with one fence: nothing may change before twz_txn_publish, or a twz_txn_record. */
int twz_txn_record_tmp(struct twz_txn *t, const void *p, size_t len);
void twz_txn_publish(struct twz_txn *t);

/* What stands at p at the commit becomes durable with it, and is never undone: fresh memory. */
int twz_txn_record_new(struct twz_txn *t, const void *p, size_t len);

/* Make all of it durable, then give the locks and the lane back. 0. */
int twz_txn_commit(struct twz_txn *t);

/* Undo all of it, then give the locks and the lane back. */
void twz_txn_abort(struct twz_txn *t);

/*
 * Begin to read what a lock guards without taking it: waits while a transaction holds it, undoes an
 * interrupted one. 0, or an error as of twz_txn_lock. o is open for writing.
 */
int twz_txlock_read(twzobj *o, struct twz_txlock *lock, uint64_t *seq);

/* Whether what was read since is one state. The pointers in it may be followed only after that. */
bool twz_txlock_unchanged(const struct twz_txlock *lock, uint64_t seq);

/* Undo whatever was interrupted under any lock of o, waiting for none that is taken: how many locks
 * were let go; an error as of twz_txn_lock. For programs that open an object for reading only what
 * no transaction changes any more. */
int twz_txlocks_recover(twzobj *o);

/* Let a lock go whose transaction's log is gone, for good: what it guards may be half changed.
 * -EBUSY somebody holds it. */
int twz_txlock_forget(twzobj *o, struct twz_txlock *lock);

#ifdef __cplusplus
}
#endif

#endif
