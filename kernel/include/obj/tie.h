// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ties in memory, as obj/tie.c and obj/retie.c handle them.
 *
 * A tie is the store's if both ends are in one store, else it is in memory. What a tie in memory
 * promises ends with the machine's power at the latest: a volatile parent is gone then, or the
 * volatile child is.
 *
 * A tie holds a reference to its child. A persistent parent may be forgotten by the table while it
 * lives on in its
 * store: as long as it has ties in memory, and does live on, it is kept by a reference of its own
 * (object->kept).
 *
 * Lock order: object, the lock of all ties, table, store. Nothing is let go (object_put()) under
 * the lock of all ties.
 */
#ifndef OBJ_TIE_H
#define OBJ_TIE_H

#include <obj/object.h>

struct tie {
	struct list parent_link; /* parent->children; guarded by tie_lock */
	struct list child_link;  /* child->parents; the same */
	struct object *parent;
	struct object *child;    /* holds a reference */
	uint64_t count;
};

/* Guards all ties: they are rare, and cycles are a question about several objects at once. */
extern struct spinlock tie_lock;

struct tie *tie_alloc(void); /* NULL: no memory */
void tie_free(struct tie *tie);

/*
 * Whether a new tie would close a circle (-ELOOP), or make a chain longer than allowed (-EMLINK).
 * Lock held.
 */
int tie_check(struct object *parent, struct object *child);

/*
 * Tie in memory, if that closes no circle; `fresh` becomes the tie (*used) unless the two are tied
 * already. Lock held. 0, -ELOOP, -EMLINK, -EUCLEAN.
 */
int tie_in_memory(struct tie *fresh, struct object *parent, struct object *child, bool *used);

/* Enter a tie: it takes over a reference to the child that the caller has. Lock held. */
void tie_link(struct tie *tie, struct object *parent, struct object *child, uint64_t count);

/*
 * Take a tie out; the caller frees it, and puts the child when the lock is given back. Lock held.
 */
void tie_unlink(struct tie *tie);

/* The tie of two objects in memory, or NULL. Lock held. */
struct tie *tie_find(struct object *parent, struct object *child);

/*
 * Whether the object must be kept in memory for its ties there, after they, its deletion or its
 * place have changed. True: it was and need not be any more; the caller puts it, without the lock.
 * Lock held.
 */
bool tie_keep(struct object *object);

/* ---- Publication (obj/publish.c) ---- */

/*
 * Let a draft be found, with ties to all its parents: all or nothing, and for a persistent one
 * durable. `flags` as for store_publish_tied(). -EEXIST: its ID is taken; -EXDEV: a parent is in
 * another store; -ENOMEM, -ENOSPC, and those of object_tie().
 */
int object_publish_tied(struct object *draft, struct object *const *parents, unsigned int count, unsigned int flags);

/* ---- Moving a tied object (obj/retie.c) ---- */

/*
 * The one store that all persistent relatives of an object are in, NULL: it has none. -EXDEV: there
 * are several.
 */
int retie_store(struct object *object, struct store **store);

/*
 * The volatile object, which is locked, becomes what stands hidden in `handle`, with its ties to
 * objects of that
 * store: all or nothing, durable. `spent` (an empty list) is to be settled when no lock is held.
 * -EAGAIN: a relative is in another store now; -EMLINK: more ties than one step can publish;
 * -ENOMEM; else as store_publish_tied().
 */
int retie_to_store(struct object *object, struct store *store, const struct store_handle *handle,
		   struct list *spent);

/*
 * The other way: the object is withdrawn from its store, in one step, and its ties there are in
 * memory from then on. What is left of it in the store is to be freed with `freeing`. -ENOMEM,
 * -EMLINK; else as store_withdraw_begin().
 */
int retie_to_memory(struct object *object, struct store_freeing *freeing, struct list *spent);

void retie_settle(struct list *spent);

#endif
