// SPDX-License-Identifier: BSD-3-Clause
/* Arguments that name objects, and what can be read of an object whatever is in it. */
#include "obj.h"

#include <base/string.h>
#include <twz/name.h>
#include <twz/twztry.h>

int find_id(const char *text, objid_t *id)
{
	if (objid_parse(text, strlen(text), id))
		return 0;
	return *text ? twz_name_dfl_resolve(text, 0, id) : -EINVAL;
}

bool find_object(const char *text, objid_t *id, struct kernel_ostat *st)
{
	long r = find_id(text, id);

	if (r == 0) {
		r = sys_ostat(TWZ_OSTAT_OBJECT, *id, 0, st);
		if (r == -ENOENT) {
			refuse(text, "object " IDFMT " does not exist", IDPR(*id));
			return false;
		}
	}
	if (r < 0)
		refuse_error(text, r);
	return r >= 0;
}

bool open_object(const char *text, twzobj *o, uint32_t access)
{
	struct kernel_ostat st;
	objid_t id;
	int r;

	if (!find_object(text, &id, &st))
		return false;
	if (st.flags & OS_FLAGS_INVALID) {
		refuse(text, "the metadata of " IDFMT " does not match its ID", IDPR(id));
		return false;
	}
	r = twz_object_init_guid(o, id, access);
	if (r < 0)
		refuse_error(text, r);
	return r == 0;
}

bool open_parent(const char *path, twzobj *ns, const char **last)
{
	char dir[PATH_MOST];
	size_t len = strlen(path);

	if (len >= sizeof(dir)) {
		refuse(path, "the path is too long");
		return false;
	}
	while (len && path[len - 1] != '/')
		len--;
	*last = path + len;
	memcpy(dir, path, len);
	dir[len] = 0;
	if (!open_object(len ? dir : "/", ns, ACCESS_WRITE))
		return false;
	if (is_namespace(ns))
		return true;
	refuse(path, "a part of the path is no namespace");
	twz_object_release(ns);
	return false;
}

bool object_exists(objid_t id)
{
	struct kernel_ostat st;

	return sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st) == 0;
}

bool visit(objid_t id, void (*fn)(twzobj *o, void *arg), void *arg)
{
	volatile bool whole = false;
	twzobj o;

	if (!object_exists(id) || twz_object_init_guid(&o, id, FE_READ) < 0)
		return false;
	twztry {
		fn(&o, arg);
		whole = true;
	} twzcatch_all {
		whole = false;
	} twztry_end;
	twz_object_release(&o);
	return whole;
}

bool is_namespace(twzobj *o)
{
	const struct twz_namespace_hdr *h = twz_object_base(o);

	return h->magic == NAMESPACE_MAGIC;
}

uint64_t fot_count(twzobj *o)
{
	uint32_t n = __atomic_load_n(&twz_object_meta(o)->fotentries, __ATOMIC_ACQUIRE);

	return n > OBJ_MAXFOTE ? OBJ_MAXFOTE : n ? n : 1;
}

struct fotentry *fot_entry(twzobj *o, uint64_t index)
{
	return (struct fotentry *)((char *)twz_object_meta(o) - sizeof(struct fotentry) * index);
}

long fot_name(twzobj *o, const struct fotentry *fe, const char **name)
{
	const char *start = (char *)twz_object_base(o) - OBJ_NULLPAGE_SIZE;
	uint64_t at = fe->name.data;
	size_t length;

	if (at < OBJ_NULLPAGE_SIZE || at >= OBJ_MAXSIZE)
		return -1;
	length = strnlen(start + at, OBJ_MAXSIZE - at < PATH_MOST ? OBJ_MAXSIZE - at : PATH_MOST);
	*name = start + at;
	return length == 0 || length == PATH_MOST || at + length == OBJ_MAXSIZE ? -1 : (long)length;
}

size_t ext_slots(const struct metainfo *mi)
{
	uint32_t milen = mi->milen;

	if (milen < MI_MILEN_MIN || milen > MI_MILEN_MAX)
		milen = MI_MILEN_DEFAULT;
	return (milen - sizeof(*mi)) / sizeof(struct metaext);
}
