// SPDX-License-Identifier: BSD-3-Clause
/* Users as objects (abi/key.h). */
#include "runtime.h"

#include <twz/env.h>
#include <twz/obj/user.h>

#define NAME_OFFSET 64ul /* of the name, from the base */

static struct user_hdr *header(twzobj *o)
{
	struct user_hdr *h = twz_object_base(o);

	return h && twz_object_getext(o, USER_METAEXT_TAG) == h ? h : NULL;
}

/* The extension comes last: until then it is no user. */
int twz_user_init(twzobj *o, const char *name, twzobj *keyring, objid_t secctx)
{
	size_t len = strnlen(name, USER_NAME_MAXLEN + 1);
	struct user_hdr *h = twz_object_base(o);
	int r = 0;

	if (!h || len == 0 || len > USER_NAME_MAXLEN)
		return -EINVAL;
	if (twz_object_getext(o, USER_METAEXT_TAG))
		return -EEXIST;
	*h = (struct user_hdr){ .dfl_secctx = secctx, .name = OBJ_NULLPAGE_SIZE + NAME_OFFSET };
	memcpy((char *)h + NAME_OFFSET, name, len + 1);
	__twz_obj_flush(o, h, NAME_OFFSET + len + 1);
	__twz_obj_fence(o);
	if (keyring)
		r = twz_ptr_store_guid(o, &h->kr, keyring, (void *)OBJ_NULLPAGE_SIZE, FE_READ | FE_WRITE);
	return r < 0 ? r : twz_object_addext(o, USER_METAEXT_TAG, h);
}

int twz_user_open(twzobj *o)
{
	objid_t id;
	int r;

	memset(o, 0, sizeof(*o));
	r = twz_getenv_id("TWZUSER", &id);
	return r < 0 ? r : twz_object_init_guid(o, id, FE_READ);
}

ssize_t twz_user_name(twzobj *o, char *buffer, size_t size)
{
	struct user_hdr *h = header(o);
	uint64_t at = h ? __atomic_load_n(&h->name, __ATOMIC_RELAXED) : 0;
	const char *name;
	size_t len;

	if (at < OBJ_NULLPAGE_SIZE || at > OBJ_TOPDATA - (USER_NAME_MAXLEN + 1))
		return -EINVLOBJ;
	name = (char *)h - OBJ_NULLPAGE_SIZE + at;
	len = strnlen(name, USER_NAME_MAXLEN + 1);
	if (len == 0 || len > USER_NAME_MAXLEN)
		return -EINVLOBJ;
	if (len >= size)
		return -ERANGE;
	memcpy(buffer, name, len);
	buffer[len] = 0;
	return (ssize_t)len;
}

objid_t twz_user_secctx(twzobj *o)
{
	struct user_hdr *h = header(o);

	return h ? h->dfl_secctx : 0;
}

/* The object that a p-ptr leads to; 0: its entry is not in order. */
static objid_t target_of(twzobj *o, uint64_t p)
{
	struct metainfo *mi = twz_object_meta(o);
	uint64_t index = PPTR_FOTE(p);
	struct fotentry *fe;

	if (index == 0)
		return twz_object_guid(o);
	if (index >= OBJ_MAXFOTE || index >= __atomic_load_n(&mi->fotentries, __ATOMIC_ACQUIRE))
		return 0;
	fe = (void *)((char *)o->base - OBJ_NULLPAGE_SIZE + OBJ_FOTE_OFFSET(index));
	if ((__atomic_load_n(&fe->flags, __ATOMIC_ACQUIRE) & (_FE_VALID | FE_NAME)) != _FE_VALID)
		return 0;
	return fe->id;
}

/* A key ring is at the base of its object. */
int twz_user_keyring(twzobj *o, twzobj *keyring, uint32_t flags)
{
	struct user_hdr *h = header(o);
	uint64_t p = h ? __atomic_load_n(&h->kr, __ATOMIC_ACQUIRE) : 0;
	objid_t id;

	memset(keyring, 0, sizeof(*keyring));
	if (!h)
		return -EINVLOBJ;
	if (!p)
		return -ENOENT;
	id = target_of(o, p);
	if (!id || PPTR_OFFSET(p) != OBJ_NULLPAGE_SIZE)
		return -EINVLOBJ;
	return twz_object_init_guid(keyring, id, flags);
}
