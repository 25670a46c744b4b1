// SPDX-License-Identifier: BSD-3-Clause
/* Pipes: byte streams in objects of their own. */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <twz/obj/bstream.h>
#include <twz/sys/syscall.h>

#define CAPACITY 65536ul
#define SPARE ((1ul << TWIX_PIPE_BITS) - 1 - CAPACITY)
_Static_assert(CAPACITY == TWIX_PIPE_SIZE, "capacity");
#define WHOLE 4096ul  /* PIPE_BUF: a write of so much is in one piece, or not at all */

static unsigned flags_of(const struct twix_file *f)
{
	return f->flags & O_NONBLOCK ? TWZIO_NONBLOCK : 0;
}

ssize_t twix_pipe_read(struct twix_file *f, void *buf, size_t n)
{
	twzobj *o = twix_file_object(f);

	return o ? bstream_read(o, buf, n, flags_of(f)) : -EIO;
}

/* All of it, unless it must not sleep. */
ssize_t twix_pipe_write(struct twix_file *f, const void *buf, size_t n)
{
	twzobj *o = twix_file_object(f);
	size_t done = 0;
	ssize_t r;

	if (!o)
		return -EIO;
	do {
		size_t piece = n - done < WHOLE ? n - done : WHOLE;

		r = bstream_write_whole(o, (const char *)buf + done, piece, SPARE, flags_of(f));
		if (r > 0)
			done += (size_t)r;
	} while (r > 0 && done < n);
	if (r == -EPIPE && !done)
		twix_signal_thread(SIGPIPE);
	return done ? (ssize_t)done : r;
}

_Static_assert(TWIX_PIPE_ROOM == WHOLE + SPARE, "room");

/* How much there is to read. */
long twix_pipe_ioctl(struct twix_file *f, unsigned long request, void *arg)
{
	twzobj *o = twix_file_object(f);
	const struct bstream_hdr *hdr = o ? twz_object_base(o) : NULL;

	if (request != FIONREAD)
		return -ENOTTY;
	if (!hdr)
		return -EIO;
	*(int *)arg = (int)((atomic_load(&hdr->head) - atomic_load(&hdr->tail)) & ((1u << TWIX_PIPE_BITS) - 1));
	return 0;
}

/* With the second side the stream goes. */
static void close_side(struct twix_file *f, uint32_t side)
{
	twzobj *o = twix_file_object(f);
	struct bstream_hdr *hdr = o ? twz_object_base(o) : NULL;
	const uint32_t both = BSTREAM_RCLOSED | BSTREAM_WCLOSED;

	if (!o)
		return;
	bstream_close(o, NULL, (int)side);
	if ((__atomic_load_n(&hdr->flags, __ATOMIC_ACQUIRE) & both) == both)
		twz_object_tie_guid(twix_shared_id(), f->id, TIE_UNTIE);
}

static void last_reader(struct twix_file *f)
{
	close_side(f, BSTREAM_RCLOSED);
}

static void last_writer(struct twix_file *f)
{
	close_side(f, BSTREAM_WCLOSED);
}

static int pipe_poll(struct twix_file *f, uint64_t type, struct event *event)
{
	twzobj *o = twix_file_object(f);

	if (!o)
		return -EIO;
	return type == TWZIO_EVENT_WRITE ? bstream_poll_room(o, TWIX_PIPE_ROOM, event) : bstream_poll(o, type, event);
}

static bool hung_up(struct twix_file *f)
{
	twzobj *o = twix_file_object(f);
	struct bstream_hdr *hdr = o ? twz_object_base(o) : NULL;
	uint32_t other = f->kind == TWIX_PIPE_READ ? BSTREAM_WCLOSED : BSTREAM_RCLOSED;

	return hdr && __atomic_load_n(&hdr->flags, __ATOMIC_ACQUIRE) & other;
}

const struct twix_ops twix_pipe_read_ops = {
	.read = twix_pipe_read,
	.ioctl = twix_pipe_ioctl,
	.last = last_reader,
	.poll = pipe_poll,
	.hung_up = hung_up,
	.mode = S_IFIFO | 0600,
};

const struct twix_ops twix_pipe_write_ops = {
	.write = twix_pipe_write,
	.ioctl = twix_pipe_ioctl,
	.last = last_writer,
	.poll = pipe_poll,
	.hung_up = hung_up,
	.mode = S_IFIFO | 0600,
};

static int make_stream(objid_t *id)
{
	twzobj o;
	int r = twix_child_object(twix_shared_id(), 0, id);

	if (r == 0)
		r = twz_object_init_guid(&o, *id, FE_READ | FE_WRITE);
	if (r < 0)
		return r;
	r = bstream_obj_init(&o, NULL, TWIX_PIPE_BITS);
	twz_object_release(&o);
	return r;
}

long twix_pipe2(const long a[6])
{
	unsigned flags = (unsigned)a[1];
	struct twix_file *reader, *writer;
	objid_t id;
	int r;

	if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (!twix_can_write((void *)a[0], 2 * sizeof(int)))
		return -EFAULT;
	r = make_stream(&id);
	if (r < 0)
		return r;
	reader = twix_file_new(TWIX_PIPE_READ, id, O_RDONLY | (flags & O_NONBLOCK));
	writer = reader ? twix_file_new(TWIX_PIPE_WRITE, id, O_WRONLY | (flags & O_NONBLOCK)) : NULL;
	if (!writer) {
		if (reader)
			twix_file_put(reader);
		return -ENFILE;
	}
	return twix_install_pair(reader, writer, flags & O_CLOEXEC, (int *)a[0]);
}
