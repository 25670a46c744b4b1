// SPDX-License-Identifier: BSD-3-Clause
/*
 * The undo log under tx.c and txn.c: writing records, closing, undoing. What is read from a log may
 * be noise: nothing outside of the data of the object, or of the parts, is ever written.
 *
 * A transaction has a number, gen, which together with the boot's epoch goes into every checksum,
 * so that a record left by another transaction is no record of this one. One 8-byte word holds
 * {end, gen}: records are durable up to end. The word is stored and flushed together with records,
 * under one fence: if a cut keeps the word and loses a record, the checksum shows it, and nothing
 * has been stored to what the record protects.
 *
 * A commit flushes the data, and with them commit = gen and a sum over them; one fence. A log that
 * is found with commit == gen is committed if the data have that sum; and also if its records are
 * not whole, for nothing overwrites them before that fence. Else it is undone. After the fence
 * closed = gen says that it is over, without another: the next transaction's first fence overtakes
 * it. It stands on another line than the word, which would have to wait for its last write-back.
 */
#ifndef TWZ_TX_LOG_H
#define TWZ_TX_LOG_H

#include "../runtime.h"

#include <twz/tx.h>
#include <twz/twztry.h>

/* Describe the log tx in obj. -EINVAL tx is not 8-aligned or not in the data of obj; -EINVLOBJ its
 * size reaches beyond that, or its end beyond its size. */
int __twz_txlog_open(struct twz_tx_log *l, twzobj *obj, struct twz_tx *tx);

/* Begin a transaction on an empty log: a new number. */
void __twz_txlog_begin(struct twz_tx_log *l);

/* Whether a range may be recorded at all: data, and not of the log itself. */
bool __twz_txlog_may_record(const struct twz_tx_log *l, uint64_t ptr, uint32_t len);

/*
 * Append a record: p-ptr, length with its kind, and for kind 0 the old bytes. from is where the range
 * stands (NULL: it is none). Not yet durable. -ENOMEM no room.
 */
int __twz_txlog_append(struct twz_tx_log *l, uint64_t ptr, uint32_t len, const void *from);

/* Make what was appended durable. */
void __twz_txlog_publish(struct twz_tx_log *l);

/* Commit: everything recorded becomes durable. */
void __twz_txlog_commit(struct twz_tx_log *l);

/* Undo what was recorded from log offset `from` on, durably, and drop these records. 0, or what
 * went wrong with a part; then nothing is dropped. */
int __twz_txlog_undo(struct twz_tx_log *l, uint32_t from);

/* Deal with what an interrupted transaction left: 1 if something was undone, else 0; or an error. */
int __twz_txlog_recover(struct twz_tx_log *l);

/* The end of the last transaction is durable when this returns; flushed: this thread just ended it. */
void __twz_txlog_settle(struct twz_tx_log *l, bool flushed);

/* --- txn.c: where a foreign p-ptr leads, NULL if its part is not in the transaction; *error says
 * if that must stop an undo. */
char *__twz_txn_at(struct tx_parts *parts, uint64_t ptr, int *error);
/* A lock record was found while recovering: see whether its part is in it. */
int __twz_txn_meet(struct tx_parts *parts, uint64_t ptr);
/* Whether all parts that were met hold their lock for this transaction. */
bool __twz_txn_all_held(const struct tx_parts *parts);

#endif
