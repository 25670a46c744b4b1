// SPDX-License-Identifier: BSD-3-Clause
/* The store: an object with a map and an allocator. */
#include "kv.h"

#include <base/string.h>
#include <twz/alloc.h>
#include <twz/name.h>
#include <twz/persist.h>
#include <twz/sys/syscall.h>

#define ACCESS (FE_READ | FE_WRITE)
#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

static twzobj object;
static struct kv_store *store;

static int find(const char *name, objid_t *id)
{
	struct kernel_ostat st;
	int r = 0;

	if (!objid_parse(name, strlen(name), id))
		r = twz_name_dfl_resolve(name, 0, id);
	return r < 0 ? r : (int)sys_ostat(TWZ_OSTAT_OBJECT, *id, 0, &st);
}

/* Everything but the name, which leads to a store that is whole. */
static int fill(twzobj *o)
{
	struct kv_store *s = twz_object_base(o);
	int r = twz_object_init_alloc(o, KV_HEAP_OFFSET);

	if (r == 0)
		r = twz_map_init(o, &s->map);
	if (r == 0)
		r = twz_object_addext(o, TWZ_DS_METAEXT_TAG(TWZ_DS_MAP), &s->map);
	if (r < 0)
		return r;
	s->magic = KV_MAGIC;
	_clwb(&s->magic);
	_pfence();
	return 0;
}

static int make_store(const char *name)
{
	int r = twz_object_new(&object, NULL, NULL, FLAGS);

	if (r < 0)
		return r;
	r = fill(&object);
	if (r == 0)
		r = twz_name_assign(twz_object_guid(&object), name);
	if (r < 0) {
		twz_object_delete(&object, 0);
		twz_object_release(&object);
	}
	return r;
}

bool store_open(const char *name, bool make)
{
	objid_t id;
	int r = find(name, &id);

	if (r == -ENOENT && make && !objid_parse(name, strlen(name), &id))
		r = make_store(name);
	else if (r == 0)
		r = twz_object_init_guid(&object, id, ACCESS);
	if (r < 0) {
		refuse_error(name, r);
		return false;
	}
	store = twz_object_base(&object);
	if (store->magic == KV_MAGIC)
		return true;
	refuse(name, "the object is no store of kv");
	twz_object_release(&object);
	return false;
}

int store_put(struct bytes key, struct bytes value)
{
	if (value.length > VALUE_MOST)
		return -E2BIG;
	return twz_map_put(&object, &store->map, key.text, key.length, value.text, value.length, 0);
}

int store_delete(struct bytes key)
{
	return twz_map_erase(&object, &store->map, key.text, key.length);
}

const char *store_get(struct bytes key, size_t *length, int *error)
{
	char *value;

	if (key.length == 0 || key.length > KEY_MOST) {
		*error = -EINVAL;
		return NULL;
	}
	value = twz_map_find(&object, &store->map, key.text, key.length, length);
	*error = !value ? -ENOENT : *length > VALUE_MOST ? -EINVLOBJ : 0;
	return *error ? NULL : value;
}

static int compare(struct bytes a, struct bytes b)
{
	int order = memcmp(a.text, b.text, a.length < b.length ? a.length : b.length);

	return order ? order : a.length < b.length ? -1 : a.length > b.length;
}

/* What a walk finds must be behind what it found before: a damaged map could lead in a circle. */
static bool advances(struct bytes key, struct bytes *last)
{
	static char copy[KEY_MOST];

	if (key.length > KEY_MOST || (last->length && compare(key, *last) <= 0))
		return false;
	memcpy(copy, key.text, key.length);
	*last = (struct bytes){ copy, key.length };
	return true;
}

int store_walk(struct bytes from, struct bytes to, void (*fn)(struct bytes key, struct bytes value))
{
	static struct twz_map_iter it;
	struct bytes last = { "", 0 };
	int r;

	twz_map_iter_init(&it, &object, &store->map);
	r = from.length ? twz_map_seek(&it, from.text, from.length) : twz_map_next(&it);
	for (; r == 1; r = twz_map_next(&it)) {
		struct bytes key = { it.key, it.klen };

		if (it.len > VALUE_MOST || !advances(key, &last))
			return -EINVLOBJ;
		if (to.length && compare(key, to) > 0)
			return 0;
		fn(key, (struct bytes){ it.value, it.len });
	}
	return r;
}

int store_stat(void)
{
	ssize_t keys = twz_map_count(&object, &store->map);
	struct twz_alloc_stats st;
	int r = twz_alloc_stats(&object, &st);

	if (keys < 0 || r < 0)
		return keys < 0 ? (int)keys : r;
	say("object  " IDFMT "\n", IDPR(twz_object_guid(&object)));
	say("keys    %ld\n", (long)keys);
	say("used    %lu KiB in %lu pieces\n", (unsigned long)st.live_bytes / 1024,
	    (unsigned long)st.live_count);
	say("taken   %lu KiB\n", (unsigned long)st.used_bytes / 1024);
	say("free    %lu KiB\n", (unsigned long)st.free_bytes / 1024);
	return 0;
}

static void report(const char *what, uint64_t offset, void *data)
{
	(void)data;
	say("allocator: %s at %lx\n", what, (unsigned long)offset);
}

int store_check(void)
{
	int found = twz_alloc_check(&object, report, NULL);
	int r = twz_map_check(&object, &store->map);

	if (r < 0)
		say("map: damaged\n");
	if (found < 0)
		say("allocator: damaged\n");
	if (r < 0 || found)
		return -EINVLOBJ;
	say("nothing wrong\n");
	return 0;
}
