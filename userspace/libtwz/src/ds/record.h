// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the structures have in common: places in an object, records of a key and a value, and the
 * sequence words that tell readers what was freed under them.
 *
 * Nothing that stands in an object is believed: every offset and length goes through ds_inside()
 * before it is followed. Readers may look at what was freed and used again in the meantime; they
 * stay in the object, and throw away what they found.
 */
#ifndef DS_RECORD_H
#define DS_RECORD_H

#include "../runtime.h"

#include <twz/alloc.h>
#include <twz/ds/ds.h>

/* --- places */

#define DS_OFFSET_MASK (OBJ_MAXSIZE - 1)

static inline void *ds_at(const twzobj *o, uint64_t offset)
{
	return (void *)((uintptr_t)o->base - OBJ_NULLPAGE_SIZE + offset);
}

static inline uint64_t ds_offset(const twzobj *o, const void *p)
{
	return (uintptr_t)p - ((uintptr_t)o->base - OBJ_NULLPAGE_SIZE);
}

/*
 * Whether len bytes at an offset are in an object's data; align is a power of two. One comparison
 * tells both, where len and align are known: rotated, an offset that is not aligned is a great one.
 */
static inline bool ds_inside(uint64_t offset, uint64_t len, uint64_t align)
{
	unsigned shift = (unsigned)__builtin_ctzl(align);
	uint64_t in = offset - OBJ_NULLPAGE_SIZE, rotated = in >> shift | in << (-shift & 63);

	return len <= OBJ_MAXDATA && rotated <= (OBJ_MAXDATA - len) >> shift;
}

/* Whether a root of len bytes stands in o. */
static inline bool ds_root_ok(const twzobj *o, const void *root, size_t len)
{
	return o->base && ds_inside(ds_offset(o, root), len, 8);
}

static inline uint64_t ds_load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void ds_store(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline void ds_flush(twzobj *o, const void *p, size_t len)
{
	__twz_obj_flush(o, p, len);
}

static inline void ds_fence(twzobj *o)
{
	__twz_obj_fence(o);
}

/* Store one word durably. */
static inline void ds_store_durably(twzobj *o, uint64_t *p, uint64_t v)
{
	ds_store(p, v);
	ds_flush(o, p, sizeof(*p));
	ds_fence(o);
}

/* --- heads */

/* What the head of a kind is as a word, but for its flags. */
static inline uint64_t ds_head_word(uint32_t kind)
{
	return (uint64_t)TWZ_DS_VERSION << 32 | kind;
}

/*
 * 0 if the head is that of a used structure of the kind, -ENOENT if it is zero, or -EINVLOBJ. Read
 * at once: a reader may come while the first change writes it.
 */
static inline int ds_head_check(const struct twz_ds_head *head, uint32_t kind)
{
	uint64_t word = ds_load((const uint64_t *)(const void *)head);

	if (word << 16 == ds_head_word(kind) << 16)
		return 0;
	return word ? -EINVLOBJ : -ENOENT;
}

/* Make a zero head that of a kind, durably. */
void ds_head_write(twzobj *o, struct twz_ds_head *head, uint32_t kind, unsigned flags);

/* --- records: a key, the bytes up to the next multiple of 8, a value */

struct ds_record {
	uint32_t klen, vlen;
	unsigned char bytes[];
};

struct ds_value {
	const void *bytes;
	size_t len;
};

/* No bytes may come from nowhere. */
static inline void ds_copy(void *to, const void *from, size_t len)
{
	if (len)
		memcpy(to, from, len);
}

static inline size_t ds_round8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static inline size_t ds_record_size(size_t klen, size_t vlen)
{
	return sizeof(struct ds_record) + ds_round8(klen) + ds_round8(vlen);
}

static inline unsigned char *ds_record_value(const struct ds_record *r)
{
	return (unsigned char *)r->bytes + ds_round8(r->klen);
}

/* The record at an offset, if all of it is in the object; else NULL. */
static inline struct ds_record *ds_record_at(const twzobj *o, uint64_t offset)
{
	struct ds_record *r = ds_at(o, offset);

	if (!ds_inside(offset, sizeof(*r), 8) || r->klen - 1 >= TWZ_DS_KEY_MAX ||
	    !ds_inside(offset, ds_record_size(r->klen, r->vlen), 8))
		return NULL;
	return r;
}

static inline bool ds_same_bytes(const unsigned char *a, const unsigned char *b, size_t len)
{
	if (len == sizeof(uint64_t)) {
		uint64_t x, y;
		__builtin_memcpy(&x, a, sizeof(x));
		__builtin_memcpy(&y, b, sizeof(y));
		return x == y;
	}
	return memcmp(a, b, len) == 0;
}

static inline bool ds_record_has_key(const struct ds_record *r, const void *key, size_t klen)
{
	return r->klen == klen && ds_same_bytes(r->bytes, key, klen);
}

/* A reserved record, or NULL with *error. */
struct ds_record *ds_record_new(twzobj *o, const void *key, size_t klen, struct ds_value value,
    int *error);

/* Whether a value can be overwritten where it stands, by one store; and do so, durably. */
static inline bool ds_record_fits(const struct ds_record *r, size_t vlen)
{
	return r->vlen == vlen && vlen - 1 < sizeof(uint64_t);
}
void ds_record_overwrite(twzobj *o, struct ds_record *r, struct ds_value value);

/* Copy up to size bytes of a record's value. Its length, or -EINVLOBJ (it was reused meanwhile). */
ssize_t ds_record_copy(const twzobj *o, const struct ds_record *r, void *buf, size_t size);

static inline bool ds_key_ok(const void *key, size_t klen, size_t vlen)
{
	return key && klen - 1 < TWZ_DS_KEY_MAX && vlen <= TWZ_DS_VALUE_MAX;
}

/* --- steps of the allocator */

static inline struct twz_alloc_action ds_keep(void *p, size_t len)
{
	return (struct twz_alloc_action){ TWZ_ALLOC_KEEP, 0, p, len };
}

static inline struct twz_alloc_action ds_drop(void *p)
{
	return (struct twz_alloc_action){ TWZ_ALLOC_DROP, 0, p, 0 };
}

static inline struct twz_alloc_action ds_set(uint64_t *word, uint64_t value)
{
	return (struct twz_alloc_action){ TWZ_ALLOC_SET, 0, word, value };
}

/*
 * Publish; what the actions keep is given back if that fails. It may happen from the moment it is
 * called: what was stored before, other than in what is kept, has to be durable already.
 */
int ds_publish(twzobj *o, const struct twz_alloc_action *actions, size_t count);
/*
 * The same where every word that is set changes in no other way, ever: nothing has to be put away
 * then before the next record is written, and releasing the lock does not wait for it.
 */
int ds_publish_words(twzobj *o, const struct twz_alloc_action *actions, size_t count);

/* --- sequence words: odd while a holder of the lock frees something */

static inline void ds_seq_begin(uint64_t *seq)
{
	__atomic_store_n(seq, *seq | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void ds_seq_end(uint64_t *seq)
{
	ds_store(seq, (*seq | 1) + 1);
}

/* Whether nothing was freed since the word was read as seq. */
static inline bool ds_seq_valid(const uint64_t *word, uint64_t seq)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(word, __ATOMIC_RELAXED) == seq;
}

/*
 * The even value a reader may begin with. After a reset the first reader makes the structure ready.
 * When a writer is gone in the middle, or takes very long, the reader waits for its lock. -EAGAIN
 * for the latter, if o is mapped read-only.
 */
int ds_seq_wait(twzobj *o, struct twz_ds_guard *g, uint64_t *seq);

static inline bool ds_is_ready(const struct twz_ds_guard *g)
{
	return __atomic_load_n(&g->boot, __ATOMIC_ACQUIRE) == __twz_rt.sysinfo.boot_code;
}

static inline int ds_seq_read(twzobj *o, struct twz_ds_guard *g, uint64_t *seq)
{
	*seq = ds_load(&g->seq);
	return *seq & 1 || !ds_is_ready(g) ? ds_seq_wait(o, g, seq) : 0;
}

/*
 * Take the lock. What a holder that is gone left is settled then, and after a reset what the
 * allocator has still to do: it must not change words that the caller has looked at.
 */
void ds_lock(twzobj *o, struct twz_ds_guard *g);

static inline void ds_unlock(struct twz_ds_guard *g)
{
	mutex_release(&g->lock);
}

#endif
