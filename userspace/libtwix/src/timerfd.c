// SPDX-License-Identifier: BSD-3-Clause
/*
 * Descriptors that tell how often a time has come. There is nothing that runs: who waits, waits until
 * that time, and who reads counts how often it was by then.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <twz/obj/event.h>
#include <twz/sys/sys.h>

#define SET 1ull /* the event: it was set anew */

/* At the base of its object. */
struct alarm {
	struct evhdr ev;   /* SET: cleared before a look */
	struct mutex lock; /* guards all below */
	int32_t clock;
	uint64_t at, every; /* of the clock below; at 0: not running */
};

/* The monotonic clock, from a beginning that is long ago: a time that was may be before the machine's. */
#define LONG_AGO (1ull << 61)

static uint64_t now_ns(void)
{
	return LONG_AGO + twz_clock_ns();
}

static struct alarm *alarm_of(struct twix_file *f)
{
	twzobj *o = twix_file_object(f);

	return o ? twz_object_base(o) : NULL;
}

/* How often it has come until now. Lock held. */
static uint64_t count(const struct alarm *t, uint64_t now)
{
	if (!t->at || now < t->at)
		return 0;
	return 1 + (t->every ? (now - t->at) / t->every : 0);
}

static uint64_t take(struct alarm *t)
{
	uint64_t n;

	mutex_acquire(&t->lock);
	n = count(t, now_ns());
	if (n)
		t->at = t->every ? t->at + n * t->every : 0;
	mutex_release(&t->lock);
	return n;
}

/* Whether it has come; else what to wait for. */
static bool is_due(struct alarm *t, struct event *ev)
{
	struct timespec left;
	uint64_t now, at;

	event_init(ev, &t->ev, SET);
	event_clear(&t->ev, SET);
	mutex_acquire(&t->lock);
	at = t->at;
	mutex_release(&t->lock);
	now = now_ns();
	if (at && now >= at)
		return true;
	left = twix_time_of(at - now);
	if (at)
		event_add_timeout(ev, &left);
	return false;
}

static ssize_t alarm_read(struct twix_file *f, void *buf, size_t n)
{
	struct alarm *t = alarm_of(f);
	struct event ev;
	uint64_t times;
	int r = 0;

	if (n < sizeof(times))
		return -EINVAL;
	if (!t)
		return -EIO;
	while (r >= 0 && !(times = take(t))) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = is_due(t, &ev) ? 0 : event_wait(1, &ev);
	}
	if (r < 0)
		return r;
	memcpy(buf, &times, sizeof(times));
	return sizeof(times);
}

static short look(struct twix_file *f, short events, struct event *evs, size_t *n)
{
	struct alarm *t = alarm_of(f);

	if (!t)
		return POLLERR;
	if (is_due(t, &evs[*n]))
		return events & (POLLIN | POLLRDNORM);
	(*n)++;
	return 0;
}

static void last(struct twix_file *f)
{
	twz_object_tie_guid(twix_shared_id(), f->id, TIE_UNTIE);
}

const struct twix_ops twix_timerfd_ops = { .read = alarm_read, .look = look, .last = last, .mode = 0600 };

/* --- the calls */

long twix_timerfd_create(const long a[6])
{
	int clock = (int)a[0], flags = (int)a[1];
	struct twix_file *f;
	long fd;

	if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK) || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC &&
	    clock != CLOCK_BOOTTIME && clock != CLOCK_REALTIME_ALARM && clock != CLOCK_BOOTTIME_ALARM))
		return -EINVAL;
	fd = twix_file_with_object(TWIX_TIMERFD, O_RDWR | (flags & TFD_NONBLOCK), &f);
	if (fd < 0)
		return fd;
	mutex_init(&alarm_of(f)->lock);
	alarm_of(f)->clock = clock;
	fd = twix_install(f, 0, flags & TFD_CLOEXEC);
	if (fd < 0)
		twix_file_put(f);
	return fd;
}

static void tell(const struct alarm *t, struct itimerspec *out)
{
	uint64_t now = now_ns(), left = t->at > now ? t->at - now : 0;

	if (t->at && !left && t->every)
		left = t->every - (now - t->at) % t->every;
	out->it_value = twix_time_of(left);
	out->it_interval = twix_time_of(t->every);
}

static uint64_t ns_of(const struct timespec *ts)
{
	uint64_t most = UINT64_MAX / TWIX_NS / 4;

	return (uint64_t)ts->tv_sec < most ? (uint64_t)ts->tv_sec * TWIX_NS + (uint64_t)ts->tv_nsec : most * TWIX_NS;
}

/* Lock held. */
static void set(struct alarm *t, bool absolute, const struct itimerspec *new)
{
	bool real = t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM;
	uint64_t at = ns_of(&new->it_value), now = now_ns(), base = real ? twz_clock_real_ns() : now - LONG_AGO;

	if (at)
		at = !absolute ? now + at : now + at - base;
	t->at = at;
	t->every = ns_of(&new->it_interval);
}

/* As set or as told; either may be NULL. */
static long with_alarm(int fd, bool absolute, const struct itimerspec *new, struct itimerspec *old)
{
	struct twix_file *f = twix_file_of(fd);
	struct alarm *t = f && f->kind == TWIX_TIMERFD ? alarm_of(f) : NULL;
	struct itimerspec was;

	if (t) {
		mutex_acquire(&t->lock);
		tell(t, &was);
		if (new)
			set(t, absolute, new);
		mutex_release(&t->lock);
		event_wake(&t->ev, SET, -1);
		if (new)
			twix_activity();
		if (old)
			*old = was;
	}
	if (f)
		twix_file_put(f);
	return t ? 0 : f ? -EINVAL : -EBADF;
}

/* No clock is ever set: TFD_TIMER_CANCEL_ON_SET has nothing to do. */
long twix_timerfd_settime(const long a[6])
{
	const struct itimerspec *new = (const void *)a[2];
	int flags = (int)a[1];

	if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) || !twix_is_duration(&new->it_value) ||
	    !twix_is_duration(&new->it_interval))
		return -EINVAL;
	return with_alarm((int)a[0], flags & TFD_TIMER_ABSTIME, new, (struct itimerspec *)a[3]);
}

long twix_timerfd_gettime(const long a[6])
{
	return with_alarm((int)a[0], false, NULL, (struct itimerspec *)a[1]);
}
