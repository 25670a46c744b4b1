// SPDX-License-Identifier: BSD-3-Clause
/*
 * The durable list of the threads to start again at boot: what is known of each, kept in the
 * store's system object, byte by byte in docs/format-resume.md.
 *
 * A thread has a place in the list, and a place holds two copies of its record. A change writes the
 * older copy whole and makes it durable; a copy counts only if its sum is right. So a power cut
 * leaves what was before or what is after. No function may be called with an object's lock held.
 */
#ifndef KSO_RESUME_BOOK_H
#define KSO_RESUME_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/thread.h>
#include <abi/types.h>

struct object;

struct resume_state {
	objid_t thread;
	objid_t view;
	objid_t active; /* security context, 0 = none */
	bool unrestricted; /* it has attached no context in its life */
	uint32_t context_count;
	objid_t contexts[TWZ_THRD_MAX_SCS];
	struct twz_sched sched;
};

/* A place in the list; 0 = none. */
typedef uint32_t resume_place;

/*
 * Open the list that `object` holds, and keep a reference to it. Places with damaged records are
 * reported and left alone. Boot CPU, once, before the other functions. 0; -EUCLEAN.
 */
int resume_book_open(struct object *object);

/*
 * Write what is known of a thread, durable on return. *place is its place; a thread without one (0)
 * gets one. -ENODEV no list is open; -ENOSPC, -ENOMEM, -EROFS, -EUCLEAN: then the older state
 * stands.
 */
int resume_book_write(resume_place *place, const struct resume_state *state);

/* Take a thread out, durable on return, and set *place to 0. Errors as above: it is still in. */
int resume_book_erase(resume_place *place);

/*
 * The first place behind `after` (0: the first at all) that holds a thread, and its state; 0: no
 * more. For the walk at boot.
 */
resume_place resume_book_next(resume_place after, struct resume_state *state);

#endif
