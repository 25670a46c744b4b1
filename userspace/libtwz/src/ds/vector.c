// SPDX-License-Identifier: BSD-3-Clause
/* Vector. An element above 8 bytes is set through a copy that is applied again after a crash. */
#include "record.h"

#include <twz/ds/vector.h>

#define MAX_COUNT ((uint64_t)TWZ_VEC_FIRST << (TWZ_VEC_CHUNKS - 1))

/* --- where elements stand */

static unsigned chunk_of(uint64_t i)
{
	return i < TWZ_VEC_FIRST ? 0 : 58u - (unsigned)__builtin_clzll(i);
}

static uint64_t chunk_first(unsigned chunk)
{
	return chunk ? (uint64_t)TWZ_VEC_FIRST << (chunk - 1) : 0;
}

static uint64_t chunk_count(unsigned chunk)
{
	return chunk ? chunk_first(chunk) : TWZ_VEC_FIRST;
}

/* NULL: there is no chunk for it, or none that can be. */
static char *element(const twzobj *o, const struct twz_vec *v, uint64_t i)
{
	unsigned chunk = chunk_of(i);
	uint64_t offset = ds_load(&v->chunks[chunk]);

	if (!ds_inside(offset, chunk_count(chunk) * v->size, 16))
		return NULL;
	return (char *)ds_at(o, offset) + (i - chunk_first(chunk)) * v->size;
}

static int begin_read(const twzobj *o, const struct twz_vec *v)
{
	int r;

	if (!ds_root_ok(o, v, sizeof(*v)))
		return -EINVAL;
	r = ds_head_check(&v->head, TWZ_DS_VEC);
	if (r < 0)
		return r;
	return v->size - 1 < TWZ_VEC_ELEM_MAX && v->count <= MAX_COUNT ? 0 : -EINVLOBJ;
}

/* --- setting an element */

/* Put the copy where it belongs, and free it. */
static int apply(twzobj *o, struct twz_vec *v)
{
	char *to = v->redo_at < v->count ? element(o, v, v->redo_at) : NULL;

	if (!to || !ds_inside(v->redo, v->size, 16))
		return -EINVLOBJ;
	ds_seq_begin(&v->guard.seq);
	memcpy(to, ds_at(o, v->redo), v->size);
	ds_flush(o, to, v->size);
	ds_fence(o);
	ds_seq_end(&v->guard.seq);
	return ds_publish(o, (struct twz_alloc_action[]){ ds_set(&v->redo, 0),
	    ds_drop(ds_at(o, v->redo)) }, 2);
}

static int set_through_copy(twzobj *o, struct twz_vec *v, uint64_t i, const void *elem)
{
	int error;
	void *copy = twz_alloc_reserve(o, v->size, 0, &error);

	if (!copy)
		return error;
	memcpy(copy, elem, v->size);
	error = ds_publish(o, (struct twz_alloc_action[]){ ds_keep(copy, v->size),
	    ds_set(&v->redo_at, i), ds_set(&v->redo, ds_offset(o, copy)) }, 3);
	return error < 0 ? error : apply(o, v);
}

/* One store does it if the element is 1, 2, 4 or 8 bytes. */
static bool is_one_store(size_t size)
{
	return size <= sizeof(uint64_t) && !(size & (size - 1));
}

static void set_in_place(twzobj *o, char *to, const void *elem, size_t size)
{
	uint64_t word;
	uint64_t *at = (uint64_t *)((uintptr_t)to & ~(sizeof(word) - 1));

	word = *at;
	memcpy((char *)&word + (to - (char *)at), elem, size);
	ds_store_durably(o, at, word);
}

static int lock(twzobj *o, struct twz_vec *v)
{
	int r = begin_read(o, v);

	if (r < 0)
		return r == -ENOENT ? -EINVAL : r;
	ds_lock(o, &v->guard);
	r = v->redo ? apply(o, v) : 0;
	if (r < 0)
		ds_unlock(&v->guard);
	return r;
}

static int lock_sized(twzobj *o, struct twz_vec *v, size_t size)
{
	int r = lock(o, v);

	if (r == 0 && v->size != size) {
		ds_unlock(&v->guard);
		return -EINVAL;
	}
	return r;
}

static int set_locked(twzobj *o, struct twz_vec *v, uint64_t i, const void *elem)
{
	char *to;

	if (i >= v->count)
		return -ENOENT;
	to = element(o, v, i);
	if (!to)
		return -EINVLOBJ;
	if (!is_one_store(v->size))
		return set_through_copy(o, v, i, elem);
	set_in_place(o, to, elem, v->size);
	return 0;
}

int twz_vec_set(twzobj *o, struct twz_vec *v, uint64_t i, const void *elem, size_t size)
{
	int r = lock_sized(o, v, size);

	if (r < 0)
		return r;
	r = set_locked(o, v, i, elem);
	ds_unlock(&v->guard);
	return r;
}

/* --- growing and shrinking */

int twz_vec_init(twzobj *o, struct twz_vec *v, size_t size)
{
	int r = begin_read(o, v);

	if (size - 1 >= TWZ_VEC_ELEM_MAX)
		return -EINVAL;
	if (r != -ENOENT)
		return r < 0 ? r : v->size == size ? 0 : -EEXIST;
	v->size = (uint32_t)size;
	ds_flush(o, &v->size, sizeof(v->size));
	ds_fence(o);
	ds_head_write(o, &v->head, TWZ_DS_VEC, 0);
	return 0;
}

/* Chunks up to the one for the last element; one without elements does no harm. */
static int add_chunks(twzobj *o, struct twz_vec *v, uint64_t count)
{
	for (unsigned c = 0; c <= chunk_of(count - 1); c++) {
		void *chunk;
		int r;
		if (v->chunks[c])
			continue;
		chunk = twz_alloc_reserve(o, chunk_count(c) * v->size, 0, &r);
		if (!chunk)
			return r;
		r = ds_publish(o, (struct twz_alloc_action[]){ ds_keep(chunk, 0),
		    ds_set(&v->chunks[c], ds_offset(o, chunk)) }, 2);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Write n elements from i on, not durable yet. */
static int write_elements(twzobj *o, struct twz_vec *v, uint64_t i, const char *from, size_t n)
{
	while (n > 0) {
		unsigned chunk = chunk_of(i);
		size_t some = chunk_first(chunk) + chunk_count(chunk) - i;
		char *to = element(o, v, i);
		if (!to)
			return -EINVLOBJ;
		some = some < n ? some : n;
		memcpy(to, from, some * v->size);
		ds_flush(o, to, some * v->size);
		from += some * v->size;
		i += some;
		n -= some;
	}
	return 0;
}

static int64_t append_locked(twzobj *o, struct twz_vec *v, const void *elems, size_t n)
{
	uint64_t first = v->count;
	int r;

	if (n == 0 || n > MAX_COUNT - first)
		return n ? -ENOMEM : (int64_t)first;
	r = add_chunks(o, v, first + n);
	if (r == 0)
		r = write_elements(o, v, first, elems, n);
	if (r < 0)
		return r;
	ds_fence(o);
	ds_store_durably(o, &v->count, first + n);
	return (int64_t)first;
}

int64_t twz_vec_append(twzobj *o, struct twz_vec *v, const void *elems, size_t size, size_t n)
{
	int64_t r = lock_sized(o, v, size);

	if (r < 0)
		return r;
	r = append_locked(o, v, elems, n);
	ds_unlock(&v->guard);
	return r;
}

/* Readers of what goes start again, and find that it is gone. */
static void shrink(twzobj *o, struct twz_vec *v, uint64_t count)
{
	ds_seq_begin(&v->guard.seq);
	ds_store_durably(o, &v->count, count);
	ds_seq_end(&v->guard.seq);
}

static int pop_locked(twzobj *o, struct twz_vec *v, void *elem)
{
	char *from;

	if (!v->count)
		return -ENOENT;
	from = element(o, v, v->count - 1);
	if (!from)
		return -EINVLOBJ;
	if (elem)
		memcpy(elem, from, v->size);
	shrink(o, v, v->count - 1);
	return 0;
}

int twz_vec_pop(twzobj *o, struct twz_vec *v, void *elem, size_t size)
{
	int r = elem ? lock_sized(o, v, size) : lock(o, v);

	if (r < 0)
		return r;
	r = pop_locked(o, v, elem);
	ds_unlock(&v->guard);
	return r;
}

static int truncate_locked(twzobj *o, struct twz_vec *v, uint64_t n)
{
	int r = 0;

	if (n > v->count)
		return -ENOENT;
	if (n < v->count)
		shrink(o, v, n);
	for (unsigned c = TWZ_VEC_CHUNKS; r == 0 && c-- > 0 && chunk_first(c) >= n;)
		if (v->chunks[c])
			r = ds_publish(o, (struct twz_alloc_action[]){ ds_set(&v->chunks[c], 0),
			    ds_drop(ds_at(o, v->chunks[c])) }, 2);
	return r < 0 ? -EINVLOBJ : 0;
}

int twz_vec_truncate(twzobj *o, struct twz_vec *v, uint64_t n)
{
	int r = lock(o, v);

	if (r < 0)
		return r;
	r = truncate_locked(o, v, n);
	ds_unlock(&v->guard);
	return r;
}

/* --- reading */

uint64_t twz_vec_count(const struct twz_vec *v)
{
	return ds_load(&v->count);
}

void *twz_vec_at(twzobj *o, const struct twz_vec *v, uint64_t i)
{
	return begin_read(o, v) == 0 && i < twz_vec_count(v) ? element(o, v, i) : NULL;
}

int twz_vec_get(twzobj *o, struct twz_vec *v, uint64_t i, void *elem, size_t size)
{
	int r = begin_read(o, v);
	uint64_t seq, count;
	void *from;

	if (r < 0)
		return r;
	if (v->size != size)
		return -EINVAL;
	do {
		r = ds_seq_read(o, &v->guard, &seq);
		if (r < 0)
			return r;
		count = twz_vec_count(v); /* once: it may grow */
		from = i < count ? element(o, v, i) : NULL;
		r = from ? 0 : i < count ? -EINVLOBJ : -ENOENT;
		if (from)
			memcpy(elem, from, size);
	} while (!ds_seq_valid(&v->guard.seq, seq));
	return r;
}

/* --- checking */

int twz_vec_check(twzobj *o, const struct twz_vec *v)
{
	int r = begin_read(o, v);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (unsigned c = 0; c < TWZ_VEC_CHUNKS; c++) {
		uint64_t bytes = chunk_count(c) * v->size;
		bool used = v->count > chunk_first(c);
		if (!v->chunks[c] && !used)
			continue;
		if (!ds_inside(v->chunks[c], bytes, 16) ||
		    twz_alloc_usable(o, ds_at(o, v->chunks[c])) < bytes)
			return -EINVLOBJ;
	}
	if (v->redo && (v->redo_at >= v->count || !ds_inside(v->redo, v->size, 16) ||
			twz_alloc_usable(o, ds_at(o, v->redo)) < v->size))
		return -EINVLOBJ;
	return 0;
}
