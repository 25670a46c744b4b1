// SPDX-License-Identifier: BSD-3-Clause
/* Transactions on one object: what the macros of twz/tx.h call. */
#include "log.h"

__thread int __twz_errno;

/* What this thread is in, innermost first; a block that catches a fault puts it back (try.c). */
static inline struct twz_tx_run *find(const struct twz_tx *tx)
{
	struct twz_tx_run *r = __twz_tx_innermost;

	while (r && r->log->tx != tx)
		r = r->outer;
	return r;
}

void tx_init(struct twz_tx *tx, uint32_t logsz)
{
	twzobj o = twz_object_from_ptr(tx);

	memset(tx, 0, sizeof(*tx));
	tx->logsz = logsz;
	__twz_obj_flush(&o, tx, sizeof(*tx));
	__twz_obj_fence(&o);
}

static int begin_outermost(struct twz_tx_run *r, twzobj *obj, struct twz_tx *tx)
{
	int e = __twz_txlog_open(&r->own, obj, tx);

	if (e == 0)
		e = __twz_txlog_recover(&r->own);
	if (e < 0)
		return e;
	__twz_txlog_begin(&r->own);
	r->log = &r->own;
	return 0;
}

void __twz_tx_begin(struct twz_tx_run *r, twzobj *obj, struct twz_tx *tx)
{
	const struct twz_tx_run *outer = __twz_tx_innermost ? find(tx) : NULL;

	r->outer = __twz_tx_innermost;
	r->type = __TX_NORMAL;
	r->code = 0;
	if (outer)
		r->log = outer->log;
	else
		r->code = begin_outermost(r, obj, tx);
	if (r->code < 0) {
		r->type = __TX_ABORT;
		return;
	}
	r->from = r->log->used;
	__twz_tx_innermost = r;
}

static void end(struct twz_tx_run *r, int type, int code)
{
	__twz_tx_innermost = r->outer;
	r->type = type;
	r->code = code;
}

void __twz_tx_commit(struct twz_tx_run *r)
{
	if (r->log == &r->own)
		__twz_txlog_commit(r->log);
	end(r, __TX_SUCCESS, 0);
}

void __twz_tx_abort(struct twz_tx_run *r, int code)
{
	__twz_txlog_undo(r->log, r->from);
	end(r, __TX_ABORT, code);
}

/* The local p-ptr of a range in the object, which may be mapped twice; 0 if it is not in it. */
static uint64_t local_of(const struct twz_tx_log *l, const void *p)
{
	uint64_t off = (uint64_t)p - (uint64_t)l->zero;
	objid_t id;

	if (off < OBJ_MAXSIZE)
		return off;
	if (twz_vaddr_to_obj(p, &id, NULL) < 0 || id != twz_object_guid(l->obj))
		return 0;
	return (uintptr_t)p & (OBJ_MAXSIZE - 1);
}

static inline int append(struct twz_tx *tx, const void *p, size_t len, uint32_t kind,
    struct twz_tx_log **log)
{
	struct twz_tx_run *r = find(tx);
	struct twz_tx_log *l;
	uint64_t off;
	int e;

	if (!r)
		return -EINVAL;
	*log = l = r->log;
	off = local_of(l, p);
	if (len > OBJ_TOPDATA || !__twz_txlog_may_record(l, off, (uint32_t)len))
		return -EINVAL;
	e = __twz_txlog_append(l, off, (uint32_t)len | kind, p);
	if (e == 0 && kind)
		l->fresh += len;
	return e;
}

int tx_record(struct twz_tx *tx, const void *p, size_t len)
{
	struct twz_tx_log *l;
	int e = append(tx, p, len, 0, &l);

	if (e == 0)
		__twz_txlog_publish(l);
	return e;
}

int tx_record_tmp(struct twz_tx *tx, const void *p, size_t len)
{
	struct twz_tx_log *l;

	return append(tx, p, len, 0, &l);
}

int tx_record_new(struct twz_tx *tx, const void *p, size_t len)
{
	struct twz_tx_log *l;

	return append(tx, p, len, TWZ_TX_NEW, &l);
}

int tx_record_commit(struct twz_tx *tx)
{
	struct twz_tx_run *r = find(tx);

	if (!r)
		return -EINVAL;
	__twz_txlog_publish(r->log);
	return 0;
}

int __twz_tx_check(twzobj *obj, struct twz_tx *tx)
{
	struct twz_tx_log l;
	int e;

	if (find(tx))
		return 0;
	e = __twz_txlog_open(&l, obj, tx);
	if (e == 0)
		e = __twz_txlog_recover(&l);
	if (e >= 0 && tx->unsettled)
		__twz_txlog_settle(&l, e == 1);
	return e;
}
