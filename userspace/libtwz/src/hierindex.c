// SPDX-License-Identifier: BSD-3-Clause
/*
 * An index of a namespace's records by name, in this program's memory. The list in the object is
 * what counts: whatever the index says is looked at there. It follows the list by its end, which only
 * moves on, and by the header's count of changes in its midst; too many of them, and it is made again.
 *
 * There are so many indices at most; another namespace takes the place of the one not used longest.
 * Whoever finds an index taken does without it, and so never waits for one.
 */
#include "hier.h"
#include "locks.h"
#include "pool.h"

#define INDICES LOCKS_HIERINDEX
#define WAYS 4u
#define TRIES 200u
#define HOLES_MAX 4096u
#define RECENT (sizeof(((struct twz_namespace_hdr *)0)->recent) / sizeof(uint32_t))

struct place {
	uint32_t hash;
	uint32_t place; /* NAMESPACE_PLACE; 0 = free */
};

struct hole {
	uint32_t next; /* in the list of its length, plus 1; or of unused ones */
	uint32_t place;
};

/* Guarded by its own lock. */
struct hierindex {
	objid_t id;
	uint64_t used_at;
	uint64_t changes;      /* those of the header that are in */
	uint64_t end;
	struct place *places;  /* open addressing */
	uint32_t size, count;  /* places; those in use */
	uint32_t added;        /* since it was made; of those some replaced others */
	uint32_t first_count;  /* as it was made */
	struct hole *holes;
	uint32_t hole_count;   /* made so far; the rest is untouched */
	uint32_t unused_hole;
	uint32_t taken;        /* somebody is in here; or ended in here */
};

static struct hierindex indices[INDICES];
/* Of each, the first hole of every length; apart, so that those to choose from are in one page. */
static _Alignas(TWZ_PAGE_SIZE) uint32_t lengths[INDICES][HIER_DLEN_MAX + 1];
static uint64_t clock; /* atomic */

static uint32_t hash_of(const char *name, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3ull;
	return (uint32_t)(h ^ h >> 32);
}

static size_t places_bytes(uint32_t size)
{
	return size * sizeof(struct place);
}

static uint32_t *by_dlen(const struct hierindex *x)
{
	return lengths[x - indices];
}

static void forget(struct hierindex *x)
{
	if (x->holes) /* else there was none of any length */
		memset(by_dlen(x), 0, sizeof(lengths[0]));
	__twz_pool_put(x->places, places_bytes(x->size));
	__twz_pool_put(x->holes, HOLES_MAX * sizeof(struct hole));
	x->places = NULL;
	x->holes = NULL;
	x->size = x->count = x->added = x->first_count = x->hole_count = x->unused_hole = 0;
	x->end = 0;
	x->id = 0;
}

/* --- names */

static void place_in(struct hierindex *x, uint32_t hash, uint32_t place)
{
	uint32_t i = hash & (x->size - 1);

	while (x->places[i].place &&
	       (x->places[i].place != place || x->places[i].hash != hash))
		i = (i + 1) & (x->size - 1);
	x->count += !x->places[i].place;
	x->places[i] = (struct place){ hash, place };
}

static bool make_room(struct hierindex *x)
{
	struct place *old = x->places;
	uint32_t old_size = x->size, size = old ? 2 * old_size : 128;

	if (old && x->count < old_size / 2)
		return true;
	x->places = __twz_pool_get(places_bytes(size));
	if (!x->places) {
		x->places = old;
		return false;
	}
	x->size = size;
	x->count = 0;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i].place)
			place_in(x, old[i].hash, old[i].place);
	__twz_pool_put(old, places_bytes(old_size));
	return true;
}

static bool add(struct hierindex *x, size_t pos, const char *name, size_t len)
{
	if (!make_room(x))
		return false;
	place_in(x, hash_of(name, len), NAMESPACE_PLACE(pos));
	x->added++;
	return true;
}

size_t __twz_hierindex_find(struct hierindex *x, const char *name, size_t len, size_t *pos,
    size_t max)
{
	uint32_t hash = hash_of(name, len);
	size_t n = 0;

	for (uint32_t i = hash & (x->size - 1); x->places[i].place; i = (i + 1) & (x->size - 1)) {
		if (x->places[i].hash != hash)
			continue;
		if (n < max)
			pos[n] = NAMESPACE_PLACE_POS(x->places[i].place);
		n++;
	}
	return n;
}

/* --- records that are not valid */

void __twz_hierindex_add_hole(struct hierindex *x, size_t pos, uint64_t dlen)
{
	uint32_t *first = &by_dlen(x)[dlen <= HIER_DLEN_MAX ? dlen : 0];
	uint32_t h = x->unused_hole;

	if (!x->holes)
		x->holes = __twz_pool_get(HOLES_MAX * sizeof(struct hole));
	if (!x->holes || (!h && x->hole_count == HOLES_MAX))
		return;
	if (h)
		x->unused_hole = x->holes[h - 1].next;
	else
		h = ++x->hole_count;
	x->holes[h - 1] = (struct hole){ *first, NAMESPACE_PLACE(pos) };
	*first = h;
}

static bool is_hole(twzobj *ns, size_t pos, uint64_t dlen)
{
	struct twz_namespace_hdr *h = __twz_hier_header(ns);
	struct twz_name_ent *e;

	return h && !h->pending && twz_hier_get_entry(ns, pos, &e) > 0 &&
	       !(__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) & NAME_ENT_VALID) &&
	       e->dlen >= dlen && NAME_ENT_RECLEN(e->dlen) == NAME_ENT_RECLEN(dlen);
}

/* The first of a list that is one; the others are dropped. */
static bool take_from(struct hierindex *x, uint32_t *first, twzobj *ns, uint64_t dlen, size_t *pos)
{
	while (*first) {
		uint32_t h = *first;
		struct hole *hole = &x->holes[h - 1];

		*pos = NAMESPACE_PLACE_POS(hole->place);
		*first = hole->next;
		hole->next = x->unused_hole;
		x->unused_hole = h;
		if (is_hole(ns, *pos, dlen))
			return true;
	}
	return false;
}

/* The shortest there is room in. */
bool __twz_hierindex_take_hole(struct hierindex *x, twzobj *ns, uint64_t dlen, size_t *pos)
{
	uint64_t reclen = NAME_ENT_RECLEN(dlen);

	for (; dlen <= HIER_DLEN_MAX && NAME_ENT_RECLEN(dlen) == reclen; dlen++)
		if (take_from(x, &by_dlen(x)[dlen], ns, dlen, pos))
			return true;
	return false;
}

/* --- following the list */

static bool add_record(struct hierindex *x, size_t pos, const struct twz_name_ent *e)
{
	if (!(__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) & NAME_ENT_VALID))
		__twz_hierindex_add_hole(x, pos, e->dlen);
	return add(x, pos, e->name, strnlen(e->name, NAME_MAXLEN + 1));
}

static bool follow_end(struct hierindex *x, twzobj *ns)
{
	struct twz_name_ent *e;
	ssize_t n;

	while ((n = twz_hier_get_entry(ns, x->end, &e)) > 0) {
		if (!add_record(x, x->end, e))
			return false;
		x->end += (uint64_t)n;
	}
	return n == 0;
}

static bool make(struct hierindex *x, twzobj *ns, const struct twz_namespace_hdr *h)
{
	forget(x);
	x->changes = __atomic_load_n(&h->changes, __ATOMIC_ACQUIRE);
	if (!make_room(x) || !follow_end(x, ns))
		return false;
	x->id = twz_object_guid(ns);
	x->first_count = x->count;
	x->added = 0;
	return true;
}

/* Records in the midst that have other names now; false: it is not known which. */
static bool follow_changes(struct hierindex *x, twzobj *ns, const struct twz_namespace_hdr *h)
{
	uint64_t now = __atomic_load_n(&h->changes, __ATOMIC_ACQUIRE);
	struct twz_name_ent *e;

	if (now - x->changes > RECENT)
		return false;
	for (uint64_t n = x->changes + 1; n <= now; n++) {
		uint32_t place = __atomic_load_n(&h->recent[n % RECENT], __ATOMIC_RELAXED);
		size_t pos = NAMESPACE_PLACE_POS(place);

		if (!place || pos >= x->end)
			continue;
		if (twz_hier_get_entry(ns, pos, &e) > 0 &&
		    !add(x, pos, e->name, strnlen(e->name, NAME_MAXLEN + 1)))
			return false;
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&h->changes, __ATOMIC_RELAXED) - x->changes > RECENT)
		return false;
	x->changes = now;
	return true;
}

/* What others removed, and names that are no more, show when everything is looked at: after as
 * many new ones. */
static bool is_due(const struct hierindex *x)
{
	return x->added > x->first_count + 64;
}

static bool catch_up(struct hierindex *x, twzobj *ns)
{
	struct twz_namespace_hdr *h = __twz_hier_header(ns);

	if (!h)
		return false;
	if (x->id == twz_object_guid(ns) && !is_due(x) && follow_changes(x, ns, h) &&
	    follow_end(x, ns))
		return true;
	return make(x, ns, h);
}

/* --- */

static struct mutex *lock_of(const struct hierindex *x)
{
	return &__twz_locks[LOCK_HIERINDEX + (x - indices)];
}

static bool take(struct hierindex *x)
{
	for (unsigned i = 0; i < TRIES; i++) {
		if (mutex_try_r(lock_of(x)) < 0)
			continue;
		if (x->taken)
			memset(x, 0, sizeof(*x));
		x->taken = true;
		return true;
	}
	return false;
}

static void give_back(struct hierindex *x)
{
	x->taken = false;
	mutex_release(lock_of(x));
}

/* The namespace's index, or the one of its places that was not used longest. */
static struct hierindex *choose(objid_t id)
{
	struct hierindex *set = &indices[(ID_LO(id) ^ ID_LO(id) >> 32) % (INDICES / WAYS) * WAYS];
	struct hierindex *oldest = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].id == id)
			return &set[i];
		if (set[i].used_at < oldest->used_at)
			oldest = &set[i];
	}
	return oldest;
}

bool __twz_hierindex_exists(twzobj *ns)
{
	objid_t id = twz_object_guid(ns);

	return choose(id)->id == id;
}

struct hierindex *__twz_hierindex_open(twzobj *ns)
{
	struct hierindex *x = choose(twz_object_guid(ns));

	if (!take(x))
		return NULL;
	x->used_at = __atomic_add_fetch(&clock, 1, __ATOMIC_RELAXED);
	if (catch_up(x, ns))
		return x;
	forget(x);
	give_back(x);
	return NULL;
}

void __twz_hierindex_close(struct hierindex *x)
{
	if (x)
		give_back(x);
}

size_t __twz_hierindex_end(const struct hierindex *x)
{
	return x->end;
}

void __twz_hierindex_add(struct hierindex *x, size_t pos, const char *name, size_t len)
{
	if (!add(x, pos, name, len))
		x->id = 0;
}

void __twz_hierindex_caught_up(struct hierindex *x, const struct twz_namespace_hdr *h)
{
	x->changes = __atomic_load_n(&h->changes, __ATOMIC_ACQUIRE);
}
