// SPDX-License-Identifier: BSD-3-Clause
/*
 * Streams of bytes and of messages between processes that are killed at any moment, and between
 * many threads: pieces and messages stay whole, and what lives goes on. Volumes that the emulator
 * has no time for.
 */
#include "ktap.h"
#include "testlib.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <twz/obj/bstream.h>
#include <twz/obj/dgram.h>
#include <unistd.h>

#define NBITS 8u
#define ROLES 4u
#define OF_EACH 2u
#define CHILDREN (ROLES * OF_EACH)
#define KILLS 120u
#define PATIENCE_S 60

/* At the base of the object that all share. */
struct shared {
	atomic_ulong wrong;
	atomic_ulong bytes, messages; /* taken out by readers */
};

#define STREAM_AT 4096u
#define CHANNEL_AT 8192u

static twzobj object;
static struct shared *shared;
static struct bstream_hdr *stream;
static struct dgram_hdr *channel;

static int open_shared(objid_t id)
{
	int r = twz_object_init_guid(&object, id, FE_READ | FE_WRITE);

	if (r < 0)
		return r;
	shared = twz_object_base(&object);
	stream = (void *)((char *)shared + STREAM_AT);
	channel = (void *)((char *)shared + CHANNEL_AT);
	return 0;
}

/* ---- What children do, until they are killed or the stream ends ---- */

/* A piece is a byte over 0x7f and bytes that count on from it. */
static int write_bytes(void)
{
	unsigned char piece[20];
	ssize_t n = 1;

	for (unsigned i = 0; n > 0; i++) {
		piece[0] = (unsigned char)(0x80 | i);
		for (size_t k = 1; k < sizeof(piece); k++)
			piece[k] = (unsigned char)((i + k) & 0x7f);
		n = bstream_hdr_write(&object, stream, piece, 1 + i % sizeof(piece), 0);
	}
	return n == -EPIPE ? 0 : 1;
}

static int read_bytes(void)
{
	unsigned char got[64];
	ssize_t n;

	while ((n = bstream_hdr_read(&object, stream, got, sizeof(got), 0)) > 0) {
		for (ssize_t i = 1; i < n; i++)
			if (!(got[i] & 0x80) && got[i] != ((got[i - 1] + 1) & 0x7f))
				atomic_fetch_add(&shared->wrong, 1);
		atomic_fetch_add(&shared->bytes, (unsigned long)n);
	}
	return n == 0 ? 0 : 1;
}

struct message {
	uint32_t first, len;
	unsigned char rest[56];
};

static int send_messages(void)
{
	struct message m;
	ssize_t n = 8;

	for (unsigned i = 0; n >= 8; i++) {
		m.first = i;
		m.len = 8 + i % sizeof(m.rest);
		for (unsigned k = 0; k < sizeof(m.rest); k++)
			m.rest[k] = (unsigned char)(i + k);
		n = dgram_hdr_send(&object, channel, DGRAM_A, &m, m.len, 0);
	}
	return n == -EPIPE ? 0 : 1;
}

static int receive_messages(void)
{
	struct message m;
	ssize_t n;

	while ((n = dgram_hdr_recv(&object, channel, DGRAM_B, &m, sizeof(m), 0, NULL)) >= 8) {
		bool wrong = (size_t)n != m.len;
		for (ssize_t k = 0; k < n - 8; k++)
			wrong |= m.rest[k] != (unsigned char)(m.first + (unsigned)k);
		atomic_fetch_add(&shared->wrong, wrong);
		atomic_fetch_add(&shared->messages, 1);
	}
	return n == -ESHUTDOWN ? 0 : 1;
}

static int child(unsigned role, const char *id_text)
{
	int (*const roles[ROLES])(void) = { write_bytes, read_bytes, send_messages, receive_messages };
	objid_t id;

	if (!objid_parse(id_text, strlen(id_text), &id) || open_shared(id) < 0)
		return 2;
	if (roles[role % ROLES]() == 0)
		return 0;
	atomic_fetch_add(&shared->wrong, 1);
	return 1;
}

/* ---- The one that kills them ---- */

static const char *self;
static pid_t children[CHILDREN];

static pid_t start(unsigned role)
{
	extern char **environ;
	char id[40], role_text[8];
	char *argv[] = { (char *)self, role_text, id, NULL };
	pid_t pid;

	snprintf(id, sizeof(id), IDFMT, IDPR(twz_object_guid(&object)));
	snprintf(role_text, sizeof(role_text), "%u", role);
	return posix_spawn(&pid, self, NULL, NULL, argv, environ) == 0 ? pid : -1;
}

static void pause_ms(long ms)
{
	struct timespec ts = { 0, ms * 1000000 };

	nanosleep(&ts, NULL);
}

/* Children are killed in the middle of starting, too: one that did not come up is started again. */
static void tend(void)
{
	for (unsigned i = 0; i < CHILDREN; i++)
		if (waitpid(children[i], NULL, WNOHANG) == children[i])
			children[i] = start(i % ROLES);
}

/* What readers take out goes on growing. */
static bool moves(atomic_ulong *count)
{
	unsigned long was = atomic_load(count);

	for (unsigned i = 0; i < PATIENCE_S * 100; i++) {
		if (atomic_load(count) > was + 100)
			return true;
		tend();
		pause_ms(10);
	}
	return false;
}

static int make_shared(void)
{
	int r = twz_object_new(&object, NULL, NULL, NEW_FLAGS);
	objid_t id;

	if (r < 0)
		return r;
	id = twz_object_guid(&object);
	twz_object_release(&object);
	r = open_shared(id);
	r = r < 0 ? r : bstream_obj_init(&object, stream, NBITS);
	return r < 0 ? r : dgram_obj_init(&object, channel, NBITS, DGRAM_MAXMSG(NBITS));
}

/* Ends by itself when its stream does; killed if it does not. */
static bool ends(pid_t pid)
{
	for (unsigned i = 0; i < PATIENCE_S * 100; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		pause_ms(10);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return false;
}

static void peers_that_are_killed(void)
{
	unsigned seed = 12345;

	NEED(make_shared() == 0);
	for (unsigned i = 0; i < CHILDREN; i++)
		NEED((children[i] = start(i % ROLES)) > 0);
	for (unsigned i = 0; i < KILLS; i++) {
		unsigned victim = rand_r(&seed) % CHILDREN;
		pause_ms(rand_r(&seed) % 20);
		kill(children[victim], SIGKILL);
		waitpid(children[victim], NULL, 0);
		NEED((children[victim] = start(victim % ROLES)) > 0);
	}
	CHECK(moves(&shared->bytes));
	CHECK(moves(&shared->messages));
	CHECK_EQ(bstream_close(&object, stream, BSTREAM_WCLOSED), 0);
	CHECK_EQ(dgram_hdr_shutdown(&object, channel, DGRAM_A, DGRAM_SHUT_WRITE), 0);
	for (unsigned i = 0; i < CHILDREN; i++)
		CHECK(ends(children[i]));
	CHECK_EQ(shared->wrong, 0);
	ktap_note("%lu bytes, %lu messages", atomic_load(&shared->bytes), atomic_load(&shared->messages));
	drop_object(&object);
}

/* ---- Threads ---- */

#define THREADS 4u
#define TOTAL 1000000u

static atomic_ulong to_write, to_send;

static void write_share(void *arg)
{
	unsigned char piece[16];

	(void)arg;
	while (atomic_fetch_add(&to_write, 1) < TOTAL) {
		for (size_t k = 0; k < sizeof(piece); k++)
			piece[k] = (unsigned char)((k ? 0 : 0x80) | k);
		if (bstream_hdr_write(&object, stream, piece, sizeof(piece), 0) <= 0)
			break;
	}
}

static void read_share(void *arg)
{
	(void)arg;
	read_bytes();
}

static void send_share(void *arg)
{
	struct message m = { .len = 8 };

	(void)arg;
	while (atomic_fetch_add(&to_send, 1) < TOTAL)
		if (dgram_hdr_send(&object, channel, DGRAM_A, &m, 8, 0) != 8)
			break;
}

static void receive_share(void *arg)
{
	(void)arg;
	receive_messages();
}

static void run_many(void (*in)(void *), void (*out)(void *))
{
	struct thread writers[THREADS], readers[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		CHECK_EQ(run_thread(&readers[i], out, NULL), 0);
		CHECK_EQ(run_thread(&writers[i], in, NULL), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_EQ(finish_thread(&writers[i]), 0);
	bstream_close(&object, stream, BSTREAM_WCLOSED);
	dgram_hdr_shutdown(&object, channel, DGRAM_A, DGRAM_SHUT_WRITE);
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_EQ(finish_thread(&readers[i]), 0);
	CHECK_EQ(shared->wrong, 0);
}

static void a_million_pieces(void)
{
	NEED(make_shared() == 0);
	run_many(write_share, read_share);
	CHECK(shared->bytes > TOTAL);
	drop_object(&object);
}

static void a_million_messages(void)
{
	NEED(make_shared() == 0);
	run_many(send_share, receive_share);
	CHECK_EQ(shared->messages, TOTAL);
	drop_object(&object);
}

static const struct ktap_case cases[] = {
	{ "peers_that_are_killed", peers_that_are_killed },
	{ "a_million_pieces", a_million_pieces },
	{ "a_million_messages", a_million_messages },
};

int main(int argc, char **argv)
{
	if (argc == 3)
		return child((unsigned)atoi(argv[1]), argv[2]);
	self = argv[0];
	return KTAP_RUN(cases);
}
