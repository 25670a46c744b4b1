// SPDX-License-Identifier: BSD-3-Clause
/*
 * Byte streams in one and in both directions, by themselves and as io objects: order and contents,
 * partial writes, ends, readiness, many readers and writers, and what noise in a header and a
 * holder that ends do.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/alloc.h>
#include <twz/mutex.h>
#include <twz/obj/bstreamd.h>

#define NBITS 6u
#define ROOM ((1u << NBITS) - 1)
#define NB TWZIO_NONBLOCK

static int new_stream(twzobj *o, uint32_t nbits)
{
	int r = new_object(o);

	return r < 0 ? r : bstream_obj_init(o, NULL, nbits);
}

static void fill(unsigned char *p, size_t len, unsigned from)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)(from + i * 7);
}

static void in_and_out(void)
{
	unsigned char in[ROOM + 10], out[ROOM + 11];
	twzobj o;

	NEED(new_stream(&o, NBITS) == 0);
	/* every length at every position */
	for (unsigned round = 0; round < 3 * ROOM; round++) {
		size_t n = round % (ROOM + 10) + 1;
		size_t fits = n < ROOM ? n : ROOM;
		fill(in, n, round);
		memset(out, 0xee, sizeof(out));
		CHECK_EQ(bstream_write(&o, in, n, NB), (ssize_t)fits);
		CHECK_EQ(bstream_read(&o, out, sizeof(out), NB), (ssize_t)fits);
		CHECK(memcmp(in, out, fits) == 0);
		CHECK_EQ(out[fits], 0xee);
	}
	CHECK_EQ(bstream_read(&o, out, 1, NB), -EAGAIN);
	CHECK_EQ(bstream_read(&o, out, 0, 0), 0);
	CHECK_EQ(bstream_write(&o, in, 0, 0), 0);
	CHECK_EQ(bstream_read(&o, out, 1, 2), -EINVAL);
	CHECK_EQ(bstream_write(&o, in, 1, 4 | NB), -EINVAL);
	drop_object(&o);
}

static void many_refusals(void)
{
	unsigned char in[ROOM], out[ROOM];
	twzobj o;

	NEED(new_stream(&o, NBITS) == 0);
	fill(in, ROOM, 1);
	CHECK_EQ(bstream_write(&o, in, ROOM, NB), ROOM);
	for (int i = 0; i < 20000; i++)
		if (bstream_write(&o, in, 1, NB) != -EAGAIN)
			ktap_fail_values(__FILE__, __LINE__, "refusal", i, 0);
	CHECK_EQ(bstream_read(&o, out, ROOM, NB), ROOM);
	CHECK(memcmp(in, out, ROOM) == 0);
	for (int i = 0; i < 20000; i++)
		if (bstream_read(&o, out, 1, NB) != -EAGAIN)
			ktap_fail_values(__FILE__, __LINE__, "refusal", i, 0);
	CHECK_EQ(bstream_write(&o, in, 1, NB), 1);
	CHECK_EQ(bstream_read(&o, out, ROOM, NB), 1);
	drop_object(&o);
}

static void making(void)
{
	struct bstream_hdr *hdr;
	char *base;
	twzobj o, other;

	NEED(new_object(&o) == 0 && new_object(&other) == 0);
	base = twz_object_base(&o);
	CHECK_EQ(bstream_hdr_size(10), 80 + 1024);
	CHECK_EQ(bstream_obj_init(&o, NULL, 3), -EINVAL);
	CHECK_EQ(bstream_obj_init(&o, NULL, 29), -EINVAL);
	CHECK_EQ(bstream_obj_init(&o, (void *)(base + 4), 10), -EINVAL);
	CHECK_EQ(bstream_obj_init(&o, twz_object_base(&other), 10), -EINVAL);
	CHECK_EQ(bstream_obj_init(&o, (void *)(base + OBJ_MAXDATA - 80 - 1024 + 8), 10), -EINVAL);
	CHECK(!twz_object_getext(&o, BSTREAM_METAEXT_TAG));
	CHECK_EQ(bstream_write(&o, "x", 1, NB), -EINVLOBJ);
	/* at the very end of the data */
	hdr = (void *)(base + OBJ_MAXDATA - 80 - 1024);
	CHECK_EQ(bstream_obj_init(&o, hdr, 10), 0);
	CHECK(twz_object_getext(&o, BSTREAM_METAEXT_TAG) == hdr);
	CHECK(twz_object_getext(&o, TWZIO_METAEXT_TAG) == &hdr->io);
	CHECK(twz_object_getext(&o, EVENT_METAEXT_TAG) == &hdr->ev);
	CHECK_EQ(bstream_hdr_write(&o, hdr, "x", 1, NB), 1);
	/* T55: what is registered stays */
	CHECK_EQ(bstream_obj_init(&o, (void *)base, 28), 0);
	CHECK(twz_object_getext(&o, TWZIO_METAEXT_TAG) == &hdr->io);
	CHECK_EQ(bstream_write(&o, "y", 1, NB), 1);
	CHECK_EQ(twzio_read(&o, base + 100, 10, 5, NB), 1);
	CHECK_EQ(base[100], 'x');
	drop_object(&o);
	drop_object(&other);
}

static const struct timespec now = { 0, 0 };

/* T55 */
static void readiness(void)
{
	struct event e[2];
	char buf[ROOM];
	twzobj o;

	NEED(new_stream(&o, NBITS) == 0);
	memset(buf, 1, ROOM);
	CHECK_EQ(bstream_poll(&o, TWZIO_EVENT_WRITE, &e[0]), 1);
	CHECK_EQ(bstream_poll(&o, TWZIO_EVENT_READ, &e[1]), 0);
	CHECK_EQ(event_wait(2, e, &now), 1);
	CHECK_EQ(e[0].result, TWZIO_EVENT_WRITE);
	CHECK_EQ(e[1].result, 0);
	CHECK_EQ(bstream_write(&o, buf, 1, NB), 1);
	CHECK_EQ(event_wait(2, e, &now), 2);
	CHECK_EQ(bstream_poll(&o, TWZIO_EVENT_READ, NULL), 1);
	CHECK_EQ(bstream_write(&o, buf, ROOM, NB), ROOM - 1);
	CHECK_EQ(bstream_poll(&o, TWZIO_EVENT_WRITE, NULL), 0);
	CHECK_EQ(bstream_poll(&o, TWZIO_EVENT_WRITE, &e[0]), 0);
	CHECK_EQ(event_wait(1, e, &now), 0);
	CHECK_EQ(bstream_read(&o, buf, ROOM, NB), ROOM);
	CHECK_EQ(event_wait(1, e, &now), 1);
	CHECK_EQ(bstream_poll(&o, TWZIO_EVENT_READ, &e[1]), 0);
	CHECK_EQ(event_wait(1, &e[1], &now), 0);
	CHECK_EQ(bstream_poll(&o, TWZIO_EVENT_IOCTL, &e[0]), -ENOTSUP);
	CHECK_EQ(bstream_poll(&o, TWZIO_EVENT_READ | TWZIO_EVENT_WRITE, NULL), -ENOTSUP);
	CHECK_EQ(bstream_poll(&o, 0, NULL), -ENOTSUP);
	drop_object(&o);
}

static void all_or_nothing(void)
{
	struct event e;
	char buf[ROOM + 1];
	twzobj o;

	NEED(new_stream(&o, NBITS) == 0);
	memset(buf, 1, sizeof(buf));
	CHECK_EQ(bstream_write_whole(&o, buf, ROOM + 1, 0, NB), -EMSGSIZE);
	CHECK_EQ(bstream_write_whole(&o, buf, ROOM, 1, NB), -EMSGSIZE);
	CHECK_EQ(bstream_write_whole(&o, buf, 2, SIZE_MAX, NB), -EMSGSIZE);
	CHECK_EQ(bstream_write_whole(&o, buf, ROOM - 3, 0, NB), ROOM - 3);
	CHECK_EQ(bstream_write_whole(&o, buf, 4, 0, NB), -EAGAIN);
	CHECK_EQ(bstream_write_whole(&o, buf, 2, 2, NB), -EAGAIN);
	CHECK_EQ(bstream_poll_room(&o, 3, &e), 1);
	CHECK_EQ(bstream_poll_room(&o, 4, &e), 0);
	CHECK_EQ(event_wait(1, &e, &now), 0);
	CHECK_EQ(bstream_read(&o, buf, 1, NB), 1);
	CHECK_EQ(event_wait(1, &e, &now), 1);
	CHECK_EQ(bstream_poll_room(&o, 4, NULL), 1);
	CHECK_EQ(bstream_write_whole(&o, buf, 2, 2, NB), 2);
	CHECK_EQ(bstream_write_whole(&o, buf, 2, 0, 0), 2);
	CHECK_EQ(bstream_read(&o, buf, ROOM, NB), ROOM);
	drop_object(&o);
}

static void ends(void)
{
	char buf[8] = "abc";
	struct event e;
	twzobj o;

	NEED(new_stream(&o, NBITS) == 0);
	CHECK_EQ(bstream_close(&o, NULL, 0), -EINVAL);
	CHECK_EQ(bstream_close(&o, NULL, 4), -EINVAL);
	CHECK_EQ(bstream_write(&o, buf, 3, 0), 3);
	CHECK_EQ(bstream_poll(&o, TWZIO_EVENT_READ, &e), 1);
	CHECK_EQ(bstream_close(&o, NULL, BSTREAM_WCLOSED), 0);
	CHECK_EQ(bstream_write(&o, buf, 3, 0), -EPIPE);
	CHECK_EQ(bstream_read(&o, buf, 2, 0), 2);
	CHECK_EQ(bstream_read(&o, buf, 2, 0), 1);
	CHECK_EQ(bstream_read(&o, buf, 2, 0), 0);
	CHECK_EQ(bstream_read(&o, buf, 2, NB), 0);
	CHECK_EQ(bstream_poll(&o, TWZIO_EVENT_READ, &e), 1);
	drop_object(&o);
	NEED(new_stream(&o, NBITS) == 0);
	CHECK_EQ(bstream_close(&o, twz_object_base(&o), BSTREAM_RCLOSED), 0);
	CHECK_EQ(bstream_write(&o, buf, 3, 0), -EPIPE);
	CHECK_EQ(bstream_poll(&o, TWZIO_EVENT_WRITE, &e), 1);
	CHECK_EQ(bstream_read(&o, buf, 3, 0), 0);
	drop_object(&o);
}

/* ---- Threads ---- */

struct job {
	struct thread thread;
	twzobj *o;
	unsigned id;
	size_t total;          /* bytes to write */
	atomic_size_t counted; /* bytes read or written */
	atomic_ulong wrong;
	ssize_t result;
};

/* A piece: 0x80 | id, then bytes that count on, modulo 128, from piece to piece. */
static void write_pieces(void *arg)
{
	struct job *j = arg;
	unsigned char piece[24];
	unsigned count = 0;

	while (j->counted < j->total) {
		size_t n = 1 + (j->counted * 7 + j->id) % sizeof(piece);
		piece[0] = (unsigned char)(0x80 | j->id);
		for (size_t i = 1; i < n; i++)
			piece[i] = (unsigned char)((count + i - 1) % 128);
		j->result = bstream_write(j->o, piece, n, 0);
		if (j->result <= 0)
			return;
		count += (unsigned)j->result - 1;
		j->counted += (size_t)j->result;
	}
}

static void read_pieces(void *arg)
{
	struct job *j = arg;
	unsigned char got[40];

	while ((j->result = bstream_read(j->o, got, 1 + j->counted % sizeof(got), 0)) > 0) {
		for (ssize_t i = 1; i < j->result; i++)
			if (!(got[i] & 0x80) && !(got[i - 1] & 0x80) && got[i] != (got[i - 1] + 1) % 128)
				j->wrong++;
		j->counted += (size_t)j->result;
	}
}

#define WRITERS 3
#define READERS 3
#define EACH 20000u

static struct job writers[WRITERS], readers[READERS];

static void begin(struct job *j, twzobj *o, unsigned id, size_t total, objid_t view,
    void (*fn)(void *))
{
	memset(j, 0, sizeof(*j));
	j->o = o;
	j->id = id;
	j->total = total;
	CHECK_EQ(run_thread_in(&j->thread, view, fn, j), 0);
}

static void many_of_both_in(twzobj *o, objid_t view)
{
	size_t read = 0;

	for (unsigned i = 0; i < READERS; i++)
		begin(&readers[i], o, i, 0, view, read_pieces);
	for (unsigned i = 0; i < WRITERS; i++)
		begin(&writers[i], o, i, EACH, 0, write_pieces);
	for (unsigned i = 0; i < WRITERS; i++) {
		CHECK_EQ(finish_thread(&writers[i].thread), 0);
		CHECK(writers[i].result > 0);
		read -= writers[i].counted;
	}
	CHECK_EQ(bstream_close(o, NULL, BSTREAM_WCLOSED), 0);
	for (unsigned i = 0; i < READERS; i++) {
		CHECK_EQ(finish_thread(&readers[i].thread), 0);
		CHECK_EQ(readers[i].result, 0);
		CHECK_EQ(readers[i].wrong, 0);
		read += readers[i].counted;
	}
	CHECK_EQ(read, 0);
}

static void many_of_both(void)
{
	twzobj o;

	NEED(new_stream(&o, NBITS) == 0);
	many_of_both_in(&o, 0);
	drop_object(&o);
}

static void between_views(void)
{
	twzobj o, view;

	NEED(new_stream(&o, NBITS) == 0);
	if (new_view(&view) < 0) {
		ktap_skip("no other views");
	} else {
		many_of_both_in(&o, twz_object_guid(&view));
		drop_object(&view);
	}
	drop_object(&o);
}

/* One reader sees the whole stream: every writer's bytes, in order, piece by piece. */
static void pieces_stay_whole(void)
{
	unsigned next[WRITERS] = { 0 }, current = 0;
	unsigned char got[64];
	size_t seen = 0;
	ssize_t n;
	twzobj o;

	NEED(new_stream(&o, NBITS) == 0);
	for (unsigned i = 0; i < WRITERS; i++)
		begin(&writers[i], &o, i, EACH, 0, write_pieces);
	while (seen < WRITERS * EACH && (n = bstream_read(&o, got, sizeof(got), 0)) > 0) {
		seen += (size_t)n;
		for (ssize_t i = 0; i < n; i++) {
			if (got[i] & 0x80)
				current = (got[i] & 0x7f) % WRITERS;
			else if (got[i] != next[current]++ % 128)
				ktap_fail_values(__FILE__, __LINE__, "byte", got[i], next[current] - 1);
		}
	}
	for (unsigned i = 0; i < WRITERS; i++)
		CHECK_EQ(finish_thread(&writers[i].thread), 0);
	drop_object(&o);
}

static void read_one(void *arg)
{
	struct job *j = arg;
	unsigned char c;

	j->result = bstream_read(j->o, &c, 1, 0);
	atomic_store(&j->counted, 1);
}

static void write_one(void *arg)
{
	struct job *j = arg;

	j->result = bstream_write(j->o, "x", 1, 0);
	atomic_store(&j->counted, 1);
}

/* Closing wakes who sleeps at either side. */
static void closing_wakes(void)
{
	char buf[ROOM] = { 0 };
	struct job j;
	twzobj o;

	NEED(new_stream(&o, NBITS) == 0);
	begin(&j, &o, 0, 0, 0, read_one);
	twz_sleep_ns(NS_PER_MS);
	CHECK_EQ(bstream_close(&o, NULL, BSTREAM_WCLOSED), 0);
	CHECK_EQ(finish_thread(&j.thread), 0);
	CHECK_EQ(j.result, 0);
	CHECK_EQ(bstream_obj_init(&o, NULL, NBITS), 0);
	CHECK_EQ(bstream_write(&o, buf, ROOM, 0), ROOM);
	begin(&j, &o, 0, 0, 0, write_one);
	twz_sleep_ns(NS_PER_MS);
	CHECK_EQ(bstream_close(&o, NULL, BSTREAM_RCLOSED), 0);
	CHECK_EQ(finish_thread(&j.thread), 0);
	CHECK_EQ(j.result, -EPIPE);
	drop_object(&o);
}

static void on_signal(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	(void)userdata;
}

static void read_until_signal(void *arg)
{
	atomic_store(&((struct job *)arg)->wrong, 1); /* it can take signals now */
	read_one(arg);
}

static void signals(void)
{
	char c = 0;
	struct job j;
	twzobj o;

	if (sys_signal(missing_id(), 0, 0, 0, 0) == -ENOSYS) {
		ktap_skip("no signals");
		return;
	}
	NEED(new_stream(&o, NBITS) == 0);
	twz_fault_set(FAULT_SIGNAL, on_signal, NULL);
	begin(&j, &o, 0, 0, 0, read_until_signal);
	while (!atomic_load(&j.wrong))
		twz_sleep_ns(NS_PER_MS);
	while (!atomic_load(&j.counted) && sys_signal(j.thread.tid, 0, 0, 0, 0) == 0)
		twz_sleep_ns(NS_PER_MS);
	if (!atomic_load(&j.counted))
		bstream_write(&o, &c, 1, 0);
	CHECK_EQ(finish_thread(&j.thread), 0);
	CHECK_EQ(j.result, -EINTR);
	/* nothing was taken, and nobody holds the lock */
	CHECK_EQ(bstream_write(&o, "z", 1, NB), 1);
	CHECK_EQ(bstream_read(&o, &c, 1, NB), 1);
	CHECK_EQ(c, 'z');
	drop_object(&o);
}

/* ---- A holder that ends ---- */

static void end_with_the_lock(void *arg)
{
	struct bstream_hdr *hdr = arg;

	mutex_acquire(&hdr->mutex);
	memset(hdr->data + atomic_load(&hdr->head), 0x55, 3); /* half a piece */
	twz_thread_exit(0);
}

static void a_holder_that_ends(void)
{
	char got[8];
	struct job j;
	twzobj o;

	NEED(new_stream(&o, NBITS) == 0);
	CHECK_EQ(bstream_write(&o, "abc", 3, 0), 3);
	CHECK_EQ(exit_code_of(end_with_the_lock, twz_object_base(&o)), 0);
	CHECK_EQ(bstream_write(&o, "def", 3, 0), 3);
	CHECK_EQ(exit_code_of(end_with_the_lock, twz_object_base(&o)), 0);
	CHECK_EQ(bstream_read(&o, got, 8, 0), 6);
	CHECK(memcmp(got, "abcdef", 6) == 0);
	/* while somebody sleeps */
	begin(&j, &o, 0, 0, 0, read_one);
	twz_sleep_ns(NS_PER_MS);
	CHECK_EQ(exit_code_of(end_with_the_lock, twz_object_base(&o)), 0);
	CHECK_EQ(bstream_write(&o, "g", 1, 0), 1);
	CHECK_EQ(finish_thread(&j.thread), 0);
	CHECK_EQ(j.result, 1);
	drop_object(&o);
}

/* One that ended between saying that there is something and waking who waits for it. */
static void a_waker_that_ends(void)
{
	struct bstream_hdr *hdr;
	struct job j;
	twzobj o;

	NEED(new_stream(&o, NBITS) == 0);
	hdr = twz_object_base(&o);
	begin(&j, &o, 0, 0, 0, read_one);
	while (atomic_load(&hdr->ev.point) & TWZIO_EVENT_READ)
		twz_sleep_ns(NS_PER_MS);
	twz_sleep_ns(5 * NS_PER_MS);
	atomic_fetch_or(&hdr->ev.point, TWZIO_EVENT_READ | (uint64_t)TWZIO_EVENT_READ << 32);
	CHECK_EQ(bstream_write(&o, "x", 1, 0), 1);
	CHECK_EQ(finish_thread(&j.thread), 0);
	CHECK_EQ(j.result, 1);
	drop_object(&o);
}

/* ---- Noise ---- */

static uint64_t seed = 0x1234567;

static uint64_t noise(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static bool sane(ssize_t r, ssize_t most)
{
	return (r >= 0 && r <= most) || r == -EAGAIN || r == -EINVLOBJ || r == -EPIPE;
}

/* Bytes around the stream are not touched, whatever its header says. */
static void noise_in_the_header(void)
{
	struct bstream_hdr *hdr;
	unsigned char *around, buf[100];
	twzobj o;

	NEED(new_object(&o) == 0);
	around = twz_object_base(&o);
	hdr = (void *)(around + 256);
	for (unsigned i = 0; i < 3000; i++) {
		bstream_obj_init(&o, hdr, NBITS);
		memset(around, 0xaa, 256);
		memset(around + 256 + sizeof(*hdr) + (1 << NBITS), 0xaa, 256);
		switch (noise() % 3) {
		case 0:
			hdr->nbits = (uint32_t)(noise() >> (noise() % 64));
			hdr->nbits = hdr->nbits > NBITS ? hdr->nbits | 32 : hdr->nbits;
			break;
		case 1:
			atomic_store(&hdr->head, (uint32_t)(noise() >> (noise() % 64)));
			break;
		default:
			atomic_store(&hdr->tail, (uint32_t)(noise() >> (noise() % 64)));
		}
		hdr->flags = (uint32_t)noise() & 3;
		atomic_store(&hdr->ev.point, noise());
		CHECK(sane(bstream_hdr_write(&o, hdr, buf, 1 + noise() % 99, NB), 99));
		CHECK(sane(bstream_hdr_read(&o, hdr, buf, 1 + noise() % 99, NB), 99));
		CHECK(sane(bstream_hdr_poll(&o, hdr, 1, NULL), 1));
		for (unsigned k = 0; k < 256; k++)
			if (around[k] != 0xaa || around[256 + sizeof(*hdr) + (1 << NBITS) + k] != 0xaa)
				ktap_fail_values(__FILE__, __LINE__, "around", i, k);
	}
	CHECK_EQ(bstream_hdr_read(&o, (void *)(around - 8), buf, 1, NB), -EINVLOBJ);
	CHECK_EQ(bstream_hdr_read(&o, (void *)(around + 3), buf, 1, NB), -EINVLOBJ);
	CHECK_EQ(bstream_hdr_write(&o, (void *)(around + OBJ_MAXDATA - 72), buf, 1, NB), -EINVLOBJ);
	CHECK_EQ(bstream_close(&o, (void *)(around + OBJ_MAXDATA), 1), -EINVLOBJ);
	drop_object(&o);
}

/* ---- Both directions ---- */

static void both_directions(void)
{
	char got[100];
	twzobj o;

	NEED(new_object(&o) == 0);
	CHECK_EQ(bstreamd_obj_init(&o, NULL, 3), -EINVAL);
	CHECK_EQ(bstreamd_obj_init(&o, NULL, NBITS), 0);
	CHECK(twz_object_getext(&o, BSTREAMD_METAEXT_TAG) == twz_object_base(&o));
	CHECK_EQ(bstreamd_poll(&o, BSTREAMD_A, TWZIO_EVENT_WRITE, NULL), 1);
	CHECK_EQ(bstreamd_poll(&o, BSTREAMD_B, TWZIO_EVENT_READ, NULL), 0);
	CHECK_EQ(bstreamd_write(&o, BSTREAMD_A, "ping", 4, NB), 4);
	CHECK_EQ(bstreamd_write(&o, BSTREAMD_B, "pong!", 5, NB), 5);
	CHECK_EQ(bstreamd_poll(&o, BSTREAMD_B, TWZIO_EVENT_READ, NULL), 1);
	CHECK_EQ(bstreamd_read(&o, BSTREAMD_A, got, 100, NB), 5);
	CHECK(memcmp(got, "pong!", 5) == 0);
	CHECK_EQ(bstreamd_read(&o, BSTREAMD_B, got, 100, NB), 4);
	CHECK(memcmp(got, "ping", 4) == 0);
	CHECK_EQ(bstreamd_read(&o, 2, got, 1, NB), -EINVAL);
	CHECK_EQ(bstreamd_write(&o, -1, got, 1, NB), -EINVAL);
	CHECK_EQ(bstreamd_poll(&o, 7, TWZIO_EVENT_READ, NULL), -EINVAL);
	CHECK_EQ(bstreamd_shutdown(&o, BSTREAMD_A, 0), -EINVAL);
	CHECK_EQ(bstreamd_shutdown(&o, BSTREAMD_A, 4), -EINVAL);
	CHECK_EQ(bstreamd_shutdown(&o, 2, 1), -EINVAL);
	/* A writes no more, and reads on */
	CHECK_EQ(bstreamd_write(&o, BSTREAMD_A, "end", 3, 0), 3);
	CHECK_EQ(bstreamd_shutdown(&o, BSTREAMD_A, BSTREAMD_SHUT_WRITE), 0);
	CHECK_EQ(bstreamd_write(&o, BSTREAMD_A, "x", 1, 0), -EPIPE);
	CHECK_EQ(bstreamd_read(&o, BSTREAMD_B, got, 100, 0), 3);
	CHECK_EQ(bstreamd_read(&o, BSTREAMD_B, got, 100, 0), 0);
	CHECK_EQ(bstreamd_write(&o, BSTREAMD_B, "y", 1, 0), 1);
	CHECK_EQ(bstreamd_read(&o, BSTREAMD_A, got, 100, 0), 1);
	CHECK_EQ(bstreamd_shutdown(&o, BSTREAMD_A, BSTREAMD_SHUT_READ), 0);
	CHECK_EQ(bstreamd_write(&o, BSTREAMD_B, "y", 1, 0), -EPIPE);
	drop_object(&o);
}

static void ends_as_objects(void)
{
	struct bstreamd_end_hdr *hdr;
	twzobj chan, end[2];
	struct event e;
	char got[100];

	NEED(new_object(&chan) == 0 && new_object(&end[0]) == 0 && new_object(&end[1]) == 0);
	CHECK_EQ(bstreamd_end_init(&end[0], NULL, &chan, 0), -EINVLOBJ);
	CHECK_EQ(bstreamd_obj_init(&chan, NULL, NBITS), 0);
	CHECK_EQ(bstreamd_end_init(&end[0], NULL, &chan, 2), -EINVAL);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(bstreamd_end_init(&end[i], NULL, &chan, i), 0);
	CHECK_EQ(twzio_poll(&end[1], TWZIO_EVENT_READ, &e), 0);
	CHECK_EQ(twzio_write(&end[0], "from a", 6, 0, 0), 6);
	CHECK_EQ(event_wait(1, &e), 1);
	CHECK_EQ(twzio_read(&end[1], got, 100, 0, 0), 6);
	CHECK(memcmp(got, "from a", 6) == 0);
	CHECK_EQ(twzio_write(&end[1], "from b", 6, 0, 0), 6);
	/* the channel itself is end A */
	CHECK_EQ(twzio_poll(&chan, TWZIO_EVENT_READ, NULL), 1);
	CHECK_EQ(twzio_read(&chan, got, 100, 0, 0), 6);
	CHECK_EQ(twzio_write(&chan, "more", 4, 0, 0), 4);
	CHECK_EQ(twzio_read(&end[1], got, 100, 0, NB), 4);
	CHECK_EQ(twzio_ioctl(&end[1], 1), -ENOTSUP);
	CHECK_EQ(twzio_ioctl(&chan, 1, 2), -ENOTSUP);
	/* noise */
	hdr = twz_object_base(&end[1]);
	hdr->end = 2;
	CHECK_EQ(twzio_read(&end[1], got, 100, 0, NB), -EINVLOBJ);
	hdr->end = 1;
	hdr->chan = NULL;
	CHECK_EQ(twzio_read(&end[1], got, 100, 0, NB), -EINVLOBJ);
	hdr->chan = (void *)(uintptr_t)(OBJ_MAXSIZE - 8);
	CHECK_EQ(twzio_write(&end[1], got, 100, 0, NB), -EINVLOBJ);
	((struct bstreamd_hdr *)twz_object_base(&chan))->dir[0] = (void *)((1ul << 30) + 0x1080);
	CHECK_EQ(twzio_write(&end[0], got, 1, 0, NB), -EINVLOBJ);
	for (int i = 0; i < 2; i++)
		drop_object(&end[i]);
	drop_object(&chan);
}

/* ---- io ---- */

static ssize_t read_answer(twzobj *o, void *buf, size_t len, size_t off, unsigned flags)
{
	(void)flags;
	((char *)buf)[0] = (char)(42 + *(char *)twz_object_base(o));
	return (ssize_t)(len + off);
}

static int control_answer(twzobj *o, int req, long arg)
{
	(void)o;
	return req + (int)arg;
}

/* Functions of the program, and libtwz's own, by name. */
static void io_by_name(void)
{
	struct twzio_hdr *io;
	char got[8] = { 0 };
	twzobj o;

	NEED(new_object(&o) == 0);
	NEED(twz_object_init_alloc(&o, 4096) == 0);
	io = (void *)((char *)twz_object_base(&o) + 1024);
	CHECK_EQ(twz_object_addext(&o, TWZIO_METAEXT_TAG, io), 0);
	CHECK_EQ(twz_sofn_register("test::read_answer", (void *)read_answer), 0);
	CHECK_EQ(twz_sofn_register("test::control_answer", (void *)control_answer), 0);
	CHECK_EQ(twz_ptr_store_name(&o, (void **)&io->read, "test::read_answer", NULL,
		     (const void *)TWZ_NAME_RESOLVER_SOFN, FE_READ | FE_EXEC), 0);
	CHECK_EQ(twz_ptr_store_name(&o, (void **)&io->ioctl, "test::control_answer", NULL,
		     (const void *)TWZ_NAME_RESOLVER_SOFN, FE_READ | FE_EXEC), 0);
	CHECK_EQ(twz_ptr_store_name(&o, (void **)&io->write, "libtwz::bstream_iowrite", NULL,
		     (const void *)TWZ_NAME_RESOLVER_SOFN, FE_READ | FE_EXEC), 0);
	*(char *)twz_object_base(&o) = 1;
	CHECK_EQ(twzio_read(&o, got, 5, 100, 0), 105);
	CHECK_EQ(got[0], 43);
	CHECK_EQ(twzio_ioctl(&o, 3, 4), 7);
	CHECK_EQ(twzio_write(&o, got, 1, 0, NB), -EINVLOBJ); /* there is no stream at the base */
	*(char *)twz_object_base(&o) = 0;
	CHECK_EQ(bstream_obj_init(&o, NULL, NBITS), 0);
	CHECK_EQ(twzio_write(&o, "abc", 3, 0, NB), 3);
	CHECK_EQ(bstream_read(&o, got, 8, NB), 3);
	drop_object(&o);
}

static void io_dispatch(void)
{
	struct twzio_hdr *io;
	struct event e;
	char got[8];
	twzobj o;

	NEED(new_object(&o) == 0);
	CHECK_EQ(twzio_read(&o, got, 8, 0, 0), -ENOTSUP);
	CHECK_EQ(twzio_write(&o, got, 8, 0, 0), -ENOTSUP);
	CHECK_EQ(twzio_ioctl(&o, 1, 2), -ENOTSUP);
	CHECK_EQ(twzio_poll(&o, TWZIO_EVENT_READ, &e), -ENOTSUP);
	CHECK_EQ(bstream_obj_init(&o, NULL, NBITS), 0);
	CHECK_EQ(twzio_poll(&o, TWZIO_EVENT_READ, &e), 0);
	CHECK_EQ(twzio_write(&o, "12", 2, 99, NB), 2);
	CHECK_EQ(event_wait(1, &e), 1);
	CHECK_EQ(twzio_read(&o, got, 8, 99, NB), 2);
	CHECK_EQ(twzio_read(&o, got, 8, 99, NB), -EAGAIN);
	CHECK_EQ(twzio_poll(&o, 3, &e), -ENOTSUP);
	CHECK_EQ(twzio_poll(&o, TWZIO_EVENT_IOCTL, &e), -ENOTSUP);
	CHECK_EQ(twzio_ioctl(&o, 1, 2), -ENOTSUP);
	/* types without functions, and pointers of known types that nobody follows */
	io = twz_object_getext(&o, TWZIO_METAEXT_TAG);
	io->read = (void *)~0ul;
	CHECK_EQ(twzio_write(&o, "12", 2, 0, NB), 2);
	CHECK_EQ(twzio_read(&o, got, 8, 0, NB), 2);
	io->read = NULL;
	io->type = TWZIO_TYPE_UNKNOWN;
	CHECK_EQ(twzio_read(&o, got, 8, 0, NB), -ENOTSUP);
	io->type = 12345;
	CHECK_EQ(twzio_write(&o, got, 8, 0, NB), -ENOTSUP);
	CHECK_EQ(twzio_poll(&o, TWZIO_EVENT_READ, NULL), -ENOTSUP);
	drop_object(&o);
	/* an io header that no structure fits around */
	NEED(new_object(&o) == 0);
	io = twz_object_base(&o);
	io->type = TWZIO_TYPE_BSTREAM;
	CHECK_EQ(twz_object_addext(&o, TWZIO_METAEXT_TAG, io), 0);
	CHECK_EQ(twzio_read(&o, got, 8, 0, NB), -EINVLOBJ);
	drop_object(&o);
}

static const struct ktap_case cases[] = {
	{ "in_and_out", in_and_out },
	{ "many_refusals", many_refusals },
	{ "making", making },
	{ "readiness", readiness },
	{ "all_or_nothing", all_or_nothing },
	{ "ends", ends },
	{ "pieces_stay_whole", pieces_stay_whole },
	{ "many_of_both", many_of_both },
	{ "between_views", between_views },
	{ "closing_wakes", closing_wakes },
	{ "signals", signals },
	{ "a_holder_that_ends", a_holder_that_ends },
	{ "a_waker_that_ends", a_waker_that_ends },
	{ "noise_in_the_header", noise_in_the_header },
	{ "both_directions", both_directions },
	{ "ends_as_objects", ends_as_objects },
	{ "io_dispatch", io_dispatch },
	{ "io_by_name", io_by_name },
};

int main(void)
{
	return KTAP_RUN(cases);
}
