// SPDX-License-Identifier: BSD-3-Clause
/*
 * Making objects. An object is filled, named and tied before anybody can find it; everything that can
 * fail comes before that, and is undone when it does.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <base/string.h>
#include <mm/phys.h>
#include <obj/hash.h>
#include <obj/id.h>
#include <obj/object.h>
#include <obj/persist.h>
#include <obj/private.h>
#include <obj/tie.h>
#include <sec/random.h>

#define DERIVE_TRIES 16

/* ---- Metadata ---- */

static void meta_init(struct metainfo *mi, const struct object_spec *spec)
{
	memset(mi, 0, sizeof(*mi));
	mi->magic = MI_MAGIC;
	mi->p_flags = spec->p_flags;
	mi->kuid = spec->kuid;
	mi->fotentries = 1;
	mi->milen = MI_MILEN_DEFAULT;
}

/* A fresh nonce and the ID it gives; reserved IDs are discarded. 0: the generator is broken. */
static objid_t draw_id(struct metainfo *mi)
{
	for (int i = 0; i < DERIVE_TRIES; i++) {
		random_bytes(&mi->nonce, sizeof(mi->nonce));
		objid_t id = id_derive(mi);
		if (!objid_is_reserved(id))
			return id;
	}
	return 0;
}

/* The metadata page of a copy: the source's, with what belongs to the new object replaced. */
static int meta_copy(struct object *source, void *page, const struct metainfo *own)
{
	struct metainfo *mi = page;
	int error = object_read(source, OBJ_METAPAGE, page, PAGE_SIZE);

	if (error)
		return error;
	mi->magic = own->magic;
	mi->p_flags = own->p_flags;
	mi->nonce = own->nonce;
	mi->kuid = own->kuid;
	mi->pad = 0;
	if (mi->milen < MI_MILEN_MIN || mi->milen > MI_MILEN_MAX || mi->milen % 16)
		mi->milen = MI_MILEN_DEFAULT;
	return 0;
}

/* A private metadata page for the new object and, unless its content decides, its ID. */
static int make_metapage(const struct object_spec *spec, void **out, objid_t *id)
{
	const struct object_source *first = spec->source_count ? &spec->sources[0] : NULL;
	struct metainfo mi;
	void *page = page_alloc_zero();
	int error = 0;

	if (!page)
		return -ENOMEM;
	meta_init(&mi, spec);
	*id = spec->p_flags & MIP_HASHDATA ? 0 : draw_id(&mi);
	memcpy(page, &mi, sizeof(mi));
	if (first && first->whole)
		error = meta_copy(first->object, page, &mi);
	if (error) {
		page_free(page);
		return error;
	}
	*out = page;
	return 0;
}

/* ---- Contents ---- */

static int drop_page(void *arg, uint64_t pgnr, void *page)
{
	(void)page;
	return object_make_hole(arg, pgnr);
}

/* The metadata page is never part of a range: it is the object's own from the start. */
static int drop_range(struct object *object, const struct object_source *source)
{
	uint64_t end = MIN(source->dest + source->count, (uint64_t)OBJ_META_PGNR);

	return object_pages_walk(object, source->dest, end, drop_page, object);
}

/* Later sources overwrite earlier ones, with their holes too. */
static int fill_sources(struct object *object, const struct object_spec *spec)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < spec->source_count; i++) {
		const struct object_source *source = &spec->sources[i];
		if (i > 0)
			error = drop_range(object, source);
		if (!error && source->object)
			error = object_copy_into_new(object, source->object, source->first,
						     source->first + source->count,
						     (int64_t)(source->dest - source->first));
	}
	return error;
}

/* Takes the metadata page. */
static int fill_volatile(struct object *object, const struct object_spec *spec, void *metapage)
{
	int error = object_page_insert(object, OBJ_META_PGNR, metapage);

	if (error) {
		page_free(metapage);
		return error;
	}
	return fill_sources(object, spec);
}

/* The object is hidden in the store until it is whole; a crash before that leaves nothing. */
static int fill_persistent(struct object *object, const struct object_spec *spec, void *metapage)
{
	int error = store_create(object->store, object->id, metapage, STORE_CREATE_HIDDEN, &object->stored);

	page_free(metapage);
	if (error)
		return error;
	error = fill_sources(object, spec);
	if (error)
		store_free(object->store, &object->stored);
	return error;
}

static void discard(struct object *object)
{
	object_ties_drop(object);
	hash_forget(object);
	if (object->persistent)
		store_free(object->store, &object->stored);
	else
		object_pages_free(object);
	slab_free(&object_cache, object);
}

/* An object nobody knows, with its contents, hidden in a store or (NULL) in memory. NULL: -errno in *error. */
static struct object *make_draft(const struct object_spec *spec, struct store *store, int *error)
{
	void *metapage;
	objid_t id;

	*error = make_metapage(spec, &metapage, &id);
	if (*error)
		return NULL;
	struct object *object = object_new(id);
	if (!object) {
		page_free(metapage);
		*error = -ENOMEM;
		return NULL;
	}
	object->persistent = store != NULL;
	object->store = store;
	object->deleted = spec->born_deleted;
	*error = store ? fill_persistent(object, spec, metapage)
		       : fill_volatile(object, spec, metapage);
	if (!*error)
		return object;
	if (!store)
		object_pages_free(object);
	slab_free(&object_cache, object);
	return NULL;
}

/* ---- A place in a store ---- */

/* The store of the persistent parents, whose ties it will keep; NULL: there are none. */
static int store_of_parents(const struct object_spec *spec, struct store **out)
{
	*out = NULL;
	for (unsigned int i = 0; i < spec->tie_count; i++) {
		const struct object *parent = spec->ties[i];
		if (!parent->persistent)
			continue;
		if (*out && *out != parent->store)
			return -EXDEV;
		*out = parent->store;
	}
	return 0;
}

/* Where pages can be shared with. */
static struct store *store_of_sources(const struct object_spec *spec)
{
	for (unsigned int i = 0; i < spec->source_count; i++)
		if (spec->sources[i].object && spec->sources[i].object->persistent)
			return spec->sources[i].object->store;
	return NULL;
}

/* The stores to try, the best first; their number, or -errno. */
static int choose_stores(const struct object_spec *spec, struct store *stores[PERSIST_MAX_STORES])
{
	int error = store_of_parents(spec, &stores[0]);

	if (error)
		return error;
	if (stores[0])
		return persist_readonly(stores[0]) ? -EROFS : 1;
	return persist_candidates(store_of_sources(spec), stores);
}

static struct object *make_stored_draft(const struct object_spec *spec, int *error)
{
	struct store *stores[PERSIST_MAX_STORES];
	int count = choose_stores(spec, stores);
	struct object *draft = NULL;

	*error = count < 0 ? count : -ENOSPC;
	for (int i = 0; i < count && *error == -ENOSPC; i++)
		draft = make_draft(spec, stores[i], error);
	return draft;
}

static int move_draft(struct object *draft, const struct object_spec *spec)
{
	struct store *stores[PERSIST_MAX_STORES];
	int count = choose_stores(spec, stores);

	return count < 0 ? count : object_move_to_store(draft, stores, count);
}

/* ---- Publication ---- */

/* The draft is complete: tie it, and let it be found. It is discarded on error. */
static int finish(struct object *object, const struct object_spec *spec)
{
	unsigned int flags = (spec->born_deleted ? STORE_CREATE_DELETED : 0) |
			     (spec->system ? STORE_CREATE_SYSTEM : 0);
	int error = object_publish_tied(object, spec->ties, spec->tie_count, flags);

	if (error)
		discard(object);
	return error;
}

static int create_named_by_nonce(const struct object_spec *spec, struct object **out)
{
	int error = 0;

	*out = spec->persistent ? make_stored_draft(spec, &error) : make_draft(spec, NULL, &error);
	if (!*out)
		return error;
	error = (*out)->id ? finish(*out, spec) : -EAGAIN;
	return error;
}

/* The object that a hash-data draft turns out to be already. 0: there is none. */
static int find_twin(const struct object_spec *spec, objid_t id, struct object **out)
{
	struct object *twin = object_get(id);

	if (!twin)
		return 0;
	int error = 0;
	unsigned int tied = 0;
	while (!error && tied < spec->tie_count) {
		error = object_tie(spec->ties[tied], twin);
		tied += error == 0;
	}
	if (!error) {
		*out = twin;
		return 1;
	}
	while (tied)
		object_untie(spec->ties[--tied], twin);
	object_put(twin);
	return error;
}

/*
 * The content decides the ID: the draft is made in memory, hashed, and only then named and, if
 * asked for, moved into the store.
 */
static int create_named_by_content(const struct object_spec *spec, struct object **out)
{
	int error;
	struct object *draft = make_draft(spec, NULL, &error);

	if (!draft)
		return error;
	error = hash_name_draft(draft, spec->zero_nonce, spec->persistent);
	int twin = error ? error : find_twin(spec, draft->id, out);
	if (twin) {
		discard(draft);
		return twin < 0 ? twin : 0;
	}
	if (spec->persistent)
		error = move_draft(draft, spec);
	if (error) {
		discard(draft);
		return error;
	}
	*out = draft;
	error = finish(draft, spec);
	/* The twin was not found, but its ID is taken: it is on its way out. */
	return error == -EEXIST ? -EBUSY : error;
}

int object_create(const struct object_spec *spec, struct object **out)
{
	return spec->p_flags & MIP_HASHDATA ? create_named_by_content(spec, out)
					    : create_named_by_nonce(spec, out);
}

/* ---- Objects whose names are given ---- */

struct object *object_create_given(objid_t id)
{
	struct object *object = object_new(id);

	if (!object)
		return NULL;
	if (object_publish(object) == 0)
		return object;
	discard(object);
	return NULL;
}

struct object *object_create_kernel(objid_t id)
{
	const struct object_spec spec = { .p_flags = MIP_DFL_READ };
	struct object *object = object_new(id);
	struct metainfo *mi = page_alloc_zero();

	if (!object || !mi)
		goto no_memory;
	meta_init(mi, &spec);
	object->kernel_owned = true;
	object->p_flags = spec.p_flags;
	object->identity = OBJ_VERIFIED;
	if (object_page_insert(object, OBJ_META_PGNR, mi) != 0)
		goto no_memory;
	if (object_publish(object) == 0)
		return object;
	discard(object);
	return NULL;
no_memory:
	if (mi)
		page_free(mi);
	if (object)
		slab_free(&object_cache, object);
	return NULL;
}
