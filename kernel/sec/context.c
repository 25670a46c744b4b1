// SPDX-License-Identifier: BSD-3-Clause
/*
 * Security contexts: their lifetime, and the address spaces made by them.
 */
#include <abi/errno.h>
#include <base/string.h>
#include <kso/type.h>
#include <mm/slab.h>
#include <mm/space.h>
#include <obj/object.h>
#include <sec/context.h>

struct seccontext sec_bootstrap;
struct seccontext sec_none;

static struct slab_cache context_cache = SLAB_CACHE("security context", struct seccontext);

static void context_init(struct seccontext *context)
{
	atomic_init(&context->refs, 1);
	list_init(&context->spaces);
}

void seccontexts_init(void)
{
	context_init(&sec_bootstrap);
	context_init(&sec_none);
}

static bool ref_unless_dying(_Atomic uint32_t *refs)
{
	uint32_t count = atomic_load_explicit(refs, memory_order_relaxed);

	while (count > 0)
		if (atomic_compare_exchange_weak(refs, &count, count + 1))
			return true;
	return false;
}

/* The object's record, if there is one that is not on its way out. Object lock held. */
static struct seccontext *record_of(struct object *object)
{
	struct seccontext *context = object->context;

	return context && ref_unless_dying(&context->refs) ? context : NULL;
}

struct seccontext *seccontext_known(struct object *object)
{
	spin_lock(&object->lock);
	struct seccontext *context = record_of(object);
	spin_unlock(&object->lock);
	return context;
}

/* The object's record, which becomes `fresh` if there is none. */
static int find_or_enter(struct object *object, struct seccontext *fresh, struct seccontext **out)
{
	int error = 0;

	spin_lock(&object->lock);
	*out = record_of(object);
	if (!*out)
		error = kso_claim(object, KSO_SECCTX);
	if (!*out && !error) {
		object_ref(object);
		object->context = fresh;
		*out = fresh;
	}
	spin_unlock(&object->lock);
	return error;
}

int seccontext_get(struct object *object, struct seccontext **out)
{
	*out = seccontext_known(object);
	if (*out)
		return 0;
	struct seccontext *fresh = slab_alloc_zero(&context_cache);
	if (!fresh)
		return -ENOMEM;
	context_init(fresh);
	fresh->object = object;
	int error = find_or_enter(object, fresh, out);
	if (error || *out != fresh)
		slab_free(&context_cache, fresh);
	return error;
}

struct seccontext *seccontext_ref(struct seccontext *context)
{
	atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
	return context;
}

void seccontext_put(struct seccontext *context)
{
	struct object *object = context->object;

	if (atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel) != 1 || !object)
		return;
	spin_lock(&object->lock);
	if (object->context == context)
		object->context = NULL;
	spin_unlock(&object->lock);
	slab_free(&context_cache, context);
	object_put(object);
}

int seccontext_stat(struct object *object, struct kernel_ostat_sctx *stat)
{
	*stat = (struct kernel_ostat_sctx){ 0 };
	spin_lock(&object->lock);
	bool is_context = object->kso_type == KSO_SECCTX;
	struct seccontext *context = record_of(object);
	spin_unlock(&object->lock);
	if (!context)
		return is_context ? 0 : -EINVAL;
	stat->malformed = atomic_load_explicit(&context->malformed, memory_order_relaxed);
	stat->switches = atomic_load_explicit(&context->switches, memory_order_relaxed);
	seccontext_put(context);
	return 0;
}

/* ---- Its address spaces ---- */

void seccontext_space_added(struct seccontext *context, struct addrspace *space)
{
	spin_lock(&context->lock);
	space->context_number = context->space_number++;
	list_push_back(&context->spaces, &space->context_link);
	spin_unlock(&context->lock);
}

void seccontext_space_removed(struct seccontext *context, struct addrspace *space)
{
	spin_lock(&context->lock);
	list_remove(&space->context_link);
	spin_unlock(&context->lock);
}

/* The first space with a number of at least `from`, with a reference; NULL: no more. */
static struct addrspace *space_from(struct seccontext *context, uint64_t from)
{
	struct addrspace *found = NULL;

	spin_lock(&context->lock);
	list_for_each_entry(struct addrspace, space, &context->spaces, context_link) {
		/* One that nobody has any more is on no CPU, and is flushed before it goes. */
		if (space->context_number >= from && ref_unless_dying(&space->refs)) {
			found = space;
			break;
		}
	}
	spin_unlock(&context->lock);
	return found;
}

void seccontext_invalidate(struct seccontext *context)
{
	struct addrspace *space;

	spin_lock(&context->lock);
	context->generation++;
	context->header_known = false;
	memset(context->cache, 0, sizeof(context->cache));
	spin_unlock(&context->lock);
	/* What is entered from now on was judged anew. */
	for (uint64_t from = 0; (space = space_from(context, from));) {
		from = space->context_number + 1;
		space_invalidate(space, 0, UINT32_MAX);
		space_put(space);
	}
}
