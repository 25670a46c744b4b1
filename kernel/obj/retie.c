// SPDX-License-Identifier: BSD-3-Clause
/*
 * What becomes of an object's ties when it moves between memory and a store. Those to volatile
 * objects are in memory before and after; those to objects of the store are the store's exactly
 * while the object is in it. The step from one to the other is the store's own, so no power cut
 * shows an object that moved without its ties.
 */
#include <abi/errno.h>
#include <mm/phys.h>
#include <obj/private.h>
#include <obj/tie.h>

/* ---- Which store ---- */

static int agree(struct object *relative, struct store **store)
{
	if (!relative->persistent)
		return 0;
	if (*store && *store != relative->store)
		return -EXDEV;
	*store = relative->store;
	return 0;
}

int retie_store(struct object *object, struct store **store)
{
	int error = 0;

	*store = NULL;
	spin_lock(&tie_lock);
	list_for_each_entry(struct tie, up, &object->parents, child_link)
		error = error ? error : agree(up->parent, store);
	list_for_each_entry(struct tie, down, &object->children, parent_link)
		error = error ? error : agree(down->child, store);
	spin_unlock(&tie_lock);
	return error;
}

/* ---- Into a store ---- */

/* Handles of relatives, each as often as it is tied. Two halves of a page. */
#define RELATIVES STORE_PUBLISH_TIES
_Static_assert(2 * RELATIVES * sizeof(struct store_handle) <= PAGE_SIZE, "relatives fit a page");

static int add_relative(struct store_handle *list, unsigned int *count, const struct object *relative,
			const struct store *store, uint64_t times)
{
	if (!relative->persistent)
		return 0;
	if (relative->store != store)
		return -EAGAIN;
	if (times > RELATIVES - *count)
		return -EMLINK;
	for (uint64_t i = 0; i < times; i++)
		list[(*count)++] = relative->stored;
	return 0;
}

static int collect(struct object *object, const struct store *store, struct store_handle *page,
		   struct store_relatives *ties)
{
	int error = 0;

	*ties = (struct store_relatives){ .parents = page, .children = page + RELATIVES };
	list_for_each_entry(struct tie, up, &object->parents, child_link)
		error = error ? error : add_relative(page, &ties->parent_count, up->parent, store, up->count);
	list_for_each_entry(struct tie, down, &object->children, parent_link)
		error = error ? error : add_relative(page + RELATIVES, &ties->child_count, down->child, store,
						     down->count);
	return error;
}

/* Spent ties say what is to be put in their `child`. */
static void spend(struct tie *tie, struct object *let_go, struct list *spent)
{
	tie->child = let_go;
	list_push_back(spent, &tie->parent_link);
}

static void drop_up(struct tie *tie, struct list *spent)
{
	struct object *parent = tie->parent;

	tie_unlink(tie);
	object_unref(tie->child); /* the caller has another */
	spend(tie, tie_keep(parent) ? parent : NULL, spent);
}

static void drop_down(struct tie *tie, struct list *spent)
{
	tie_unlink(tie);
	spend(tie, tie->child, spent);
}

/* The store has the ties now. */
static void drop_stored(struct object *object, struct list *spent)
{
	struct list *node, *next;

	for (node = object->parents.next; node != &object->parents; node = next) {
		struct tie *tie = list_entry(node, struct tie, child_link);
		next = node->next;
		if (tie->parent->persistent)
			drop_up(tie, spent);
	}
	for (node = object->children.next; node != &object->children; node = next) {
		struct tie *tie = list_entry(node, struct tie, parent_link);
		next = node->next;
		if (tie->child->persistent)
			drop_down(tie, spent);
	}
}

static int enter_store(struct object *object, struct store *store, const struct store_handle *handle,
		       struct store_handle *page, struct list *spent)
{
	struct store_relatives ties;
	int error = collect(object, store, page, &ties);

	if (!error)
		error = store_publish_tied(store, handle, object->deleted ? STORE_CREATE_DELETED : 0, &ties);
	if (error)
		return error;
	object->persistent = true;
	object->store = store;
	object->stored = *handle;
	drop_stored(object, spent);
	tie_keep(object);
	return 0;
}

int retie_to_store(struct object *object, struct store *store, const struct store_handle *handle,
		   struct list *spent)
{
	struct store_handle *page = page_alloc();

	if (!page)
		return -ENOMEM;
	spin_lock(&tie_lock);
	int error = enter_store(object, store, handle, page, spent);
	spin_unlock(&tie_lock);
	page_free(page);
	return error;
}

/* ---- Out of it ---- */

/* Ties that are to be, not linked yet; references are held to the relatives. */
struct foreseen {
	struct object *object;
	struct list up, down; /* struct tie.parent_link */
	struct list *spent;   /* has the references to the parents, and gets what is left */
};

static void foresee_tie(struct foreseen *f, enum store_tie_way way, struct tie *tie, struct object *relative,
			uint64_t count)
{
	if (way == STORE_PARENTS) {
		*tie = (struct tie){ .parent = relative, .count = count };
		list_push_back(&f->up, &tie->parent_link);
	} else {
		*tie = (struct tie){ .child = relative, .count = count };
		list_push_back(&f->down, &tie->parent_link);
	}
}

/* One that is on its way out unties it anyway. */
static int foresee(struct foreseen *f, enum store_tie_way way, const struct store_handle *handle, uint64_t count)
{
	struct tie *tie = tie_alloc();
	struct tie *keeper = tie_alloc(); /* of the reference to a parent: the tie itself holds none */
	struct object *relative = NULL;
	int error = tie && keeper ? object_hold(handle->id, &relative) : -ENOMEM;

	if (relative) {
		foresee_tie(f, way, tie, relative, count);
		spend(keeper, way == STORE_PARENTS ? relative : NULL, f->spent);
		return 0;
	}
	if (tie)
		tie_free(tie);
	if (keeper)
		tie_free(keeper);
	return error;
}

static int foresee_all(struct foreseen *f, enum store_tie_way way)
{
	struct object *object = f->object;
	struct store_tie_cursor cursor = { 0 };
	struct store_handle handle;
	unsigned int count = 0;
	int found;

	while ((found = store_tie_next(object->store, &object->stored, way, &cursor, &handle)) == 1) {
		if (count++ == RELATIVES)
			return -EMLINK;
		int error = foresee(f, way, &handle, cursor.count);
		if (error)
			return error;
	}
	return found;
}

static void link_foreseen(struct foreseen *f)
{
	struct list *node;

	while ((node = list_pop_front(&f->up))) {
		struct tie *tie = list_entry(node, struct tie, parent_link);
		struct object *parent = tie->parent;
		object_ref(f->object);
		tie_link(tie, parent, f->object, tie->count);
		tie_keep(parent);
	}
	while ((node = list_pop_front(&f->down))) {
		struct tie *tie = list_entry(node, struct tie, parent_link);
		tie_link(tie, f->object, tie->child, tie->count);
	}
}

static void forget_foreseen(struct foreseen *f)
{
	struct list *node;

	while ((node = list_pop_front(&f->up)))
		spend(list_entry(node, struct tie, parent_link), NULL, f->spent);
	while ((node = list_pop_front(&f->down))) {
		struct tie *tie = list_entry(node, struct tie, parent_link);
		spend(tie, tie->child, f->spent);
	}
}

static int leave_store(struct foreseen *f, struct store_freeing *freeing)
{
	struct object *object = f->object;
	int error = foresee_all(f, STORE_PARENTS);

	if (!error)
		error = foresee_all(f, STORE_CHILDREN);
	if (!error)
		error = store_withdraw_begin(object->store, &object->stored, freeing);
	if (error) {
		forget_foreseen(f);
		return error;
	}
	object->persistent = false;
	object->store = NULL;
	link_foreseen(f);
	if (tie_keep(object))
		object_unref(object); /* the caller has another */
	return 0;
}

int retie_to_memory(struct object *object, struct store_freeing *freeing, struct list *spent)
{
	struct foreseen f = { .object = object, .spent = spent };

	list_init(&f.up);
	list_init(&f.down);
	spin_lock(&tie_lock);
	int error = leave_store(&f, freeing);
	spin_unlock(&tie_lock);
	return error;
}

void retie_settle(struct list *spent)
{
	struct list *node;

	while ((node = list_pop_front(spent))) {
		struct tie *tie = list_entry(node, struct tie, parent_link);
		struct object *object = tie->child;
		tie_free(tie);
		object_put(object);
	}
}
