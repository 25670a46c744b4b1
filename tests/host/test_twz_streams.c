// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts in streams of bytes and of messages on persistent objects: making them, writing,
 * reading, closing, and going on where a peer ended in the middle. What is found afterwards is
 * what was acknowledged, or that and the piece whose writing or reading was cut; never a byte that
 * was not written.
 */
#include "unit.h"

#include <abi/errno.h>
#include <string.h>
#include <twz/obj/bstream.h>
#include <twz/obj/dgram.h>

#include "../../userspace/libtwz/src/runtime.h"
#include "libtwz/explore.h"

#define NBITS 5u
#define ROOM ((1u << NBITS) - 1)
#define MSG_NBITS 7u
#define MOST DGRAM_MAXMSG(MSG_NBITS)
#define MESSAGES 8u
#define NB TWZIO_NONBLOCK

__thread struct twz_thread_self __twz_self;

long sys_ostat(int type, objid_t id, uint64_t arg, void *out)
{
	(void)type, (void)id, (void)arg, (void)out;
	return -ENOSYS;
}

/*
 * head and tail of a stream of bytes stand in two lines here: in one, a flush of either would do
 * for both.
 */
#define APART 32u
#define CHANNEL_APART 8u

static struct bstream_hdr *stream(void)
{
	return (void *)((char *)explore_object(0)->base + APART);
}

static struct dgram_hdr *channel(void)
{
	return (void *)((char *)explore_object(0)->base + CHANNEL_APART);
}

/* ---- What was acknowledged, and what may be there instead ---- */

struct bytes {
	bool there, second, closed;
	size_t count;
	unsigned char b[ROOM];
};

static struct bytes now, next, earlier;
static unsigned char counter;

struct message {
	size_t len;
	unsigned char b[MOST];
};

struct messages {
	bool there, second, closed;
	size_t count;
	struct message m[MESSAGES];
};

static struct messages sent, sending, sent_earlier;

/* ---- A peer that ended with the lock: its word stands in the mutex ---- */

#define PEER 0x123456780ul

static void peer_takes_lock(struct mutex *m)
{
	__atomic_store_n(&m->sleep, PEER, __ATOMIC_RELEASE);
}

/* It read n bytes, moved tail, and ended before that was durable. */
static __attribute__((noinline)) void peer_reads(uint32_t n)
{
	peer_takes_lock(&stream()->mutex);
	explore_step_begin();
	next.count -= n;
	memmove(next.b, next.b + n, next.count);
	stream()->tail = (stream()->tail + n) & ROOM;
}

/* The same with a message. */
static __attribute__((noinline)) void peer_receives(void)
{
	struct dgram_ring *ring = &channel()->ring[0];

	peer_takes_lock(&ring->mutex);
	explore_step_begin();
	sending.count--;
	memmove(sending.m, sending.m + 1, sizeof(sending.m[0]) * sending.count);
	ring->tail += sizeof(struct dgram_record) + (sent.m[0].len + 7) / 8 * 8;
}

EXPLORE_SEEN_ONLY_LIBTWZ

static void begin_step(void)
{
	explore_step_begin();
}

static void end_step(void)
{
	earlier = now = next;
	explore_step_end();
}

static void write_some(size_t n)
{
	unsigned char piece[ROOM];

	for (size_t i = 0; i < n; i++)
		piece[i] = ++counter;
	begin_step();
	n = n < ROOM - next.count ? n : ROOM - next.count;
	memcpy(next.b + next.count, piece, n);
	next.count += n;
	assert_int_equal(bstream_hdr_write(explore_object(0), stream(), piece, n, NB), n);
	end_step();
}

static void read_some(size_t n)
{
	unsigned char got[ROOM];

	begin_step();
	next.count -= n;
	memmove(next.b, next.b + n, next.count);
	assert_int_equal(bstream_hdr_read(explore_object(0), stream(), got, n, NB), n);
	assert_memory_equal(got, now.b, n);
	end_step();
}

static void init_stream(void)
{
	begin_step();
	next.there = true;
	assert_int_equal(bstream_obj_init(explore_object(0), stream(), NBITS), 0);
	end_step();
}

/* Another one in the same object: nothing is registered then. */
static struct bstream_hdr *embedded(void)
{
	return (void *)((char *)explore_object(0)->base + 512);
}

static void init_embedded(void)
{
	begin_step();
	next.second = true;
	assert_int_equal(bstream_obj_init(explore_object(0), embedded(), NBITS), 0);
	end_step();
}

static void close_stream(void)
{
	begin_step();
	next.closed = true;
	assert_int_equal(bstream_close(explore_object(0), stream(), BSTREAM_WCLOSED), 0);
	end_step();
}

/* A machine with a store. */
static void start(void)
{
	__twz_rt.sysinfo.features |= TWZ_FEATURE_STORE;
	counter = 0;
}

static void nothing_yet(void)
{
	start();
	memset(&now, 0, sizeof(now));
	memset(&next, 0, sizeof(next));
	memset(&earlier, 0, sizeof(earlier));
}

static void many_pieces(void)
{
	nothing_yet();
	init_stream();
	write_some(10);
	init_embedded();
	read_some(4);
	write_some(20);
	read_some(26);
	write_some(1);
	write_some(ROOM - 1);
	read_some(ROOM);
	write_some(3);
	close_stream();
}

static bool holds(const struct bytes *want)
{
	const struct bstream_hdr *s = stream();
	uint32_t head = s->head, tail = s->tail;

	if (s->nbits != NBITS || head > ROOM || tail > ROOM || ((head - tail) & ROOM) != want->count ||
	    want->closed != (s->flags == BSTREAM_WCLOSED))
		return false;
	for (size_t i = 0; i < want->count; i++)
		if (s->data[(tail + i) & ROOM] != want->b[i])
			return false;
	return true;
}

static bool registered(uint64_t tag, const void *p)
{
	return twz_object_getext(explore_object(0), tag) == p;
}

/* The next program finds it out of the object, and goes on. */
static const char *judge_bytes(void)
{
	unsigned char got[ROOM];
	ssize_t n;

	if (!registered(BSTREAM_METAEXT_TAG, stream()) || !registered(TWZIO_METAEXT_TAG, &stream()->io) ||
	    !registered(EVENT_METAEXT_TAG, &stream()->ev))
		return now.there ? "a stream that was made is not there" : NULL;
	if (now.second && embedded()->nbits != NBITS)
		return "a stream that was made in it is not there";
	if (!(now.there && (holds(&now) || holds(&earlier))) && !holds(&next))
		return "bytes that were not written, or not those that were";
	n = bstream_hdr_read(explore_object(0), stream(), got, ROOM, NB);
	if (n == -EAGAIN || n == 0)
		return next.count && now.count ? "nothing to read" : NULL;
	if (n < 0 || (memcmp(got, now.b, (size_t)n) != 0 && memcmp(got, next.b, (size_t)n) != 0 &&
			 memcmp(got, earlier.b, (size_t)n) != 0))
		return "what is read is not what was written";
	return NULL;
}

static void after_a_reader(void)
{
	nothing_yet();
	init_stream();
	write_some(ROOM);
	peer_reads(10);
	/* whoever writes now takes its place */
	now = next;
	write_some(10);
	read_some(ROOM);
}

/* ---- Messages ---- */

static void begin_message(void)
{
	explore_step_begin();
}

static void end_message(void)
{
	sent_earlier = sent = sending;
	explore_step_end();
}

static void send(size_t len)
{
	struct message *m = &sending.m[sending.count];

	begin_message();
	m->len = len;
	for (size_t i = 0; i < len; i++)
		m->b[i] = ++counter;
	sending.count++;
	assert_int_equal(dgram_hdr_send(explore_object(0), channel(), DGRAM_A, m->b, len, NB), len);
	end_message();
}

static void receive(void)
{
	unsigned char got[MOST];
	size_t full = 0;

	begin_message();
	sending.count--;
	memmove(sending.m, sending.m + 1, sizeof(sending.m[0]) * sending.count);
	assert_int_equal(dgram_hdr_recv(explore_object(0), channel(), DGRAM_B, got, MOST, NB, &full),
	    sent.m[0].len);
	assert_memory_equal(got, sent.m[0].b, full);
	end_message();
}

static void init_channel(void)
{
	begin_message();
	sending.there = true;
	assert_int_equal(dgram_obj_init(explore_object(0), channel(), MSG_NBITS, MOST), 0);
	end_message();
}

static struct dgram_hdr *embedded_channel(void)
{
	return (void *)((char *)explore_object(0)->base + 1024);
}

static void init_embedded_channel(void)
{
	begin_message();
	sending.second = true;
	assert_int_equal(dgram_obj_init(explore_object(0), embedded_channel(), MSG_NBITS, MOST), 0);
	end_message();
}

static void shut_down(void)
{
	begin_message();
	sending.closed = true;
	assert_int_equal(dgram_hdr_shutdown(explore_object(0), channel(), DGRAM_A, DGRAM_SHUT_WRITE), 0);
	end_message();
}

static void no_messages_yet(void)
{
	start();
	memset(&sent, 0, sizeof(sent));
	memset(&sending, 0, sizeof(sending));
	memset(&sent_earlier, 0, sizeof(sent_earlier));
}

/* With a filler before the third and the last. */
static void many_messages(void)
{
	no_messages_yet();
	init_channel();
	send(50);
	send(20);
	receive();
	send(33);
	receive();
	receive();
	send(0);
	init_embedded_channel();
	send(MOST);
	receive();
	receive();
	send(MOST - 3);
	shut_down();
}

static void after_a_receiver(void)
{
	no_messages_yet();
	init_channel();
	send(48);
	send(48);
	peer_receives();
	sent = sending;
	send(40);
	receive();
	receive();
}

static bool receives(const struct messages *want)
{
	unsigned char got[MOST];
	size_t full;

	for (size_t i = 0; i < want->count; i++) {
		if (dgram_hdr_recv(explore_object(0), channel(), DGRAM_B, got, MOST, NB, &full) !=
			(ssize_t)want->m[i].len ||
		    memcmp(got, want->m[i].b, want->m[i].len) != 0)
			return false;
	}
	return dgram_hdr_recv(explore_object(0), channel(), DGRAM_B, got, MOST, NB, &full) ==
	       (want->closed ? -ESHUTDOWN : -EAGAIN);
}

/* Which of the two it is shows in the counts, before anything is taken out. */
static const char *judge_messages(void)
{
	struct dgram_ring *ring = &channel()->ring[0];
	uint64_t head, tail;

	if (!registered(DGRAM_METAEXT_TAG, channel()) || !registered(TWZIO_METAEXT_TAG, &channel()->io))
		return sent.there ? "a channel that was made is not there" : NULL;
	if (sent.second && embedded_channel()->maxmsg != MOST)
		return "a channel that was made in it is not there";
	head = ring->head, tail = ring->tail;
	if (receives(&sending))
		return NULL;
	ring->head = head, ring->tail = tail;
	if (sent_earlier.there && receives(&sent_earlier))
		return NULL;
	ring->head = head, ring->tail = tail;
	return sent.there && receives(&sent) ? NULL : "not the messages that were sent";
}

/* ---- */

/* What registers an extension has a test of its own; its neighbours' flushes hide it here. */
static const char *const elsewhere[] = { "publish", NULL };
/* And that of making one counts where nothing is registered behind it, as above. */
static const char *const or_above[] = { "publish", "fence bstream_obj_init", "fence make", NULL };

static void cuts_in_a_byte_stream(void **state)
{
	static const struct explore_test test = {
		.objects = 1,
		.data_pages = 2,
		.operation = many_pieces,
		.judge = judge_bytes,
		.unneeded = elsewhere,
	};

	(void)state;
	explore_check(&test);
}

static void cuts_after_a_reader_that_ended(void **state)
{
	static const struct explore_test test = {
		.objects = 1,
		.data_pages = 2,
		.operation = after_a_reader,
		.judge = judge_bytes,
		.unneeded = or_above,
	};

	(void)state;
	explore_check(&test);
}

static void cuts_in_messages(void **state)
{
	static const struct explore_test test = {
		.objects = 1,
		.data_pages = 2,
		.operation = many_messages,
		.judge = judge_messages,
		.unneeded = elsewhere,
	};

	(void)state;
	explore_check(&test);
}

static void cuts_after_a_receiver_that_ended(void **state)
{
	static const struct explore_test test = {
		.objects = 1,
		.data_pages = 2,
		.operation = after_a_receiver,
		.judge = judge_messages,
		.unneeded = or_above,
	};

	(void)state;
	explore_check(&test);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_in_a_byte_stream),
		cmocka_unit_test(cuts_after_a_reader_that_ended),
		cmocka_unit_test(cuts_in_messages),
		cmocka_unit_test(cuts_after_a_receiver_that_ended),
	};

	(void)argc, (void)argv;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
