// SPDX-License-Identifier: BSD-3-Clause
/*
 * Creating objects. An object is tied to something that lives (this thread, the view) and born
 * deleted, in one system call, so that nothing is left over however the program ends.
 */
#include "runtime.h"

#include <twz/env.h>

#define OC_ALL (TWZ_SYS_OC_ALL | TWZ_OC_TIED_NONE | TWZ_OC_TIED_VIEW | TWZ_OC_NODEL)

bool __twz_have_store(void)
{
	return __twz_rt.sysinfo.features & TWZ_FEATURE_STORE;
}

static int check_flags(uint64_t flags)
{
	if (flags & ~(uint64_t)OC_ALL)
		return -EINVAL;
	if ((flags & TWZ_OC_TIED_NONE) && (flags & TWZ_OC_TIED_VIEW))
		return -EINVAL;
	if ((flags & TWZ_OC_ZERONONCE) && !(flags & TWZ_OC_HASHDATA))
		return -EINVAL;
	if ((flags & TWZ_OC_HASHDATA) && (flags & TWZ_OC_DFL_WRITE))
		return -EINVAL;
	return 0;
}

/* The parent that the flags name; 0 = none. */
static objid_t parent_of(uint64_t flags)
{
	twzobj view;

	if (flags & TWZ_OC_TIED_NONE)
		return 0;
	if (!(flags & TWZ_OC_TIED_VIEW))
		return __twz_self.tid;
	twz_view_object_init(&view);
	return twz_object_guid(&view);
}

/* The flags of libtwz as those of the kernel, without the backing. */
static uint32_t kernel_flags(uint64_t flags, objid_t kuid)
{
	if (!kuid && (flags & TWZ_OC_DFL_WRITE) && !(flags & TWZ_OC_NODEL))
		flags |= TWZ_OC_DFL_DEL;
	return (uint32_t)(flags & TWZ_SYS_OC_ALL & ~(uint64_t)(TWZ_OC_PERSIST | TWZ_OC_VOLATILE));
}

/* flags: those of the kernel. */
static int create_tied(objid_t parent, uint32_t flags, objid_t kuid, objid_t src, objid_t *id)
{
	struct twz_ocreate_source whole = { .id = src };
	struct twz_ocreate_spec spec = {
		.ku = kuid,
		.srcs = (uintptr_t)&whole,
		.srcs_len = src != 0,
		.ties = (uintptr_t)&parent,
		.ties_len = 1,
		.flags = flags,
		.backing_type = flags & TWZ_OC_PERSIST ? TWZ_BACKING_PERSISTENT : TWZ_BACKING_VOLATILE,
		.lifetime = 1,
	};
	int r = (int)sys_ocreate2(&spec);

	if (r == 0)
		*id = spec.result;
	return r;
}

int __twz_create_child(objid_t parent, uint64_t flags, objid_t src, objid_t *id)
{
	return create_tied(parent, kernel_flags(flags, 0), 0, src, id);
}

static int create(uint64_t flags, objid_t kuid, objid_t src, enum object_backing_type type,
    objid_t *id)
{
	objid_t parent;
	uint32_t f;
	int r = check_flags(flags);

	if (r < 0)
		return r;
	if (type == OBJ_PERSISTENT && !__twz_have_store())
		return -ENODEV;
	f = kernel_flags(flags, kuid);
	if (type == OBJ_PERSISTENT)
		f |= TWZ_SYS_OC_PERSIST_;
	parent = parent_of(flags);
	return parent ? create_tied(parent, f, kuid, src, id) : (int)sys_ocreate(f, kuid, src, id);
}

static enum object_backing_type default_backing(uint64_t flags)
{
	if (flags & TWZ_OC_VOLATILE)
		return OBJ_VOLATILE;
	if (flags & TWZ_OC_PERSIST)
		return OBJ_PERSISTENT;
	return (flags & TWZ_OC_TIED_NONE) && __twz_have_store() ? OBJ_PERSISTENT : OBJ_VOLATILE;
}

int twz_object_create(int flags, objid_t kuid, objid_t src, objid_t *id)
{
	uint64_t f = (uint32_t)flags;

	return create(f, kuid, src, default_backing(f), id);
}

/* An object that was made, but could not be opened. One of zero nonce may be somebody else's. */
static void undo_create(uint64_t flags, objid_t id)
{
	objid_t parent = parent_of(flags);

	if (parent)
		sys_otie(parent, id, OTIE_UNTIE);
	else if (!(flags & TWZ_OC_ZERONONCE))
		sys_odelete(id, TWZ_OD_IMMEDIATE);
}

/* What is tied to something goes with it: no slot keeps it longer than somebody has it open. */
static int open_new(twzobj *o, objid_t id, uint64_t flags)
{
	uint32_t access = flags & TWZ_OC_HASHDATA ? FE_READ : FE_READ | FE_WRITE;

	if (flags & TWZ_OC_TIED_NONE)
		return twz_object_init_guid(o, id, access);
	return __twz_object_init_transient(o, id, access);
}

static int key_of(twzobj *ku, objid_t *id)
{
	*id = 0;
	if (ku == TWZ_KU_USER)
		return twz_getenv_id("TWZUSERKU", id) < 0 ? -EINVAL : 0;
	if (ku)
		*id = twz_object_guid(ku);
	return 0;
}

int(twz_object_new)(twzobj *o, twzobj *src, twzobj *ku, enum object_backing_type type,
    uint64_t flags)
{
	objid_t id, kuid;
	int r;

	memset(o, 0, sizeof(*o));
	if (type != OBJ_VOLATILE && type != OBJ_PERSISTENT)
		return -EINVAL;
	r = key_of(ku, &kuid);
	if (r == 0)
		r = create(flags, kuid, src ? twz_object_guid(src) : 0, type, &id);
	if (r < 0)
		return r;
	r = open_new(o, id, flags);
	if (r < 0)
		undo_create(flags, id);
	return r;
}

int twz_object_new4(twzobj *o, twzobj *src, twzobj *ku, uint64_t flags)
{
	return (twz_object_new)(o, src, ku, default_backing(flags), flags);
}
