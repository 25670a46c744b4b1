// SPDX-License-Identifier: BSD-3-Clause
/*
 * Chains of ties. There are no circles, and no chain is longer than TIE_MAX_DEPTH: what hangs below
 * a child is added to what the parent hangs on. A chain may go from memory to a store and back, as
 * often as its objects do.
 *
 * All is guarded by the lock of all ties. Ties of the store are only made and undone under it, too,
 * so that what a walk has met does not leave the store meanwhile.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <base/string.h>
#include <mm/phys.h>
#include <obj/persist.h>
#include <obj/private.h>
#include <obj/tie.h>

#define TIE_MAX_DEPTH 16u
#define MEMORY_WALK_MAX 65536u /* ties that are looked at for one new tie, */
#define STORE_WALK_MAX 2048u   /* and of those in the stores, which take longer */

/* An object that is met. */
struct met {
	objid_t id;
	struct object *object; /* NULL: it has no ties in memory that lead on */
	struct store *store;   /* NULL: it has none in a store */
	struct store_handle handle;
};

/* One on the way to where the walk is. */
struct step {
	struct met met;
	struct list *tie; /* in memory, the last one taken; NULL: all were */
	struct store_tie_cursor cursor;
	unsigned int reach; /* ties in the longest chain found from it on */
};

static struct step at[TIE_MAX_DEPTH + 1];
static uint64_t walk; /* number of the current one */
static unsigned int memory_steps, store_steps;

/* ---- What was found out already ---- */

#define MEMO_ORDER 4u
#define MEMO_SLOTS ((PAGE_SIZE << MEMO_ORDER) / sizeof(struct memo))
#define MEMO_FROM 64u /* steps that are faster without */

/* An object of a store that is not in memory; key 0: nothing. */
struct memo {
	uint64_t key;
	uint64_t reach;
};
_Static_assert(MEMO_SLOTS >= 2 * STORE_WALK_MAX, "a walk fits, with room between");

static struct memo *memo; /* NULL: none yet */

static uint64_t memo_key(const struct met *met)
{
	uint64_t index = 0;

	while (persist_store_at((unsigned int)index) != met->store)
		index++;
	return met->handle.inode * PERSIST_MAX_STORES + index;
}

static struct memo *memo_slot(uint64_t key)
{
	uint64_t slot = key * 0x9e3779b97f4a7c15ull >> 32;

	for (;; slot++) {
		struct memo *found = &memo[slot % MEMO_SLOTS];
		if (found->key == key || found->key == 0)
			return found;
	}
}

/* Many ways may lead to an object: it is looked at once if there are more than a few. */
static void remember(const struct step *step)
{
	if (step->met.object) {
		step->met.object->tie_walk = walk;
		step->met.object->tie_reach = step->reach;
		return;
	}
	if (!memo && store_steps >= MEMO_FROM) {
		memo = pages_alloc(MEMO_ORDER);
		if (memo)
			memset(memo, 0, PAGE_SIZE << MEMO_ORDER);
	}
	if (memo)
		*memo_slot(memo_key(&step->met)) = (struct memo){ memo_key(&step->met), step->reach };
}

/* The longest chain from there on, if it is known. */
static bool recall(const struct met *met, unsigned int *reach)
{
	if (met->object) {
		*reach = met->object->tie_reach;
		return met->object->tie_walk == walk;
	}
	const struct memo *found = memo ? memo_slot(memo_key(met)) : NULL;
	if (!found || !found->key)
		return false;
	*reach = (unsigned int)found->reach;
	return true;
}

/* ---- Walking ---- */

static struct met met_in_memory(struct object *object)
{
	return (struct met){ object->id, object, object->store, object->stored };
}

static struct list *ties_of(struct object *object, enum store_tie_way way)
{
	return way == STORE_PARENTS ? &object->parents : &object->children;
}

static void enter(unsigned int depth, const struct met *met, enum store_tie_way way)
{
	at[depth] = (struct step){ .met = *met };
	if (met->object)
		at[depth].tie = ties_of(met->object, way);
}

/* The next tie in memory: 1, or 0 when all were taken. */
static int next_in_memory(struct step *step, enum store_tie_way way, struct met *next)
{
	if (!step->tie || step->tie->next == ties_of(step->met.object, way)) {
		step->tie = NULL;
		return 0;
	}
	if (++memory_steps > MEMORY_WALK_MAX)
		return -EMLINK;
	step->tie = step->tie->next;
	*next = met_in_memory(way == STORE_PARENTS ? list_entry(step->tie, struct tie, child_link)->parent :
						     list_entry(step->tie, struct tie, parent_link)->child);
	return 1;
}

static int next_in_store(struct step *step, enum store_tie_way way, struct met *next)
{
	int found = store_tie_next(step->met.store, &step->met.handle, way, &step->cursor, &next->handle);

	if (found != 1)
		return found;
	if (++store_steps > STORE_WALK_MAX)
		return -EMLINK;
	next->id = next->handle.id;
	next->store = step->met.store;
	next->object = object_tied(next->id, way);
	return 1;
}

static int next_of(struct step *step, enum store_tie_way way, struct met *next)
{
	int found = step->tie ? next_in_memory(step, way, next) : 0;

	return found || !step->met.store ? found : next_in_store(step, way, next);
}

static void reached(unsigned int depth, unsigned int reach)
{
	at[depth].reach = MAX(at[depth].reach, reach + 1);
}

/* Take one tie on from at[*depth]. 1: go on; 0: the walk is done; or an error. */
static int walk_on(unsigned int *depth, enum store_tie_way way, const struct object *stop)
{
	struct met next;
	unsigned int known;
	int found = next_of(&at[*depth], way, &next);

	if (found < 0)
		return found;
	if (found == 0) {
		remember(&at[*depth]);
		if (*depth == 0)
			return 0;
		--*depth;
		reached(*depth, at[*depth + 1].reach);
	} else if (next.id == stop->id) {
		return -ELOOP;
	} else if (recall(&next, &known)) {
		reached(*depth, known);
	} else if (*depth == TIE_MAX_DEPTH) {
		return -EMLINK;
	} else {
		enter(++*depth, &next, way);
	}
	return 1;
}

/*
 * Ties in the longest chain from an object on. -ELOOP: `stop` is met; -EMLINK: too long, or too
 * many ties to tell.
 */
static int longest(struct object *from, enum store_tie_way way, const struct object *stop)
{
	const struct met first = met_in_memory(from);
	unsigned int depth = 0;
	int going;

	walk++;
	enter(0, &first, way);
	do
		going = walk_on(&depth, way, stop);
	while (going > 0);
	if (memo)
		pages_free(memo, MEMO_ORDER);
	memo = NULL;
	return going < 0 ? going : (int)at[0].reach;
}

int tie_check(struct object *parent, struct object *child)
{
	memory_steps = store_steps = 0;
	int above = longest(parent, STORE_PARENTS, child);
	int below = above < 0 ? above : longest(child, STORE_CHILDREN, parent);

	if (below < 0)
		return below;
	return (unsigned int)(above + 1 + below) > TIE_MAX_DEPTH ? -EMLINK : 0;
}
