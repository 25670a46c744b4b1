// SPDX-License-Identifier: BSD-3-Clause
/*
 * Foreign entries that are bound late. The entry is claimed first and owns the string from the
 * moment that the allocator gives it out, so that no crash loses it: what a cut leaves is an entry
 * that is not valid, with its string or without.
 */
#include "fot.h"

#include <twz/alloc.h>

struct text {
	const char *bytes;
	size_t len; /* with the NUL */
};

void twz_fote_init_name(struct fotentry *fe, char *name, void *resolver, uint64_t flags)
{
	*fe = (struct fotentry){
		.name = { .data = (uintptr_t)name, .nresolver = (uintptr_t)resolver },
		.flags = flags | FE_NAME,
	};
}

static void copy_text(void *region, void *data)
{
	const struct text *t = data;

	memcpy(region, t->bytes, t->len);
}

/* Fill in a claimed entry and make it count. */
static int bind(twzobj *o, struct fotentry *e, struct text *t, const void *resolver, uint64_t flags)
{
	e->name.data = 0;
	e->name.nresolver = (uintptr_t)resolver;
	e->info = 0;
	__atomic_fetch_or(&e->flags, flags | FE_NAME, __ATOMIC_RELEASE);
	__twz_obj_flush(o, e, sizeof(*e));
	__twz_obj_fence(o);
	return twz_alloc(o, t->len, (void **)&e->name.data, 0, copy_text, t);
}

int(twz_ptr_store_name)(twzobj *o, void *loc, const char *name, const void *p,
    const void *resolver, uint64_t flags)
{
	struct text t = { name, strnlen(name, TWZ_FOT_NAME_MAXLEN + 1) + 1 };
	ssize_t i;
	int r;

	if (!__twz_fot_can_store(o, loc) || flags & ~(uint64_t)FOT_PERMS || t.len == 1 ||
	    t.len > TWZ_FOT_NAME_MAXLEN + 1 || !twz_object_getext(o, ALLOC_METAINFO_TAG))
		return -EINVAL;
	i = __twz_fot_claim(o);
	if (i < 0)
		return (int)i;
	r = bind(o, __twz_fot_entry(o, (uint64_t)i), &t, resolver, flags);
	if (r < 0) {
		__twz_fot_unclaim(o, (uint64_t)i);
		return r;
	}
	__twz_fot_publish(o, (uint64_t)i);
	__twz_fot_store(o, loc, (uint64_t)i, p);
	return 0;
}
