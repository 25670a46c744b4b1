// SPDX-License-Identifier: BSD-3-Clause
/* The default namespace: the program's own, else the store's name root. */
#include "fotmap.h"
#include "hier.h"
#include "locks.h"

#include <base/printf.h>
#include <twz/env.h>
#include <twz/name.h>

#define PATH_MAXLEN 2047u

static twzobj own_root;         /* guarded by LOCK_NAME_ROOT */
static twzobj *_Atomic root;    /* what to use; NULL = not opened yet */

/* The store's root may have been set after this program started: ask again. */
static objid_t root_id(void)
{
	struct twz_sysinfo si;
	objid_t id;

	if (twz_getenv_id("TWZNAME", &id) == 0)
		return id;
	if (__twz_rt.nameroot)
		return __twz_rt.nameroot;
	return sys_sysinfo(&si, sizeof(si)) < 0 ? 0 : si.nameroot;
}

twzobj *twz_name_get_root(void)
{
	objid_t id;

	if (atomic_load(&root))
		return atomic_load(&root);
	mutex_acquire(&__twz_locks[LOCK_NAME_ROOT]);
	id = root_id();
	if (!atomic_load(&root) && id &&
	    twz_object_init_guid(&own_root, id, FE_READ | FE_WRITE) == 0)
		atomic_store(&root, &own_root);
	mutex_release(&__twz_locks[LOCK_NAME_ROOT]);
	return atomic_load(&root);
}

/* Programs started from now on look at the variable first. */
static void pass_on(objid_t id)
{
	char text[40];

	if (!twz_getenv("TWZNAME"))
		return;
	snprintf(text, sizeof(text), IDFMT, IDPR(id));
	twz_setenv("TWZNAME", text);
}

int twz_name_switch_root(twzobj *ns)
{
	if (!ns)
		return -EINVAL;
	atomic_store(&root, ns);
	__twz_rt.nameroot = twz_object_guid(ns);
	pass_on(__twz_rt.nameroot);
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

/* --- names and resolvers that stand in objects */

/* Copy the string that a p-ptr of o leads to. */
static int copy_name(twzobj *o, const char *name, char *copy)
{
	const char *there = __twz_lea_quiet(o, name, FE_READ | FE_WRITE);
	size_t room = OBJ_MAXSIZE - ((uintptr_t)there & (OBJ_MAXSIZE - 1));
	size_t len;

	if (!there)
		return -EFAULT;
	room = room < PATH_MAXLEN + 1 ? room : PATH_MAXLEN + 1;
	len = strnlen(there, room);
	if (len == room)
		return -EINVAL;
	memcpy(copy, there, len);
	copy[len] = 0;
	return 0;
}

typedef int name_fn(twzobj *, const char *, int, objid_t *);

/* The function that a p-ptr of o leads to, mapped so that it can be executed, and in which slot. */
static int map_function(twzobj *o, name_fn *fn, name_fn **there, ssize_t *slot)
{
	const void *d = __twz_lea_quiet(o, (const void *)fn, ~0u);
	objid_t id;

	if (!d || twz_vaddr_to_obj(d, &id, NULL) < 0)
		return -EFAULT;
	*slot = __twz_slot_get(id, FE_READ | FE_EXEC, SLOT_KEPT);
	*there = (name_fn *)(SLOT_TO_VADDR(*slot) + PPTR_OFFSET(d));
	return *slot < 0 ? (int)*slot : 0;
}

static int resolve_in(twzobj *o, const char *name, name_fn *fn, int flags, objid_t *id)
{
	char copy[PATH_MAXLEN + 1];
	ssize_t slot;
	int r = copy_name(o, name, copy);

	if (r < 0)
		return r;
	if (!fn)
		return twz_name_dfl_resolve(copy, flags, id);
	r = map_function(o, fn, &fn, &slot);
	if (r < 0)
		return r;
	r = fn(o, copy, flags, id);
	__twz_slot_put((size_t)slot);
	return r;
}

int twz_name_resolve(twzobj *o, const char *name, name_fn *fn, int flags, objid_t *id)
{
	if (!name)
		return -EINVAL;
	if (o)
		return resolve_in(o, name, fn, flags, id);
	return fn ? fn(NULL, name, flags, id) : twz_name_dfl_resolve(name, flags, id);
}

/* --- listing */

/* Whether the record at pos is what its name is bound to. */
static bool is_bound(twzobj *ns, const struct twz_name_ent *e)
{
	struct hier_found f;
	char name[NAME_MAXLEN + 1];
	size_t len;

	if (!(__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) & NAME_ENT_VALID))
		return false;
	len = strlcpy(name, e->name, sizeof(name));
	return len < sizeof(name) && __twz_hier_find(ns, name, len, &f) == 0 && f.type == e->type &&
	       f.id == e->id;
}

static size_t write_name(const struct twz_name_ent *e, char *at, size_t room)
{
	struct twz_nament head = {
		.id = e->type == NAME_ENT_SYMLINK ? 0 : e->id,
		.flags = e->type,
	};
	size_t len = strnlen(e->name, NAME_MAXLEN);

	head.reclen = (sizeof(head) + len + 1 + 15) & ~15ul;
	if (head.reclen > room)
		return head.reclen;
	memset(at, 0, head.reclen);
	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), e->name, len);
	return head.reclen;
}

static ssize_t list_names(twzobj *ns, char *names, size_t len)
{
	struct twz_name_ent *e;
	size_t pos = 0, used = 0;
	ssize_t n;

	while ((n = twz_hier_get_entry(ns, pos, &e)) > 0) {
		if (is_bound(ns, e))
			used += write_name(e, names + (used < len ? used : len),
			    used < len ? len - used : 0);
		pos += (size_t)n;
	}
	return n < 0 ? n : (ssize_t)used;
}

ssize_t twz_name_dfl_getnames(const char *dir, struct twz_nament *names, size_t len)
{
	twzobj *root = twz_name_get_root(), ns;
	struct twz_name_ent ent;
	ssize_t r;

	if (!root)
		return -ENOENT;
	r = twz_hier_resolve_name(root, *dir ? dir : "/", 0, &ent);
	if (r < 0)
		return r;
	if (ent.type != NAME_ENT_NAMESPACE)
		return -ENOTDIR;
	r = twz_object_init_guid(&ns, ent.id, FE_READ);
	if (r < 0)
		return r;
	r = list_names(&ns, (char *)names, len);
	twz_object_release(&ns);
	return r;
}
