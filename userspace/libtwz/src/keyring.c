// SPDX-License-Identifier: BSD-3-Clause
/*
 * Key rings (abi/key.h): a list that only grows. An entry is durable before count covers it, so
 * that readers need no lock and a cut leaves the list as it was or with the whole entry.
 */
#include "runtime.h"

#include <twz/obj/keyring.h>

#define ENTS_OFFSET 64ul /* of the entries, from the base */
#define PREFIX_MIN 4u

/* A key ring as it was when a call began. */
struct ring {
	struct keyring_hdr *h;
	struct keyring_ent *ents;
	uint64_t count;
};

static int open_ring(struct ring *r, twzobj *o)
{
	uint64_t at;

	r->h = twz_object_base(o);
	if (!r->h || twz_object_getext(o, KRING_METAEXT_TAG) != r->h)
		return -EINVLOBJ;
	r->count = __atomic_load_n(&r->h->count, __ATOMIC_ACQUIRE);
	at = __atomic_load_n(&r->h->ents, __ATOMIC_RELAXED);
	if (r->count > KEYRING_MAX_KEYS || at < OBJ_NULLPAGE_SIZE || at % sizeof(objid_t) ||
	    at > OBJ_TOPDATA - KEYRING_MAX_KEYS * sizeof(*r->ents))
		return -EINVLOBJ;
	r->ents = (void *)((char *)r->h - OBJ_NULLPAGE_SIZE + at);
	return 0;
}

int twz_keyring_init(twzobj *o)
{
	struct keyring_hdr *h = twz_object_base(o);

	if (!h)
		return -EINVAL;
	if (twz_object_getext(o, KRING_METAEXT_TAG))
		return -EEXIST;
	*h = (struct keyring_hdr){ .ents = OBJ_NULLPAGE_SIZE + ENTS_OFFSET };
	__twz_obj_flush(o, h, sizeof(*h)); /* the fence comes with the extension */
	return twz_object_addext(o, KRING_METAEXT_TAG, h);
}

/* The one entry that begins like that: its place, -ENOENT, or -EINVAL if there are several. */
static ssize_t find(const struct ring *r, const unsigned char *fp, size_t len)
{
	ssize_t found = -ENOENT;

	for (uint64_t i = 0; i < r->count; i++) {
		if (memcmp(r->ents[i].fingerprint, fp, len) != 0)
			continue;
		if (found >= 0)
			return -EINVAL;
		found = (ssize_t)i;
	}
	return found;
}

int twz_keyring_lookup(twzobj *o, const unsigned char *fp, size_t fplen, objid_t *pub, objid_t *pri)
{
	struct ring r;
	ssize_t at;

	if (fplen < PREFIX_MIN || fplen > TWZ_KEY_PRINT_SIZE)
		return -EINVAL;
	if (open_ring(&r, o) < 0)
		return -EINVLOBJ;
	at = find(&r, fp, fplen);
	if (at < 0)
		return (int)at;
	if (pub)
		*pub = r.ents[at].pub;
	if (pri)
		*pri = r.ents[at].pri;
	return 0;
}

/* The caller holds the mutex. */
static int add(twzobj *o, const unsigned char *fp, objid_t pub, objid_t pri)
{
	struct keyring_ent *e;
	struct ring r;

	if (open_ring(&r, o) < 0)
		return -EINVLOBJ;
	if (find(&r, fp, TWZ_KEY_PRINT_SIZE) != -ENOENT)
		return -EEXIST;
	if (r.count == KEYRING_MAX_KEYS)
		return -ENOSPC;
	e = &r.ents[r.count];
	memcpy(e->fingerprint, fp, TWZ_KEY_PRINT_SIZE);
	e->pub = pub;
	e->pri = pri;
	__twz_obj_flush(o, e, sizeof(*e));
	__twz_obj_fence(o);
	__atomic_store_n(&r.h->count, r.count + 1, __ATOMIC_RELEASE);
	__twz_obj_flush(o, &r.h->count, sizeof(r.h->count));
	__twz_obj_fence(o);
	return 0;
}

int twz_keyring_insert(twzobj *o, const unsigned char *fp, size_t fplen, objid_t pub, objid_t pri)
{
	struct ring r;
	int error;

	if (fplen != TWZ_KEY_PRINT_SIZE || !pub)
		return -EINVAL;
	if (open_ring(&r, o) < 0)
		return -EINVLOBJ;
	mutex_acquire(&r.h->mutex);
	error = add(o, fp, pub, pri);
	mutex_release(&r.h->mutex);
	return error;
}

ssize_t twz_keyring_count(twzobj *o)
{
	struct ring r;
	int error = open_ring(&r, o);

	return error < 0 ? error : (ssize_t)r.count;
}

int twz_keyring_get(twzobj *o, size_t place, struct keyring_ent *ent)
{
	struct ring r;
	int error = open_ring(&r, o);

	if (error < 0)
		return error;
	if (place >= r.count)
		return -ENOENT;
	*ent = r.ents[place];
	return 0;
}

static int set_pointer(twzobj *o, uint64_t *where, twzobj *key)
{
	return twz_ptr_store_guid(o, where, key, key ? (void *)OBJ_NULLPAGE_SIZE : NULL, FE_READ);
}

int twz_keyring_set_default(twzobj *o, twzobj *pub, twzobj *pri)
{
	struct ring r;
	int error = open_ring(&r, o);

	if (error == 0)
		error = set_pointer(o, &r.h->dfl_pubkey, pub);
	return error < 0 ? error : set_pointer(o, &r.h->dfl_prikey, pri);
}
