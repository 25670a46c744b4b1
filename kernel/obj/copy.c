// SPDX-License-Identifier: BSD-3-Clause
/*
 * Copying ranges of pages between objects. Pages of the same kind of memory are shared until one
 * side writes; between memory and store the bytes are copied.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <base/string.h>
#include <mm/phys.h>
#include <obj/object.h>
#include <obj/private.h>

/* A page for a volatile object: the source's own, shared, or a copy where it cannot be. */
static int volatile_twin(const struct object *to, struct object *from, uint64_t pgnr, void *page, void **twin,
			 bool *protected)
{
	if (!from->persistent && from->pins == 0 && !from->cache_ranges && !to->cache_ranges) {
		*protected |= object_protect_page(from, pgnr);
		if (page_share(page)) {
			*twin = page;
			return 0;
		}
	}
	*twin = page_alloc();
	if (!*twin)
		return -ENOMEM;
	memcpy(*twin, page, PAGE_SIZE);
	return 0;
}

static int copy_to_volatile(struct object *to, uint64_t to_page, struct object *from,
			    uint64_t from_page, void *page, bool *protected)
{
	void *twin;
	int error = volatile_twin(to, from, from_page, page, &twin, protected);

	if (error)
		return error;
	error = object_page_replace(to, to_page, twin);
	if (error && !page_unshare(twin))
		page_free(twin);
	return error;
}

/*
 * A page for a persistent object: shared with another one of its store, or a copy, in one step
 * either way.
 */
static int copy_to_persistent(struct object *to, uint64_t to_page, struct object *from,
			      uint64_t from_page, void *page, bool *protected)
{
	void *twin;
	int error = -EMLINK;

	if (from->persistent && from->store == to->store && from->pins == 0) {
		*protected |= object_protect_page(from, from_page);
		object_unmap_page(to, to_page);
		error = store_page_share(to->store, &to->stored, to_page, &from->stored, from_page,
					 &twin);
	}
	return error == -EMLINK ? object_page_store(to, to_page, page) : error;
}

static int copy_page(struct object *to, uint64_t to_page, struct object *from, uint64_t from_page,
		     void *page, bool *protected)
{
	object_cache_settle(from, from_page, page);
	return to->persistent ? copy_to_persistent(to, to_page, from, from_page, page, protected)
			      : copy_to_volatile(to, to_page, from, from_page, page, protected);
}

struct copying {
	struct object *to, *from;
	int64_t shift; /* destination page minus source page */
	uint64_t next;
	unsigned int left;
	bool protected;
};

static int copy_one(void *arg, uint64_t pgnr, void *page)
{
	struct copying *copying = arg;

	copying->next = pgnr;
	if (copying->left-- == 0)
		return 1;
	if (pgnr == OBJ_META_PGNR || pgnr + copying->shift == OBJ_META_PGNR)
		return 0;
	return copy_page(copying->to, pgnr + copying->shift, copying->from, pgnr, page,
			 &copying->protected);
}

int object_copy_into_new(struct object *to, struct object *from, uint64_t *first, uint64_t end,
			 int64_t shift)
{
	struct copying copying = { .to = to, .from = from, .shift = shift, .left = OBJECT_COPY_BATCH };

	spin_lock(&from->lock);
	int error = object_pages_walk(from, *first, end, copy_one, &copying);
	uint64_t done = error == 1 ? copying.next : end;
	/* From here on nobody writes through an old translation to a page that is shared now. */
	if (copying.protected)
		object_flush(from, *first, done - *first);
	spin_unlock(&from->lock);
	*first = done;
	return error;
}

/* ---- Into objects that others use ---- */

/* The only place that holds two object locks: in the order of their addresses. */
static void lock_both(struct object *a, struct object *b)
{
	struct object *first = b && b < a ? b : a;
	struct object *second = first == a ? b : a;

	spin_lock(&first->lock);
	if (second && second != first)
		spin_lock(&second->lock);
}

static void unlock_both(struct object *a, struct object *b)
{
	spin_unlock(&a->lock);
	if (b && b != a)
		spin_unlock(&b->lock);
}

static int replace_page(struct object *to, uint64_t to_page, struct object *from, uint64_t from_page,
			bool *protected)
{
	void *page = NULL;
	int error = from ? object_page(from, from_page, false, &page) : 0;

	if (error)
		return error;
	if (page)
		return copy_page(to, to_page, from, from_page, page, protected);
	return to_page == OBJ_META_PGNR ? -EINVAL : object_make_hole(to, to_page);
}

/* What is no page already is passed over at once. Lock held. */
static int make_holes(struct object *to, uint64_t first, uint64_t count, uint64_t *done)
{
	uint64_t next = first, end = MIN(first + count, (uint64_t)OBJ_META_PGNR);

	if (count == 0)
		return 0;
	if (first >= OBJ_META_PGNR)
		return -EINVAL;
	int more = object_make_holes(to, &next, end, OBJECT_COPY_BATCH);
	if (more < 0)
		return more;
	*done = next - first;
	return 0;
}

int object_copy_pages(struct object *to, uint64_t to_page, struct object *from, uint64_t from_page,
		      uint64_t count, uint64_t *done)
{
	bool protected = false;
	int error = 0;

	*done = 0;
	if (!from) {
		spin_lock(&to->lock);
		error = make_holes(to, to_page, count, done);
		spin_unlock(&to->lock);
		return error;
	}
	count = MIN(count, (uint64_t)OBJECT_COPY_BATCH);
	lock_both(to, from);
	while (!error && *done < count) {
		error = replace_page(to, to_page + *done, from, from_page + *done, &protected);
		*done += error == 0;
	}
	if (protected)
		object_flush(from, from_page, count);
	unlock_both(to, from);
	return error;
}
