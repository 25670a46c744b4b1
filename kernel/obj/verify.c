// SPDX-License-Identifier: BSD-3-Clause
/*
 * Verification: does the metadata page derive the object's ID? Until it does, nothing in it is
 * believed. The hash is computed again only when the metadata's fixed part is not what was verified.
 */
#define LOG_PREFIX "object"

#include <abi/errno.h>
#include <base/string.h>
#include <log.h>
#include <obj/id.h>
#include <obj/object.h>

static int read_hash_page(void *arg, uint64_t number, const void **page)
{
	void *address;
	int error = object_page(arg, number, false, &address);

	*page = address;
	return error;
}

static int derive(struct object *object, const struct metainfo *mi, objid_t *id)
{
	if (mi->p_flags & MIP_HASHDATA)
		return id_derive_hashdata(mi, read_hash_page, object, id);
	*id = id_derive(mi);
	return 0;
}

static int set_invalid(struct object *object, const char *why)
{
	if (object->identity != OBJ_INVALID)
		log_warn("metadata of " IDFMT " does not match its ID: %s", IDPR(object->id), why);
	object->identity = OBJ_INVALID;
	return -EINVLOBJ;
}

/* The fields that the ID covers, for objects whose content it does not cover. */
static bool same_identity(const struct metainfo *a, const struct metainfo *b)
{
	return a->magic == b->magic && a->p_flags == b->p_flags && a->nonce == b->nonce &&
	       a->kuid == b->kuid;
}

int object_verify(struct object *object)
{
	struct metainfo copy;
	const char *why = "another ID is derived from it";
	void *page;
	objid_t id = 0;

	if (object->kernel_owned)
		return 0;
	/* A hash-data object is immutable: verified once, verified for good. */
	if (object->identity == OBJ_VERIFIED && (object->p_flags & MIP_HASHDATA))
		return 0;
	int error = object_page(object, OBJ_META_PGNR, false, &page);
	if (error || !page)
		return set_invalid(object, error ? "the store cannot give it" : "there is none");
	memcpy(&copy, page, sizeof(copy));
	if (object->identity == OBJ_VERIFIED && same_identity(&copy, &object->verified))
		return 0;
	if (meta_check_why(&copy, &why) != 0 || derive(object, &copy, &id) != 0 || id != object->id)
		return set_invalid(object, why);
	object->verified = copy;
	object->p_flags = copy.p_flags;
	object->kuid = copy.kuid;
	object->identity = OBJ_VERIFIED;
	return 0;
}
