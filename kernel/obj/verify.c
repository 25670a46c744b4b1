// SPDX-License-Identifier: BSD-3-Clause
/*
 * Verification: does the metadata page derive the object's ID? Until it does, nothing in it is
 * believed. The hash is computed again only when the metadata's fixed part is not what was
 * verified.
 */
#define LOG_PREFIX "object"

#include <abi/errno.h>
#include <base/string.h>
#include <log.h>
#include <obj/hash.h>
#include <obj/id.h>
#include <obj/private.h>

static int derives(struct object *object, const struct metainfo *mi)
{
	if (mi->p_flags & MIP_HASHDATA)
		return hash_verify(object, mi);
	return id_derive(mi) == object->id ? 0 : -EINVLOBJ;
}

/*
 * `mi` is what was looked at: as long as it does not change, the verdict does not. NULL: nothing
 * could be.
 */
static int set_invalid(struct object *object, const struct metainfo *mi, const char *why)
{
	if (object->identity != OBJ_INVALID)
		log_warn("metadata of " IDFMT " does not match its ID: %s", IDPR(object->id), why);
	object->identity = OBJ_INVALID;
	memset(&object->verified, 0, sizeof(object->verified));
	if (mi)
		object->verified = *mi;
	return -EINVLOBJ;
}

/* The fields that the ID covers, for objects whose content it does not cover. */
static bool same_identity(const struct metainfo *a, const struct metainfo *b)
{
	return a->magic == b->magic && a->p_flags == b->p_flags && a->nonce == b->nonce &&
	       a->kuid == b->kuid;
}

/* The verdict stands, as the metadata is what it was passed on. */
static bool is_known(const struct object *object, const struct metainfo *mi)
{
	if (object->identity == OBJ_VERIFIED)
		return same_identity(mi, &object->verified);
	return object->identity == OBJ_INVALID && memcmp(mi, &object->verified, sizeof(*mi)) == 0;
}

int object_verify(struct object *object)
{
	struct metainfo copy;
	const char *why = "another ID is derived from it";
	void *page;

	if (object->kernel_owned)
		return 0;
	/* A hash-data object is immutable: verified once, verified for good. */
	if (object->identity == OBJ_VERIFIED && (object->p_flags & MIP_HASHDATA))
		return 0;
	int error = object_page_unchecked(object, OBJ_META_PGNR, &page);
	if (error || !page)
		return set_invalid(object, NULL, error ? "the store cannot give it" : "there is none");
	memcpy(&copy, page, sizeof(copy));
	if (is_known(object, &copy))
		return object->identity == OBJ_VERIFIED ? 0 : -EINVLOBJ;
	error = meta_check_why(&copy, &why);
	if (!error)
		error = derives(object, &copy);
	if (error)
		return error == -EINVLOBJ ? set_invalid(object, &copy, why) : error;
	object->verified = copy;
	object->p_flags = copy.p_flags;
	object->kuid = copy.kuid;
	object->identity = OBJ_VERIFIED;
	return 0;
}
