// SPDX-License-Identifier: BSD-3-Clause
/*
 * Creating objects. Ties need SYS_OCREATE2, which the kernel does not have yet: until then an
 * object must be asked for as TWZ_OC_TIED_NONE.
 */
#include "runtime.h"

#define OC_ALL (TWZ_SYS_OC_ALL | TWZ_OC_TIED_NONE | TWZ_OC_TIED_VIEW | TWZ_OC_NODEL)

static bool have_store(void)
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
	return flags & TWZ_OC_TIED_NONE ? 0 : -ENOTSUP;
}

static int create(uint64_t flags, objid_t kuid, objid_t src, enum object_backing_type type,
    objid_t *id)
{
	int r = check_flags(flags);

	if (r < 0)
		return r;
	if (type == OBJ_PERSISTENT && !have_store())
		return -ENODEV;
	if (!kuid && (flags & TWZ_OC_DFL_WRITE) && !(flags & TWZ_OC_NODEL))
		flags |= TWZ_OC_DFL_DEL;
	flags &= TWZ_SYS_OC_ALL & ~(uint64_t)(TWZ_OC_PERSIST | TWZ_OC_VOLATILE);
	if (type == OBJ_PERSISTENT)
		flags |= TWZ_SYS_OC_PERSIST_;
	return (int)sys_ocreate(flags, kuid, src, id);
}

static enum object_backing_type default_backing(uint64_t flags)
{
	if (flags & TWZ_OC_VOLATILE)
		return OBJ_VOLATILE;
	if (flags & TWZ_OC_PERSIST)
		return OBJ_PERSISTENT;
	return (flags & TWZ_OC_TIED_NONE) && have_store() ? OBJ_PERSISTENT : OBJ_VOLATILE;
}

int twz_object_create(int flags, objid_t kuid, objid_t src, objid_t *id)
{
	uint64_t f = (uint32_t)flags;

	return create(f, kuid, src, default_backing(f), id);
}

int(twz_object_new)(twzobj *o, twzobj *src, twzobj *ku, enum object_backing_type type,
    uint64_t flags)
{
	objid_t id;
	int r;

	memset(o, 0, sizeof(*o));
	if (ku == TWZ_KU_USER) /* names an environment variable; there is no environment yet */
		return -EINVAL;
	if (type != OBJ_VOLATILE && type != OBJ_PERSISTENT)
		return -EINVAL;
	r = create(flags, ku ? twz_object_guid(ku) : 0, src ? twz_object_guid(src) : 0, type, &id);
	if (r < 0)
		return r;
	r = twz_object_init_guid(o, id, flags & TWZ_OC_HASHDATA ? FE_READ : FE_READ | FE_WRITE);
	if (r < 0)
		twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
	else if (type == OBJ_VOLATILE)
		o->flags |= H_VOLATILE;
	return r;
}

int twz_object_new4(twzobj *o, twzobj *src, twzobj *ku, uint64_t flags)
{
	return (twz_object_new)(o, src, ku, default_backing(flags), flags);
}
