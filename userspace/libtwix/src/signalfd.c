// SPDX-License-Identifier: BSD-3-Clause
/*
 * Descriptors that signals are read from: those that wait for the process or the thread that reads,
 * and are in the descriptor's set. The program blocks them, so that no handler takes them first.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <twz/obj/event.h>

_Static_assert(sizeof(struct signalfd_siginfo) == 128, "as Linux has it");

/* The set stands at the base of an object, so that all who have the descriptor share it. */
static uint64_t *set_of(struct twix_file *f)
{
	twzobj *o = twix_file_object(f);

	return o ? twz_object_base(o) : NULL;
}

static uint64_t wanted(struct twix_file *f)
{
	uint64_t *set = set_of(f);

	return set ? __atomic_load_n(set, __ATOMIC_ACQUIRE) & ~SIGS_NEVER_BLOCKED : 0;
}

static void tell(const struct twix_signal *s, struct signalfd_siginfo *out)
{
	*out = (struct signalfd_siginfo){ .ssi_signo = (uint32_t)s->sig, .ssi_code = s->code };
	if (s->code == SI_TIMER) {
		out->ssi_tid = (uint32_t)s->a;
		out->ssi_overrun = (uint32_t)twix_timer_taken(s->a, s->b);
	} else {
		out->ssi_pid = (uint32_t)s->a;
		out->ssi_uid = (uint32_t)s->b;
	}
	if (s->sig == SIGCHLD && s->code > 0) {
		out->ssi_status = (int)s->value;
	} else if (s->code < 0 && s->code != SI_TKILL) {
		out->ssi_int = (int)s->value;
		out->ssi_ptr = s->value;
	}
}

/* One; it sleeps for the first. */
static ssize_t read_one(struct twix_file *f, struct twix_signal *s, bool sleeps)
{
	uint64_t *disturbed = &twix_self()->disturbed, seen;
	int sig;

	for (;;) {
		seen = __atomic_load_n(disturbed, __ATOMIC_SEQ_CST);
		sig = twix_signal_take(wanted(f), s);
		if (sig > 0)
			return sig;
		if (!sleeps)
			return -EAGAIN;
		if (twix_sleep_on(disturbed, seen, UINT64_MAX) == -EINTR)
			return -EINTR;
	}
}

static ssize_t signals_read(struct twix_file *f, void *buf, size_t n)
{
	struct signalfd_siginfo one;
	struct twix_signal s;
	size_t done = 0;
	ssize_t r = -EINVAL;

	while (n - done >= sizeof(one)) {
		r = read_one(f, &s, !done && !(f->flags & O_NONBLOCK));
		if (r < 0)
			break;
		tell(&s, &one);
		memcpy((char *)buf + done, &one, sizeof(one));
		done += sizeof(one);
	}
	return done ? (ssize_t)done : r;
}

/* Who sends a signal sets its bit after it has noted it; here it is cleared before that is looked for. */
static short look(struct twix_file *f, short events, struct event *evs, size_t *n)
{
	struct twix_process *p = twix_self();
	uint64_t set = wanted(f), pending;

	__atomic_store_n(&p->signals_watched, 1, __ATOMIC_SEQ_CST);
	if (set) {
		event_init_other(&evs[*n], (atomic_ulong *)&p->signals_seen, set);
		event_clear_other((atomic_ulong *)&p->signals_seen, set);
	}
	pending = __atomic_load_n(&p->pending, __ATOMIC_SEQ_CST) | __atomic_load_n(&twix_me->pending, __ATOMIC_SEQ_CST);
	if (pending & set)
		return events & (POLLIN | POLLRDNORM);
	*n += set != 0;
	return 0;
}

static void last(struct twix_file *f)
{
	twz_object_tie_guid(twix_shared_id(), f->id, TIE_UNTIE);
}

const struct twix_ops twix_signalfd_ops = { .read = signals_read, .look = look, .last = last, .mode = 0600 };

static long change(int fd, uint64_t set)
{
	struct twix_file *f = twix_file_of(fd);
	long r = !f ? -EBADF : f->kind != TWIX_SIGNALFD ? -EINVAL : fd;

	if (r >= 0 && set_of(f))
		__atomic_store_n(set_of(f), set, __ATOMIC_RELEASE);
	if (f)
		twix_file_put(f);
	return r;
}

long twix_signalfd4(const long a[6])
{
	int flags = (int)a[3];
	struct twix_file *f;
	uint64_t set;
	long fd;

	if (a[2] != 8 || flags & ~(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	memcpy(&set, (const void *)a[1], sizeof(set));
	if ((int)a[0] != -1)
		return change((int)a[0], set);
	fd = twix_file_with_object(TWIX_SIGNALFD, O_RDWR | (flags & SFD_NONBLOCK), &f);
	if (fd < 0)
		return fd;
	*set_of(f) = set;
	fd = twix_install(f, 0, flags & SFD_CLOEXEC);
	if (fd < 0)
		twix_file_put(f);
	return fd;
}
