// SPDX-License-Identifier: BSD-3-Clause
/* What the parts of transactions over several objects share. */
#ifndef TWZ_TX_TXN_H
#define TWZ_TX_TXN_H

#include "log.h"

#include <twz/txn.h>

/* Whether lock is one of o's. */
bool __twz_txlock_is_of(twzobj *o, const struct twz_txlock *lock);

/* The log of a lane in home, to roll back: parts becomes its parts. Errors as __twz_txlog_open. */
int __twz_lane_open(struct twz_tx_log *l, struct tx_parts *parts, twzobj *home,
    struct twz_lane *lane);

/* Undo or finish what was interrupted in the lane, whose mutex the caller holds. As
 * __twz_txlog_recover. */
int __twz_lane_recover(struct twz_tx_log *l);

/* Deal with the transaction that a lock names, if it was interrupted; the caller has the lock. */
int __twz_txlock_resolve(struct twz_txlock *lock);

/*
 * fn(arg), which touches objects that may be gone, or closed to this program: its result; -ENOENT,
 * -EACCES, or -EFAULT, if it faults.
 */
int __twz_tx_guarded(int (*fn)(void *), void *arg);

#endif
