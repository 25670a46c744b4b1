// SPDX-License-Identifier: BSD-3-Clause
/*
 * Allocating and freeing inside of a transaction on one object (twz/tx.h): what it allocated is there
 * if it was committed, else free; what it freed the other way round. Nothing is lost and nothing freed
 * twice, whenever the power goes.
 *
 *	tx_alloc_settle(&o, &h->tx, &h->allocs);
 *	TXSTART(&o, &h->tx) {
 *		if ((r = tx_alloc(&o, &h->tx, &h->allocs, sizeof(*node), TWZ_ALLOC_CTOR_ZERO, NULL, &p)) < 0)
 *			TXABORT(r);
 *		TXRECORD(&h->tx, &h->head);
 *		... h->head = p ...
 *		TXRECORD_ALLOCS(&h->tx, &h->allocs);
 *		TXCOMMIT;
 *	} TXEND;
 *	tx_alloc_settle(&o, &h->tx, &h->allocs);
 *
 * Until it is settled, what was allocated belongs to words beside the log.
 */
#ifndef TWZ_TXALLOC_H
#define TWZ_TXALLOC_H

#include <twz/alloc.h>
#include <twz/tx.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TWZ_TX_ALLOCS 15u /* most regions allocated, and most freed, by one transaction */

/* In the same object, 8-aligned; all-zero is none. */
struct twz_tx_allocs {
	uint64_t state;             /* recorded: 0, or TWZ_TX_KEPT and how many were freed */
	void *owned[TWZ_TX_ALLOCS]; /* what was allocated */
	uint32_t whose;             /* of which transaction this is; not durable, as count */
	uint32_t count;             /* of freed */
	void *freed[TWZ_TX_ALLOCS]; /* p-ptrs of what shall be */
};

#define TWZ_TX_KEPT 0x100u

_Static_assert(sizeof(struct twz_tx_allocs) == 256, "tx allocs");

/*
 * Allocate in o, as twz_alloc with its ctor, flags 0: the local p-ptr into *p, a variable. -ENOMEM
 * also after TWZ_TX_ALLOCS of them; -EBUSY the last transaction was not settled.
 */
int tx_alloc(twzobj *o, struct twz_tx *tx, struct twz_tx_allocs *a, size_t len,
    void (*ctor)(void *, void *), void *data, void **p);

/* Free the region at p, a local p-ptr, when the transaction is settled. Errors as tx_alloc. */
int tx_free(struct twz_tx *tx, struct twz_tx_allocs *a, void *p);

/* Make it part of the transaction, as its last records. */
#define TXRECORD_ALLOCS(tx, a) __TX_DO(tx_record_allocs((tx), (a)))
int tx_record_allocs(struct twz_tx *tx, struct twz_tx_allocs *a);

/*
 * Outside of a transaction: undo one that was interrupted (TXCHECK), then free what it allocated, or,
 * if it was committed, what it freed. 0, or an error of TXCHECK or twz_alloc_recover.
 */
int tx_alloc_settle(twzobj *o, struct twz_tx *tx, struct twz_tx_allocs *a);

#ifdef __cplusplus
}
#endif

#endif
