// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ties: a child lives at least as long as its parent. Between objects of one store the store keeps
 * the tie; any other is in memory, with one volatile end at least. See obj/tie.h.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <mm/slab.h>
#include <obj/object.h>
#include <obj/private.h>
#include <obj/tie.h>

static struct slab_cache tie_cache = SLAB_CACHE("tie", struct tie);

struct spinlock tie_lock;

struct tie *tie_alloc(void)
{
	return slab_alloc(&tie_cache);
}

void tie_free(struct tie *tie)
{
	slab_free(&tie_cache, tie);
}

struct tie *tie_find(struct object *parent, struct object *child)
{
	list_for_each_entry(struct tie, tie, &parent->children, parent_link)
		if (tie->child == child)
			return tie;
	return NULL;
}

void tie_link(struct tie *tie, struct object *parent, struct object *child, uint64_t count)
{
	*tie = (struct tie){ .parent = parent, .child = child, .count = count };
	list_push_back(&parent->children, &tie->parent_link);
	list_push_back(&child->parents, &tie->child_link);
	child->ties_in++;
	parent->ties_out++;
}

void tie_unlink(struct tie *tie)
{
	list_remove(&tie->parent_link);
	list_remove(&tie->child_link);
	tie->child->ties_in--;
	tie->parent->ties_out--;
}

/* ---- Keeping persistent parents of volatile children ---- */

/* Whether a persistent object stays in its store when nobody uses it. */
static bool lives_on(struct object *object)
{
	uint64_t in, out;

	return !object->deleted || store_tie_counts(object->store, &object->stored, &in, &out) != 0 || in > 0;
}

bool tie_keep(struct object *object)
{
	bool keep = object->persistent && !list_empty(&object->children) && lives_on(object);

	if (keep == object->kept)
		return false;
	object->kept = keep;
	if (keep)
		object_ref(object);
	return !keep;
}

void object_tie_review(struct object *object)
{
	spin_lock(&tie_lock);
	bool let_go = tie_keep(object);
	spin_unlock(&tie_lock);
	if (let_go)
		object_put(object);
}

/* ---- Ties in memory ---- */

int tie_in_memory(struct tie *fresh, struct object *parent, struct object *child, bool *used)
{
	struct tie *tie = tie_find(parent, child);
	int error = tie ? 0 : tie_check(parent, child);

	*used = false;
	if (error)
		return error;
	if (tie) {
		tie->count++;
		return 0;
	}
	object_ref(child);
	tie_link(fresh, parent, child, 1);
	*used = true;
	tie_keep(parent);
	return 0;
}

/* Lock held. *spent is a tie to be freed, with its child to be put. */
static int untie_in_memory(struct object *parent, struct object *child, struct tie **spent)
{
	struct tie *tie = tie_find(parent, child);

	if (!tie)
		return -ENOENT;
	if (--tie->count)
		return 0;
	tie_unlink(tie);
	*spent = tie;
	return 0;
}

/* ---- Ties in the store ---- */

/* The lock keeps two ties from closing a circle together. */
static int tie_in_store(struct object *parent, struct object *child)
{
	int error = tie_check(parent, child);

	return error ? error : store_tie(parent->store, &parent->stored, &child->stored);
}

static int untie_in_store(struct object *parent, const struct store_handle *child)
{
	spin_lock(&tie_lock);
	int error = store_untie(parent->store, &parent->stored, child);
	spin_unlock(&tie_lock);
	return error;
}

/* Its parent is gone: what nothing else keeps goes, too. */
static void look_at(objid_t id)
{
	struct object *object;

	if (object_hold(id, &object) != 0 || !object)
		return;
	object_tie_review(object);
	object_put(object);
}

/*
 * Before a deleted parent leaves the store: untie its children one by one, and look at each, so
 * that those nothing else keeps go with it.
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
		if (error && error != -ENOENT)
			return;
		look_at(child.id);
	}
}

/* ---- Either ---- */

/* Lock held. */
static int tie_either(struct tie *fresh, struct object *parent, struct object *child, bool *used)
{
	if (!parent->persistent || !child->persistent)
		return tie_in_memory(fresh, parent, child, used);
	/* No power cut may show half of it, and two stores change one after the other. */
	return parent->store == child->store ? tie_in_store(parent, child) : -EXDEV;
}

int object_tie(struct object *parent, struct object *child)
{
	bool used = false;

	if (parent == child)
		return -EPERM;
	struct tie *fresh = tie_alloc();
	if (!fresh)
		return -ENOMEM;
	spin_lock(&tie_lock);
	int error = tie_either(fresh, parent, child, &used);
	/* A deleted child lives on now: then what is tied to it does. */
	if (!error)
		tie_keep(child);
	spin_unlock(&tie_lock);
	if (!used)
		tie_free(fresh);
	return error;
}

/* Lock held. */
static int untie_either(struct object *parent, struct object *child, struct tie **spent)
{
	if (!parent->persistent || !child->persistent)
		return untie_in_memory(parent, child, spent);
	return parent->store == child->store ? store_untie(parent->store, &parent->stored, &child->stored)
					     : -ENOENT;
}

int object_untie(struct object *parent, struct object *child)
{
	struct tie *spent = NULL;

	spin_lock(&tie_lock);
	int error = untie_either(parent, child, &spent);
	bool let_go_parent = tie_keep(parent), let_go_child = tie_keep(child);
	spin_unlock(&tie_lock);
	if (spent) {
		tie_free(spent);
		object_put(child);
	}
	if (let_go_parent)
		object_put(parent);
	if (let_go_child)
		object_put(child);
	return error;
}

void object_ties_drop(struct object *parent)
{
	for (;;) {
		spin_lock(&tie_lock);
		struct list *node = list_first(&parent->children);
		struct tie *tie = node ? list_entry(node, struct tie, parent_link) : NULL;
		if (tie)
			tie_unlink(tie);
		spin_unlock(&tie_lock);
		if (!tie)
			return;
		object_tie_review(tie->child);
		/* The child's own ties are dropped after this, not in here: object_put(). */
		object_put(tie->child);
		tie_free(tie);
	}
}
