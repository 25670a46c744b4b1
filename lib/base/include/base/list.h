// SPDX-License-Identifier: BSD-3-Clause
/*
 * Intrusive doubly-linked list. The head is a node too; an empty list is a head that
 * points at itself. A node that is on no list should be self-linked with list_init,
 * which list_remove leaves it as, so that list_linked can be asked and a second
 * list_remove is harmless. No locking: the owner of the head says which lock guards it.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <base/bits.h>
#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

/* Static initialiser: struct list l = LIST_INIT(l); */
#define LIST_INIT(name) { &(name), &(name) }

/* Make a head empty, or a node unlinked. */
static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Is this node (initialised earlier) on a list? */
static inline bool list_linked(const struct list *node)
{
	return node->next != node;
}

/* Put an unlinked node directly before or after pos, a node or the head of the list. */
static inline void list_insert_after(struct list *pos, struct list *node)
{
	node->prev = pos;
	node->next = pos->next;
	pos->next->prev = node;
	pos->next = node;
}

static inline void list_insert_before(struct list *pos, struct list *node)
{
	list_insert_after(pos->prev, node);
}

/* Put an unlinked node at the front or the back of the list. */
static inline void list_push_front(struct list *head, struct list *node)
{
	list_insert_after(head, node);
}

static inline void list_push_back(struct list *head, struct list *node)
{
	list_insert_after(head->prev, node);
}

/* Unlink the node, leaving it self-linked. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* First or last node, or NULL if the list is empty. */
static inline struct list *list_first(const struct list *head)
{
	return list_empty(head) ? NULL : head->next;
}

static inline struct list *list_last(const struct list *head)
{
	return list_empty(head) ? NULL : head->prev;
}

/* Unlink and return the first node; NULL if the list is empty. */
static inline struct list *list_pop_front(struct list *head)
{
	struct list *node = list_first(head);

	if (node != NULL)
		list_remove(node);
	return node;
}

/* Move all nodes of from to the back of to; from is left empty. */
static inline void list_append_all(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

/* The structure that holds the node. */
#define list_entry(node, type, member) container_of(node, type, member)

/* Walk the nodes; the body must not unlink n. In the _safe form it may unlink n, and only n. */
#define list_for_each(n, head) for (struct list *n = (head)->next; n != (head); n = n->next)
#define list_for_each_safe(n, head)                                                        \
	for (struct list *n = (head)->next, *n##_next = n->next; n != (head);              \
	     n = n##_next, n##_next = n->next)

/* Walk the structures that hold the nodes: list_for_each_entry(struct thread, t, &queue, link). */
#define list_for_each_entry(type, var, head, member)                                       \
	for (type *var = list_entry((head)->next, type, member); &var->member != (head);   \
	     var = list_entry(var->member.next, type, member))
#define list_for_each_entry_safe(type, var, head, member)                                  \
	for (type *var = list_entry((head)->next, type, member),                           \
		  *var##_next = list_entry(var->member.next, type, member);                \
	     &var->member != (head);                                                       \
	     var = var##_next, var##_next = list_entry(var->member.next, type, member))

#endif
