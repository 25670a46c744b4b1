// SPDX-License-Identifier: BSD-3-Clause
/* Descriptors that count events. */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <twz/obj/io.h>
#include <twz/sys/syscall.h>

#define MOST (UINT64_MAX - 1)

/* At the base of its object. */
struct counter {
	struct evhdr ev; /* TWZIO_EVENT_READ: it is not 0; TWZIO_EVENT_WRITE: one more has room */
	struct mutex lock; /* guards all below, and the bits */
	uint64_t value;
	uint32_t semaphore;
};

static struct counter *counter_of(struct twix_file *f)
{
	twzobj *o = twix_file_object(f);

	return o ? twz_object_base(o) : NULL;
}

/* Lock held. */
static void show(struct counter *c)
{
	uint64_t now = (c->value ? TWZIO_EVENT_READ : 0) | (c->value < MOST ? TWZIO_EVENT_WRITE : 0);

	event_clear(&c->ev, (TWZIO_EVENT_READ | TWZIO_EVENT_WRITE) & ~now);
	event_wake(&c->ev, now, -1);
}

static bool take(struct counter *c, uint64_t *value)
{
	bool any;

	mutex_acquire(&c->lock);
	any = c->value;
	*value = c->semaphore && any ? 1 : c->value;
	c->value -= *value;
	show(c);
	mutex_release(&c->lock);
	return any;
}

static bool add(struct counter *c, uint64_t value)
{
	bool fits;

	mutex_acquire(&c->lock);
	fits = value <= MOST - c->value;
	if (fits)
		c->value += value;
	else /* no room for this much */
		event_clear(&c->ev, TWZIO_EVENT_WRITE);
	if (fits)
		show(c);
	mutex_release(&c->lock);
	return fits;
}

static int wait_for(struct twix_file *f, struct counter *c, uint64_t bit)
{
	struct event event;

	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	event_init(&event, &c->ev, bit);
	return event_wait(1, &event);
}

static ssize_t counter_read(struct twix_file *f, void *buf, size_t n)
{
	struct counter *c = counter_of(f);
	uint64_t value;
	int r = 0;

	if (n < sizeof(value))
		return -EINVAL;
	if (!c)
		return -EIO;
	while (r >= 0 && !take(c, &value))
		r = wait_for(f, c, TWZIO_EVENT_READ);
	if (r < 0)
		return r;
	memcpy(buf, &value, sizeof(value));
	return sizeof(value);
}

static ssize_t counter_write(struct twix_file *f, const void *buf, size_t n)
{
	struct counter *c = counter_of(f);
	uint64_t value;
	int r = 0;

	if (n < sizeof(value))
		return -EINVAL;
	memcpy(&value, buf, sizeof(value));
	if (value == UINT64_MAX)
		return -EINVAL;
	if (!c)
		return -EIO;
	while (r >= 0 && !add(c, value))
		r = wait_for(f, c, TWZIO_EVENT_WRITE);
	return r < 0 ? r : (ssize_t)sizeof(value);
}

static int counter_poll(struct twix_file *f, uint64_t type, struct event *event)
{
	struct counter *c = counter_of(f);
	uint64_t value;

	if (!c)
		return -EIO;
	value = __atomic_load_n(&c->value, __ATOMIC_ACQUIRE);
	if (type == TWZIO_EVENT_READ ? value != 0 : value < MOST)
		return 1;
	event_init(event, &c->ev, type);
	return 0;
}

static void last(struct twix_file *f)
{
	twz_object_tie_guid(twix_shared_id(), f->id, TIE_UNTIE);
}

const struct twix_ops twix_eventfd_ops = {
	.read = counter_read,
	.write = counter_write,
	.poll = counter_poll,
	.last = last,
	.mode = 0600,
};

long twix_eventfd2(const long a[6])
{
	unsigned flags = (unsigned)a[1];
	struct twix_file *f;
	struct counter *c;
	long fd;

	if (flags & ~(unsigned)(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
		return -EINVAL;
	fd = twix_file_with_object(TWIX_EVENTFD, O_RDWR | (flags & EFD_NONBLOCK), &f);
	if (fd < 0)
		return fd;
	c = counter_of(f);
	mutex_init(&c->lock);
	c->value = (unsigned)a[0];
	c->semaphore = flags & EFD_SEMAPHORE ? 1 : 0;
	show(c);
	fd = twix_install(f, 0, flags & EFD_CLOEXEC);
	if (fd < 0)
		twix_file_put(f);
	return fd;
}
