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
#include <obj/tie.h>

struct storing {
	struct object_place *place;
	unsigned int left;
};

static int store_one(void *arg, uint64_t pgnr, void *page)
{
	struct storing *storing = arg;
	struct object_place *place = storing->place;
	void *stored;

	place->next = pgnr;
	if (storing->left-- == 0)
		return 1;
	return store_page_alloc(place->store, &place->handle, pgnr, page, &stored);
}

int object_place_begin(struct object *object, struct object_place *place)
{
	void *metapage;
	int error = object_page(object, OBJ_META_PGNR, false, &metapage);

	place->next = 1;
	return error ? error : store_create(place->store, object->id, metapage, STORE_CREATE_HIDDEN, &place->handle);
}

int object_place_more(struct object *object, struct object_place *place)
{
	struct storing storing = { place, OBJECT_COPY_BATCH };
	int error = object_pages_walk(object, place->next, OBJ_META_PGNR, store_one, &storing);

	if (error == 0)
		error = hash_store_digests(object, place->store, &place->handle);
	if (error < 0)
		store_free(place->store, &place->handle);
	return error;
}

static int copy_to_place(struct object *object, struct object_place *place)
{
	int more = object_place_begin(object, place);

	if (more)
		return more;
	do {
		more = object_place_more(object, place);
	} while (more == 1);
	return more;
}

/* A hidden copy in the first of the stores that has room for all of it. */
static int copy_to_store(struct object *object, struct store *const *stores, int count,
			 struct object_place *place)
{
	int error = -ENOSPC;

	for (int i = 0; i < count && error == -ENOSPC; i++) {
		place->store = stores[i];
		error = copy_to_place(object, place);
	}
	return error;
}

void object_adopt(struct object *object, const struct object_place *place)
{
	hash_forget(object);
	object_pages_free(object);
	object->persistent = true;
	object->store = place->store;
	object->stored = place->handle;
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

/* Drop a draft that only held pages. */
static void drop_draft(struct object *draft)
{
	object_pages_free(draft);
	slab_free(&object_cache, draft);
}

/* The other way: all pages in memory, then the store forgets the object. Lock held. */
static int move_to_memory(struct object *object, struct list *spent)
{
	struct object *draft = object_new(object->id);
	struct store *const store = object->store;
	const struct store_handle handle = object->stored;
	struct store_freeing freeing;

	if (!draft)
		return -ENOMEM;
	object_unmap_all(object);
	int error = load_pages(draft, object);
	if (!error)
		error = retie_to_memory(object, &freeing, spent);
	if (error) {
		drop_draft(draft);
		return error;
	}
	object->pages = draft->pages;
	object->metapage = draft->metapage;
	object->page_count = draft->page_count;
	slab_free(&object_cache, draft);
	hash_forget(object);
	/* Gone from the store in any case: what is left of it now goes with the next mount. */
	while (store_free_more(store, &handle, &freeing) == 1)
		;
	return 0;
}

/* Where its relatives are, else where there is room. */
static int choose_stores(struct object *object, struct store *stores[PERSIST_MAX_STORES])
{
	int error = retie_store(object, &stores[0]);

	if (error)
		return error;
	if (stores[0])
		return persist_readonly(stores[0]) ? -EROFS : 1;
	return persist_candidates(NULL, stores);
}

static int try_to_store(struct object *object, struct list *spent)
{
	struct store *stores[PERSIST_MAX_STORES];
	int count = choose_stores(object, stores);
	struct object_place place;

	if (count < 0)
		return count;
	int error = copy_to_store(object, stores, count, &place);
	if (error)
		return error;
	error = retie_to_store(object, place.store, &place.handle, spent);
	if (error) {
		store_free(place.store, &place.handle);
		return error;
	}
	hash_forget(object);
	object_pages_free(object);
	return 0;
}

/* A relative that moves meanwhile takes the choice of a store along. Lock held. */
static int move_to_store(struct object *object, struct list *spent)
{
	int error;

	object_unmap_all(object);
	do {
		error = try_to_store(object, spent);
	} while (error == -EAGAIN);
	return error;
}

/* Lock held. */
static int move(struct object *object, bool persistent, struct list *spent)
{
	if (object->kernel_owned || object->pins || object->cache_ranges)
		return -EBUSY;
	if (!persistent)
		return move_to_memory(object, spent);
	int error = kso_keep(object);
	return error ? error : move_to_store(object, spent);
}

int object_set_persistent(struct object *object, bool persistent)
{
	struct list spent = LIST_INIT(spent);
	bool moved = false;
	int error = 0;

	spin_lock(&object->lock);
	if (object->persistent != persistent) {
		error = move(object, persistent, &spent);
		moved = error == 0;
	}
	bool deleted = object->deleted;
	spin_unlock(&object->lock);
	retie_settle(&spent);
	/* The table keeps volatile objects alive; persistent ones are kept by the store. */
	if (moved && !deleted && persistent)
		object_put(object);
	else if (moved && !deleted)
		object_ref(object);
	return error;
}
