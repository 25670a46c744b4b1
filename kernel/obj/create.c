// SPDX-License-Identifier: BSD-3-Clause
/*
 * Making objects. Everything that can fail comes before the object can be found.
 */
#include <abi/errno.h>
#include <base/string.h>
#include <mm/phys.h>
#include <obj/id.h>
#include <obj/object.h>
#include <obj/private.h>
#include <sec/random.h>

#define DERIVE_TRIES 16

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

static int copy_contents(struct object *to, struct object *source)
{
	return object_copy_into_new(to, source, 1, OBJ_META_PGNR, 0);
}

/* Fill a volatile object; takes the metadata page. */
static int fill_volatile(struct object *object, struct object *source, void *metapage)
{
	int error = object_page_insert(object, OBJ_META_PGNR, metapage);

	if (error) {
		page_free(metapage);
		return error;
	}
	return source ? copy_contents(object, source) : 0;
}

/* The object is hidden in the store until it is whole; a crash before that leaves nothing. */
static int fill_persistent(struct object *object, struct object *source, void *metapage)
{
	struct store *store = persist_store();
	int error = -ENODEV;

	if (store)
		error = store_create(store, object->id, metapage,
				     source ? STORE_CREATE_HIDDEN : 0, &object->stored);
	page_free(metapage);
	if (error || !source)
		return error;
	error = copy_contents(object, source);
	if (!error)
		error = store_publish(store, &object->stored, 0);
	if (error)
		store_free(store, &object->stored);
	return error;
}

/* A private metadata page for the new object and the ID it derives. NULL: -errno in *error. */
static void *make_metapage(const struct object_spec *spec, objid_t *id, int *error)
{
	struct metainfo mi;
	void *page = page_alloc_zero();

	*error = -ENOMEM;
	if (!page)
		return NULL;
	meta_init(&mi, spec);
	*id = draw_id(&mi);
	memcpy(page, &mi, sizeof(mi));
	*error = *id == 0 ? -EAGAIN : 0;
	if (!*error && spec->source)
		*error = meta_copy(spec->source, page, &mi);
	if (!*error)
		return page;
	page_free(page);
	return NULL;
}

static void discard(struct object *object)
{
	if (!object->persistent)
		object_pages_free(object);
	slab_free(&object_cache, object);
}

int object_create(const struct object_spec *spec, struct object **out)
{
	objid_t id;
	int error;
	void *metapage = make_metapage(spec, &id, &error);

	if (!metapage)
		return error;
	struct object *object = object_new(id);
	if (!object) {
		page_free(metapage);
		return -ENOMEM;
	}
	object->persistent = spec->persistent;
	error = spec->persistent ? fill_persistent(object, spec->source, metapage)
				 : fill_volatile(object, spec->source, metapage);
	if (!error)
		error = object_publish(object);
	if (error) {
		discard(object);
		return error;
	}
	*out = object;
	return 0;
}

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
