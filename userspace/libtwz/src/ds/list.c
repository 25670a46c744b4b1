// SPDX-License-Identifier: BSD-3-Clause
/*
 * List. Within the list's object every change is one step of the allocator. Where a pointer in
 * another object decides, l->pending holds the node that comes or goes meanwhile: whether it is in
 * the list tells afterwards whether it happened.
 */
#include "record.h"

#include <twz/ds/list.h>

#define NODE_MASK 0xffff0000u

/* --- nodes */

static uint64_t *next_word(struct twz_list_node *n)
{
	return (uint64_t *)(void *)&n->next;
}

static bool is_in(const twzobj *o, const void *p)
{
	return ds_offset(o, p) < OBJ_MAXSIZE;
}

/* Whether all of a node in some object is there. */
static bool node_ok(const struct twz_list_node *n)
{
	uint64_t offset = (uintptr_t)n & (OBJ_MAXSIZE - 1);

	return ds_inside(offset, sizeof(*n), 8) && (n->flags & NODE_MASK) == TWZ_LIST_NODE &&
	       n->len <= TWZ_DS_VALUE_MAX && ds_inside(offset, sizeof(*n) + n->len, 8);
}

static struct twz_list_node *checked(struct twz_list_node *n)
{
	return n && node_ok(n) ? n : NULL;
}

struct twz_list_node *twz_list_first(twzobj *o, const struct twz_list *l)
{
	uint64_t first = ds_load((const uint64_t *)(const void *)&l->first);

	return first ? checked(twz_object_lea(o, (struct twz_list_node *)(uintptr_t)first)) : NULL;
}

/* The word that leads to what stands behind `after`; NULL: to the first node. */
static uint64_t *link_of(struct twz_list *l, struct twz_list_node *after)
{
	return after ? next_word(after) : (uint64_t *)(void *)&l->first;
}

/* --- locking */

static bool is_linked(twzobj *o, const struct twz_list *l, const struct twz_list_node *node)
{
	struct twz_list_node *n;

	twz_list_for_each(o, l, n)
		if (n == node)
			return true;
	return false;
}

/* A step that another object decided was interrupted. */
static int settle(twzobj *o, struct twz_list *l)
{
	struct twz_list_node *n = ds_at(o, l->pending);

	if (!ds_inside(l->pending, sizeof(*n), 16) || twz_list_count(o, l) < 0)
		return -EINVLOBJ;
	return ds_publish(o, (struct twz_alloc_action[]){ ds_set(&l->pending, 0), ds_drop(n) },
	    is_linked(o, l, n) ? 1 : 2);
}

static int begin_read(const twzobj *o, const struct twz_list *l)
{
	return ds_root_ok(o, l, sizeof(*l)) ? ds_head_check(&l->head, TWZ_DS_LIST) : -EINVAL;
}

static int lock(twzobj *o, struct twz_list *l)
{
	int r = begin_read(o, l);

	if (r < 0 && r != -ENOENT)
		return r;
	ds_lock(o, &l->guard);
	if (begin_read(o, l) == -ENOENT)
		ds_head_write(o, &l->head, TWZ_DS_LIST, 0);
	r = l->pending ? settle(o, l) : 0;
	if (r < 0)
		ds_unlock(&l->guard);
	return r;
}

/* Words that a step of the allocator set are stored to without it, perhaps by the next holder: the
 * fence keeps the step's record from coming back (twz/alloc.h). */
static int unlock(twzobj *o, struct twz_list *l, int r)
{
	ds_fence(o);
	ds_unlock(&l->guard);
	return r;
}

/* --- adding */

static struct twz_list_node *new_node(twzobj *o, const void *data, size_t len, int *error)
{
	struct twz_list_node *n = twz_alloc_reserve(o, sizeof(*n) + len, 0, error);

	if (!n)
		return NULL;
	n->next = NULL;
	n->len = (uint32_t)len;
	n->flags = TWZ_LIST_OWNED;
	ds_copy(n->data, data, len);
	return n;
}

/* `after` is in the same object, or NULL. */
static int insert_here(twzobj *o, struct twz_list *l, struct twz_list_node *after,
    struct twz_list_node *n)
{
	uint64_t *link = link_of(l, after);
	bool is_last = !*link;

	n->next = (struct twz_list_node *)(uintptr_t)*link;
	return ds_publish(o, (struct twz_alloc_action[]){ ds_keep(n, sizeof(*n) + n->len),
	    ds_set(link, ds_offset(o, n)),
	    ds_set((uint64_t *)(void *)&l->last, ds_offset(o, n)) }, is_last ? 3 : 2);
}

/* Make `from`, a word in any object, lead to a node in any object, durably. */
static int lead_to(uint64_t *from, struct twz_list_node *to)
{
	twzobj holder = twz_object_from_ptr(from);

	return twz_ptr_store_guid(&holder, from, NULL, to, FE_READ | FE_WRITE);
}

static int insert_there(twzobj *o, struct twz_list *l, struct twz_list_node *after,
    struct twz_list_node *n)
{
	int r = lead_to(next_word(n), twz_list_next(after));

	if (r < 0) {
		twz_alloc_cancel(o, n);
		return r;
	}
	r = ds_publish(o, (struct twz_alloc_action[]){ ds_keep(n, sizeof(*n) + n->len),
	    ds_set(&l->pending, ds_offset(o, n)) }, 2);
	if (r < 0)
		return r;
	r = lead_to(next_word(after), n);
	if (r < 0)
		ds_publish(o, (struct twz_alloc_action[]){ ds_set(&l->pending, 0), ds_drop(n) }, 2);
	else
		ds_store_durably(o, &l->pending, 0);
	return r;
}

static int insert_locked(twzobj *o, struct twz_list *l, struct twz_list_node *after,
    const void *data, size_t len)
{
	int error;
	struct twz_list_node *n = new_node(o, data, len, &error);

	if (!n)
		return error;
	if (!after || is_in(o, after))
		return insert_here(o, l, after, n);
	return insert_there(o, l, after, n);
}

int twz_list_insert(twzobj *o, struct twz_list *l, struct twz_list_node *after, const void *data,
    size_t len)
{
	int r;

	if (len > TWZ_DS_VALUE_MAX || (len && !data) || (after && !node_ok(after)))
		return -EINVAL;
	r = lock(o, l);
	return r < 0 ? r : unlock(o, l, insert_locked(o, l, after, data, len));
}

int twz_list_push(twzobj *o, struct twz_list *l, const void *data, size_t len)
{
	return twz_list_insert(o, l, NULL, data, len);
}

/* The last node, NULL if there is none; found from l->last on. */
static int find_last(twzobj *o, const struct twz_list *l, struct twz_list_node **last)
{
	struct twz_list_node *n = twz_list_first(o, l), *next, *slow;
	uint64_t known = (uintptr_t)l->last;

	if (n && known)
		n = ds_inside(known, sizeof(*n), 8) ? checked(ds_at(o, known)) : NULL;
	if (!n && l->first)
		return -EINVLOBJ;
	slow = n;
	for (unsigned long i = 0; n && (next = twz_list_next(n)); i++) {
		n = checked(next);
		if (i & 1)
			slow = twz_list_next(slow);
		if (!n || n == slow)
			return -EINVLOBJ;
	}
	*last = n;
	return 0;
}

int twz_list_push_back(twzobj *o, struct twz_list *l, const void *data, size_t len)
{
	struct twz_list_node *last = NULL;
	int r;

	if (len > TWZ_DS_VALUE_MAX || (len && !data))
		return -EINVAL;
	r = lock(o, l);
	if (r < 0)
		return r;
	r = find_last(o, l, &last);
	return unlock(o, l, r < 0 ? r : insert_locked(o, l, last, data, len));
}

static int link_locked(twzobj *o, struct twz_list *l, struct twz_list_node *after,
    struct twz_list_node *node)
{
	twzobj there = twz_object_from_ptr(node);
	struct twz_list_node *next = after ? twz_list_next(after) : twz_list_first(o, l);
	int r = lead_to(next_word(node), next);

	if (r < 0)
		return r;
	node->flags = TWZ_LIST_NODE;
	ds_flush(&there, node, sizeof(*node));
	ds_fence(&there);
	return lead_to(link_of(l, after), node);
}

int twz_list_link(twzobj *o, struct twz_list *l, struct twz_list_node *after,
    struct twz_list_node *node)
{
	int r;

	if ((uintptr_t)node & 7 || (after && !node_ok(after)))
		return -EINVAL;
	r = lock(o, l);
	return r < 0 ? r : unlock(o, l, link_locked(o, l, after, node));
}

/* --- removing */

/* What is done besides: a node that l->last leads to is left, one of the list's is freed. */
static size_t also(twzobj *o, struct twz_list *l, struct twz_list_node *after,
    struct twz_list_node *n, struct twz_alloc_action *actions)
{
	size_t count = 0;

	if (is_in(o, n) && (uintptr_t)l->last == ds_offset(o, n))
		actions[count++] = ds_set((uint64_t *)(void *)&l->last,
		    after && is_in(o, after) ? ds_offset(o, after) : 0);
	if (n->flags == TWZ_LIST_OWNED)
		actions[count++] = ds_drop(n);
	return count;
}

/* All pointers concerned are in the list's object. */
static int remove_here(twzobj *o, struct twz_list *l, struct twz_list_node *after,
    struct twz_list_node *n)
{
	struct twz_alloc_action actions[3] = { ds_set(link_of(l, after), *next_word(n)) };
	int r = ds_publish(o, actions, 1 + also(o, l, after, n, actions + 1));

	return r == -EINVAL ? -EINVLOBJ : r;
}

static int remove_there(twzobj *o, struct twz_list *l, struct twz_list_node *after,
    struct twz_list_node *n)
{
	struct twz_alloc_action actions[3];
	bool owned = n->flags == TWZ_LIST_OWNED && is_in(o, n);
	size_t count = also(o, l, after, n, actions);
	int r = 0;

	if (owned)
		actions[count - 1] = ds_set(&l->pending, ds_offset(o, n));
	if (count)
		r = ds_publish(o, actions, count);
	if (r == 0)
		r = lead_to(link_of(l, after), twz_list_next(n));
	if (r == 0 && owned)
		r = ds_publish(o, (struct twz_alloc_action[]){ ds_set(&l->pending, 0),
		    ds_drop(n) }, 2);
	return r;
}

static int remove_locked(twzobj *o, struct twz_list *l, struct twz_list_node *after)
{
	struct twz_list_node *n = after ? checked(twz_list_next(after)) : twz_list_first(o, l);

	if (!n)
		return *link_of(l, after) ? -EINVLOBJ : -ENOENT;
	if ((!after || is_in(o, after)) && is_in(o, n))
		return remove_here(o, l, after, n);
	return remove_there(o, l, after, n);
}

int twz_list_remove_after(twzobj *o, struct twz_list *l, struct twz_list_node *after)
{
	int r = begin_read(o, l);

	if (r < 0)
		return r;
	if (after && !node_ok(after))
		return -EINVAL;
	r = lock(o, l);
	return r < 0 ? r : unlock(o, l, remove_locked(o, l, after));
}

int twz_list_pop(twzobj *o, struct twz_list *l)
{
	return twz_list_remove_after(o, l, NULL);
}

/* --- counting, checking */

/* Brent's algorithm finds cycles. */
ssize_t twz_list_count(twzobj *o, const struct twz_list *l)
{
	struct twz_list_node *n, *mark = NULL;
	ssize_t count = 0, next_mark = 1;

	if (begin_read(o, l) < 0)
		return begin_read(o, l) == -ENOENT ? 0 : begin_read(o, l);
	n = twz_list_first(o, l);
	if (!n && l->first)
		return -EINVLOBJ;
	for (; n; n = twz_list_next(n)) {
		if (n == mark || !node_ok(n) || (n->next && !twz_list_next(n)))
			return -EINVLOBJ;
		if (++count == next_mark) {
			mark = n;
			next_mark *= 2;
		}
	}
	return count;
}

static bool local_node_is_sound(twzobj *o, const struct twz_list_node *n)
{
	if (!node_ok(n))
		return false;
	return n->flags != TWZ_LIST_OWNED || twz_alloc_usable(o, n) >= sizeof(*n) + n->len;
}

int twz_list_check(twzobj *o, const struct twz_list *l)
{
	uint64_t p = (uintptr_t)l->first, mark = 0, count = 0, next_mark = 1;
	uint64_t last = (uintptr_t)l->last;
	int r = begin_read(o, l);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (l->pending && !ds_inside(l->pending, sizeof(struct twz_list_node), 16))
		return -EINVLOBJ;
	for (; p && p < OBJ_MAXSIZE; p = (uintptr_t)((struct twz_list_node *)ds_at(o, p))->next) {
		if (p == mark || !ds_inside(p, sizeof(struct twz_list_node), 8) ||
		    !local_node_is_sound(o, ds_at(o, p)))
			return -EINVLOBJ;
		if (p == last)
			last = 0;
		if (++count == next_mark) {
			mark = p;
			next_mark *= 2;
		}
	}
	return p || !last ? 0 : -EINVLOBJ;
}
