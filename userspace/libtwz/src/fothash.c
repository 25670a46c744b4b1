// SPDX-License-Identifier: BSD-3-Clause
/*
 * A hash of the foreign entries of the object in a slot: of (id, flags) to the index. It is this
 * program's own, is filled from the FOT when it is asked, and believed only as far as the entry
 * says the same; an entry it misses costs a second one at most. Lookups take no lock. A table that
 * becomes too small stays readable until the slot gets another object.
 */
#include "fothash.h"

#include "fotmap.h"
#include "locks.h"
#include "pool.h"

#define PROBES 64u
#define FIRST_SIZE 256u

struct table {
	struct table *older;
	uint32_t mask; /* places less 1 */
	uint32_t used;
	uint32_t index[]; /* atomic; 0 = free */
};

struct fothash {
	objid_t id; /* of the object this is about */
	struct table *table; /* atomic; changed under the lock, as all below */
	uint32_t scanned;    /* atomic: entries below this have been looked at */
	uint32_t changing;   /* somebody is in the middle of it; or ended there */
};

static struct fotentry *entry(twzobj *o, uint64_t e)
{
	return (void *)((char *)o->base - OBJ_NULLPAGE_SIZE + OBJ_FOTE_OFFSET(e));
}

static uint64_t entry_flags(const struct fotentry *fe)
{
	return __atomic_load_n(&fe->flags, __ATOMIC_ACQUIRE);
}

static uint32_t hash_of(objid_t id, uint64_t flags)
{
	uint64_t h = (ID_LO(id) ^ flags) * 0x9e3779b97f4a7c15ull;

	h = (h ^ h >> 32 ^ ID_HI(id)) * 0xd6e8feb86659fd93ull;
	return (uint32_t)(h >> 32);
}

/* The index of an entry that says this, or 0; *place is where it would go, or NULL. */
static uint32_t probe(twzobj *o, struct table *t, objid_t id, uint64_t whole, uint32_t **place)
{
	uint32_t h = hash_of(id, whole);

	*place = NULL;
	for (uint32_t i = 0; t && i < PROBES; i++) {
		uint32_t *at = &t->index[(h + i) & t->mask];
		uint32_t e = __atomic_load_n(at, __ATOMIC_ACQUIRE);

		if (!e) {
			*place = at;
			return 0;
		}
		if (entry_flags(entry(o, e)) == whole && entry(o, e)->id == id)
			return e;
	}
	return 0;
}

static size_t table_bytes(uint32_t places)
{
	return sizeof(struct table) + places * sizeof(uint32_t);
}

static void free_tables(struct table *t)
{
	while (t) {
		struct table *older = t->older;

		__twz_pool_put(t, table_bytes(t->mask + 1));
		t = older;
	}
}

/* Enter an entry as it stands, if it is valid and can be found by its ID. */
static void enter(twzobj *o, struct table *t, uint32_t e)
{
	uint64_t whole = entry_flags(entry(o, e));
	uint32_t *place;

	if (!(whole & _FE_VALID) || whole & FE_NAME)
		return;
	if (!probe(o, t, entry(o, e)->id, whole, &place) && place) {
		__atomic_store_n(place, e, __ATOMIC_RELEASE);
		t->used++;
	}
}

/* Twice as large, with what the old one has. Caller holds the lock. */
static bool grow(twzobj *o, struct fothash *h)
{
	struct table *old = h->table;
	uint32_t places = old ? 2 * (old->mask + 1) : FIRST_SIZE;
	struct table *t = __twz_pool_get(table_bytes(places));

	if (!t)
		return false;
	t->mask = places - 1;
	t->older = old;
	for (uint32_t i = 0; old && i <= old->mask; i++)
		if (old->index[i])
			enter(o, t, old->index[i]);
	__atomic_store_n(&h->table, t, __ATOMIC_RELEASE);
	return true;
}

/* Look at the entries below n that are new. Caller holds the lock. */
static bool catch_up(twzobj *o, struct fothash *h, uint32_t n)
{
	for (uint32_t e = h->scanned; e < n; e++) {
		if ((!h->table || h->table->used > h->table->mask / 2) && !grow(o, h))
			return false;
		enter(o, h->table, e);
		__atomic_store_n(&h->scanned, e + 1, __ATOMIC_RELEASE);
	}
	return true;
}

static void start_again(struct fothash *h, objid_t id)
{
	free_tables(__atomic_exchange_n(&h->table, NULL, __ATOMIC_ACQ_REL));
	__atomic_store_n(&h->scanned, 1, __ATOMIC_RELEASE);
	h->id = id;
}

/* One for the hashes of several slots. */
static struct mutex *lock_of(const twzobj *o)
{
	return &__twz_locks[LOCK_FOTHASH + VADDR_TO_SLOT(o->base) % LOCKS_FOTHASH];
}

/* Whoever ended in here may have left a table that is not whole. */
static void begin(const twzobj *o, struct fothash *h, objid_t id)
{
	mutex_acquire(lock_of(o));
	if (h->changing || h->id != id)
		start_again(h, id);
	h->changing = true;
}

static void end(const twzobj *o, struct fothash *h)
{
	h->changing = false;
	mutex_release(lock_of(o));
}

/* The hash of an object, up to date as of n entries; NULL without memory. */
static struct fothash *hash_for(twzobj *o, uint32_t n)
{
	struct fothash **anchor = __twz_fotmap_hash(o);
	struct fothash *h = anchor ? __atomic_load_n(anchor, __ATOMIC_ACQUIRE) : NULL, *none = NULL;
	objid_t id = twz_object_guid(o);
	bool whole;

	if (anchor && !h && (h = __twz_pool_get(sizeof(*h))) &&
	    !__atomic_compare_exchange_n(anchor, &none, h, false, __ATOMIC_ACQ_REL,
		__ATOMIC_ACQUIRE)) {
		__twz_pool_put(h, sizeof(*h));
		h = none;
	}
	if (!h || (h->id == id && __atomic_load_n(&h->scanned, __ATOMIC_ACQUIRE) >= n))
		return h;
	begin(o, h, id);
	whole = catch_up(o, h, n);
	end(o, h);
	return whole ? h : NULL;
}

ssize_t __twz_fothash_find(twzobj *o, objid_t id, uint64_t whole, uint32_t n)
{
	struct fothash *h = hash_for(o, n < OBJ_MAXFOTE ? n : OBJ_MAXFOTE);
	uint32_t *place, e;

	if (!h)
		return -ENOMEM;
	e = probe(o, __atomic_load_n(&h->table, __ATOMIC_ACQUIRE), id, whole, &place);
	return e && e < n ? (ssize_t)e : -ENOENT;
}

/*
 * While it was being written somebody may have looked at it, and passed it by. What another program
 * adds at the same time can be missed still, and costs a second entry then.
 */
void __twz_fothash_added(twzobj *o, uint32_t e)
{
	struct fothash **anchor = __twz_fotmap_hash(o);
	struct fothash *h = anchor ? __atomic_load_n(anchor, __ATOMIC_ACQUIRE) : NULL;
	objid_t id = twz_object_guid(o);

	if (!h)
		return;
	begin(o, h, id);
	if (e < h->scanned && (h->table->used <= h->table->mask / 2 || grow(o, h)))
		enter(o, h->table, e);
	end(o, h);
}
