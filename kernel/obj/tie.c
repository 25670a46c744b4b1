// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ties: a child lives at least as long as its parent, because the parent holds a reference. Ties of a
 * volatile parent are as volatile as it is.
 */
#include <abi/errno.h>
#include <mm/slab.h>
#include <obj/object.h>
#include <obj/private.h>

#define TIE_MAX_DEPTH 16u

struct tie {
	struct list parent_link; /* parent->children; guarded by tie_lock */
	struct object *child;    /* holds a reference */
	uint64_t count;
};

static struct slab_cache tie_cache = SLAB_CACHE("tie", struct tie);

/* Guards all ties: they are rare, and cycles are a question about several objects at once. */
static struct spinlock tie_lock;

static struct tie *find_tie(struct object *parent, struct object *child)
{
	list_for_each_entry(struct tie, tie, &parent->children, parent_link)
		if (tie->child == child)
			return tie;
	return NULL;
}

/*
 * Depth of the chains below `from`, walked with an explicit stack of bounded height.
 * -ELOOP if `target` is among them, -EMLINK if a chain is longer than allowed.
 */
static int check_below(struct object *from, struct object *target)
{
	struct list *position[TIE_MAX_DEPTH];
	struct object *object[TIE_MAX_DEPTH];
	unsigned int depth = 0;

	if (from == target)
		return -ELOOP;
	object[0] = from;
	position[0] = from->children.next;
	for (;;) {
		if (position[depth] == &object[depth]->children) {
			if (depth-- == 0)
				return 0;
			continue;
		}
		struct object *next = list_entry(position[depth], struct tie, parent_link)->child;
		position[depth] = position[depth]->next;
		if (next == target)
			return -ELOOP;
		if (list_empty(&next->children))
			continue;
		if (++depth == TIE_MAX_DEPTH)
			return -EMLINK;
		object[depth] = next;
		position[depth] = next->children.next;
	}
}

int object_tie(struct object *parent, struct object *child)
{
	if (parent == child)
		return -EPERM;
	if (parent->persistent)
		return -ENOTSUP;
	struct tie *fresh = slab_alloc(&tie_cache);
	if (!fresh)
		return -ENOMEM;

	spin_lock(&tie_lock);
	struct tie *tie = find_tie(parent, child);
	int error = tie ? 0 : check_below(child, parent);
	if (!error && tie) {
		tie->count++;
	} else if (!error) {
		object_ref(child);
		child->ties_in++;
		*fresh = (struct tie){ .child = child, .count = 1 };
		list_push_back(&parent->children, &fresh->parent_link);
		fresh = NULL;
	}
	spin_unlock(&tie_lock);
	if (fresh)
		slab_free(&tie_cache, fresh);
	return error;
}

int object_untie(struct object *parent, struct object *child)
{
	spin_lock(&tie_lock);
	struct tie *tie = find_tie(parent, child);
	bool last = tie && --tie->count == 0;
	if (last) {
		list_remove(&tie->parent_link);
		child->ties_in--;
	}
	spin_unlock(&tie_lock);
	if (last) {
		slab_free(&tie_cache, tie);
		object_put(child);
	}
	return tie ? 0 : -ENOENT;
}

void object_ties_drop(struct object *parent)
{
	for (;;) {
		spin_lock(&tie_lock);
		struct list *node = list_pop_front(&parent->children);
		struct tie *tie = node ? list_entry(node, struct tie, parent_link) : NULL;
		if (tie)
			tie->child->ties_in--;
		spin_unlock(&tie_lock);
		if (!tie)
			return;
		/* At most TIE_MAX_DEPTH deep: the child's own ties are dropped in here. */
		object_put(tie->child);
		slab_free(&tie_cache, tie);
	}
}
