// SPDX-License-Identifier: BSD-3-Clause
/*
 * Security contexts. Buckets: a hash table whose chains run through the places behind it. A bucket
 * is filled before it gets its target, and has its target before it is linked; what a power cut
 * leaves of that is an empty bucket, or one that nothing leads to, which is used again.
 *
 * The mutex of those who change a context stands at the start of its user data.
 */
#include "runtime.h"

#include <twz/mutex.h>
#include <twz/persist.h>
#include <twz/sys/sctx.h>
#include <twz/sys/syscall.h>

static struct secctx_hdr *header(twzobj *o)
{
	return twz_object_base(o);
}

static struct mutex *lock_of(twzobj *o)
{
	return (struct mutex *)header(o)->userdata;
}

static void flush(const void *p, size_t len)
{
	_clwb_len(p, len);
	_pfence();
}

/* A context that the kernel never used is unknown to it: nothing is cached, and it says so. */
static void invalidate(twzobj *o)
{
	struct sys_invalidate_op op = { .id = twz_object_guid(o), .flags = KSOI_VALID };

	sys_invalidate(&op, 1);
}

int twz_sctx_init(twzobj *o, const char *name)
{
	struct secctx_hdr *h = header(o);

	if (h->nbuckets)
		return -EINVAL;
	strlcpy(h->hdr.name, name ? name : "", sizeof(h->hdr.name));
	h->gmask = 0;
	h->flags = 0;
	h->nchain = SECCTX_NCHAIN;
	mutex_init(lock_of(o));
	flush(h, sizeof(*h));
	h->nbuckets = SECCTX_NBUCKETS;
	flush(&h->nbuckets, sizeof(h->nbuckets));
	return 0;
}

void twz_sctx_set_gmask(twzobj *o, uint32_t gmask)
{
	struct secctx_hdr *h = header(o);

	__atomic_store_n(&h->gmask, gmask, __ATOMIC_RELEASE);
	flush(&h->gmask, sizeof(h->gmask));
	invalidate(o);
}

/* target mod n, 32 bits at a time. */
static uint64_t first_bucket(objid_t target, uint64_t n)
{
	uint64_t rest = ID_HI(target) % n;

	rest = (rest << 32 | ID_LO(target) >> 32) % n;
	return (rest << 32 | (ID_LO(target) & 0xffffffffu)) % n;
}

static uint64_t bucket_count(const struct secctx_hdr *h)
{
	bool sound = h->nbuckets && h->nbuckets <= SECCTX_MAX_BUCKETS && h->nchain <= SECCTX_MAX_BUCKETS;

	return sound ? h->nbuckets + h->nchain : 0;
}

/* The bucket behind one on its chain, or -ENOENT. `steps` bounds the walk. */
static ssize_t behind(const struct secctx_hdr *h, ssize_t bucket, uint64_t *steps)
{
	uint32_t next = h->buckets[bucket].chain;

	return next == 0 || next >= bucket_count(h) || ++*steps > bucket_count(h) ? -ENOENT : (ssize_t)next;
}

/* The first bucket of the target at or behind `bucket`. */
static ssize_t find(const struct secctx_hdr *h, objid_t target, ssize_t bucket)
{
	uint64_t steps = 0;

	while (bucket >= 0 && h->buckets[bucket].target != target)
		bucket = behind(h, bucket, &steps);
	return bucket;
}

ssize_t twz_sctx_lookup(twzobj *o, objid_t target)
{
	struct secctx_hdr *h = header(o);

	if (!target || !bucket_count(h))
		return -ENOENT;
	return find(h, target, (ssize_t)first_bucket(target, h->nbuckets));
}

ssize_t twz_sctx_next(twzobj *o, objid_t target, ssize_t bucket)
{
	struct secctx_hdr *h = header(o);
	uint64_t steps = 0;

	if (bucket < 0 || (uint64_t)bucket >= bucket_count(h))
		return -ENOENT;
	bucket = behind(h, bucket, &steps);
	return bucket < 0 ? bucket : find(h, target, bucket);
}

/* ---- Changing. The lock is held. ---- */

/* Whether some chain leads to a bucket behind the heads. */
static bool is_linked(const struct secctx_hdr *h, uint32_t bucket)
{
	for (uint64_t i = 0; i < bucket_count(h); i++)
		if (h->buckets[i].chain == bucket)
			return true;
	return false;
}

/* A bucket behind the heads that nothing leads to, 0: none. */
static uint32_t free_bucket(const struct secctx_hdr *h)
{
	for (uint64_t i = h->nbuckets; i < bucket_count(h); i++)
		if (h->buckets[i].chain == 0 && !is_linked(h, (uint32_t)i))
			return (uint32_t)i;
	return 0;
}

static void fill(struct scbucket *b, const struct scbucket *from)
{
	b->data = from->data;
	b->flags = from->flags;
	b->gatemask = from->gatemask;
	b->pmask = from->pmask;
	flush(b, sizeof(*b));
	b->target = from->target;
	flush(b, sizeof(*b));
}

static int insert(struct secctx_hdr *h, const struct scbucket *bucket)
{
	ssize_t last = (ssize_t)first_bucket(bucket->target, h->nbuckets);
	ssize_t at = last;
	uint64_t steps = 0;

	while (at >= 0 && h->buckets[at].target != 0) {
		last = at;
		at = behind(h, at, &steps);
	}
	if (at >= 0) {
		fill(&h->buckets[at], bucket);
		return 0;
	}
	uint32_t fresh = free_bucket(h);
	if (!fresh)
		return -ENOSPC;
	fill(&h->buckets[fresh], bucket);
	__atomic_store_n(&h->buckets[last].chain, fresh, __ATOMIC_RELEASE);
	flush(&h->buckets[last].chain, sizeof(uint32_t));
	return 0;
}

int twz_sctx_add_dfl(twzobj *o, objid_t target, uint32_t mask, const struct scgates *gates,
    uint64_t flags)
{
	struct secctx_hdr *h = header(o);
	struct scbucket bucket = { .target = target, .flags = flags, .pmask = mask };
	int r;

	if (!target || !bucket_count(h) || (flags & ~(uint64_t)(SCF_TYPE_REGRANT_MASK | SCF_GATE)))
		return -EINVAL;
	if (gates)
		bucket.gatemask = *gates;
	mutex_acquire(lock_of(o));
	r = insert(h, &bucket);
	mutex_release(lock_of(o));
	if (r == 0)
		invalidate(o);
	return r;
}

int twz_sctx_del(twzobj *o, objid_t target, ssize_t bucket)
{
	struct secctx_hdr *h = header(o);
	int r = -ENOENT;

	if (!target || bucket < 0 || (uint64_t)bucket >= bucket_count(h))
		return -ENOENT;
	mutex_acquire(lock_of(o));
	if (h->buckets[bucket].target == target) {
		h->buckets[bucket].target = 0;
		flush(&h->buckets[bucket], sizeof(struct scbucket));
		r = 0;
	}
	mutex_release(lock_of(o));
	if (r == 0)
		invalidate(o);
	return r;
}
