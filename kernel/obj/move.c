// SPDX-License-Identifier: BSD-3-Clause
/*
 * Moving an object between memory and the store. While it moves its lock is held and nothing
 * translates to it: whoever touches it waits in the fault path and finds the new pages.
 */
#include <abi/errno.h>
#include <base/string.h>
#include <mm/phys.h>
#include <kso/type.h>
#include <obj/hash.h>
#include <obj/object.h>
#include <obj/persist.h>
#include <obj/private.h>

struct place {
	struct store *store;
	struct store_handle handle;
};

static int store_one(void *arg, uint64_t pgnr, void *page)
{
	struct place *place = arg;
	void *stored;

	return store_page_alloc(place->store, &place->handle, pgnr, page, &stored);
}

/* A hidden copy of the object in one store. On error there is none. */
static int copy_to_place(struct object *object, struct place *place)
{
	void *metapage;
	int error = object_page(object, OBJ_META_PGNR, false, &metapage);

	if (error)
		return error;
	error = store_create(place->store, object->id, metapage, STORE_CREATE_HIDDEN, &place->handle);
	if (error)
		return error;
	error = object_pages_walk(object, 1, OBJ_META_PGNR, store_one, place);
	if (!error)
		error = hash_store_digests(object, place->store, &place->handle);
	if (error)
		store_free(place->store, &place->handle);
	return error;
}

/* A hidden copy in the first of the stores that has room for all of it. */
static int copy_to_store(struct object *object, struct store *const *stores, int count, struct place *place)
{
	int error = -ENOSPC;

	for (int i = 0; i < count && error == -ENOSPC; i++) {
		place->store = stores[i];
		error = copy_to_place(object, place);
	}
	return error;
}

/* The object is what stands in `place` from now on. */
static void adopt(struct object *object, const struct place *place)
{
	hash_forget(object);
	object_pages_free(object);
	object->persistent = true;
	object->store = place->store;
	object->stored = place->handle;
}

int object_move_to_store(struct object *draft, struct store *const *stores, int count)
{
	struct place place;
	int error = copy_to_store(draft, stores, count, &place);

	if (!error)
		adopt(draft, &place);
	return error;
}

static int load_one(void *arg, uint64_t pgnr, void *page)
{
	struct object *draft = arg;
	void *copy = page_alloc();

	if (!copy)
		return -ENOMEM;
	memcpy(copy, page, PAGE_SIZE);
	int error = object_page_insert(draft, pgnr, copy);
	if (error)
		page_free(copy);
	return error;
}

/* The store keeps the metadata page apart from the others. */
static int load_pages(struct object *draft, struct object *object)
{
	void *metapage;
	int error = object_page(object, OBJ_META_PGNR, false, &metapage);

	if (!error)
		error = load_one(draft, OBJ_META_PGNR, metapage);
	return error ? error : object_pages_walk(object, 1, OBJ_META_PGNR, load_one, draft);
}

/* The other way: all pages in memory, then the store forgets the object. Lock held. */
static int move_to_memory(struct object *object)
{
	struct object *draft = object_new(object->id);
	struct place place = { object->store, object->stored };

	if (!draft)
		return -ENOMEM;
	object_unmap_all(object);
	int error = load_pages(draft, object);
	if (!error)
		error = store_mark_deleted(place.store, &place.handle);
	if (error) {
		object_pages_free(draft);
		slab_free(&object_cache, draft);
		return error;
	}
	object->persistent = false;
	object->store = NULL;
	object->pages = draft->pages;
	object->page_count = draft->page_count;
	slab_free(&object_cache, draft);
	/* Gone from the store in any case: what is left of it now goes with the next mount. */
	(void)store_free(place.store, &place.handle);
	return 0;
}

static int move_to_store(struct object *object)
{
	struct store *stores[PERSIST_MAX_STORES];
	int count = persist_candidates(NULL, stores);
	struct place place;

	if (count < 0)
		return count;
	object_unmap_all(object);
	int error = copy_to_store(object, stores, count, &place);
	if (error)
		return error;
	error = store_publish(place.store, &place.handle, object->deleted ? STORE_CREATE_DELETED : 0);
	if (error)
		store_free(place.store, &place.handle);
	else
		adopt(object, &place);
	return error;
}

static bool has_stored_ties(const struct object *object)
{
	uint64_t in, out;

	return object->persistent &&
	       (store_tie_counts(object->store, &object->stored, &in, &out) != 0 || in || out);
}

/* Lock held. */
static int move(struct object *object, bool persistent)
{
	if (object->kernel_owned || object->pins)
		return -EBUSY;
	if (!list_empty(&object->children) || object->ties_in || has_stored_ties(object))
		return -EBUSY;
	if (!persistent)
		return move_to_memory(object);
	int error = kso_keep(object);
	return error ? error : move_to_store(object);
}

int object_set_persistent(struct object *object, bool persistent)
{
	bool moved = false;
	int error = 0;

	spin_lock(&object->lock);
	if (object->persistent != persistent) {
		error = move(object, persistent);
		moved = error == 0;
	}
	bool deleted = object->deleted;
	spin_unlock(&object->lock);
	/* The table keeps volatile objects alive; persistent ones are kept by the store. */
	if (moved && !deleted && persistent)
		object_put(object);
	else if (moved && !deleted)
		object_ref(object);
	return error;
}
