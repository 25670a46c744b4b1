// SPDX-License-Identifier: BSD-3-Clause
/*
 * Events. No wake is lost: a waiter sleeps only while the word has the value in which it saw its
 * bits clear, which the kernel compares when the waiter is already in the queue; and a waker has
 * changed the word before it wakes. Setting and clearing are read-modify-write operations of one
 * word, so that of a clear and a wake one sees the other: the clear acquires what the waker did
 * before, or the waker finds the bit clear and wakes.
 */
#include "runtime.h"

#include <twz/obj/event.h>
#include <twz/sys/sync.h>
#include <twz/sys/sys.h>

#define NS_PER_S 1000000000ull
#define FOREVER UINT64_MAX
#define FEW 8u

void event_obj_init(twzobj *o, struct evhdr *hdr)
{
	atomic_store_explicit(&hdr->point, 0, memory_order_release);
	twz_object_addext(o, EVENT_METAEXT_TAG, hdr);
}

int(event_init)(struct event *ev, struct evhdr *hdr, uint64_t events)
{
	*ev = (struct event){ .hdr = hdr, .events = events };
	return events ? 0 : -EINVAL;
}

int __event_init_timeout(struct event *ev, struct evhdr *hdr, uint64_t events,
    const struct timespec *timeout)
{
	int r = (event_init)(ev, hdr, events);

	if (timeout)
		event_add_timeout(ev, timeout);
	return r;
}

void event_init_other(struct event *ev, atomic_uint_least64_t *word, uint64_t events)
{
	*ev = (struct event){ .other = word, .events = events, .flags = EVENT_OTHER };
}

void event_add_timeout(struct event *ev, const struct timespec *timeout)
{
	ev->resv[0] = (uint64_t)timeout->tv_sec;
	ev->resv[1] = (uint64_t)timeout->tv_nsec;
	ev->flags |= EVENT_TIMEOUT;
}

/* The word of an entry: a header is its word. */
static atomic_uint_least64_t *word_of(const struct event *ev)
{
	return ev->flags & EVENT_OTHER ? ev->other : &ev->hdr->point;
}

/* Lower *ns to a timeout; false if it is no time. */
static bool no_later(uint64_t *ns, int64_t sec, int64_t nsec)
{
	uint64_t t;

	if (sec < 0 || nsec < 0 || nsec >= (int64_t)NS_PER_S)
		return false;
	t = (uint64_t)sec < FOREVER / NS_PER_S ? (uint64_t)sec * NS_PER_S + (uint64_t)nsec : FOREVER;
	*ns = t < *ns ? t : *ns;
	return true;
}

static bool shortest(size_t n, const struct event *ev, const struct timespec *to, uint64_t *ns)
{
	*ns = FOREVER;
	for (size_t i = 0; i < n; i++)
		if (ev[i].flags & EVENT_TIMEOUT &&
		    !no_later(ns, (int64_t)ev[i].resv[0], (int64_t)ev[i].resv[1]))
			return false;
	return !to || no_later(ns, to->tv_sec, to->tv_nsec);
}

/* Look at every entry; how many have a result. ops, if not NULL, become the sleeps to do else. */
static int examine(size_t n, struct event *ev, struct sys_thread_sync_args *ops)
{
	int ready = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t point = atomic_load_explicit(word_of(&ev[i]), memory_order_acquire);

		ev[i].result = point & ev[i].events;
		ready += ev[i].result != 0;
		if (ops)
			twz_thread_sync_init(&ops[i], THREAD_SYNC_SLEEP, (atomic_ulong *)word_of(&ev[i]),
			    point);
	}
	return ready;
}

static long sleep_until(size_t n, struct sys_thread_sync_args *ops, uint64_t until)
{
	struct timespec at = { (long)(until / NS_PER_S), (long)(until % NS_PER_S) };

	return __twz_sleep(n, ops, until == FOREVER ? NULL : &at);
}

/* Other bits of the words may change: go on until it is one of ours, or time. */
static int wait_with(size_t n, struct event *ev, struct sys_thread_sync_args *ops, uint64_t ns)
{
	uint64_t until = ns == FOREVER ? FOREVER : twz_clock_ns() + ns;
	int ready;
	long r;

	if (until < ns)
		until = FOREVER;
	while ((ready = examine(n, ev, ops)) == 0) {
		if (until != FOREVER && twz_clock_ns() >= until)
			return 0;
		r = sleep_until(n, ops, until);
		if (r < 0)
			return (int)r;
	}
	return ready;
}

static int wait_few(size_t n, struct event *ev, uint64_t ns)
{
	struct sys_thread_sync_args ops[FEW + 1];

	return wait_with(n, ev, ops, ns);
}

/* Apart, because of its stack: 40 KiB. */
static __attribute__((noinline)) int wait_many(size_t n, struct event *ev, uint64_t ns)
{
	struct sys_thread_sync_args ops[EVENT_WAIT_MAX + 1];

	return wait_with(n, ev, ops, ns);
}

int(event_wait)(size_t n, struct event *ev, const struct timespec *timeout)
{
	uint64_t ns;
	int ready;

	if (n > EVENT_WAIT_MAX || !shortest(n, ev, timeout, &ns) || (n == 0 && ns == FOREVER))
		return -EINVAL;
	ready = examine(n, ev, NULL);
	if (ready || ns == 0)
		return ready;
	return n <= FEW ? wait_few(n, ev, ns) : wait_many(n, ev, ns);
}

int event_wake_other(atomic_uint_least64_t *word, uint64_t events, long n)
{
	uint64_t old = atomic_fetch_or_explicit(word, events, memory_order_acq_rel);

	if ((events & ~old) == 0 || n == 0)
		return 0;
	return twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)word, (uint64_t)n, NULL);
}

int event_wake(struct evhdr *hdr, uint64_t events, long n)
{
	return event_wake_other(&hdr->point, events, n);
}

uint64_t event_clear_other(atomic_uint_least64_t *word, uint64_t events)
{
	return atomic_fetch_and_explicit(word, ~events, memory_order_acq_rel) & events;
}

uint64_t event_clear(struct evhdr *hdr, uint64_t events)
{
	return event_clear_other(&hdr->point, events);
}

uint64_t event_poll_other(const atomic_uint_least64_t *word, uint64_t events)
{
	return atomic_load_explicit((atomic_uint_least64_t *)word, memory_order_acquire) & events;
}

uint64_t event_poll(const struct evhdr *hdr, uint64_t events)
{
	return event_poll_other(&hdr->point, events);
}
