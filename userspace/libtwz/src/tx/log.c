// SPDX-License-Identifier: BSD-3-Clause
/* The undo log. See log.h for how it is made durable, twz/tx.h for its layout. */
#include "log.h"

#include <twz/persist.h>

/* Beyond so many bytes a sum costs more than a fence. */
#define SUM_MOST 2048u
#define LEAF 32u
#define LINE ((uintptr_t)__CL_SIZE)

typedef uint64_t __attribute__((may_alias)) word_t;

/* --- the word {end, gen} */

static uint64_t word_of(const struct twz_tx *tx)
{
	return __atomic_load_n((const word_t *)(const void *)&tx->end, __ATOMIC_ACQUIRE);
}

static void set_word(struct twz_tx_log *l, uint32_t end, uint32_t gen)
{
	l->end = end;
	l->gen = gen;
	__atomic_store_n((word_t *)(void *)&l->tx->end, (uint64_t)gen << 32 | end, __ATOMIC_RELEASE);
}

#define HEAD_BYTES (offsetof(struct twz_tx, resv2) - offsetof(struct twz_tx, end))

/* --- sums: two chains of multiplications, so that the CPU can run them side by side */

struct sum {
	uint64_t a, b;
};

static inline uint64_t step(uint64_t h, uint64_t w)
{
	h = (h ^ w) * 0x9e3779b97f4a7c15ull;
	return h << 29 | h >> 35;
}

static inline uint64_t load8(const char *p)
{
	uint64_t w;

	if (((uintptr_t)p & 7) == 0)
		return *(const word_t *)(const void *)p;
	memcpy(&w, p, 8);
	return w;
}

/* The last 1 … 7 bytes, padded with zeroes. */
static uint64_t load_tail(const char *p, size_t len)
{
	uint64_t w = 0;

	memcpy(&w, p, len);
	return w;
}

static inline void sum_bytes(struct sum *s, const char *p, size_t len)
{
	for (; len >= 16; p += 16, len -= 16) {
		s->a = step(s->a, load8(p));
		s->b = step(s->b, load8(p + 8));
	}
	if (len >= 8) {
		s->a = step(s->a, load8(p));
		p += 8, len -= 8;
	}
	if (len)
		s->b = step(s->b, load_tail(p, len));
}

/* sum_bytes, and a copy; to is aligned. */
static inline void copy_sum(struct sum *s, word_t *to, const char *p, size_t len)
{
	for (; len >= 16; p += 16, len -= 16, to += 2) {
		s->a = step(s->a, to[0] = load8(p));
		s->b = step(s->b, to[1] = load8(p + 8));
	}
	if (len >= 8) {
		s->a = step(s->a, *to++ = load8(p));
		p += 8, len -= 8;
	}
	if (len)
		s->b = step(s->b, *to = load_tail(p, len));
}

static inline struct sum seed(const struct twz_tx_log *l, uint64_t what)
{
	return (struct sum){ l->epoch ^ (uint64_t)l->gen << 32, what };
}

static inline uint64_t sum_end(const struct sum *s)
{
	return step(s->a, s->b);
}

/* The beginning of the sum of the record at log offset `at`. */
static inline struct sum record_seed(const struct twz_tx_log *l, uint32_t at, uint64_t ptr,
    uint32_t len)
{
	struct sum s = seed(l, at);

	s.a = step(s.a, ptr);
	s.b = step(s.b, len);
	return s;
}

/* --- reading records */

static uint32_t round8(uint32_t n)
{
	return (n + 7) & ~7u;
}

static bool overlaps_log(const struct twz_tx_log *l, uint64_t off, uint32_t len)
{
	uint64_t start = (uint64_t)((char *)l->tx - l->zero);

	return off < start + sizeof(*l->tx) + l->size && off + len > start;
}

bool __twz_txlog_may_record(const struct twz_tx_log *l, uint64_t ptr, uint32_t len)
{
	uint64_t off = PPTR_OFFSET(ptr);

	if (off < OBJ_NULLPAGE_SIZE || off > OBJ_TOPDATA || len > OBJ_TOPDATA - off)
		return false;
	return ptr < OBJ_MAXSIZE ? !overlaps_log(l, off, len) : l->parts != NULL;
}

/* The range of a p-ptr, or NULL. */
static inline char *range_at(const struct twz_tx_log *l, uint64_t ptr, uint32_t len, int *error)
{
	if (!__twz_txlog_may_record(l, ptr, len))
		return NULL;
	return ptr < OBJ_MAXSIZE ? l->zero + ptr : __twz_txn_at(l->parts, ptr, error);
}

/* A record as it was read, once; the bytes may change under us, its place may not. */
struct seen {
	struct twz_tx_record rec;
	uint32_t kind, len;
	uint32_t size; /* in the log */
	const char *old;
};

/* Read the record at `at`; false if none fits before `end`. */
static inline bool read_record(const struct twz_tx_log *l, uint32_t at, uint32_t end, struct seen *s)
{
	const volatile struct twz_tx_record *rec = (void *)(l->tx->log + at);

	if (end - at < sizeof(s->rec))
		return false;
	s->rec.ptr = rec->ptr;
	s->rec.len = rec->len;
	s->rec.sum = rec->sum;
	s->kind = s->rec.len & ~TWZ_TX_LEN_MASK;
	s->len = s->rec.len & TWZ_TX_LEN_MASK;
	s->size = sizeof(s->rec) + (s->kind ? 0 : round8(s->len));
	s->old = l->tx->log + at + sizeof(s->rec);
	return s->size <= end - at;
}

static bool sum_is_right(const struct twz_tx_log *l, uint32_t at, const struct seen *s)
{
	struct sum sum = record_seed(l, at, s->rec.ptr, s->rec.len);

	if (!s->kind)
		sum_bytes(&sum, s->old, s->len);
	return (uint32_t)sum_end(&sum) == s->rec.sum;
}

/*
 * How many records from `at` on are good; *end becomes where they end. With parts, what the lock
 * records say is looked up on the way.
 */
static uint32_t count_good(const struct twz_tx_log *l, uint32_t at, uint32_t *end, int *error)
{
	uint32_t n = 0;
	struct seen s;

	for (; at < *end && read_record(l, at, *end, &s) && sum_is_right(l, at, &s); at += s.size) {
		if (!__twz_txlog_may_record(l, s.rec.ptr, s.len))
			break;
		if (s.kind == TWZ_TX_LOCK && l->parts)
			*error = __twz_txn_meet(l->parts, s.rec.ptr);
		if (*error < 0)
			break;
		n++;
	}
	*end = at;
	return n;
}

/* --- flushing data: neighbours in one go, no line twice in a row */

struct flushing {
	uintptr_t start, end; /* of whole lines; equal: none */
};

static void flush_rest(const struct twz_tx_log *l, struct flushing *f)
{
	if (f->end != f->start)
		__twz_obj_flush(l->obj, (void *)f->start, f->end - f->start);
	f->start = f->end = 0;
}

static inline void flush_more(const struct twz_tx_log *l, struct flushing *f, const char *p, uint32_t len)
{
	uintptr_t start = (uintptr_t)p / LINE * LINE;
	uintptr_t end = ((uintptr_t)p + len + LINE - 1) / LINE * LINE;

	if (!len)
		return;
	if (start > f->end || end < f->start) {
		flush_rest(l, f);
		f->start = start;
		f->end = end;
		return;
	}
	f->start = start < f->start ? start : f->start;
	f->end = end > f->end ? end : f->end;
}

/* One recorded range. */
static inline void flush_range(const struct twz_tx_log *l, struct flushing *f, struct sum *total,
    const char *p, uint32_t len)
{
	flush_more(l, f, p, len);
	if (total)
		sum_bytes(total, p, len);
}

static void flush_logged(const struct twz_tx_log *l, struct flushing *f, struct sum *total)
{
	struct seen s;
	int error = 0;

	for (uint32_t at = 0; at < l->end && read_record(l, at, l->end, &s); at += s.size) {
		char *p = s.kind == TWZ_TX_LOCK ? NULL : range_at(l, s.rec.ptr, s.len, &error);

		if (p)
			flush_range(l, f, total, p, s.len);
	}
}

/* Flush everything recorded; the sum over it, unless total is NULL. */
static void flush_data(const struct twz_tx_log *l, struct sum *total)
{
	struct flushing f = { 0, 0 };

	if (l->ranges > __TX_RANGES)
		flush_logged(l, &f, total);
	else
		for (uint32_t i = 0; i < l->ranges; i++)
			flush_range(l, &f, total, l->range[i].p, l->range[i].len);
	flush_rest(l, &f);
}

static uint64_t sum_data(const struct twz_tx_log *l, uint32_t end)
{
	struct sum total = seed(l, 1);
	struct seen s;
	int error = 0;

	for (uint32_t at = 0; at < end && read_record(l, at, end, &s); at += s.size) {
		char *p = s.kind == TWZ_TX_LOCK ? NULL : range_at(l, s.rec.ptr, s.len, &error);

		if (p)
			sum_bytes(&total, p, s.len);
	}
	return sum_end(&total);
}

/* --- undoing */

static void restore(const struct twz_tx_log *l, uint32_t at, uint32_t end, int *error)
{
	struct seen s;
	char *p;

	if (!read_record(l, at, end, &s) || s.kind)
		return;
	p = range_at(l, s.rec.ptr, s.len, error);
	if (!p)
		return;
	memcpy(p, s.old, s.len);
	__twz_obj_flush(l->obj, p, s.len);
}

/* Step over n good records. */
static uint32_t skip(const struct twz_tx_log *l, uint32_t at, uint32_t end, uint32_t n)
{
	struct seen s;

	while (n-- && at < end && read_record(l, at, end, &s))
		at += s.size;
	return at;
}

static void undo_few(const struct twz_tx_log *l, uint32_t at, uint32_t end, uint32_t n, int *error)
{
	uint32_t offsets[LEAF];

	for (uint32_t i = 0; i < n; i++) {
		offsets[i] = at;
		at = skip(l, at, end, 1);
	}
	while (n--)
		restore(l, offsets[n], end, error);
}

/* Newest first, though records can only be read forward: the later half, then the earlier one. */
static void undo_span(const struct twz_tx_log *l, uint32_t at, uint32_t end, uint32_t n, int *error)
{
	if (n <= LEAF) {
		undo_few(l, at, end, n, error);
		return;
	}
	undo_span(l, skip(l, at, end, n / 2), end, n - n / 2, error);
	undo_span(l, at, end, n / 2, error);
}

/* What tells that records were dropped; that all were is on the other line of the head. */
static void flush_drop(struct twz_tx_log *l, uint32_t from)
{
	struct twz_tx *tx = l->tx;

	if (from == 0) {
		tx->closed = l->gen;
		__twz_obj_flush(l->obj, &tx->closed, sizeof(tx->closed));
	} else {
		__twz_obj_flush(l->obj, &tx->end, sizeof(uint64_t));
	}
}

/* Drop the records from `from` on; the next fence makes that durable. */
static void drop(struct twz_tx_log *l, uint32_t from)
{
	set_word(l, l->end < from ? l->end : from, l->gen);
	l->used = from;
	if (!l->unsettled)
		l->tx->unsettled = l->unsettled = 1;
	flush_drop(l, from);
}

int __twz_txlog_undo(struct twz_tx_log *l, uint32_t from)
{
	uint32_t end = l->used, n;
	int error = 0;

	if (end == from)
		return 0;
	n = count_good(l, from, &end, &error);
	undo_span(l, from, end, n, &error);
	if (error < 0)
		return error;
	__twz_obj_fence(l->obj);
	l->ranges = __TX_RANGES + 1;
	drop(l, from);
	return 0;
}

int __twz_txlog_recover(struct twz_tx_log *l)
{
	uint32_t end = l->end, good = end, n;
	bool committed = l->tx->commit == l->gen;
	int error = 0;

	if (!end)
		return 0;
	if (l->tx->closed == l->gen) {
		set_word(l, 0, l->gen);
		return 0;
	}
	n = count_good(l, 0, &good, &error);
	if (error < 0)
		return error;
	if (committed && good == end && (!l->parts || __twz_txn_all_held(l->parts)))
		committed = l->tx->sum == sum_data(l, end);
	if (!committed)
		undo_span(l, 0, good, n, &error);
	if (error < 0)
		return error;
	__twz_obj_fence(l->obj);
	drop(l, 0);
	return !committed;
}

/* --- going forward */

int __twz_txlog_open(struct twz_tx_log *l, twzobj *obj, struct twz_tx *tx)
{
	uint64_t off = (uint64_t)tx - (uint64_t)obj->base + OBJ_NULLPAGE_SIZE, word;

	if (!obj->base || off % 8 || off < OBJ_NULLPAGE_SIZE || off > OBJ_TOPDATA - sizeof(*tx))
		return -EINVAL;
	l->tx = tx;
	l->obj = obj;
	l->zero = (char *)obj->base - OBJ_NULLPAGE_SIZE;
	l->parts = NULL;
	l->used = 0;
	l->fresh = 0;
	l->ranges = 0;
	l->size = tx->logsz & ~7u;
	l->tmpend = tx->tmpend;
	l->unsettled = tx->unsettled;
	l->epoch = tx->epoch;
	word = word_of(tx);
	l->end = (uint32_t)word;
	l->gen = (uint32_t)(word >> 32);
	if (l->size > OBJ_TOPDATA - sizeof(*tx) - off || l->end > l->size)
		return -EINVLOBJ;
	return 0;
}

/* Another boot wrote the log, or all numbers were used: no record of old may look like a new one. */
static void renew(struct twz_tx_log *l)
{
	struct twz_tx *tx = l->tx;

	if (l->gen == UINT32_MAX) {
		memset(tx->log, 0, l->size);
		__twz_obj_flush(l->obj, tx->log, l->size);
		__twz_obj_fence(l->obj);
		tx->commit = tx->closed = 0;
		__twz_obj_flush(l->obj, &tx->closed, sizeof(tx->closed));
		set_word(l, 0, 0);
	}
	tx->epoch = l->epoch = __twz_rt.sysinfo.boot_code;
	__twz_obj_flush(l->obj, &tx->end, HEAD_BYTES);
	__twz_obj_fence(l->obj);
}

void __twz_txlog_begin(struct twz_tx_log *l)
{
	if (l->epoch != __twz_rt.sysinfo.boot_code || l->gen == UINT32_MAX)
		renew(l);
	set_word(l, 0, l->gen + 1);
	l->ranges = 0;
}

/* tmpend stands on a line that may be on its way to the memory: storing what it has already would
 * wait for that. */
static void set_used(struct twz_tx_log *l, uint32_t used)
{
	l->used = used;
	if (l->tmpend != used)
		l->tx->tmpend = l->tmpend = used;
}

static inline void note_range(struct twz_tx_log *l, const void *p, uint32_t len)
{
	if (l->ranges < __TX_RANGES) {
		l->range[l->ranges].p = p;
		l->range[l->ranges].len = len;
	}
	if (l->ranges <= __TX_RANGES)
		l->ranges++;
}

int __twz_txlog_append(struct twz_tx_log *l, uint64_t ptr, uint32_t len, const void *from)
{
	uint32_t at = l->used, size = sizeof(struct twz_tx_record);
	struct twz_tx_record *rec = (void *)(l->tx->log + at);
	struct sum s;

	if (!(len & ~TWZ_TX_LEN_MASK))
		size += round8(len);
	if (size > l->size - at)
		return -ENOMEM;
	rec->ptr = ptr;
	rec->len = len;
	s = record_seed(l, at, ptr, len);
	if (size > sizeof(*rec))
		copy_sum(&s, (word_t *)(void *)(rec + 1), from, len);
	rec->sum = (uint32_t)sum_end(&s);
	set_used(l, at + size);
	if (from)
		note_range(l, from, len & TWZ_TX_LEN_MASK);
	return 0;
}

/* Flush the records that are not counted yet, and count them; false if there is none. */
static bool count_records(struct twz_tx_log *l)
{
	if (l->end >= l->used)
		return false;
	__twz_obj_flush(l->obj, l->tx->log + l->end, l->used - l->end);
	set_word(l, l->used, l->gen);
	return true;
}

void __twz_txlog_publish(struct twz_tx_log *l)
{
	if (!count_records(l))
		return;
	__twz_obj_flush(l->obj, &l->tx->end, sizeof(uint64_t));
	__twz_obj_fence(l->obj);
}

/* Data, sum and number with one fence. */
static void commit_small(struct twz_tx_log *l)
{
	struct sum total = seed(l, 1);
	struct twz_tx *tx = l->tx;

	flush_data(l, &total);
	tx->sum = sum_end(&total);
	tx->commit = l->gen;
	__twz_obj_flush(l->obj, &tx->end, HEAD_BYTES);
	__twz_obj_fence(l->obj);
	drop(l, 0);
}

/* Data, then that there is nothing to undo. */
static void commit_large(struct twz_tx_log *l)
{
	flush_data(l, NULL);
	__twz_obj_fence(l->obj);
	drop(l, 0);
	__twz_obj_fence(l->obj);
	l->tx->unsettled = 0;
}

void __twz_txlog_commit(struct twz_tx_log *l)
{
	if (count_records(l))
		__twz_obj_fence(l->obj);
	if (l->end == 0)
		return;
	if (l->end + l->fresh <= SUM_MOST)
		commit_small(l);
	else
		commit_large(l);
}

void __twz_txlog_settle(struct twz_tx_log *l, bool flushed)
{
	if (!flushed)
		__twz_obj_flush(l->obj, &l->tx->closed, sizeof(l->tx->closed));
	__twz_obj_fence(l->obj);
	l->tx->unsettled = 0;
}
