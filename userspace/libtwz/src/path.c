// SPDX-License-Identifier: BSD-3-Clause
/* Walking paths through namespaces. */
#include "hier.h"

#include <twz/name.h>

#define PATH_MAXLEN 2048
#define MAX_LINKS 32

/* Where a walk stands. Namespaces on the way are opened one at a time and released. */
struct walk {
	objid_t here;           /* the namespace looked at, or what the last name was bound to */
	uint8_t type;           /* of here */
	objid_t parent;         /* the namespace that holds the last name */
	unsigned links;         /* symlinks followed */
	size_t rest;            /* what remains is path + rest */
	char path[PATH_MAXLEN];
	struct hier_found found; /* what was looked up last */
};

/* Look one name up in namespace id; copies a symlink's target out. */
static int lookup(objid_t id, const char *name, size_t len, struct walk *w)
{
	twzobj ns;
	int r = twz_object_init_guid(&ns, id, FE_READ);

	if (r < 0)
		return r;
	r = __twz_hier_find(&ns, name, len, &w->found);
	twz_object_release(&ns);
	w->here = w->found.id;
	w->type = w->found.type;
	return r;
}

/* Put a symlink's target in front of what remains of the path. */
static int follow(struct walk *w)
{
	size_t tlen = strlen(w->found.target), rlen = strlen(w->path + w->rest);

	if (++w->links > MAX_LINKS)
		return -ELOOP;
	if (tlen + 1 + rlen + 1 > PATH_MAXLEN)
		return -ENAMETOOLONG;
	memmove(w->path + tlen + 1, w->path + w->rest, rlen + 1);
	memcpy(w->path, w->found.target, tlen);
	w->path[tlen] = '/';
	w->rest = 0;
	w->here = w->parent;
	if (w->found.target[0] == '/') {
		twzobj *root = twz_name_get_root();

		if (!root)
			return -ENOENT;
		w->here = twz_object_guid(root);
	}
	w->type = NAME_ENT_NAMESPACE;
	return 0;
}

static void skip_slashes(struct walk *w)
{
	while (w->path[w->rest] == '/')
		w->rest++;
}

/* Take the next component. */
static int step(struct walk *w, int flags)
{
	const char *name = w->path + w->rest;
	size_t len = 0;
	int r;

	if (w->type != NAME_ENT_NAMESPACE)
		return -ENOTDIR;
	while (name[len] && name[len] != '/')
		len++;
	if (len > NAME_MAXLEN)
		return -ENAMETOOLONG;
	w->parent = w->here;
	r = lookup(w->parent, name, len, w);
	if (r < 0)
		return r;
	w->rest += len;
	skip_slashes(w);
	if (w->type == NAME_ENT_SYMLINK && (w->path[w->rest] || !(flags & TWZ_HIER_SYM)))
		r = follow(w);
	return r;
}

static int walk(twzobj *ns, const char *path, int flags, struct walk *w)
{
	int r = 0;

	if (flags & ~TWZ_HIER_SYM)
		return -EINVAL;
	if (strlcpy(w->path, path, PATH_MAXLEN) >= PATH_MAXLEN)
		return -ENAMETOOLONG;
	if (!w->path[0])
		return -ENOENT;
	w->here = twz_object_guid(ns);
	w->parent = w->here;
	w->type = NAME_ENT_NAMESPACE;
	w->links = 0;
	w->rest = 0;
	for (skip_slashes(w); r == 0 && w->path[w->rest]; skip_slashes(w))
		r = step(w, flags);
	return r;
}

int twz_hier_resolve_name(twzobj *ns, const char *path, int flags, struct twz_name_ent *ent)
{
	struct walk w;
	int r = walk(ns, path, flags, &w);

	if (r < 0)
		return r;
	memset(ent, 0, sizeof(*ent));
	ent->id = w.here;
	ent->type = w.type;
	ent->flags = NAME_ENT_VALID;
	return 0;
}

int twz_hier_readlink(twzobj *ns, const char *path, char *buf, size_t n)
{
	struct walk w;
	size_t len;
	int r = walk(ns, path, TWZ_HIER_SYM, &w);

	if (r < 0)
		return r;
	if (w.type != NAME_ENT_SYMLINK)
		return -EINVAL;
	len = strlen(w.found.target);
	len = len < n ? len : n;
	memcpy(buf, w.found.target, len);
	return (int)len;
}
