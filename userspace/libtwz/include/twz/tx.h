// SPDX-License-Identifier: BSD-3-Clause
/*
 * Transactions on one object, by one thread at a time: several changes become durable together, or
 * none does. The old bytes go to an undo log that stands in the object; whoever uses the object
 * next, after a crash or in another program, undoes what was not committed.
 *
 *	TXSTART(obj, &hdr->tx) {
 *		TXRECORD(&hdr->tx, &hdr->foo);
 *		hdr->foo = 3;
 *		TXCOMMIT;
 *	} TX_ONABORT {
 *		... errno says why ...
 *	} TX_ONSUCCESS {
 *		...
 *	} TXEND;
 *
 * Rules for programs; docs/transactions.md says why:
 *   - Record bytes before they change. What was never reachable before (fresh memory) need not be
 *     kept for undoing, but TXRECORD_NEW must name it, unless it was flushed and fenced already.
 *   - Store to recorded data outside of transactions only after TXCHECK, or any fence of the thread
 *     that ended the last transaction: else a crash may undo that.
 *   - A log serves one thread at a time: put a mutex around it. twz/txn.h has transactions for
 *     several threads and over several objects.
 *   - A body is left by TXCOMMIT or TXABORT. Its end, return, break and goto abort it.
 *
 * Durable when TXCOMMIT is through: everything that was recorded, in two fences for a transaction
 * with one TXRECORD. A fault in the body that a twztry outside catches, or the end of the thread,
 * leaves the transaction to the next TXSTART or TXCHECK on the log, which undoes it.
 */
#ifndef TWZ_TX_H
#define TWZ_TX_H

#include <abi/errno.h>
#include <stddef.h>
#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A log and its head, anywhere in an object's data, 8-aligned (64 is faster). All-zero but for logsz
 * is an empty log. Recovery reads logsz, closed and what follows it.
 */
struct twz_tx {
	uint32_t logsz;     /* bytes of log */
	uint32_t tmpend;    /* of these written by the transaction that ran last */
	uint32_t unsettled; /* the end of the last transaction may not be durable yet */
	uint32_t resv0;
	uint64_t closed; /* gen of the transaction that ended last; on a line of its own, as the CPU
			  * would wait for the other one to be written back */
	uint64_t resv1[5];
	uint32_t end; /* of these durable; 0: no transaction is open */
	uint32_t gen; /* number of the transaction, in one 8-byte word with end */
	uint64_t epoch;  /* of the boot that wrote the log */
	uint64_t commit; /* gen of the transaction that was last ready to commit */
	uint64_t sum;    /* of all bytes recorded in it, as they were then */
	uint64_t resv2[4];
	char log[0]; /* logsz bytes; of no size here, so that a struct twz_tx may stand inside another */
};

_Static_assert(offsetof(struct twz_tx, tmpend) == 4, "tx tmpend");
_Static_assert(offsetof(struct twz_tx, end) == 64, "tx end");
_Static_assert(offsetof(struct twz_tx, log) == 128, "tx log");
_Static_assert(sizeof(struct twz_tx) == 128, "tx");

/* A log record; the old bytes follow, padded with zeroes to 8. */
struct twz_tx_record {
	uint64_t ptr; /* local p-ptr */
	uint32_t len; /* bytes; with TWZ_TX_NEW no bytes follow */
	uint32_t sum; /* over the transaction's number, ptr, len and the bytes */
};

#define TWZ_TX_NEW 0x80000000u  /* fresh memory: made durable with the commit, never undone */
#define TWZ_TX_LOCK 0x40000000u /* twz/txn.h: a lock that the transaction holds */
#define TWZ_TX_LEN_MASK 0x3fffffffu

_Static_assert(sizeof(struct twz_tx_record) == 16, "tx record");

/* Bytes of log that a record of len bytes takes. */
#define TX_RECORD_SIZE(len) (sizeof(struct twz_tx_record) + (((size_t)(len) + 7) & ~(size_t)7))

/* Make an empty log of logsz bytes, which follow *tx, durably. Never on a log that is in use. */
void tx_init(struct twz_tx *tx, uint32_t logsz);

/* --- running one
 *
 * TXSTART(obj, tx) first undoes what an interrupted transaction left, then runs the body. obj is a
 * handle of the object that tx stands in, open for writing. If the log makes no sense the body does
 * not run: aborted with -EINVLOBJ; -EINVAL: tx is not 8-aligned or not in obj.
 *
 * Nested on the same log: the inner one is part of the outer. Its TXABORT undoes what it recorded
 * and the outer goes on; its TXCOMMIT makes nothing durable yet.
 */
#define TXSTART(obj, tx)                                                         \
	do {                                                                     \
		__label__ __twz_tx_left;                                         \
		__attribute__((cleanup(__twz_tx_leave))) struct twz_tx_run __twz_tx_this; \
		__twz_tx_begin(&__twz_tx_this, (obj), (tx));                     \
		__twz_tx_left:                                                   \
		if (__twz_tx_this.type == __TX_NORMAL)

/* A block that runs if the transaction was aborted; errno is TXABORT's code, or why it could not
 * go on: -ENOMEM log full, -EINVAL a bad range, -EINVLOBJ, -ECANCELED the body ended. */
#define TX_ONABORT else if (__twz_tx_this.type == __TX_ABORT && ((errno = __twz_tx_this.code), 1))

/* A block that runs if it was committed. */
#define TX_ONSUCCESS else if (__twz_tx_this.type == __TX_SUCCESS)

#define TXEND                                                           \
		if (__twz_tx_this.type == __TX_NORMAL) {                \
			__twz_tx_abort(&__twz_tx_this, -ECANCELED);     \
			goto __twz_tx_left;                             \
		}                                                       \
		errno = __twz_tx_this.code;                             \
	} while (0)

#define TXCOMMIT                                        \
	do {                                            \
		__twz_tx_commit(&__twz_tx_this);        \
		goto __twz_tx_left;                     \
	} while (0)

/* Write the old bytes back, the newest record first; code becomes errno. */
#define TXABORT(code)                                           \
	do {                                                    \
		__twz_tx_abort(&__twz_tx_this, (code));         \
		goto __twz_tx_left;                             \
	} while (0)

/* Log the old bytes durably; when this is through they may change. On an error the transaction is
 * aborted. */
#define TXRECORD(tx, p) TXRECORD_LEN(tx, p, sizeof(*(p)))
#define TXRECORD_LEN(tx, p, len) __TX_DO(tx_record((tx), (p), (len)))

/* Log several with one fence: nothing of it may change before TX_RECORD_COMMIT, or a TXRECORD. */
#define TXRECORD_TMP(tx, p) TXRECORD_LEN_TMP(tx, p, sizeof(*(p)))
#define TXRECORD_LEN_TMP(tx, p, len) __TX_DO(tx_record_tmp((tx), (p), (len)))
#define TXRECORD_TMP_LEN(tx, p, len) TXRECORD_LEN_TMP(tx, p, len)
#define TX_RECORD_COMMIT(tx) tx_record_commit(tx)

/*
 * [p, p + len) is fresh: what stands there at the commit becomes durable with it, and an abort
 * leaves it as it is. Best before a TXRECORD, whose fence serves both.
 */
#define TXRECORD_NEW(tx, p, len) __TX_DO(tx_record_new((tx), (p), (len)))

#define __TX_DO(call)                                                   \
	do {                                                            \
		int __twz_tx_r = (call);                                \
		if (__twz_tx_r < 0)                                     \
			TXABORT(__twz_tx_r);                            \
	} while (0)

/*
 * The same as functions, for what the body calls: tx must be in a transaction of this thread.
 * -ENOMEM the log is full; -EINVAL no transaction, or the range is not in the data of the object,
 * or touches the log; nothing has changed then, and the transaction can go on.
 */
int tx_record(struct twz_tx *tx, const void *p, size_t len);
int tx_record_tmp(struct twz_tx *tx, const void *p, size_t len);
int tx_record_new(struct twz_tx *tx, const void *p, size_t len);
int tx_record_commit(struct twz_tx *tx);

/*
 * Undo what an interrupted transaction left: 1 if there was something, else 0; -EINVLOBJ, -EINVAL.
 * Call it before touching protected data outside of a transaction; it also makes sure that later
 * stores to these are not undone by a crash. In a transaction of this thread it does nothing.
 */
#define TXCHECK(obj, tx) __twz_tx_check((obj), (tx))

/* --- the form whose body is a loop: TXOPT_COMMIT, TXOPT_ABORT and errors are a `break`, so none of
 * them may stand in a loop or switch within the body. TXOPT_END stores code * 256 | type in rcode,
 * the type being TX_RCODE_SUCCESS or TX_RCODE_ABORT. */
#define TX_RCODE_SUCCESS 1
#define TX_RCODE_ABORT 2

#define TXOPT_START(obj, tx, rcode)                                                               \
	do {                                                                                      \
		__attribute__((cleanup(__twz_tx_leave))) struct twz_tx_run __twz_tx_this;         \
		__typeof__(&(rcode)) __twz_tx_rcode = &(rcode);                                   \
		__twz_tx_begin(&__twz_tx_this, (obj), (tx));                                      \
		for (int __twz_tx_go = 1; __twz_tx_go && !__twz_tx_this.type; __twz_tx_go = 0)

#define TXOPT_END                                                                                 \
		if (__twz_tx_this.type == __TX_NORMAL)                                            \
			__twz_tx_abort(&__twz_tx_this, -ECANCELED);                               \
		*__twz_tx_rcode = __twz_tx_this.code * 256 | __twz_tx_this.type;                  \
	} while (0)

#define TXOPT_COMMIT                                    \
	({                                              \
		__twz_tx_commit(&__twz_tx_this);        \
		break;                                  \
	})

#define TXOPT_ABORT(code)                               \
	({                                              \
		__twz_tx_abort(&__twz_tx_this, (code)); \
		break;                                  \
	})

#define TXOPT_RECORD(tx, p) TXOPT_RECORD_LEN(tx, p, sizeof(*(p)))
#define TXOPT_RECORD_LEN(tx, p, len) __TXOPT_DO(tx_record((tx), (p), (len)))
#define TXOPT_RECORD_TMP(tx, p) TXOPT_RECORD_LEN_TMP(tx, p, sizeof(*(p)))
#define TXOPT_RECORD_LEN_TMP(tx, p, len) __TXOPT_DO(tx_record_tmp((tx), (p), (len)))
#define TXOPT_RECORD_NEW(tx, p, len) __TXOPT_DO(tx_record_new((tx), (p), (len)))

#define __TXOPT_DO(call)                                \
	({                                              \
		int __twz_tx_r = (call);                \
		if (__twz_tx_r < 0) {                   \
			__twz_tx_abort(&__twz_tx_this, __twz_tx_r); \
			break;                          \
		}                                       \
	})

/* --- behind the macros */

#define __TX_NORMAL 0
#define __TX_SUCCESS TX_RCODE_SUCCESS
#define __TX_ABORT TX_RCODE_ABORT

struct tx_parts; /* twz/txn.h: other objects that records may name */

#define __TX_RANGES 16u

/* A log that is being used. What stands in its head is kept here, too: the CPU waits long for lines
 * that were just written back. Private. */
struct twz_tx_log {
	struct twz_tx *tx;
	char *zero; /* object offset 0 of the object it stands in */
	twzobj *obj;
	struct tx_parts *parts; /* NULL: records are local */
	uint64_t epoch;
	uint32_t size;   /* bytes of log, checked */
	uint32_t used;   /* of these written */
	uint32_t end;    /* of these counted */
	uint32_t gen;
	uint32_t tmpend; /* what stands there */
	bool unsettled;  /* what stands there */
	uint64_t fresh;  /* bytes recorded as new */
	uint32_t ranges; /* recorded; above __TX_RANGES: only the log knows */
	struct {
		const void *p;
		uint32_t len;
	} range[__TX_RANGES];
};

/* A transaction that is being run, on the stack of its thread. Private. */
struct twz_tx_run {
	struct twz_tx_log own, *log; /* that of the outermost on the same log */
	struct twz_tx_run *outer;    /* that this one stands in */
	uint32_t from;               /* what was used of the log when it began */
	int type, code;
};

void __twz_tx_begin(struct twz_tx_run *r, twzobj *obj, struct twz_tx *tx);
void __twz_tx_commit(struct twz_tx_run *r);
void __twz_tx_abort(struct twz_tx_run *r, int code);
int __twz_tx_check(twzobj *obj, struct twz_tx *tx);

/* However the block is left. */
static inline void __twz_tx_leave(struct twz_tx_run *r)
{
	if (r->type == __TX_NORMAL)
		__twz_tx_abort(r, -ECANCELED);
}

/* Without a C library there is no errno; <errno.h>, if it comes first, has its own. */
#ifndef errno
extern __thread int __twz_errno;
#define errno __twz_errno
#endif

#ifdef __cplusplus
}
#endif

#endif
