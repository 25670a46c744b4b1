// SPDX-License-Identifier: BSD-3-Clause
/*
 * Namespaces: an append-only list of records behind a header (abi/hier.h). Changes hold the
 * namespace's lock; readers hold nothing, and see a name's old or new binding.
 */
#include "runtime.h"

#include <twz/obj/hier.h>
#include <twz/persist.h>

#define LIST_SIZE (OBJ_MAXDATA - NAMESPACE_ENTS_OFFSET)
#define SYMLINK_MAXLEN 1023u
#define NEW_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

/* A record about to be written. */
struct new_entry {
	const char *name;
	const char *target; /* of a symlink, or NULL */
	objid_t id;
	uint8_t type;
};

static struct twz_namespace_hdr *header(twzobj *ns)
{
	struct twz_namespace_hdr *h = twz_object_base(ns);

	return h->magic == NAMESPACE_MAGIC && h->version == NAMESPACE_VERSION ? h : NULL;
}

static struct twz_name_ent *entry_at(twzobj *ns, size_t pos)
{
	return (void *)((char *)twz_object_base(ns) + NAMESPACE_ENTS_OFFSET + pos);
}

ssize_t twz_hier_get_entry(twzobj *ns, size_t pos, struct twz_name_ent **ent)
{
	struct twz_name_ent *e;
	uint64_t dlen;

	if (!header(ns))
		return -ENOTDIR;
	if (pos % NAME_ENT_ALIGN)
		return -EINVAL;
	if (pos + sizeof(*e) > LIST_SIZE)
		return 0;
	e = entry_at(ns, pos);
	dlen = __atomic_load_n(&e->dlen, __ATOMIC_ACQUIRE);
	if (dlen == 0)
		return 0;
	if (dlen > NAME_MAXLEN + 1 + SYMLINK_MAXLEN + 1 ||
	    NAME_ENT_RECLEN(dlen) > LIST_SIZE - pos || strnlen(e->name, dlen) == dlen)
		return -EINVLOBJ;
	*ent = e;
	return (ssize_t)NAME_ENT_RECLEN(dlen);
}

static bool is_valid(const struct twz_name_ent *e)
{
	return __atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) & NAME_ENT_VALID;
}

/* Find the valid record that counts for a name, and where the list ends. 0 or -EINVLOBJ. */
static int scan(twzobj *ns, const char *name, size_t len, struct twz_name_ent **found, size_t *end)
{
	struct twz_name_ent *e;
	ssize_t n;

	*found = NULL;
	*end = 0;
	while ((n = twz_hier_get_entry(ns, *end, &e)) > 0) {
		if (is_valid(e) && strncmp(e->name, name, len) == 0 && e->name[len] == 0)
			*found = e;
		*end += (size_t)n;
	}
	return (int)n;
}

static void persist(const void *p, size_t len)
{
	_clwb_len(p, len);
	_pfence();
}

static void invalidate(struct twz_name_ent *e)
{
	__atomic_fetch_and(&e->flags, ~NAME_ENT_VALID, __ATOMIC_RELEASE);
	persist(&e->flags, sizeof(e->flags));
}

/* Clear every valid record of a name below pos. */
static void invalidate_older(twzobj *ns, const char *name, size_t pos)
{
	struct twz_name_ent *e;
	ssize_t n;

	for (size_t at = 0; at < pos && (n = twz_hier_get_entry(ns, at, &e)) > 0; at += (size_t)n)
		if (is_valid(e) && strcmp(e->name, name) == 0)
			invalidate(e);
}

/* Each step is durable before the next: a crash leaves nothing, a hole, or the entry. */
static int append(twzobj *ns, size_t pos, const struct new_entry *new)
{
	size_t nlen = strlen(new->name) + 1;
	size_t tlen = new->target ? strlen(new->target) + 1 : 0;
	struct twz_name_ent *e = entry_at(ns, pos);

	if (NAME_ENT_RECLEN(nlen + tlen) + sizeof(*e) > LIST_SIZE - pos)
		return -ENOSPC;
	memset(e, 0, NAME_ENT_RECLEN(nlen + tlen));
	e->id = new->id;
	e->type = new->type;
	memcpy(e->name, new->name, nlen);
	if (tlen)
		memcpy(e->name + nlen, new->target, tlen);
	persist(e, NAME_ENT_RECLEN(nlen + tlen));
	__atomic_store_n(&e->dlen, nlen + tlen, __ATOMIC_RELEASE);
	persist(&e->dlen, sizeof(e->dlen));
	__atomic_fetch_or(&e->flags, NAME_ENT_VALID, __ATOMIC_RELEASE);
	persist(&e->flags, sizeof(e->flags));
	return 0;
}

static int check_name(const char *name)
{
	size_t len = strnlen(name, NAME_MAXLEN + 1);

	if (len == 0 || strchr(name, '/'))
		return -EINVAL;
	return len > NAME_MAXLEN ? -ENAMETOOLONG : 0;
}

static int put(twzobj *ns, const struct new_entry *new)
{
	struct twz_namespace_hdr *h = header(ns);
	struct twz_name_ent *old;
	size_t end;
	int r = check_name(new->name);

	if (r < 0)
		return r;
	if (!h)
		return -ENOTDIR;
	mutex_acquire(&h->lock);
	r = scan(ns, new->name, strlen(new->name), &old, &end);
	if (r == 0)
		r = append(ns, end, new);
	if (r == 0 && old)
		invalidate_older(ns, new->name, end);
	mutex_release(&h->lock);
	return r;
}

int twz_hier_assign_name(twzobj *ns, const char *name, int type, objid_t id)
{
	struct new_entry new = { .name = name, .id = id, .type = (uint8_t)type };

	if (!id || (type != NAME_ENT_REGULAR && type != NAME_ENT_NAMESPACE))
		return -EINVAL;
	return put(ns, &new);
}

int twz_hier_symlink(twzobj *ns, const char *name, const char *target)
{
	struct new_entry new = { .name = name, .target = target, .type = NAME_ENT_SYMLINK };
	size_t len = strnlen(target, SYMLINK_MAXLEN + 1);

	if (len == 0)
		return -EINVAL;
	return len > SYMLINK_MAXLEN ? -ENAMETOOLONG : put(ns, &new);
}

int twz_hier_remove_name(twzobj *ns, const char *name)
{
	struct twz_namespace_hdr *h = header(ns);
	struct twz_name_ent *e;
	size_t end;
	int r = check_name(name);

	if (r < 0)
		return r;
	if (!h)
		return -ENOTDIR;
	mutex_acquire(&h->lock);
	r = scan(ns, name, strlen(name), &e, &end);
	if (r == 0 && !e)
		r = -ENOENT;
	if (r == 0)
		invalidate_older(ns, name, end);
	mutex_release(&h->lock);
	return r;
}

/* The magic is written last: until then it is no namespace. */
int twz_hier_namespace_init(twzobj *ns, objid_t parent)
{
	struct twz_namespace_hdr *h = twz_object_base(ns);
	struct new_entry self = { ".", NULL, twz_object_guid(ns), NAME_ENT_NAMESPACE };
	struct new_entry up = { "..", NULL, parent ? parent : self.id, NAME_ENT_NAMESPACE };

	if (h->magic == NAMESPACE_MAGIC)
		return -EEXIST;
	memset(h, 0, sizeof(*h));
	h->version = NAMESPACE_VERSION;
	append(ns, 0, &self);
	append(ns, NAME_ENT_RECLEN(sizeof(".")), &up);
	persist(h, sizeof(*h));
	h->magic = NAMESPACE_MAGIC;
	persist(h, sizeof(*h));
	return 0;
}

static enum object_backing_type backing_of(twzobj *o)
{
	struct kernel_ostat st;

	if (twz_object_kstat(o, &st) < 0)
		return OBJ_VOLATILE;
	return st.backing == TWZ_BACKING_PERSISTENT ? OBJ_PERSISTENT : OBJ_VOLATILE;
}

int twz_hier_namespace_new(twzobj *ns, twzobj *parent, const char *name, uint64_t flags)
{
	objid_t up = twz_object_guid(parent);
	int r;

	memset(ns, 0, sizeof(*ns));
	r = check_name(name);
	if (r < 0)
		return r;
	r = twz_object_new(ns, NULL, NULL, backing_of(parent), flags | NEW_FLAGS);
	if (r < 0)
		return r;
	r = twz_hier_namespace_init(ns, up);
	if (r == 0)
		r = twz_hier_assign_name(parent, name, NAME_ENT_NAMESPACE, twz_object_guid(ns));
	if (r < 0) {
		twz_object_delete(ns, TWZ_OD_IMMEDIATE);
		twz_object_release(ns);
	}
	return r;
}
