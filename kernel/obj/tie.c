// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ties: a child lives at least as long as its parent. A volatile parent holds a reference, and its ties
 * are as volatile as it is. Between persistent objects the store keeps the tie.
 *
 * There are no circles, and no chain of ties is longer than TIE_MAX_DEPTH: what hangs below a child is added to
 * what the parent hangs on. Above persistent objects there may be volatile ones, never below.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <base/string.h>
#include <mm/phys.h>
#include <mm/slab.h>
#include <obj/object.h>
#include <obj/private.h>

#define TIE_MAX_DEPTH 16u
#define MEMORY_WALK_MAX 65536u /* ties that are looked at for one new tie, */
#define STORE_WALK_MAX 2048u   /* and of those in the store, which take longer */

struct tie {
	struct list parent_link; /* parent->children; guarded by tie_lock */
	struct list child_link;  /* child->parents; the same */
	struct object *parent;
	struct object *child;    /* holds a reference */
	uint64_t count;
};

static struct slab_cache tie_cache = SLAB_CACHE("tie", struct tie);

/*
 * Guards all ties: they are rare, and cycles are a question about several objects at once. Those of the store are
 * only made and undone under it, too, so that what a walk has met does not leave the store meanwhile.
 */
static struct spinlock tie_lock;

/* Guarded by tie_lock. */
static uint64_t walk;              /* number of the current walk */
static unsigned int memory_steps;  /* what the current check has looked at */
static unsigned int store_steps;

static struct tie *find_tie(struct object *parent, struct object *child)
{
	list_for_each_entry(struct tie, tie, &parent->children, parent_link)
		if (tie->child == child)
			return tie;
	return NULL;
}

/* ---- Chains in the store ---- */

#define MEMO_ORDER 4u
#define MEMO_SLOTS ((PAGE_SIZE << MEMO_ORDER) / sizeof(struct memo))
#define MEMO_FROM 64u /* steps that are faster without */

/* What was found out about an object of the store; inode 0: nothing. */
struct memo {
	uint64_t inode;
	uint64_t reach;
};
_Static_assert(MEMO_SLOTS >= 2 * STORE_WALK_MAX, "a walk fits, with room between");

/* One walk along the ties of a store. Guarded by tie_lock. */
static struct {
	struct store *store;
	struct memo *memo; /* NULL: none yet */
	struct {
		struct store_handle object;
		struct store_tie_cursor cursor;
		unsigned int reach; /* ties in the longest chain found from it on */
	} at[TIE_MAX_DEPTH + 1];
} stored;

static struct memo *memo_slot(uint64_t inode)
{
	uint64_t slot = inode * 0x9e3779b97f4a7c15ull >> 32;

	for (;; slot++) {
		struct memo *memo = &stored.memo[slot % MEMO_SLOTS];
		if (memo->inode == inode || memo->inode == 0)
			return memo;
	}
}

/* Many ways may lead to an object: it is looked at once if there are more than a few. */
static void remember(uint64_t inode, unsigned int reach)
{
	if (!stored.memo && store_steps >= MEMO_FROM) {
		stored.memo = pages_alloc(MEMO_ORDER);
		if (stored.memo)
			memset(stored.memo, 0, PAGE_SIZE << MEMO_ORDER);
	}
	if (stored.memo)
		*memo_slot(inode) = (struct memo){ inode, reach };
}

static const struct memo *recall(uint64_t inode)
{
	const struct memo *memo = stored.memo ? memo_slot(inode) : NULL;

	return memo && memo->inode ? memo : NULL;
}

static unsigned int volatile_chain_above(objid_t id);

static void enter(unsigned int depth, const struct store_handle *object, enum store_tie_way way)
{
	stored.at[depth].object = *object;
	stored.at[depth].cursor = (struct store_tie_cursor){ 0 };
	stored.at[depth].reach = way == STORE_PARENTS ? volatile_chain_above(object->id) : 0;
}

static void reached(unsigned int depth, uint64_t reach)
{
	stored.at[depth].reach = MAX(stored.at[depth].reach, (unsigned int)reach + 1);
}

/* Take one tie on from at[*depth]. 1: go on; 0: the walk is done; or an error. */
static int walk_on(unsigned int *depth, enum store_tie_way way, const struct object *stop)
{
	struct store_handle next;
	int found = store_tie_next(stored.store, &stored.at[*depth].object, way, &stored.at[*depth].cursor,
				   &next);

	if (found < 0)
		return found;
	if (found == 0) {
		remember(stored.at[*depth].object.inode, stored.at[*depth].reach);
		if (*depth == 0)
			return 0;
		--*depth;
		reached(*depth, stored.at[*depth + 1].reach);
		return 1;
	}
	if (stop && next.id == stop->id)
		return -ELOOP;
	if (++store_steps > STORE_WALK_MAX)
		return -EMLINK;
	const struct memo *known = recall(next.inode);
	if (known)
		reached(*depth, known->reach);
	else if (*depth == TIE_MAX_DEPTH)
		return -EMLINK;
	else
		enter(++*depth, &next, way);
	return 1;
}

/*
 * Ties in the longest chain from a persistent object on, upwards with the volatile ones that end there. -ELOOP:
 * `stop` is met; -EMLINK: longer than allowed, or too many ties to tell.
 */
static int stored_chain(const struct object *from, enum store_tie_way way, const struct object *stop)
{
	unsigned int depth = 0;
	int going;

	stored.store = from->store;
	enter(0, &from->stored, way);
	do
		going = walk_on(&depth, way, stop);
	while (going > 0);
	if (stored.memo)
		pages_free(stored.memo, MEMO_ORDER);
	stored.memo = NULL;
	return going < 0 ? going : (int)stored.at[0].reach;
}

/* ---- Chains in memory ---- */

/*
 * Ties in the longest chain below or above an object. Each object is looked at once a walk, however many
 * ways lead to it, and none of the chains that exist is longer than TIE_MAX_DEPTH: so deep goes this.
 */
static int chain_below(struct object *object)
{
	int longest = 0;

	if (object->tie_walk == walk)
		return (int)object->tie_reach;
	if (object->persistent)
		longest = stored_chain(object, STORE_CHILDREN, NULL);
	list_for_each_entry(struct tie, tie, &object->children, parent_link) {
		int below = ++memory_steps > MEMORY_WALK_MAX ? -EMLINK : chain_below(tie->child);
		if (below < 0)
			return below;
		longest = MAX(longest, below + 1);
	}
	object->tie_walk = walk;
	object->tie_reach = MAX(longest, 0);
	return longest;
}

static unsigned int chain_above(struct object *object)
{
	unsigned int longest = 0;

	if (object->tie_walk == walk)
		return object->tie_reach;
	list_for_each_entry(struct tie, tie, &object->parents, child_link) {
		unsigned int length = 1 + chain_above(tie->parent);
		longest = MAX(longest, length);
	}
	object->tie_walk = walk;
	object->tie_reach = longest;
	return longest;
}

/*
 * Persistent objects with a volatile parent, which a walk in the store knows by their IDs. Each is in memory: its
 * parent holds it.
 */
#define HELD_BUCKETS 64u
static struct list held[HELD_BUCKETS]; /* of struct object.held_link; guarded by tie_lock */

static struct list *held_bucket(objid_t id)
{
	struct list *bucket = &held[ID_LO(id) % HELD_BUCKETS];

	if (!bucket->next)
		list_init(bucket);
	return bucket;
}

static unsigned int volatile_chain_above(objid_t id)
{
	list_for_each_entry(struct object, object, held_bucket(id), held_link)
		if (object->id == id)
			return chain_above(object);
	return 0;
}

static void count_parent(struct object *child)
{
	if (child->ties_in++ == 0 && child->persistent)
		list_push_back(held_bucket(child->id), &child->held_link);
}

static void discount_parent(struct object *child)
{
	if (--child->ties_in == 0 && child->persistent)
		list_remove(&child->held_link);
}

/* ---- New ties ---- */

/* Whether a new tie would close a circle, or make a chain longer than allowed. Tie lock held. */
static int check_chains(struct object *parent, struct object *child)
{
	int above, below = 0;

	memory_steps = store_steps = 0;
	walk++;
	if (!parent->persistent) {
		below = chain_below(child);
		if (below >= 0 && parent->tie_walk == walk)
			return -ELOOP;
		walk++;
		above = (int)chain_above(parent);
	} else {
		above = stored_chain(parent, STORE_PARENTS, child);
		if (above >= 0)
			below = stored_chain(child, STORE_CHILDREN, NULL);
	}
	if (above < 0 || below < 0)
		return above < 0 ? above : below;
	return (unsigned int)(above + 1 + below) > TIE_MAX_DEPTH ? -EMLINK : 0;
}

static int tie_in_memory(struct object *parent, struct object *child)
{
	struct tie *fresh = slab_alloc(&tie_cache);
	if (!fresh)
		return -ENOMEM;

	spin_lock(&tie_lock);
	struct tie *tie = find_tie(parent, child);
	int error = tie ? 0 : check_chains(parent, child);
	if (!error && tie) {
		tie->count++;
	} else if (!error) {
		object_ref(child);
		count_parent(child);
		*fresh = (struct tie){ .parent = parent, .child = child, .count = 1 };
		list_push_back(&parent->children, &fresh->parent_link);
		list_push_back(&child->parents, &fresh->child_link);
		fresh = NULL;
	}
	spin_unlock(&tie_lock);
	if (fresh)
		slab_free(&tie_cache, fresh);
	return error;
}

static int untie_in_memory(struct object *parent, struct object *child)
{
	spin_lock(&tie_lock);
	struct tie *tie = find_tie(parent, child);
	bool last = tie && --tie->count == 0;
	if (last) {
		list_remove(&tie->parent_link);
		list_remove(&tie->child_link);
		discount_parent(child);
	}
	spin_unlock(&tie_lock);
	if (last) {
		slab_free(&tie_cache, tie);
		object_put(child);
	}
	return tie ? 0 : -ENOENT;
}

/* ---- Ties in the store ---- */

static int tie_in_store(struct object *parent, struct object *child)
{
	spin_lock(&tie_lock);
	int error = check_chains(parent, child);
	if (!error)
		error = store_tie(parent->store, &parent->stored, &child->stored);
	spin_unlock(&tie_lock);
	return error;
}

static int untie_in_store(struct object *parent, const struct store_handle *child)
{
	spin_lock(&tie_lock);
	int error = store_untie(parent->store, &parent->stored, child);
	spin_unlock(&tie_lock);
	return error;
}

int object_publish_tied(struct object *draft, unsigned int flags, struct object *const *parents,
			unsigned int count)
{
	struct store_handle handles[OBJECT_MAX_TIES];
	const struct store_relatives ties = { .parents = handles, .parent_count = count };
	int error = 0;

	spin_lock(&tie_lock);
	for (unsigned int i = 0; !error && i < count; i++) {
		handles[i] = parents[i]->stored;
		error = check_chains(parents[i], draft);
	}
	if (!error)
		error = store_publish_tied(draft->store, &draft->stored, flags, &ties);
	spin_unlock(&tie_lock);
	return error;
}

/*
 * Before a deleted parent leaves the store: untie its children one by one, and look at each, so that those
 * nothing else keeps go with it.
 */
void object_stored_ties_drop(struct object *parent)
{
	for (;;) {
		struct store_tie_cursor cursor = { 0 };
		struct store_handle child;
		int error = 0;
		if (store_tie_next(parent->store, &parent->stored, STORE_CHILDREN, &cursor, &child) != 1)
			return;
		for (uint64_t i = 0; !error && i < cursor.count; i++)
			error = untie_in_store(parent, &child);
		if (error)
			return;
		object_put(object_get(child.id));
	}
}

/* ---- Either ---- */

int object_tie(struct object *parent, struct object *child)
{
	if (parent == child)
		return -EPERM;
	if (!parent->persistent)
		return tie_in_memory(parent, child);
	if (!child->persistent)
		return -ENOTSUP;
	/* No power cut may show half of it, and two stores change one after the other. */
	return parent->store == child->store ? tie_in_store(parent, child) : -EXDEV;
}

int object_untie(struct object *parent, struct object *child)
{
	if (parent->persistent && child->persistent && parent->store != child->store)
		return -ENOENT;
	if (parent->persistent && child->persistent)
		return untie_in_store(parent, &child->stored);
	return untie_in_memory(parent, child);
}

void object_ties_drop(struct object *parent)
{
	for (;;) {
		spin_lock(&tie_lock);
		struct list *node = list_pop_front(&parent->children);
		struct tie *tie = node ? list_entry(node, struct tie, parent_link) : NULL;
		if (tie) {
			list_remove(&tie->child_link);
			discount_parent(tie->child);
		}
		spin_unlock(&tie_lock);
		if (!tie)
			return;
		/* The child's own ties are dropped after this, not in here: object_put(). */
		object_put(tie->child);
		slab_free(&tie_cache, tie);
	}
}
