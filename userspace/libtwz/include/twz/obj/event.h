// SPDX-License-Identifier: BSD-3-Clause
/*
 * Events: a word of 64 bits in any object. A set bit says that something happened, and stays until
 * it is cleared. Threads of any view wait for bits of several words at once. After a crash bits
 * may be stale: whoever uses them finds out anew what is ready.
 */
#ifndef TWZ_OBJ_EVENT_H
#define TWZ_OBJ_EVENT_H

#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct evhdr {
	atomic_uint_least64_t point; /* the events that happened */
};

/* event.flags */
#define EVENT_OTHER 0x10u   /* made by event_init_other */
#define EVENT_TIMEOUT 0x20u /* has a timeout of its own, in resv */

/* What to wait for: some bits of one word. Lives in the waiting program; made by event_init. */
struct event {
	union {
		struct evhdr *hdr;            /* d-ptr */
		atomic_uint_least64_t *other; /* d-ptr, with EVENT_OTHER */
	};
	uint64_t events;
	uint64_t result;  /* set by event_wait: those of events that are set */
	uint64_t resv[2]; /* seconds, nanoseconds */
	uint64_t flags;
};

#define EVENT_WAIT_MAX 1024u

_Static_assert(sizeof(struct evhdr) == 8, "event header");
_Static_assert(sizeof(struct event) == 48, "event");
_Static_assert(offsetof(struct event, events) == 8, "event events");
_Static_assert(offsetof(struct event, result) == 16, "event result");
_Static_assert(offsetof(struct event, resv) == 24, "event timeout");
_Static_assert(offsetof(struct event, flags) == 40, "event flags");

/* Clear all bits and register the header as the object's events, if none are registered yet. */
void event_obj_init(twzobj *o, struct evhdr *hdr);

/*
 * Prepare to wait for bits of hdr. The long form (ev, hdr, events, timeout) adds a timeout as
 * event_add_timeout does, NULL for none. 0; -EINVAL events is 0, and *ev is not to be waited on.
 */
int(event_init)(struct event *ev, struct evhdr *hdr, uint64_t events);
int __event_init_timeout(struct event *ev, struct evhdr *hdr, uint64_t events,
    const struct timespec *timeout);

#define __EVENT_INIT3(e, h, b) (event_init)(e, h, b)
#define __EVENT_INIT4(e, h, b, t) __event_init_timeout(e, h, b, t)
#define __EVENT_INIT_PICK(a, b, c, d, name, ...) name
#define event_init(...) \
	__EVENT_INIT_PICK(__VA_ARGS__, __EVENT_INIT4, __EVENT_INIT3, )(__VA_ARGS__)

/* The same for any word, which need not be that of an event header. */
void event_init_other(struct event *ev, atomic_uint_least64_t *word, uint64_t events);

/* Give *ev a timeout of its own, from the start of event_wait; the earliest of all counts. */
void event_add_timeout(struct event *ev, const struct timespec *timeout);

/*
 * Wait until one of the n entries has one of its bits set; timeout NULL: as long as it takes, as
 * the short form (n, ev) does. Returns how many entries have a result, which is set in each of
 * them; 0: the time is up. -EINVAL n over EVENT_WAIT_MAX, n 0 without a timeout, or a timeout that
 * is no time; -EINTR a signal came; -EFAULT no word stands there; -ENOENT its object is gone.
 */
int(event_wait)(size_t n, struct event *ev, const struct timespec *timeout);

#define __EVENT_WAIT2(n, e) (event_wait)(n, e, NULL)
#define __EVENT_WAIT3(n, e, t) (event_wait)(n, e, t)
#define __EVENT_WAIT_PICK(a, b, c, name, ...) name
#define event_wait(...) __EVENT_WAIT_PICK(__VA_ARGS__, __EVENT_WAIT3, __EVENT_WAIT2, )(__VA_ARGS__)

/*
 * Set bits. If one was not set before, wake n of those who wait on the word (-1: all, the right
 * number where they wait for different bits). What the caller stored before is seen by whoever sees
 * the bit. 0 or a negative error of the system call.
 */
int event_wake(struct evhdr *hdr, uint64_t events, long n);
int event_wake_other(atomic_uint_least64_t *word, uint64_t events, long n);

/* Clear bits in one step; returns those of them that were set. */
uint64_t event_clear(struct evhdr *hdr, uint64_t events);
uint64_t event_clear_other(atomic_uint_least64_t *word, uint64_t events);

/* Those of the bits that are set now. */
uint64_t event_poll(const struct evhdr *hdr, uint64_t events);
uint64_t event_poll_other(const atomic_uint_least64_t *word, uint64_t events);

#ifdef __cplusplus
}
#endif

#endif
