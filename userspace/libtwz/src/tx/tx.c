// SPDX-License-Identifier: BSD-3-Clause
/* Transactions on one object: what the macros of twz/tx.h call. */
#include "log.h"

__thread int __twz_errno;

/* What this thread is in, innermost first; a block that catches a fault puts it back (try.c). */
static struct twz_tx_run *find(const struct twz_tx *tx)
{
	struct twz_tx_run *r = __twz_tx_innermost;

	while (r && r->tx != tx)
		r = r->outer;
	return r;
}

static struct tx_log log_of(const struct twz_tx_run *r)
{
	return (struct tx_log){ .tx = r->tx, .zero = r->zero, .obj = r->obj, .size = r->size };
}

void tx_init(struct twz_tx *tx, uint32_t logsz)
{
	twzobj o = twz_object_from_ptr(tx);

	memset(tx, 0, sizeof(*tx));
	tx->logsz = logsz;
	__twz_obj_flush(&o, tx, sizeof(*tx));
	__twz_obj_fence(&o);
}

static void begin_nested(struct twz_tx_run *r, const struct twz_tx_run *outer)
{
	r->zero = outer->zero;
	r->obj = outer->obj;
	r->size = outer->size;
	r->nested = true;
	r->from = outer->tx->tmpend;
}

static int begin_outermost(struct twz_tx_run *r, twzobj *obj)
{
	struct tx_log l;
	int e = __twz_txlog_open(&l, obj, r->tx);

	if (e == 0)
		e = __twz_txlog_recover(&l);
	if (e < 0)
		return e;
	__twz_txlog_begin(&l);
	r->zero = l.zero;
	r->obj = obj;
	r->size = l.size;
	return 0;
}

void __twz_tx_begin(struct twz_tx_run *r, twzobj *obj, struct twz_tx *tx)
{
	const struct twz_tx_run *outer = __twz_tx_innermost ? find(tx) : NULL;

	*r = (struct twz_tx_run){ .tx = tx, .outer = __twz_tx_innermost };
	if (outer)
		begin_nested(r, outer);
	else
		r->code = begin_outermost(r, obj);
	if (r->code < 0)
		r->type = __TX_ABORT;
	else
		__twz_tx_innermost = r;
}

/* The fresh memory of an inner one is that of the outer. */
static void end(struct twz_tx_run *r, int type, int code)
{
	__twz_tx_innermost = r->outer;
	if (r->nested && type == __TX_SUCCESS)
		find(r->tx)->fresh += r->fresh;
	r->type = type;
	r->code = code;
}

void __twz_tx_commit(struct twz_tx_run *r)
{
	struct tx_log l = log_of(r);

	if (!r->nested)
		__twz_txlog_commit(&l, r->fresh);
	end(r, __TX_SUCCESS, 0);
}

void __twz_tx_abort(struct twz_tx_run *r, int code)
{
	struct tx_log l = log_of(r);

	__twz_txlog_undo(&l, r->from);
	end(r, __TX_ABORT, code);
}

/* The local p-ptr of a range in the object, which may be mapped twice; 0 if it is not in it. */
static uint64_t local_of(struct twz_tx_run *r, const void *p)
{
	uint64_t off = (uint64_t)p - (uint64_t)r->zero;
	objid_t id;

	if (off < OBJ_MAXSIZE)
		return off;
	if (twz_vaddr_to_obj(p, &id, NULL) < 0 || id != twz_object_guid(r->obj))
		return 0;
	return (uintptr_t)p & (OBJ_MAXSIZE - 1);
}

static bool may_record(const struct twz_tx_run *r, uint64_t off, size_t len)
{
	uint64_t start = (uint64_t)((char *)r->tx - r->zero);

	if (off < OBJ_NULLPAGE_SIZE || off > OBJ_TOPDATA || len > OBJ_TOPDATA - off)
		return false;
	return off >= start + sizeof(*r->tx) + r->size || off + len <= start;
}

static int append(struct twz_tx *tx, const void *p, size_t len, uint32_t kind, struct tx_log *l)
{
	struct twz_tx_run *r = find(tx);
	uint64_t off;
	int e;

	if (!r)
		return -EINVAL;
	off = local_of(r, p);
	if (!may_record(r, off, len))
		return -EINVAL;
	*l = log_of(r);
	e = __twz_txlog_append(l, off, (uint32_t)len | kind, p);
	if (e == 0 && kind)
		r->fresh = len > UINT32_MAX - r->fresh ? UINT32_MAX : r->fresh + (uint32_t)len;
	return e;
}

int tx_record(struct twz_tx *tx, const void *p, size_t len)
{
	struct tx_log l;
	int e = append(tx, p, len, 0, &l);

	if (e == 0)
		__twz_txlog_publish(&l);
	return e;
}

int tx_record_tmp(struct twz_tx *tx, const void *p, size_t len)
{
	struct tx_log l;

	return append(tx, p, len, 0, &l);
}

int tx_record_new(struct twz_tx *tx, const void *p, size_t len)
{
	struct tx_log l;

	return append(tx, p, len, TWZ_TX_NEW, &l);
}

int tx_record_commit(struct twz_tx *tx)
{
	struct twz_tx_run *r = find(tx);
	struct tx_log l;

	if (!r)
		return -EINVAL;
	l = log_of(r);
	__twz_txlog_publish(&l);
	return 0;
}

int __twz_tx_check(twzobj *obj, struct twz_tx *tx)
{
	struct tx_log l;
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
