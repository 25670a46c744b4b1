// SPDX-License-Identifier: BSD-3-Clause
/*
 * Resolvers of named FOT entries: the default hierarchy, functions of this program by name, and
 * functions that stand in objects.
 */
#include "resolver.h"

#include "fotmap.h"
#include "pool.h"

#include <twz/name.h>
#include <twz/twztry.h>

typedef int resolver_fn(twzobj *, struct fotentry *, const void *, void **, uint64_t *);

/* --- functions by name; the list only grows, and is read without a lock */

struct symbol {
	struct symbol *next;
	void *fn; /* atomic */
	char name[TWZ_SOFN_MAXLEN + 1];
};

static struct symbol *symbols; /* atomic */

/* Length of "library::symbol"; 0 if it is nothing of the kind. */
static size_t symbol_length(const char *name)
{
	size_t len = strnlen(name, TWZ_SOFN_MAXLEN + 1);

	if (len > TWZ_SOFN_MAXLEN)
		return 0;
	for (size_t i = 1; i + 2 < len; i++)
		if (name[i] == ':' && name[i + 1] == ':')
			return len;
	return 0;
}

static struct symbol *find_symbol(struct symbol *from, const char *name)
{
	while (from && strcmp(from->name, name) != 0)
		from = from->next;
	return from;
}

int twz_sofn_register(const char *name, void *fn)
{
	size_t len = symbol_length(name);
	struct symbol *first = __atomic_load_n(&symbols, __ATOMIC_ACQUIRE), *s;

	if (!len || !fn)
		return -EINVAL;
	s = __twz_pool_get(sizeof(*s));
	if (!s)
		return -ENOMEM;
	memcpy(s->name, name, len);
	s->fn = fn;
	do {
		struct symbol *old = find_symbol(first, name);

		if (old) {
			__atomic_store_n(&old->fn, fn, __ATOMIC_RELEASE);
			__twz_pool_put(s, sizeof(*s));
			return 0;
		}
		s->next = first;
	} while (!__atomic_compare_exchange_n(&symbols, &first, s, false, __ATOMIC_ACQ_REL,
	    __ATOMIC_ACQUIRE));
	return 0;
}

static int resolve_symbol(const char *name, const void *p, void **d)
{
	struct symbol *s;

	if (!symbol_length(name))
		return -EINVAL;
	s = find_symbol(__atomic_load_n(&symbols, __ATOMIC_ACQUIRE), name);
	if (!s)
		return -ENOENT;
	*d = (char *)__atomic_load_n(&s->fn, __ATOMIC_ACQUIRE) + PPTR_OFFSET(p);
	return 0;
}

/* --- functions in objects */

/* The object that a p-ptr of o leads to, by ID; what is bound late itself is refused. */
static int target_of(twzobj *o, uint64_t p, objid_t *id)
{
	struct metainfo *mi = twz_object_meta(o);
	uint64_t fote = PPTR_FOTE(p), flags;
	struct fotentry *fe;

	*id = twz_object_guid(o);
	if (!fote)
		return 0;
	if (fote >= OBJ_MAXFOTE || fote >= __atomic_load_n(&mi->fotentries, __ATOMIC_ACQUIRE))
		return -ENOFOT;
	fe = (void *)((char *)o->base - OBJ_NULLPAGE_SIZE + OBJ_FOTE_OFFSET(fote));
	flags = __atomic_load_n(&fe->flags, __ATOMIC_ACQUIRE);
	*id = fe->id;
	if (!(flags & _FE_VALID) || flags & (FE_NAME | FE_DERIVE) || !*id)
		return -ENOFOT;
	return flags & FE_EXEC ? 0 : -EACCES;
}

/* Whether a fault that was caught is that of entering fn; of anything else it is fn's own. */
static bool at_entry(uintptr_t fn)
{
	const void *data = twzcatch_data();

	if (twzcatch_fnum() == FAULT_SCTX)
		return ((const struct fault_sctx_info *)data)->ip == fn;
	return twzcatch_fnum() == FAULT_OBJECT &&
	       ((const struct fault_object_info *)data)->ip == fn;
}

static int call(uintptr_t fn, twzobj *o, struct fotentry *fe, const void *p, void **d,
    uint64_t *info)
{
	volatile int r = -EACCES;

	twztry {
		r = ((resolver_fn *)fn)(o, fe, p, d, info);
	} twzcatch_all {
		if (!at_entry(fn))
			twzcatch_propagate(twzcatch_fnum(), twzcatch_data());
	} twztry_end;
	return r;
}

static int resolve_by_function(twzobj *o, const struct fotentry *fe, const char *name,
    const void *p, void **d, uint64_t *info)
{
	uint64_t resolver = fe->name.nresolver;
	struct fotentry copy = *fe;
	ssize_t slot;
	objid_t id;
	int r = target_of(o, resolver, &id);

	if (r < 0)
		return r;
	slot = __twz_slot_get(id, FE_READ | FE_EXEC, SLOT_KEPT);
	if (slot < 0) {
		*info = FAULT_PPTR_RESOURCES;
		return (int)slot;
	}
	copy.name.data = (uintptr_t)name;
	r = call(SLOT_TO_VADDR(slot) + PPTR_OFFSET(resolver), o, &copy, p, d, info);
	__twz_slot_put((size_t)slot);
	return r > 0 || (r == 0 && !*d) ? -EINVAL : r;
}

/* --- */

/* The string of an entry; NULL if it has none. */
static const char *name_of(twzobj *o, const struct fotentry *fe)
{
	uint64_t at = fe->name.data;
	const char *name = (const char *)o->base - OBJ_NULLPAGE_SIZE + at;
	size_t room;

	if (at < OBJ_NULLPAGE_SIZE || at >= OBJ_MAXSIZE)
		return NULL;
	room = OBJ_MAXSIZE - at < TWZ_FOT_NAME_MAXLEN + 1 ? OBJ_MAXSIZE - at : TWZ_FOT_NAME_MAXLEN + 1;
	return *name && strnlen(name, room) < room ? name : NULL;
}

int __twz_resolve(twzobj *o, const struct fotentry *fe, const void *p, const char **name,
    objid_t *id, void **d, uint64_t *info)
{
	char copy[TWZ_FOT_NAME_MAXLEN + 1];

	*info = FAULT_PPTR_RESOLVE;
	*name = name_of(o, fe);
	if (!*name)
		return -EINVAL;
	/* Whoever can write the object may be at it: what was checked is what is used. */
	memcpy(copy, *name, strnlen(*name, TWZ_FOT_NAME_MAXLEN) + 1);
	copy[TWZ_FOT_NAME_MAXLEN] = 0;
	if (fe->name.nresolver == TWZ_NAME_RESOLVER_DFL)
		return twz_name_dfl_resolve(copy, 0, id);
	if (fe->name.nresolver == TWZ_NAME_RESOLVER_SOFN)
		return resolve_symbol(copy, p, d);
	return resolve_by_function(o, fe, *name, p, d, info);
}

/* Map what a name stands for, for as long as o is open. */
static int map_named(twzobj *o, const struct fotentry *fe, objid_t id, const void *p, void **d,
    uint64_t *info)
{
	ssize_t slot = __twz_slot_get(id, (uint32_t)fe->flags & VE_ACCESS, SLOT_KEPT);
	int r;

	*info = slot == -EINVAL ? FAULT_PPTR_INVALID : FAULT_PPTR_RESOURCES;
	if (slot < 0)
		return (int)slot;
	r = __twz_fotmap_hold(o, (size_t)slot);
	if (r < 0)
		__twz_slot_put((size_t)slot);
	else
		*d = (void *)(SLOT_TO_VADDR(slot) + PPTR_OFFSET(p));
	return r;
}

int twz_fot_indirect_resolve(twzobj *o, struct fotentry *fe, const void *p, void **vptr,
    uint64_t *info)
{
	const char *name;
	void *d = NULL;
	objid_t id = 0;
	int r;

	*info = FAULT_PPTR_INVALID;
	if (!twz_object_base(o) || !(fe->flags & FE_NAME))
		return -EINVAL;
	r = __twz_resolve(o, fe, p, &name, &id, &d, info);
	if (r == 0 && !d)
		r = map_named(o, fe, id, p, &d, info);
	if (r == 0)
		*vptr = d;
	return r;
}
