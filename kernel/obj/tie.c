// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ties: a child lives at least as long as its parent. A volatile parent holds a reference, and its ties
 * are as volatile as it is. Between persistent objects the store keeps the tie.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <mm/slab.h>
#include <obj/object.h>
#include <obj/private.h>

#define TIE_MAX_DEPTH 16u

struct tie {
	struct list parent_link; /* parent->children; guarded by tie_lock */
	struct list child_link;  /* child->parents; the same */
	struct object *parent;
	struct object *child;    /* holds a reference */
	uint64_t count;
};

static struct slab_cache tie_cache = SLAB_CACHE("tie", struct tie);

/* Guards all ties: they are rare, and cycles are a question about several objects at once. */
static struct spinlock tie_lock;
static uint64_t walk; /* number of the current walk; guarded by tie_lock */

static struct tie *find_tie(struct object *parent, struct object *child)
{
	list_for_each_entry(struct tie, tie, &parent->children, parent_link)
		if (tie->child == child)
			return tie;
	return NULL;
}

/*
 * Ties in the longest chain below or above an object. Each object is looked at once a walk, however many
 * ways lead to it, and none of the chains that exist is longer than TIE_MAX_DEPTH: so deep goes this.
 */
static unsigned int chain_below(struct object *object)
{
	unsigned int longest = 0;

	if (object->tie_walk == walk)
		return object->tie_reach;
	list_for_each_entry(struct tie, tie, &object->children, parent_link) {
		unsigned int length = 1 + chain_below(tie->child);
		longest = MAX(longest, length);
	}
	object->tie_walk = walk;
	object->tie_reach = longest;
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

/* Whether a new tie would close a circle, or make a chain longer than allowed. */
static int check_chains(struct object *parent, struct object *child)
{
	walk++;
	unsigned int below = chain_below(child);
	if (parent->tie_walk == walk)
		return -ELOOP;
	walk++;
	return chain_above(parent) + 1 + below > TIE_MAX_DEPTH ? -EMLINK : 0;
}

/* ---- Ties in memory ---- */

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
		child->ties_in++;
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
		child->ties_in--;
	}
	spin_unlock(&tie_lock);
	if (last) {
		slab_free(&tie_cache, tie);
		object_put(child);
	}
	return tie ? 0 : -ENOENT;
}

/* ---- Ties in the store ---- */

#define STORED_TIES_WALK_MAX 4096u /* ties looked at for a cycle */

struct stored_walk {
	struct store_handle object[TIE_MAX_DEPTH];
	struct store_tie_cursor cursor[TIE_MAX_DEPTH];
};

/*
 * Whether `child` is among the ancestors of `parent`. Too many ties to tell, or chains longer than allowed,
 * are -EMLINK.
 */
static int check_ancestors(struct store *store, const struct object *parent, const struct object *child,
			   struct stored_walk *walk)
{
	unsigned int depth = 0;

	walk->object[0] = parent->stored;
	walk->cursor[0] = (struct store_tie_cursor){ 0 };
	for (unsigned int steps = 0; steps < STORED_TIES_WALK_MAX; steps++) {
		struct store_handle next;
		int found = store_tie_next(store, &walk->object[depth], STORE_PARENTS,
					   &walk->cursor[depth], &next);
		if (found < 0)
			return found;
		if (found == 0) {
			if (depth-- == 0)
				return 0;
			continue;
		}
		if (next.id == child->id)
			return -ELOOP;
		if (++depth == TIE_MAX_DEPTH)
			return -EMLINK;
		walk->object[depth] = next;
		walk->cursor[depth] = (struct store_tie_cursor){ 0 };
	}
	return -EMLINK;
}

static int tie_in_store(struct object *parent, struct object *child)
{
	struct store *store = parent->store;
	struct stored_walk walk;

	/* The lock keeps two ties from closing a circle together. */
	spin_lock(&tie_lock);
	int error = check_ancestors(store, parent, child, &walk);
	if (!error)
		error = store_tie(store, &parent->stored, &child->stored);
	spin_unlock(&tie_lock);
	return error;
}

/*
 * Before a deleted parent leaves the store: untie its children one by one, and look at each, so that those
 * nothing else keeps go with it.
 */
void object_stored_ties_drop(struct object *parent)
{
	struct store *store = parent->store;

	for (;;) {
		struct store_tie_cursor cursor = { 0 };
		struct store_handle child;
		int error = 0;
		if (store_tie_next(store, &parent->stored, STORE_CHILDREN, &cursor, &child) != 1)
			return;
		for (uint64_t i = 0; !error && i < cursor.count; i++)
			error = store_untie(store, &parent->stored, &child);
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
		return store_untie(parent->store, &parent->stored, &child->stored);
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
			tie->child->ties_in--;
		}
		spin_unlock(&tie_lock);
		if (!tie)
			return;
		/* At most TIE_MAX_DEPTH deep: the child's own ties are dropped in here. */
		object_put(tie->child);
		slab_free(&tie_cache, tie);
	}
}
