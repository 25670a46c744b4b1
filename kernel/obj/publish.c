// SPDX-License-Identifier: BSD-3-Clause
/*
 * Publication: an object that was drafted is found from now on, and tied to its parents. All ties
 * are made while nobody else can make or undo one, so that no parent moves to another store in
 * between.
 */
#include <abi/errno.h>
#include <mm/phys.h>
#include <obj/private.h>
#include <obj/tie.h>

/* One publication under way. */
struct publication {
	struct object *draft;
	struct object *const *parents;
	unsigned int count;
	struct list unused;                    /* struct tie.parent_link */
	struct store_handle *stored;           /* parents whose ties are the store's */
	unsigned int stored_count;
};

_Static_assert(OBJECT_MAX_TIES * sizeof(struct store_handle) <= PAGE_SIZE, "parents fit a page");
_Static_assert(OBJECT_MAX_TIES <= STORE_PUBLISH_TIES, "the store ties as many in one step");

static void free_ties(struct list *ties)
{
	struct list *node;

	while ((node = list_pop_front(ties)))
		tie_free(list_entry(node, struct tie, parent_link));
}

static int allocate(struct publication *p)
{
	list_init(&p->unused);
	p->stored = NULL;
	p->stored_count = 0;
	if (p->count == 0)
		return 0;
	p->stored = page_alloc();
	for (unsigned int i = 0; p->stored && i < p->count; i++) {
		struct tie *tie = tie_alloc();
		if (!tie)
			return -ENOMEM;
		list_push_back(&p->unused, &tie->parent_link);
	}
	return p->stored ? 0 : -ENOMEM;
}

static void release(struct publication *p)
{
	free_ties(&p->unused);
	if (p->stored)
		page_free(p->stored);
}

static int tie_one(struct publication *p, struct object *parent)
{
	struct list *node = list_pop_front(&p->unused);
	struct tie *tie = list_entry(node, struct tie, parent_link);
	bool used = false;
	int error = 0;

	if (!parent->persistent || !p->draft->persistent) {
		error = tie_in_memory(tie, parent, p->draft, &used);
	} else {
		error = parent->store == p->draft->store ? tie_check(parent, p->draft) : -EXDEV;
		p->stored[p->stored_count++] = parent->stored;
	}
	if (!used)
		list_push_back(&p->unused, node);
	return error;
}

/* The draft's ties in memory are its only ones. The caller has a reference to it. */
static void undo(struct publication *p)
{
	struct list *node;

	while ((node = list_first(&p->draft->parents))) {
		struct tie *tie = list_entry(node, struct tie, child_link);
		struct object *parent = tie->parent;
		tie_unlink(tie);
		list_push_back(&p->unused, &tie->parent_link);
		object_unref(p->draft);
		/* The caller has references to the parents, too. */
		if (tie_keep(parent))
			object_unref(parent);
	}
}

/* Its place in the table comes first, as another store may know an object of this ID. */
static int let_be_found(struct publication *p, unsigned int flags)
{
	struct object *draft = p->draft;
	const struct store_relatives ties = { .parents = p->stored, .parent_count = p->stored_count };

	draft->hidden = draft->persistent;
	int error = object_publish(draft);
	if (error || !draft->persistent)
		return error;
	error = store_publish_tied(draft->store, &draft->stored, flags, &ties);
	object_reveal(draft, error == 0);
	return error;
}

int object_publish_tied(struct object *draft, struct object *const *parents, unsigned int count, unsigned int flags)
{
	struct publication p = { .draft = draft, .parents = parents, .count = count };
	int error = allocate(&p);

	spin_lock(&tie_lock);
	for (unsigned int i = 0; !error && i < count; i++)
		error = tie_one(&p, parents[i]);
	if (!error)
		error = let_be_found(&p, flags);
	if (error)
		undo(&p);
	spin_unlock(&tie_lock);
	release(&p);
	return error;
}
