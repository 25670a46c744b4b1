// SPDX-License-Identifier: BSD-3-Clause
/*
 * Waiting for many files that are named once. The list stands in an object, so that all who have the
 * descriptor share it. It holds no references: a file that nobody has open any more leaves it.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <twz/obj/io.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>

#define FILES 16384u
#define MODES (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)
#define SLICE 10000000ull /* ns between looks at files whose next edge no event tells */

struct interest {
	int fd;
	uint32_t file, generation; /* which open file */
	uint32_t events;           /* 0: reported once, and not asked for again */
	uint32_t told, used;       /* with EPOLLET: what was reported, and after which use of the file */
	uint64_t data;
};

/* At the base of its object. */
struct list {
	struct evhdr ev;   /* bit changes % 64 is set by the next change, and cleared in time before */
	struct mutex lock; /* guards all below */
	uint64_t changes;
	uint32_t watched, unused; /* atomic: somebody waited for the list itself */
	uint32_t count, first; /* where the next look begins, so that all have their turn */
	struct interest all[FILES];
};

static struct list *list_of(struct twix_file *f)
{
	twzobj *o = twix_file_object(f);

	return o ? twz_object_base(o) : NULL;
}

long twix_epoll_create1(const long a[6])
{
	struct twix_file *f;
	long fd;

	if (a[0] & ~(long)EPOLL_CLOEXEC)
		return -EINVAL;
	fd = twix_file_with_object(TWIX_EPOLL, O_RDWR, &f);
	if (fd < 0)
		return fd;
	fd = twix_install(f, 0, a[0] & EPOLL_CLOEXEC);
	if (fd < 0)
		twix_file_put(f);
	return fd;
}

/* --- the list. Lock held in all of these */

static struct interest *find(struct list *l, int fd, const struct twix_file *f)
{
	for (struct interest *i = l->all; i < l->all + l->count; i++)
		if (i->fd == fd && i->file == twix_number_of(f) && i->generation == f->generation)
			return i;
	return NULL;
}

static void drop(struct list *l, struct interest *i)
{
	*i = l->all[--l->count];
}

/* Who waits looks again. */
static void changed(struct list *l)
{
	event_clear(&l->ev, 1ull << (l->changes + 32) % 64);
	event_wake(&l->ev, 1ull << l->changes++ % 64, -1);
}

static long add(struct list *l, int fd, struct twix_file *f, const struct epoll_event *e)
{
	if (l->count == FILES)
		return -ENOSPC;
	l->all[l->count++] = (struct interest){ fd, twix_number_of(f), f->generation, e->events, 0, 0, e->data.u64 };
	return 0;
}

static long control(struct list *l, int op, int fd, struct twix_file *f, const struct epoll_event *e)
{
	struct interest *i = find(l, fd, f);
	long r = 0;

	if (op == EPOLL_CTL_MOD && ((i && i->events & EPOLLEXCLUSIVE) || e->events & EPOLLEXCLUSIVE)) {
		r = i ? -EINVAL : -ENOENT;
	} else if (op == EPOLL_CTL_ADD) {
		r = i ? -EEXIST : add(l, fd, f, e);
	} else if (!i) {
		r = -ENOENT;
	} else if (op == EPOLL_CTL_DEL) {
		drop(l, i);
	} else {
		i->events = e->events;
		i->data = e->data.u64;
		i->told = 0;
	}
	changed(l);
	return r;
}

#define DEPTH 5 /* of lists in lists, as Linux has it */

/* Whether the list of f has that of `to` in it, or in those that are in it; or is too deep. */
static bool leads_to(struct twix_file *f, const struct twix_file *to, unsigned depth)
{
	struct list *l = list_of(f);
	bool found = depth >= DEPTH - 1;

	for (uint32_t i = 0; l && !found && i < l->count && i < FILES; i++) {
		struct twix_file *g = twix_file_get_again(l->all[i].file, l->all[i].generation);

		if (g && g->kind == TWIX_EPOLL)
			found = g == to || leads_to(g, to, depth + 1);
		if (g)
			twix_file_put(g);
	}
	return found;
}

static long check(int op, struct twix_file *self, struct twix_file *f)
{
	if (f->kind == TWIX_REGULAR || f->kind == TWIX_DIRECTORY)
		return -EPERM;
	if (self->kind != TWIX_EPOLL || self == f)
		return -EINVAL;
	if (f->kind == TWIX_EPOLL && leads_to(f, self, 0))
		return -ELOOP;
	return op == EPOLL_CTL_ADD || op == EPOLL_CTL_DEL || op == EPOLL_CTL_MOD ? 0 : -EINVAL;
}

long twix_epoll_ctl(const long a[6])
{
	struct twix_file *self = twix_file_of((int)a[0]), *f = twix_file_of((int)a[2]);
	struct list *l;
	long r = self && f ? check((int)a[1], self, f) : -EBADF;

	l = r == 0 ? list_of(self) : NULL;
	if (l) {
		mutex_acquire(&l->lock);
		r = control(l, (int)a[1], (int)a[2], f, (const void *)a[3]);
		mutex_release(&l->lock);
	} else if (r == 0) {
		r = -EIO;
	}
	if (self)
		twix_file_put(self);
	if (f)
		twix_file_put(f);
	return r;
}

/* --- waiting */

struct wait {
	struct epoll_event *out;
	int found, most;
	bool crowd;  /* there are more files than can be waited for: wait for any activity */
	bool sliced; /* the next edge of a file can be seen by looking again only */
	size_t n;
	struct event evs[TWIX_POLL_MOST];
};

/* What is new of an interest's file. */
static uint32_t news(struct interest *i, struct twix_file *f, struct wait *w)
{
	uint32_t used = __atomic_load_n(&f->used, __ATOMIC_ACQUIRE);
	uint32_t ready = (uint32_t)(unsigned short)twix_poll_look(f, (short)i->events, w->evs, &w->n);

	if (i->events & EPOLLET) {
		uint32_t fresh = used == i->used ? ready & ~i->told : ready;

		w->sliced = w->sliced || (ready && !fresh);
		i->told = ready;
		i->used = used;
		ready = fresh ? ready : 0;
	}
	return ready;
}

/* False: the file has gone. Lock held. */
static bool look(struct interest *i, struct wait *w)
{
	struct twix_file *f = twix_file_get_again(i->file, i->generation);
	uint32_t ready;

	if (!f)
		return false;
	ready = i->events & ~MODES ? news(i, f, w) : 0;
	if (ready) {
		w->out[w->found++] = (struct epoll_event){ .events = ready, .data.u64 = i->data };
		if (i->events & EPOLLONESHOT)
			i->events = 0;
	}
	twix_file_put(f);
	return true;
}

static void look_at_all(struct list *l, struct wait *w)
{
	uint32_t at = l->first, left;

	w->n = 0;
	w->found = 0;
	w->sliced = false;
	event_init(&w->evs[w->n++], &l->ev, 1ull << l->changes % 64);
	if (w->crowd)
		twix_activity_event(&w->evs[w->n++]);
	for (left = l->count; left && w->found < w->most; left--) {
		at = at < l->count ? at : 0;
		if (look(&l->all[at], w))
			at++;
		else
			drop(l, &l->all[at]);
	}
	l->first = at;
}

/* Whether one of its files is ready; if not, the next activity of any may change that. */
static int epoll_poll(struct twix_file *f, uint64_t type, struct event *event)
{
	struct list *l = list_of(f);
	struct twix_file *g;
	struct event unused[4];
	bool ready = false;
	size_t n;

	if (type != TWZIO_EVENT_READ || !l)
		return l ? 0 : -EIO;
	if (!__atomic_exchange_n(&l->watched, 1, __ATOMIC_ACQ_REL))
		twix_crowd(1);
	twix_activity_event(event);
	mutex_acquire(&l->lock);
	for (uint32_t i = 0; !ready && i < l->count; i++) {
		g = twix_file_get_again(l->all[i].file, l->all[i].generation);
		n = 0;
		ready = g && l->all[i].events & ~MODES && twix_poll_look(g, (short)l->all[i].events, unused, &n);
		if (g)
			twix_file_put(g);
	}
	mutex_release(&l->lock);
	return ready;
}

static void last(struct twix_file *f)
{
	struct list *l = list_of(f);

	if (l && l->watched)
		twix_crowd(-1);
	twz_object_tie_guid(twix_shared_id(), f->id, TIE_UNTIE);
}

const struct twix_ops twix_epoll_ops = { .last = last, .poll = epoll_poll, .mode = 0600 };

static long wait_for(struct list *l, struct wait *w, uint64_t until)
{
	for (;;) {
		uint64_t now = twz_clock_ns(), end = until;
		int r;

		mutex_acquire(&l->lock);
		w->crowd = l->count > TWIX_POLL_MOST / 2 - 2;
		twix_crowd(w->crowd);
		look_at_all(l, w);
		mutex_release(&l->lock);
		if (w->sliced && end > now + SLICE)
			end = now + SLICE;
		r = w->found || now >= until ? 0 : twix_poll_sleep(w->evs, w->n, end);
		twix_crowd(-w->crowd);
		if (w->found || now >= until)
			return w->found;
		if (r == -EINTR)
			return r;
	}
}

long twix_epoll_pwait(const long a[6])
{
	struct twix_file *f = twix_file_of((int)a[0]);
	struct wait w = { .out = (void *)a[1], .most = (int)a[2] };
	int ms = (int)a[3];
	uint64_t until = ms < 0 ? UINT64_MAX : twz_clock_ns() + (uint64_t)ms * 1000000;
	struct epoll_event unseen; /* in place of those that have no room */
	struct list *l;
	long r = -EIO;

	if (!f)
		return -EBADF;
	if (f->kind != TWIX_EPOLL || w.most <= 0) {
		twix_file_put(f);
		return -EINVAL;
	}
	l = list_of(f);
	if (l)
		w.most = (int)(twix_writable(w.out, (size_t)w.most * sizeof(*w.out)) / sizeof(*w.out));
	if (w.most == 0) {
		w.out = &unseen;
		w.most = 1;
	}
	if (l) {
		twix_signal_mask((const uint64_t *)a[4]);
		r = wait_for(l, &w, until);
	}
	twix_file_put(f);
	return r > 0 && w.out == &unseen ? -EFAULT : r;
}
