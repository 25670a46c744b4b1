// SPDX-License-Identifier: BSD-3-Clause
/* The default namespace: the program's own, else the store's name root. */
#include "runtime.h"

#include <twz/name.h>
#include <twz/obj/hier.h>

static struct mutex root_lock;
static twzobj own_root;         /* guarded by root_lock */
static twzobj *_Atomic root;    /* what to use; NULL = not opened yet */

/* The store's root may have been set after this program started: ask again. */
static objid_t root_id(void)
{
	struct twz_sysinfo si;

	if (__twz_rt.nameroot)
		return __twz_rt.nameroot;
	return sys_sysinfo(&si, sizeof(si)) < 0 ? 0 : si.nameroot;
}

twzobj *twz_name_get_root(void)
{
	objid_t id;

	if (atomic_load(&root))
		return atomic_load(&root);
	mutex_acquire(&root_lock);
	id = root_id();
	if (!atomic_load(&root) && id &&
	    twz_object_init_guid(&own_root, id, FE_READ | FE_WRITE) == 0)
		atomic_store(&root, &own_root);
	mutex_release(&root_lock);
	return atomic_load(&root);
}

int twz_name_switch_root(twzobj *ns)
{
	if (!ns)
		return -EINVAL;
	atomic_store(&root, ns);
	__twz_rt.nameroot = twz_object_guid(ns);
	return 0;
}

int twz_name_dfl_resolve(const char *path, int flags, objid_t *id)
{
	twzobj *ns = twz_name_get_root();
	struct twz_name_ent ent;
	int r;

	if (!ns)
		return -ENOENT;
	r = twz_hier_resolve_name(ns, path, flags, &ent);
	if (r == 0)
		*id = ent.id;
	return r;
}

/* Open the namespace that holds the last component of path, and find that component. */
static int open_parent(const char *path, twzobj *parent, const char **last)
{
	twzobj *ns = twz_name_get_root();
	struct twz_name_ent ent;
	char dir[2048];
	size_t len = strnlen(path, sizeof(dir));
	int r;

	if (!ns)
		return -ENOENT;
	if (len == sizeof(dir))
		return -ENAMETOOLONG;
	while (len && path[len - 1] != '/')
		len--;
	*last = path + len;
	memcpy(dir, path, len);
	dir[len] = 0;
	r = twz_hier_resolve_name(ns, len ? dir : "/", 0, &ent);
	if (r < 0)
		return r;
	return ent.type == NAME_ENT_NAMESPACE ?
	    twz_object_init_guid(parent, ent.id, FE_READ | FE_WRITE) : -ENOTDIR;
}

static int assign(objid_t id, const char *path, int type)
{
	const char *last;
	twzobj parent;
	int r = open_parent(path, &parent, &last);

	if (r < 0)
		return r;
	r = twz_hier_assign_name(&parent, last, type, id);
	twz_object_release(&parent);
	return r;
}

int twz_name_dfl_assign(objid_t id, const char *path)
{
	return assign(id, path, NAME_ENT_REGULAR);
}

int twz_name_assign_namespace(objid_t id, const char *path)
{
	return assign(id, path, NAME_ENT_NAMESPACE);
}

int twz_name_dfl_remove(const char *path)
{
	const char *last;
	twzobj parent;
	int r = open_parent(path, &parent, &last);

	if (r < 0)
		return r;
	r = twz_hier_remove_name(&parent, last);
	twz_object_release(&parent);
	return r;
}
