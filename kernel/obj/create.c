// SPDX-License-Identifier: BSD-3-Clause
/*
 * Making objects. An object is filled, named and tied before anybody can find it; everything that
 * can fail comes before that, and is undone when it does.
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
	bool copied = first && first->whole;
	void *page = copied ? page_alloc() : page_alloc_zero();
	int error = 0;

	if (!page)
		return -ENOMEM;
	meta_init(&mi, spec);
	*id = spec->p_flags & MIP_HASHDATA ? 0 : draw_id(&mi);
	if (copied)
		error = meta_copy(first->object, page, &mi);
	else
		memcpy(page, &mi, sizeof(mi));
	if (error) {
		page_free(page);
		return error;
	}
	*out = page;
	return 0;
}

/* ---- Contents ---- */

/* The metadata page is never part of a range: it is the object's own from the start. */
static int drop_range(struct object *object, const struct object_source *source, uint64_t *next)
{
	uint64_t end = MIN(source->dest + source->count, (uint64_t)OBJ_META_PGNR);
	uint64_t first = source->dest + *next;
	int more = object_make_holes(object, &first, MAX(first, end), OBJECT_COPY_BATCH);

	*next = more == 1 ? first - source->dest : 0;
	return more;
}

static int copy_range(struct object *object, const struct object_source *source, uint64_t *next)
{
	uint64_t first = source->first + *next;

	if (!source->object)
		return 0;
	int more = object_copy_into_new(object, source->object, &first, source->first + source->count,
					(int64_t)(source->dest - source->first));
	*next = more == 1 ? first - source->first : 0;
	return more;
}

/*
 * Later sources overwrite earlier ones, with their holes too. One batch: 1 there is more, 0 done.
 */
static int fill_more(struct object_creation *c)
{
	const struct object_source *source = &c->spec->sources[c->source];
	int more;

	if (c->source == c->spec->source_count)
		return 0;
	if (!c->cleared && c->source > 0) {
		more = drop_range(c->draft, source, &c->next);
		c->cleared = more == 0;
		return more < 0 ? more : 1;
	}
	more = copy_range(c->draft, source, &c->next);
	if (more == 0) {
		c->source++;
		c->cleared = false;
	}
	return more < 0 ? more : 1;
}

/* ---- The draft ---- */

static void discard(struct object *object)
{
	object_ties_drop(object);
	hash_forget(object);
	if (object->persistent)
		object->leaving = store_free_begin(object->store, &object->stored, &object->freeing) == 0;
	object_dissolve(object);
}

/*
 * Hidden in a store until it is whole, so that a crash before that leaves nothing; or (NULL) in
 * memory.
 */
static int place_metapage(struct object *draft, struct store *store, void *metapage)
{
	int error;

	if (!store) {
		error = object_page_insert(draft, OBJ_META_PGNR, metapage);
		if (error)
			page_free(metapage);
		return error;
	}
	error = store_create(store, draft->id, metapage, STORE_CREATE_HIDDEN, &draft->stored);
	page_free(metapage);
	draft->persistent = error == 0;
	draft->store = error ? NULL : store;
	return error;
}

/*
 * The ID was derived from this metadata a moment ago, so that object_verify() need not do that again.
 * What is copied from another object may still not be good metadata: it decides then.
 */
static void trust_metadata(struct object *draft, const struct metainfo *mi)
{
	if (mi->p_flags & MIP_HASHDATA || meta_check(mi) < 0)
		return;
	draft->verified = *mi;
	draft->p_flags = mi->p_flags;
	draft->kuid = mi->kuid;
	draft->identity = OBJ_VERIFIED;
}

/* An object nobody knows, with nothing but metadata. */
static int begin_draft(struct object_creation *c, struct store *store)
{
	void *metapage;
	objid_t id;
	int error = make_metapage(c->spec, &metapage, &id);

	if (error)
		return error;
	struct object *draft = object_new(id);
	if (!draft) {
		page_free(metapage);
		return -ENOMEM;
	}
	draft->deleted = c->spec->born_deleted;
	trust_metadata(draft, metapage);
	error = place_metapage(draft, store, metapage);
	if (error) {
		object_pages_free(draft);
		slab_free(&object_cache, draft);
		return error;
	}
	c->draft = draft;
	c->source = 0;
	c->next = 0;
	c->cleared = false;
	return 0;
}

static void drop_draft(struct object_creation *c)
{
	if (c->draft)
		discard(c->draft);
	c->draft = NULL;
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

/* ---- Steps. Each returns 1: there is more to do; 0: done; or an error. ---- */

/*
 * Objects named by their nonce are made where they will be; where there is no room, it is begun
 * again elsewhere.
 */
static int begin_by_nonce(struct object_creation *c)
{
	int error = -ENOSPC;

	if (!c->spec->persistent)
		return begin_draft(c, NULL);
	while (error == -ENOSPC && c->store < c->store_count)
		error = begin_draft(c, c->stores[c->store++]);
	return error;
}

static int step_by_nonce(struct object_creation *c)
{
	int more = c->draft ? fill_more(c) : begin_by_nonce(c);

	if (more == -ENOSPC && c->draft && c->store < c->store_count) {
		drop_draft(c);
		return 1;
	}
	if (more == 0 && !c->draft->id)
		return -EAGAIN;
	/* What has just begun is not filled. */
	return more == 0 && c->source < c->spec->source_count ? 1 : more;
}

/*
 * The content decides the ID: the draft is made in memory, hashed, and only then named and, if
 * asked for, moved into the store. It may turn out to be an object that there is.
 */
static int name_by_content(struct object_creation *c)
{
	int error = hash_name_draft(c->draft, c->spec->zero_nonce, c->spec->persistent);

	if (error)
		return error == OBJECT_AGAIN ? 1 : error;
	c->named = true;
	c->twin = object_get(c->draft->id);
	return c->spec->persistent && !c->twin;
}

static int move_more(struct object_creation *c)
{
	int more = 1;

	if (!c->moving) {
		c->place.store = c->stores[c->store++];
		more = object_place_begin(c->draft, &c->place);
		c->moving = more == 0;
	}
	if (c->moving)
		more = object_place_more(c->draft, &c->place);
	if (more < 0) {
		c->moving = false;
		return more == -ENOSPC && c->store < c->store_count ? 1 : more;
	}
	if (more == 0) {
		c->moving = false;
		object_adopt(c->draft, &c->place);
	}
	return more;
}

static int step_by_content(struct object_creation *c)
{
	if (!c->draft) {
		int error = begin_draft(c, NULL);
		return error ? error : 1;
	}
	if (c->named)
		return move_more(c);
	int more = fill_more(c);
	return more ? more : name_by_content(c);
}

/* ---- Making an object ---- */

int object_create_begin(struct object_creation *c, const struct object_spec *spec)
{
	*c = (struct object_creation){ .spec = spec };
	if (spec->persistent)
		c->store_count = choose_stores(spec, c->stores);
	return MIN(c->store_count, 0);
}

void object_create_abandon(struct object_creation *c)
{
	if (c->moving)
		store_free(c->place.store, &c->place.handle);
	c->moving = false;
	drop_draft(c);
	object_put(c->twin);
	c->twin = NULL;
}

int object_create_step(struct object_creation *c)
{
	int more = c->spec->p_flags & MIP_HASHDATA ? step_by_content(c) : step_by_nonce(c);

	if (more < 0)
		object_create_abandon(c);
	else if (more == 0)
		c->id = c->draft->id;
	return more;
}

/* All ties to an object that exists already, or none. */
static int tie_twin(const struct object_spec *spec, struct object *twin)
{
	unsigned int tied = 0;
	int error = 0;

	while (!error && tied < spec->tie_count) {
		error = object_tie(spec->ties[tied], twin);
		tied += error == 0;
	}
	while (error && tied)
		object_untie(spec->ties[--tied], twin);
	return error;
}

static int publish(const struct object_spec *spec, struct object *draft)
{
	unsigned int flags = (spec->born_deleted ? STORE_CREATE_DELETED : 0) |
			     (spec->system ? STORE_CREATE_SYSTEM : 0);
	int error = object_publish_tied(draft, spec->ties, spec->tie_count, flags);

	/* A twin was not found, but its ID is taken: it is on its way out. */
	return error == -EEXIST ? -EBUSY : error;
}

int object_create_finish(struct object_creation *c, struct object **out)
{
	int error = c->twin ? tie_twin(c->spec, c->twin) : publish(c->spec, c->draft);

	if (!error) {
		*out = c->twin ? c->twin : c->draft;
		if (c->twin)
			c->twin = NULL;
		else
			c->draft = NULL;
	}
	object_create_abandon(c);
	return error;
}

int object_create(const struct object_spec *spec, struct object **out)
{
	struct object_creation c;
	int more = object_create_begin(&c, spec);

	if (more == 0)
		do {
			more = object_create_step(&c);
		} while (more == 1);
	return more ? more : object_create_finish(&c, out);
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
