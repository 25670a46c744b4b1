// SPDX-License-Identifier: BSD-3-Clause
/* Waiting for several files at once. */
#include "shared.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <twz/obj/bstream.h>
#include <twz/obj/event.h>
#include <twz/obj/io.h>
#include <twz/sys/sync.h>
#include <twz/sys/sys.h>

#define MOST (TWIX_POLL_MOST - 2) /* beside those of who asks */

/* One look at one side of a file: whether it is ready, and what to wait on if not. */
static bool is_ready(struct twix_file *f, uint64_t type, struct event *evs, size_t *n)
{
	const struct twix_ops *ops = twix_ops_of(f);
	struct event ev;
	int r;

	if (!ops->poll)
		return true;
	r = ops->poll(f, type, &ev);
	if (r == 0 && *n < MOST)
		evs[(*n)++] = ev;
	return r != 0;
}

/* Nobody writes any more, and everything was read. */
static bool is_drained(struct twix_file *f)
{
	twzobj *o = f->kind == TWIX_PIPE_READ ? twix_file_object(f) : NULL;
	struct bstream_hdr *hdr = o ? twz_object_base(o) : NULL;

	return hdr && atomic_load(&hdr->head) == atomic_load(&hdr->tail);
}

static short look_as_it_says(struct twix_file *f, short events, struct event *evs, size_t *n)
{
	struct event some[4];
	size_t count = 0;
	short ready = twix_ops_of(f)->look(f, events, some, &count);

	for (size_t i = 0; i < count && *n < MOST; i++)
		evs[(*n)++] = some[i];
	return ready;
}

short twix_poll_look(struct twix_file *f, short events, struct event *evs, size_t *n)
{
	short ready = 0;

	if (twix_ops_of(f)->look)
		return look_as_it_says(f, events, evs, n);
	if (events & (POLLIN | POLLRDNORM) && is_ready(f, TWZIO_EVENT_READ, evs, n))
		ready |= events & (POLLIN | POLLRDNORM);
	if (events & (POLLOUT | POLLWRNORM) && is_ready(f, TWZIO_EVENT_WRITE, evs, n))
		ready |= events & (POLLOUT | POLLWRNORM);
	if (twix_ops_of(f)->hung_up && twix_ops_of(f)->hung_up(f))
		ready |= f->kind == TWIX_PIPE_READ ? POLLHUP : POLLERR;
	if (ready & POLLHUP && is_drained(f))
		ready &= ~(POLLIN | POLLRDNORM);
	return ready;
}

static short look(const struct pollfd *p, struct event *evs, size_t *n)
{
	struct twix_file *f;
	short ready;

	if (p->fd < 0)
		return 0;
	f = twix_file_of(p->fd);
	if (!f)
		return POLLNVAL;
	ready = twix_poll_look(f, p->events, evs, n);
	twix_file_put(f);
	return ready;
}

/* How many are ready; to the *n events those to wait for are added. */
static int look_at_all(struct pollfd *fds, size_t count, struct event *evs, size_t *n)
{
	int ready = 0;

	for (size_t i = 0; i < count; i++) {
		fds[i].revents = look(&fds[i], evs, n);
		ready += fds[i].revents != 0;
	}
	return ready;
}

/*
 * Whoever waits for more files than the kernel can wait for at once, or for what has no event of its own,
 * waits for anything that is done with any file of those who share.
 */
void twix_activity(void)
{
	uint64_t n;

	if (!__atomic_load_n(&twix_shared->crowds, __ATOMIC_SEQ_CST))
		return;
	n = __atomic_fetch_add(&twix_shared->activities, 1, __ATOMIC_ACQ_REL);
	event_clear(&twix_shared->activity, 1ull << (n + 32) % 64);
	event_wake(&twix_shared->activity, 1ull << n % 64, -1);
}

void twix_activity_event(struct event *ev)
{
	event_init(ev, &twix_shared->activity, 1ull << __atomic_load_n(&twix_shared->activities, __ATOMIC_ACQUIRE) % 64);
}

void twix_crowd(int by)
{
	__atomic_fetch_add(&twix_shared->crowds, (uint32_t)by, __ATOMIC_SEQ_CST);
}

int twix_poll_sleep(struct event *evs, size_t n, uint64_t until)
{
	uint64_t now = twz_clock_ns(), left = until > now ? until - now : 0;
	struct timespec rest = twix_time_of(left), at = twix_time_of(until);
	struct sys_thread_sync_args room;

	if (n)
		return event_wait(n, evs, until == UINT64_MAX ? NULL : &rest);
	return (int)twix_sleep(0, &room, until == UINT64_MAX ? NULL : &at);
}

/* until: of the monotonic clock; UINT64_MAX: for ever. */
static long wait_for(struct pollfd *fds, size_t count, uint64_t until)
{
	struct event evs[TWIX_POLL_MOST];
	bool crowd = count > MOST / 2; /* each may have an event for each side */
	size_t n;
	long r;

	twix_crowd(crowd);
	for (;;) {
		n = crowd;
		if (crowd)
			twix_activity_event(&evs[0]);
		r = look_at_all(fds, count, evs, &n);
		if (r || twz_clock_ns() >= until)
			break;
		r = twix_poll_sleep(evs, n, until);
		if (r == -EINTR)
			break;
	}
	twix_crowd(-crowd);
	return r;
}

/* With other signals blocked meanwhile. */
static long masked_wait(struct pollfd *fds, size_t count, uint64_t until, const uint64_t *mask)
{
	twix_signal_mask(mask);
	return wait_for(fds, count, until);
}

long twix_ppoll(const long a[6])
{
	uint64_t until;
	int r = twix_until((const struct timespec *)a[2], &until);

	if (r < 0)
		return r;
	if ((size_t)a[1] > twix_self()->nofile)
		return -EINVAL;
	if (!twix_can_write((void *)a[0], (size_t)a[1] * sizeof(struct pollfd)))
		return -EFAULT;
	return masked_wait((struct pollfd *)a[0], (size_t)a[1], until, (const uint64_t *)a[3]);
}

/* --- select: the same with sets */

static bool has(const fd_set *set, int fd)
{
	return set && FD_ISSET(fd, set);
}

static size_t from_sets(int nfds, fd_set *const sets[3], struct pollfd *fds)
{
	size_t n = 0;

	for (int fd = 0; fd < nfds; fd++) {
		short events = (short)((has(sets[0], fd) ? POLLIN : 0) | (has(sets[1], fd) ? POLLOUT : 0) |
		    (has(sets[2], fd) ? POLLPRI : 0));

		if (events)
			fds[n++] = (struct pollfd){ .fd = fd, .events = events };
	}
	return n;
}

static long to_sets(const struct pollfd *fds, size_t n, int nfds, fd_set *const sets[3])
{
	long bits = 0;

	for (int i = 0; i < 3; i++)
		if (sets[i])
			memset(sets[i], 0, (size_t)(nfds + 63) / 64 * 8);
	for (size_t i = 0; i < n; i++) {
		if (fds[i].revents & POLLNVAL)
			return -EBADF;
		if (fds[i].events & POLLIN && fds[i].revents & (POLLIN | POLLHUP | POLLERR)) {
			FD_SET(fds[i].fd, sets[0]);
			bits++;
		}
		if (fds[i].events & POLLOUT && fds[i].revents & (POLLOUT | POLLERR)) {
			FD_SET(fds[i].fd, sets[1]);
			bits++;
		}
	}
	return bits;
}

long twix_pselect6(const long a[6])
{
	fd_set *const sets[3] = { (fd_set *)a[1], (fd_set *)a[2], (fd_set *)a[3] };
	const uint64_t *const *mask = (const void *)a[5];
	struct pollfd fds[FD_SETSIZE];
	int nfds = (int)a[0];
	uint64_t until;
	size_t n;
	long r = twix_until((const struct timespec *)a[4], &until);

	if (r < 0 || nfds < 0 || nfds > FD_SETSIZE)
		return -EINVAL;
	for (int i = 0; i < 3; i++)
		if (sets[i] && !twix_can_write(sets[i], (size_t)(nfds + 63) / 64 * 8))
			return -EFAULT;
	if (mask && (!twix_can_read(mask, sizeof(*mask)) || (*mask && !twix_can_read(*mask, sizeof(**mask)))))
		return -EFAULT;
	n = from_sets(nfds, sets, fds);
	r = masked_wait(fds, n, until, mask ? *mask : NULL);
	return r < 0 ? r : to_sets(fds, n, nfds, sets);
}
