// SPDX-License-Identifier: BSD-3-Clause
/*
 * Reading a context object: its header, and the buckets of a target. The object is user data that
 * may be anything and may change meanwhile: every structure is copied, then checked, and every walk
 * is bounded.
 */
#include <abi/errno.h>
#include <abi/object.h>
#include <base/string.h>
#include <obj/object.h>
#include <sec/context.h>
#include <sec/operation.h>

#define AT(member) (OBJ_NULLPAGE_SIZE + offsetof(struct secctx_hdr, member))

/* The numbers that follow the name and the user data. */
struct fixed_part {
	uint32_t gmask;
	uint32_t flags;
	uint64_t nbuckets;
	uint64_t nchain;
};

_Static_assert(sizeof(struct fixed_part) == 24, "as in the object");

static void count_malformed(struct seccontext *context)
{
	atomic_fetch_add_explicit(&context->malformed, 1, memory_order_relaxed);
}

static struct sec_header read_header(struct seccontext *context)
{
	struct object *object = context->object;
	struct sec_header header = { .sound = false };
	struct fixed_part part;

	spin_lock(&object->lock);
	int error = object_verify(object);
	spin_unlock(&object->lock);
	if (!error)
		error = object_read(object, AT(gmask), &part, sizeof(part));
	if (error || part.nbuckets == 0 || part.nbuckets > SECCTX_MAX_BUCKETS ||
	    part.nchain > SECCTX_MAX_BUCKETS || (part.flags & ~SECCTX_FLAGS)) {
		count_malformed(context);
		return header;
	}
	header.gmask = part.gmask;
	header.flags = part.flags;
	header.heads = part.nbuckets;
	header.buckets = part.nbuckets + part.nchain;
	header.sound = true;
	return header;
}

struct sec_header seccontext_header(struct seccontext *context)
{
	spin_lock(&context->lock);
	struct sec_header header = context->header;
	bool known = context->header_known;
	uint64_t generation = context->generation;
	spin_unlock(&context->lock);
	if (known)
		return header;
	header = read_header(context);
	spin_lock(&context->lock);
	if (context->generation == generation) {
		context->header = header;
		context->header_known = true;
	}
	spin_unlock(&context->lock);
	return header;
}

/* target mod heads, 32 bits at a time: the compiler's 128-bit division needs its library. */
static uint64_t first_bucket(objid_t target, uint64_t heads)
{
	uint64_t rest = ID_HI(target) % heads;

	rest = (rest << 32 | ID_LO(target) >> 32) % heads;
	return (rest << 32 | (ID_LO(target) & UINT32_MAX)) % heads;
}

static void apply_bucket(const struct scbucket *bucket, struct sec_masks *masks)
{
	if (bucket->data)
		return; /* a capability or delegation grants, it takes nothing away */
	if (bucket->flags & SCF_TYPE_REGRANT_MASK)
		masks->regrant |= bucket->pmask;
	else
		masks->withhold |= bucket->pmask;
}

/* All buckets of the target's chain. False: it leads out of the array, or in a circle. */
static bool walk_chain(struct object *object, const struct sec_header *header, objid_t target,
		       struct sec_masks *masks)
{
	uint64_t index = first_bucket(target, header->heads);
	struct scbucket bucket;

	for (uint64_t steps = 0; steps < header->buckets; steps++) {
		if (object_read(object, AT(buckets) + index * sizeof(bucket), &bucket, sizeof(bucket)) != 0)
			return false;
		if (bucket.target == target)
			apply_bucket(&bucket, masks);
		index = bucket.chain;
		if (index == 0)
			return true;
		if (index >= header->buckets)
			return false;
	}
	return false;
}

static unsigned int cache_place(objid_t target)
{
	return (ID_LO(target) ^ ID_LO(target) >> 32) % SECCONTEXT_CACHE;
}

bool seccontext_masks(struct seccontext *context, const struct sec_header *header, objid_t target,
		      struct sec_masks *masks)
{
	unsigned int place = cache_place(target);

	spin_lock(&context->lock);
	bool known = context->cache[place].target == target;
	*masks = context->cache[place].masks;
	uint64_t generation = context->generation;
	spin_unlock(&context->lock);
	if (known)
		return true;
	*masks = (struct sec_masks){ 0 };
	if (!walk_chain(context->object, header, target, masks)) {
		count_malformed(context);
		return false;
	}
	spin_lock(&context->lock);
	if (context->generation == generation) {
		context->cache[place].target = target;
		context->cache[place].masks = *masks;
	}
	spin_unlock(&context->lock);
	return true;
}
