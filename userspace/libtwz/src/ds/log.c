// SPDX-License-Identifier: BSD-3-Clause
/* Log: a ring of records that tell by themselves whether they are there. */
#include "record.h"

#include <twz/ds/log.h>

#define STEP sizeof(struct twz_log_record)
#define MIN_SIZE 128u
#define MIX 0x9e3779b97f4a7c15ull

/* --- records */

static uint64_t padded(uint64_t len)
{
	return (len + STEP - 1) & ~(uint64_t)(STEP - 1);
}

static inline uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * MIX;
	return h ^ h >> 32;
}

static uint64_t checksum(const struct twz_log *l, uint64_t pos, uint32_t len, const void *bytes)
{
	uint64_t h = mix(l->seed ^ pos, len), word;
	const char *p = bytes;

	if (len == TWZ_LOG_SKIP)
		return h;
	for (; len >= sizeof(word); len -= (uint32_t)sizeof(word), p += sizeof(word)) {
		__builtin_memcpy(&word, p, sizeof(word));
		h = mix(h, word);
	}
	word = 0;
	ds_copy(&word, p, len);
	return mix(h, word);
}

static struct twz_log_record *record_at(const twzobj *o, const struct twz_log *l, uint64_t pos)
{
	return (void *)((char *)ds_at(o, l->area) + pos % l->size);
}

/* Never 0, so that a fresh ring has no record at position 0. */
static uint32_t low_of(uint64_t pos)
{
	return (uint32_t)(pos / STEP) | 0x80000000u;
}

/* Whether there is a record (or a skip) at pos, how long, and the position behind it. */
static bool is_record(const twzobj *o, const struct twz_log *l, uint64_t pos, uint32_t *length,
    uint64_t *next)
{
	const struct twz_log_record *r = record_at(o, l, pos);
	uint64_t left = l->size - pos % l->size;
	uint32_t len = __atomic_load_n(&r->len, __ATOMIC_RELAXED);

	if (r->low != low_of(pos))
		return false;
	*length = len;
	*next = pos + (len == TWZ_LOG_SKIP ? left : STEP + padded(len));
	return *next - pos <= left && r->check == checksum(l, pos, len, r + 1);
}

/* --- beginning */

static int begin_read(const twzobj *o, const struct twz_log *l)
{
	int r;

	if (!ds_root_ok(o, l, sizeof(*l)))
		return -EINVAL;
	r = ds_head_check(&l->head, TWZ_DS_LOG);
	if (r < 0)
		return r == -ENOENT ? -EINVAL : r;
	if (l->size < MIN_SIZE || l->size % 64 || !ds_inside(l->area, l->size, 64) ||
	    l->front % STEP || l->end % STEP)
		return -EINVLOBJ;
	return 0;
}

/* With the lock: where the log ends. */
static uint64_t settle_end(const twzobj *o, struct twz_log *l)
{
	uint64_t end = l->end - l->front <= l->size ? l->end : l->front, next;
	uint32_t len;

	while (end - l->front < l->size && is_record(o, l, end, &len, &next))
		end = next;
	if (end != l->end)
		ds_store(&l->end, end);
	return end;
}

int twz_log_init(twzobj *o, struct twz_log *l, size_t size)
{
	void *area;
	int r;

	if (!ds_root_ok(o, l, sizeof(*l)) || size < MIN_SIZE || size > TWZ_DS_VALUE_MAX)
		return -EINVAL;
	twz_alloc_recover(o);
	r = ds_head_check(&l->head, TWZ_DS_LOG);
	if (r != -ENOENT || l->area)
		return r == -EINVLOBJ ? r : -EEXIST;
	size = (size + 63) & ~(size_t)63;
	area = twz_alloc_reserve(o, size, TWZ_ALLOC_ALIGN(64), &r);
	if (!area)
		return r;
	memset(area, 0, size);
	return ds_publish(o, (struct twz_alloc_action[]){ ds_keep(area, size),
	    ds_set(&l->seed, ID_LO(o->id) ^ ds_offset(o, l) * MIX), ds_set(&l->size, size),
	    ds_set(&l->area, ds_offset(o, area)),
	    ds_set((uint64_t *)(void *)&l->head, TWZ_DS_LOG | (uint64_t)TWZ_DS_VERSION << 32) }, 5);
}

/* --- appending */

static void write_record(const twzobj *o, const struct twz_log *l, uint64_t pos, uint32_t len,
    const void *bytes)
{
	struct twz_log_record *r = record_at(o, l, pos);

	if (len != TWZ_LOG_SKIP)
		ds_copy(r + 1, bytes, len);
	r->len = len;
	r->low = low_of(pos);
	r->check = checksum(l, pos, len, bytes);
}

/* Fill the rest of the ring; durable with the record behind it. */
static uint64_t skip_rest(twzobj *o, const struct twz_log *l, uint64_t pos)
{
	write_record(o, l, pos, TWZ_LOG_SKIP, NULL);
	ds_flush(o, record_at(o, l, pos), STEP);
	return pos + l->size - pos % l->size;
}

static int append_locked(twzobj *o, struct twz_log *l, const void *bytes, uint32_t len,
    uint64_t *at)
{
	uint64_t pos = settle_end(o, l), need = STEP + padded(len), left = l->size - pos % l->size;
	uint64_t start = need <= left ? pos : pos + left;

	if (start + need - l->front > l->size)
		return -ENOSPC;
	if (start != pos)
		pos = skip_rest(o, l, pos);
	write_record(o, l, pos, len, bytes);
	ds_flush(o, record_at(o, l, pos), STEP + len);
	ds_fence(o);
	ds_store(&l->end, pos + need);
	*at = pos;
	return 0;
}

static void lock(twzobj *o, struct twz_log *l)
{
	if (mutex_acquire_r(&l->lock))
		twz_alloc_recover(o);
}

int twz_log_append(twzobj *o, struct twz_log *l, const void *bytes, size_t len, uint64_t *pos)
{
	uint64_t at;
	int r = begin_read(o, l);

	if (r < 0)
		return r;
	if (len > l->size / 2 - STEP || (len && !bytes))
		return -EINVAL;
	lock(o, l);
	r = append_locked(o, l, bytes, (uint32_t)len, &at);
	mutex_release(&l->lock);
	if (r == 0 && pos)
		*pos = at;
	return r;
}

/* --- reading */

uint64_t twz_log_front(const struct twz_log *l)
{
	return ds_load(&l->front);
}

uint64_t twz_log_end(twzobj *o, struct twz_log *l)
{
	uint64_t end;

	if (begin_read(o, l) < 0)
		return 0;
	if (o->vf && !(o->vf & FE_WRITE))
		return ds_load(&l->end);
	lock(o, l);
	end = settle_end(o, l);
	mutex_release(&l->lock);
	return end;
}

/* Whether what looks like a record has been appended: who is just doing it holds the lock. */
static bool is_appended(twzobj *o, struct twz_log *l, uint64_t pos)
{
	return pos < ds_load(&l->end) || pos < twz_log_end(o, l);
}

/* The record at *pos, or behind skips: its length; -ENOENT; -EAGAIN it was dropped meanwhile. */
static ssize_t read_once(twzobj *o, struct twz_log *l, uint64_t *pos, void *buf, size_t size)
{
	uint64_t front = twz_log_front(l), at = *pos < front ? front : *pos, next;
	uint32_t len;

	if (at % STEP)
		return -EINVAL;
	for (unsigned i = 0;; i++, at = next) {
		if (i == 2 || !is_record(o, l, at, &len, &next) || !is_appended(o, l, at))
			return twz_log_front(l) == front ? -ENOENT : -EAGAIN;
		if (len != TWZ_LOG_SKIP)
			break;
	}
	ds_copy(buf, record_at(o, l, at) + 1, len < size ? len : size);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (twz_log_front(l) > at)
		return -EAGAIN;
	*pos = next;
	return len;
}

ssize_t twz_log_read(twzobj *o, struct twz_log *l, uint64_t *pos, void *buf, size_t size)
{
	ssize_t r = begin_read(o, l);

	if (r < 0)
		return r;
	do
		r = read_once(o, l, pos, buf, size);
	while (r == -EAGAIN);
	return r;
}

/* --- dropping, checking */

static int truncate_locked(twzobj *o, struct twz_log *l, uint64_t pos)
{
	uint64_t end = settle_end(o, l), next;
	uint32_t len;

	if (pos > end || pos % STEP)
		return -EINVAL;
	if (pos > l->front && pos < end && !is_record(o, l, pos, &len, &next))
		return -EINVAL;
	if (pos > l->front)
		ds_store_durably(o, &l->front, pos);
	return 0;
}

int twz_log_truncate(twzobj *o, struct twz_log *l, uint64_t pos)
{
	int r = begin_read(o, l);

	if (r < 0)
		return r;
	lock(o, l);
	r = truncate_locked(o, l, pos);
	mutex_release(&l->lock);
	return r;
}

/* From the front on there are records up to the end that is known, at least. */
int twz_log_check(twzobj *o, const struct twz_log *l)
{
	uint64_t pos, next;
	uint32_t len;
	int r = begin_read(o, l);

	if (r < 0)
		return r == -EINVAL && ds_root_ok(o, l, sizeof(*l)) ? 0 : r;
	if (twz_alloc_usable(o, ds_at(o, l->area)) < l->size)
		return -EINVLOBJ;
	for (pos = l->front; pos - l->front < l->size && is_record(o, l, pos, &len, &next);)
		pos = next;
	return l->end - l->front <= l->size && l->end > pos ? -EINVLOBJ : 0;
}
