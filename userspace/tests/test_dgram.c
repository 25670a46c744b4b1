// SPDX-License-Identifier: BSD-3-Clause
/*
 * Messages: whole, in order, in a ring that wraps; ends, readiness, many senders and receivers, and
 * what noise in a header or a record and a holder that ends do.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/mutex.h>
#include <twz/obj/dgram.h>

#define NBITS 8u
#define SIZE (1u << NBITS)
#define MOST DGRAM_MAXMSG(NBITS)
#define NB TWZIO_NONBLOCK
#define A DGRAM_A
#define B DGRAM_B

static int new_channel(twzobj *o, uint32_t nbits, uint32_t maxmsg)
{
	int r = new_object(o);

	return r < 0 ? r : dgram_obj_init(o, NULL, nbits, maxmsg);
}

static void fill(unsigned char *p, size_t len, unsigned from)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)(from + i * 7);
}

static void making(void)
{
	struct dgram_hdr *hdr;
	char *base;
	twzobj o;

	NEED(new_object(&o) == 0);
	base = twz_object_base(&o);
	CHECK_EQ(dgram_hdr_size(6), 192 + 128);
	CHECK_EQ(dgram_obj_init(&o, NULL, 5, 8), -EINVAL);
	CHECK_EQ(dgram_obj_init(&o, NULL, 29, 8), -EINVAL);
	CHECK_EQ(dgram_obj_init(&o, NULL, 6, 25), -EINVAL);
	CHECK_EQ(dgram_obj_init(&o, (void *)(base + 1), 6, 24), -EINVAL);
	CHECK_EQ(dgram_obj_init(&o, (void *)(base + OBJ_MAXDATA - 192 - 128 + 8), 6, 24), -EINVAL);
	CHECK_EQ(dgram_send(&o, A, "x", 1, NB), -EINVLOBJ);
	hdr = (void *)(base + OBJ_MAXDATA - 192 - 128);
	CHECK_EQ(dgram_obj_init(&o, hdr, 6, 24), 0);
	CHECK(twz_object_getext(&o, DGRAM_METAEXT_TAG) == hdr);
	CHECK(twz_object_getext(&o, TWZIO_METAEXT_TAG) == &hdr->io);
	CHECK_EQ(dgram_hdr_send(&o, hdr, A, base, 24, NB), 24);
	CHECK_EQ(dgram_hdr_send(&o, hdr, A, base, 25, NB), -EMSGSIZE);
	CHECK_EQ(dgram_obj_init(&o, NULL, 28, DGRAM_MAXMSG(28)), 0);
	CHECK_EQ(dgram_send(&o, B, base, 1, NB), 1);
	CHECK(twz_object_getext(&o, TWZIO_METAEXT_TAG) == &hdr->io);
	drop_object(&o);
}

/* Every length at many positions of the ring. */
static void whole_messages(void)
{
	unsigned char in[MOST], out[MOST + 8];
	size_t full;
	twzobj o;

	NEED(new_channel(&o, NBITS, MOST) == 0);
	for (unsigned round = 0; round < 2000; round++) {
		size_t n = round * 13 % (MOST + 1);
		fill(in, n, round);
		memset(out, 0xee, sizeof(out));
		full = 999;
		CHECK_EQ(dgram_send(&o, A, in, n, NB), (ssize_t)n);
		CHECK_EQ(dgram_recv(&o, B, out, sizeof(out), NB, &full), (ssize_t)n);
		CHECK_EQ(full, n);
		CHECK(memcmp(in, out, n) == 0);
		CHECK_EQ(out[n], 0xee);
	}
	full = 999;
	CHECK_EQ(dgram_recv(&o, B, out, 1, NB, &full), -EAGAIN);
	CHECK_EQ(full, 999);
	drop_object(&o);
}

static void boundaries(void)
{
	char got[16];
	size_t full;
	twzobj o;

	NEED(new_channel(&o, NBITS, MOST) == 0);
	CHECK_EQ(dgram_send(&o, B, "first", 5, 0), 5);
	CHECK_EQ(dgram_send(&o, B, NULL, 0, 0), 0);
	CHECK_EQ(dgram_send(&o, B, "second one", 10, 0), 10);
	CHECK_EQ(dgram_send(&o, B, "3", 1, 0), 1);
	CHECK_EQ(dgram_recv(&o, A, got, 16, 0, &full), 5);
	CHECK_EQ(full, 5);
	CHECK_EQ(dgram_recv(&o, A, got, 16, 0, &full), 0);
	CHECK_EQ(full, 0);
	CHECK_EQ(dgram_recv(&o, A, got, 6, 0, &full), 6);
	CHECK_EQ(full, 10);
	CHECK(memcmp(got, "second", 6) == 0);
	CHECK_EQ(dgram_recv(&o, A, got, 16, 0, NULL), 1);
	CHECK_EQ(got[0], '3');
	CHECK_EQ(dgram_recv(&o, A, got, 16, NB, NULL), -EAGAIN);
	CHECK_EQ(dgram_recv(&o, 2, got, 16, NB, NULL), -EINVAL);
	CHECK_EQ(dgram_send(&o, -1, got, 16, NB), -EINVAL);
	CHECK_EQ(dgram_recv(&o, A, got, 16, 2, NULL), -EINVAL);
	CHECK_EQ(dgram_send(&o, A, got, 16, 8), -EINVAL);
	drop_object(&o);
}

static void full_and_empty(void)
{
	unsigned char msg[24] = { 0 };
	unsigned sent = 0;
	struct event e;
	twzobj o;

	NEED(new_channel(&o, NBITS, 24) == 0);
	CHECK_EQ(dgram_poll(&o, A, TWZIO_EVENT_WRITE, NULL), 1);
	CHECK_EQ(dgram_poll(&o, B, TWZIO_EVENT_READ, &e), 0);
	while (dgram_send(&o, A, msg, 24, NB) == 24)
		sent++;
	CHECK_EQ(sent, SIZE / 32);
	CHECK_EQ(event_wait(1, &e), 1);
	CHECK_EQ(dgram_send(&o, A, msg, 0, NB), -EAGAIN);
	for (int i = 0; i < 20000; i++)
		if (dgram_send(&o, A, msg, 24, NB) != -EAGAIN)
			ktap_fail_values(__FILE__, __LINE__, "refusal", i, 0);
	CHECK_EQ(dgram_poll(&o, A, TWZIO_EVENT_WRITE, &e), 0);
	CHECK_EQ(dgram_recv(&o, B, msg, 24, NB, NULL), 24);
	CHECK_EQ(event_wait(1, &e), 1);
	CHECK_EQ(dgram_poll(&o, A, TWZIO_EVENT_WRITE, &e), 1);
	CHECK_EQ(dgram_poll(&o, A, TWZIO_EVENT_IOCTL, &e), -ENOTSUP);
	CHECK_EQ(dgram_poll(&o, 2, TWZIO_EVENT_READ, &e), -EINVAL);
	drop_object(&o);
}

static void ends(void)
{
	char got[8];
	twzobj o;

	NEED(new_channel(&o, NBITS, MOST) == 0);
	CHECK_EQ(dgram_shutdown(&o, A, 0), -EINVAL);
	CHECK_EQ(dgram_shutdown(&o, A, 4), -EINVAL);
	CHECK_EQ(dgram_shutdown(&o, 3, 1), -EINVAL);
	CHECK_EQ(dgram_send(&o, A, "last", 4, 0), 4);
	CHECK_EQ(dgram_shutdown(&o, A, DGRAM_SHUT_WRITE), 0);
	CHECK_EQ(dgram_send(&o, A, "x", 1, 0), -EPIPE);
	CHECK_EQ(dgram_recv(&o, B, got, 8, 0, NULL), 4);
	CHECK_EQ(dgram_recv(&o, B, got, 8, 0, NULL), -ESHUTDOWN);
	CHECK_EQ(dgram_poll(&o, B, TWZIO_EVENT_READ, NULL), 1);
	CHECK_EQ(dgram_send(&o, B, "x", 1, 0), 1);
	CHECK_EQ(twzio_read(&o, got, 8, 0, 0), 1);
	CHECK_EQ(dgram_shutdown(&o, A, DGRAM_SHUT_READ), 0);
	CHECK_EQ(dgram_send(&o, B, "x", 1, 0), -EPIPE);
	CHECK_EQ(dgram_recv(&o, A, got, 8, 0, NULL), -ESHUTDOWN);
	CHECK_EQ(twzio_read(&o, got, 8, 0, 0), 0);
	drop_object(&o);
}

static void ends_as_objects(void)
{
	twzobj chan, end[2];
	struct event e;
	char got[100];

	NEED(new_object(&chan) == 0 && new_object(&end[0]) == 0 && new_object(&end[1]) == 0);
	CHECK_EQ(dgram_end_init(&end[0], NULL, &chan, 0), -EINVLOBJ);
	CHECK_EQ(dgram_obj_init(&chan, NULL, NBITS, MOST), 0);
	CHECK_EQ(dgram_end_init(&end[0], NULL, &chan, 2), -EINVAL);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(dgram_end_init(&end[i], NULL, &chan, i), 0);
	CHECK_EQ(twzio_poll(&end[1], TWZIO_EVENT_READ, &e), 0);
	CHECK_EQ(twzio_write(&end[0], "from a", 6, 0, 0), 6);
	CHECK_EQ(event_wait(1, &e), 1);
	CHECK_EQ(twzio_read(&end[1], got, 4, 0, 0), 4);
	CHECK_EQ(twzio_write(&end[1], "from b", 6, 0, 0), 6);
	CHECK_EQ(twzio_read(&chan, got, 100, 0, NB), 6);
	CHECK_EQ(twzio_write(&chan, "more", 4, 0, 0), 4);
	CHECK_EQ(twzio_read(&end[1], got, 100, 0, NB), 4);
	CHECK_EQ(twzio_ioctl(&end[1], 1, 0), -ENOTSUP);
	/* an end that leads to what is no channel */
	((struct dgram_hdr *)twz_object_base(&chan))->io.type = TWZIO_TYPE_UNKNOWN;
	CHECK_EQ(twzio_write(&end[0], "x", 1, 0, NB), -EINVLOBJ);
	for (int i = 0; i < 2; i++)
		drop_object(&end[i]);
	drop_object(&chan);
}

/* ---- Threads ---- */

struct message {
	uint32_t sender, seq;
	unsigned char rest[48];
};

struct job {
	struct thread thread;
	twzobj *o;
	unsigned id, total;
	unsigned counted, wrong;
	ssize_t result;
};

static void send_all(void *arg)
{
	struct job *j = arg;
	struct message m = { .sender = j->id };

	for (; j->counted < j->total; j->counted++) {
		size_t rest = (j->counted * 5 + j->id) % sizeof(m.rest);
		m.seq = j->counted;
		fill(m.rest, rest, m.seq + j->id);
		j->result = dgram_send(j->o, A, &m, 8 + rest, 0);
		if (j->result != (ssize_t)(8 + rest))
			return;
	}
}

#define SENDERS 3
#define RECEIVERS 3
#define EACH 2000u

static void receive_all(void *arg)
{
	uint32_t next[SENDERS] = { 0 };
	unsigned char want[48];
	struct job *j = arg;
	struct message m;

	while ((j->result = dgram_recv(j->o, B, &m, sizeof(m), 0, NULL)) >= 8) {
		size_t rest = (m.seq * 5 + m.sender) % sizeof(m.rest);
		fill(want, rest, m.seq + m.sender);
		if (m.sender >= SENDERS || m.seq < next[m.sender] || (size_t)j->result != 8 + rest ||
		    memcmp(want, m.rest, rest) != 0)
			j->wrong++;
		else
			next[m.sender] = m.seq + 1;
		j->counted++;
	}
}

static struct job senders[SENDERS], receivers[RECEIVERS];

static void begin(struct job *j, twzobj *o, unsigned id, unsigned total, objid_t view,
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
	unsigned received = 0;

	for (unsigned i = 0; i < RECEIVERS; i++)
		begin(&receivers[i], o, i, 0, view, receive_all);
	for (unsigned i = 0; i < SENDERS; i++)
		begin(&senders[i], o, i, EACH, 0, send_all);
	for (unsigned i = 0; i < SENDERS; i++) {
		CHECK_EQ(finish_thread(&senders[i].thread), 0);
		CHECK_EQ(senders[i].counted, EACH);
	}
	CHECK_EQ(dgram_shutdown(o, A, DGRAM_SHUT_WRITE), 0);
	for (unsigned i = 0; i < RECEIVERS; i++) {
		CHECK_EQ(finish_thread(&receivers[i].thread), 0);
		CHECK_EQ(receivers[i].result, -ESHUTDOWN);
		CHECK_EQ(receivers[i].wrong, 0);
		received += receivers[i].counted;
	}
	CHECK_EQ(received, SENDERS * EACH);
}

static void many_of_both(void)
{
	twzobj o;

	NEED(new_channel(&o, NBITS, MOST) == 0);
	many_of_both_in(&o, 0);
	drop_object(&o);
}

static void between_views(void)
{
	twzobj o, view;

	NEED(new_channel(&o, NBITS, MOST) == 0);
	if (new_view(&view) < 0) {
		ktap_skip("no other views");
	} else {
		many_of_both_in(&o, twz_object_guid(&view));
		drop_object(&view);
	}
	drop_object(&o);
}

/* Who only looks sees a state that there was. */
static void looking_meanwhile(void)
{
	unsigned wrong = 0, looks = 0;
	twzobj o;

	NEED(new_channel(&o, NBITS, MOST) == 0);
	begin(&receivers[0], &o, 0, 0, 0, receive_all);
	begin(&senders[0], &o, 0, 4 * EACH, 0, send_all);
	for (; __atomic_load_n(&senders[0].counted, __ATOMIC_RELAXED) < 4 * EACH; looks++) {
		wrong += dgram_poll(&o, B, TWZIO_EVENT_READ, NULL) < 0;
		wrong += dgram_poll(&o, A, TWZIO_EVENT_WRITE, NULL) < 0;
	}
	CHECK_EQ(wrong, 0);
	CHECK(looks > 0);
	CHECK_EQ(finish_thread(&senders[0].thread), 0);
	CHECK_EQ(dgram_shutdown(&o, A, DGRAM_SHUT_WRITE), 0);
	CHECK_EQ(finish_thread(&receivers[0].thread), 0);
	CHECK_EQ(receivers[0].wrong, 0);
	drop_object(&o);
}

static void end_with_the_lock(void *arg)
{
	struct dgram_ring *ring = &((struct dgram_hdr *)arg)->ring[0];
	char *data = (char *)arg - OBJ_NULLPAGE_SIZE + (uintptr_t)ring->data;

	mutex_acquire(&ring->mutex);
	memset(data + atomic_load(&ring->head) % SIZE, 0x55, 8); /* half a record */
	twz_thread_exit(0);
}

static void a_holder_that_ends(void)
{
	char got[8];
	twzobj o;

	NEED(new_channel(&o, NBITS, MOST) == 0);
	CHECK_EQ(dgram_send(&o, A, "abc", 3, 0), 3);
	CHECK_EQ(exit_code_of(end_with_the_lock, twz_object_base(&o)), 0);
	CHECK_EQ(dgram_send(&o, A, "defg", 4, 0), 4);
	CHECK_EQ(exit_code_of(end_with_the_lock, twz_object_base(&o)), 0);
	CHECK_EQ(dgram_recv(&o, B, got, 8, 0, NULL), 3);
	CHECK_EQ(dgram_recv(&o, B, got, 8, 0, NULL), 4);
	CHECK(memcmp(got, "defg", 4) == 0);
	CHECK_EQ(dgram_recv(&o, B, got, 8, NB, NULL), -EAGAIN);
	drop_object(&o);
}

/* ---- Noise ---- */

static uint64_t seed = 0x7654321;

static uint64_t noise(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static bool sane(ssize_t r, ssize_t most)
{
	return (r >= 0 && r <= most) || r == -EAGAIN || r == -EINVLOBJ || r == -EPIPE ||
	       r == -EMSGSIZE || r == -ESHUTDOWN;
}

static void spoil(struct dgram_hdr *hdr, unsigned char *data)
{
	struct dgram_ring *ring = &hdr->ring[0];
	uint64_t some = noise() >> (noise() % 64);

	switch (noise() % 6) {
	case 0:
		/* smaller is sound, too: larger would reach the bytes around */
		ring->nbits = some > NBITS ? (uint32_t)some | 32 : (uint32_t)some;
		break;
	case 1:
		atomic_store(&ring->head, some);
		break;
	case 2:
		atomic_store(&ring->tail, some);
		break;
	case 3:
		ring->data = (void *)((uintptr_t)some | OBJ_MAXSIZE);
		break;
	case 4:
		hdr->maxmsg = (uint32_t)some;
		break;
	default:
		*(uint64_t *)(data + noise() % (SIZE / 8) * 8) = some;
	}
}

static void noise_in_the_header(void)
{
	unsigned char *around, *data, buf[MOST];
	struct dgram_hdr *hdr;
	twzobj o;

	NEED(new_object(&o) == 0);
	around = twz_object_base(&o);
	hdr = (void *)(around + 256);
	data = around + 256 + sizeof(*hdr);
	for (unsigned i = 0; i < 3000; i++) {
		dgram_obj_init(&o, hdr, NBITS, MOST);
		memset(around, 0xaa, 256);
		memset(data + SIZE, 0xaa, SIZE); /* the other direction */
		for (unsigned k = noise() % 4; k > 0; k--)
			dgram_hdr_send(&o, hdr, A, buf, noise() % MOST, NB);
		spoil(hdr, data);
		CHECK(sane(dgram_hdr_send(&o, hdr, A, buf, noise() % MOST, NB), MOST));
		CHECK(sane(dgram_hdr_recv(&o, hdr, B, buf, noise() % MOST, NB, NULL), MOST));
		CHECK(sane(dgram_hdr_recv(&o, hdr, B, buf, noise() % MOST, NB, NULL), MOST));
		CHECK(sane(dgram_hdr_poll(&o, hdr, A, TWZIO_EVENT_WRITE, NULL), 1));
		for (unsigned k = 0; k < 256; k++)
			if (around[k] != 0xaa || data[SIZE + k] != 0xaa)
				ktap_fail_values(__FILE__, __LINE__, "around", i, k);
	}
	drop_object(&o);
}

static const struct ktap_case cases[] = {
	{ "making", making },
	{ "whole_messages", whole_messages },
	{ "boundaries", boundaries },
	{ "full_and_empty", full_and_empty },
	{ "ends", ends },
	{ "ends_as_objects", ends_as_objects },
	{ "many_of_both", many_of_both },
	{ "between_views", between_views },
	{ "looking_meanwhile", looking_meanwhile },
	{ "a_holder_that_ends", a_holder_that_ends },
	{ "noise_in_the_header", noise_in_the_header },
};

int main(void)
{
	return KTAP_RUN(cases);
}
