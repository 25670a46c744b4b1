// SPDX-License-Identifier: BSD-3-Clause
/*
 * List: nodes with a p-ptr to the next one, in order, also through several objects. A node that the
 * list allocated (twz_list_push, twz_list_insert) stands in the list's object and is freed when it
 * is removed. A node of the caller's own may stand anywhere, also in another object or inside a
 * larger struct (twz_list_link); removing it only takes it out of the list.
 *
 * Threads and views: one writer at a time (l->guard.lock, crash-proof). Readers need no lock to
 * walk a list that only grows; while nodes are removed they take the lock or keep removers out.
 */
#ifndef TWZ_DS_LIST_H
#define TWZ_DS_LIST_H

#include <twz/ds/ds.h>
#include <twz/ptr.h>

#ifdef __cplusplus
extern "C" {
#endif

struct twz_list_node {
	struct twz_list_node *next; /* p-ptr as of the object that this node stands in */
	uint32_t len;               /* bytes of data */
	uint32_t flags;             /* TWZ_LIST_* */
	unsigned char data[];
};

#define TWZ_LIST_NODE 0x4e000000u  /* what every node's flags begin with */
#define TWZ_LIST_OWNED 0x4e000001u /* the list allocated it */

struct twz_list {
	struct twz_ds_head head;
	struct twz_list_node *first; /* p-ptr */
	struct twz_list_node *last;  /* p-ptr: the last node or one before it, never one removed */
	uint64_t pending; /* local p-ptr: a node that comes or goes through another object */
	struct twz_ds_guard guard;   /* of all of the list */
};

_Static_assert(sizeof(struct twz_list_node) == 16, "list node");
_Static_assert(sizeof(struct twz_list) == 64, "list root");

/* Add a node with a copy of len bytes (at most TWZ_DS_VALUE_MAX) as the first, or the last one. */
int twz_list_push(twzobj *o, struct twz_list *l, const void *data, size_t len);
int twz_list_push_back(twzobj *o, struct twz_list *l, const void *data, size_t len);

/* The same behind the node `after` (a d-ptr) of the list; NULL: as the first one. */
int twz_list_insert(twzobj *o, struct twz_list *l, struct twz_list_node *after, const void *data,
    size_t len);

/*
 * Put the caller's own node, a d-ptr into any object that is open for writing, behind the node
 * `after`, which may stand in any object, too; NULL: as the first one. node->len and node->data are
 * the caller's and durable already; next and flags are set here. Errors of twz_ptr_store_guid().
 */
int twz_list_link(twzobj *o, struct twz_list *l, struct twz_list_node *after,
    struct twz_list_node *node);

/* Take the first node, or the one behind `after`, out; freed if the list owns it. 0; -ENOENT. */
int twz_list_pop(twzobj *o, struct twz_list *l);
int twz_list_remove_after(twzobj *o, struct twz_list *l, struct twz_list_node *after);

/* The first node, and the one behind a node, as d-ptrs; NULL: none. */
struct twz_list_node *twz_list_first(twzobj *o, const struct twz_list *l);

static inline struct twz_list_node *twz_list_next(struct twz_list_node *node)
{
	uintptr_t next = (uintptr_t)__atomic_load_n(&node->next, __ATOMIC_ACQUIRE);

	if (twz_ptr_islocal(next) && next - OBJ_NULLPAGE_SIZE >= OBJ_MAXDATA - sizeof(*node))
		return NULL;
	if (twz_ptr_islocal(next))
		return (struct twz_list_node *)(((uintptr_t)node & ~(OBJ_MAXSIZE - 1)) + next);
	return twz_ptr_lea(node->next);
}

#define twz_list_for_each(o, l, node) \
	for ((node) = twz_list_first((o), (l)); (node); (node) = twz_list_next(node))

/* How many nodes there are: walks them. -EINVLOBJ there is a cycle. */
ssize_t twz_list_count(twzobj *o, const struct twz_list *l);

/*
 * Check the whole list, as twz_ds_check; nodes in other objects are followed by their pointers only
 * as far as the first of them.
 */
int twz_list_check(twzobj *o, const struct twz_list *l);

#ifdef __cplusplus
}
#endif

#endif
