// SPDX-License-Identifier: BSD-3-Clause
/*
 * Vector: elements of one size by their index. Chunks that double (64 elements, 64, 128, 256, ...),
 * so that growing moves nothing and pointers to elements stay good until the element is popped.
 * An element is there when the count says so, and the count is one word.
 *
 * Threads and views: one writer at a time (v->guard.lock, crash-proof). Readers take no lock.
 * twz_vec_get copies an element as it was at one moment of the call; through twz_vec_at, words of 8
 * bytes are read whole, and the caller keeps writers out if elements are larger and are set.
 */
#ifndef TWZ_DS_VECTOR_H
#define TWZ_DS_VECTOR_H

#include <twz/ds/ds.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TWZ_VEC_FIRST 64u   /* elements of the first two chunks */
#define TWZ_VEC_CHUNKS 23u  /* enough for 2^28 elements */
#define TWZ_VEC_ELEM_MAX 65536u

struct twz_vec {
	struct twz_ds_head head;
	uint32_t size; /* of an element, in bytes */
	uint32_t pad;
	uint64_t count;   /* elements; durable after them */
	uint64_t redo;    /* local p-ptr: an element being set, 0 if none */
	uint64_t redo_at; /* its index */
	struct twz_ds_guard guard;       /* of all of the vector */
	uint64_t chunks[TWZ_VEC_CHUNKS]; /* local p-ptrs */
};

_Static_assert(sizeof(struct twz_vec) == 256, "vector root");

/*
 * Say how large the elements are, 1 … TWZ_VEC_ELEM_MAX bytes, in *v that is zeroed. Durable on
 * return. A vector that has that size already is left as it is; -EEXIST it has another.
 */
int twz_vec_init(twzobj *o, struct twz_vec *v, size_t size);

/* How many elements there are. */
uint64_t twz_vec_count(const struct twz_vec *v);

/*
 * The caller's elements are `size` bytes each, so that nothing that stands in the object can make
 * these functions go beyond them: -EINVAL the vector's have another size.
 */

/* Append n elements in one step, all or none of them. The index of the first, or an error. */
int64_t twz_vec_append(twzobj *o, struct twz_vec *v, const void *elems, size_t size, size_t n);
#define twz_vec_push(o, v, elem, size) twz_vec_append((o), (v), (elem), (size), 1)

/* Where element i stands; NULL if there is none. */
void *twz_vec_at(twzobj *o, const struct twz_vec *v, uint64_t i);

/* Copy element i to elem: 0; -ENOENT there is none. */
int twz_vec_get(twzobj *o, struct twz_vec *v, uint64_t i, void *elem, size_t size);

/* Replace element i, in one step whatever its size. 0; -ENOENT. */
int twz_vec_set(twzobj *o, struct twz_vec *v, uint64_t i, const void *elem, size_t size);

/*
 * Remove the last element; copied to elem unless that is NULL (and size is of no interest). 0;
 * -ENOENT the vector is empty.
 */
int twz_vec_pop(twzobj *o, struct twz_vec *v, void *elem, size_t size);

/* Keep the first n elements, in one step, then free chunks that hold none. 0; -ENOENT there are
 * fewer. */
int twz_vec_truncate(twzobj *o, struct twz_vec *v, uint64_t n);

/* Check the whole vector, as twz_ds_check. */
int twz_vec_check(twzobj *o, const struct twz_vec *v);

#ifdef __cplusplus
}
#endif

#endif
