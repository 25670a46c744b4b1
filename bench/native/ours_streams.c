// SPDX-License-Identifier: BSD-3-Clause
/* Byte streams and datagrams of libtwz, in volatile objects: pipes do not outlive a cut either. */
/* The C library's headers come first: see twz/_types.h. */
#include <string.h>
#include <time.h>

#include "bench.h"
#include "ours.h"
#include "streams.h"

#include <twz/obj/bstream.h>
#include <twz/obj/dgram.h>
#include <twz/sys/thread.h>

#define NBITS 16

static twzobj there, back;

static void new_stream(twzobj *o)
{
	must(twz_object_new(o, NULL, NULL, OBJ_VOLATILE, OBJECT_FLAGS) == 0, "twz_object_new");
	must(bstream_obj_init(o, NULL, NBITS) == 0, "bstream_obj_init");
}

static bool begin(void)
{
	new_stream(&there);
	new_stream(&back);
	return true;
}

static void end(void)
{
	ours_drop(&there);
	ours_drop(&back);
}

static double throughput(void)
{
	static char chunk[CHUNK];
	double from = cpu_ns();

	for (uint32_t i = 0; i < CHUNKS; i++) {
		must(bstream_write(&there, chunk, CHUNK, 0) == CHUNK, "bstream_write");
		must(bstream_read(&there, chunk, CHUNK, 0) == CHUNK, "bstream_read");
	}
	return (cpu_ns() - from) / ((double)CHUNKS * CHUNK / 1024);
}

static void answer(void *arg)
{
	char message[MESSAGE];

	(void)arg;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		must(bstream_read(&there, message, MESSAGE, 0) == MESSAGE, "bstream_read");
		must(bstream_write(&back, message, MESSAGE, 0) == MESSAGE, "bstream_write");
	}
}

/* CPU time of a round, with fn in a second thread on the same CPU. */
static double rounds(void (*fn)(void *), void (*one)(char *message))
{
	struct thrd_spawn_args args = { .start_func = (uintptr_t)fn };
	char message[MESSAGE] = "ping";
	struct thread t;
	uint64_t status;
	double from;

	streams_one_cpu(true);
	from = cpu_ns();
	must(twz_thread_spawn(&t, &args) == 0, "twz_thread_spawn");
	for (uint32_t i = 0; i < ROUNDS; i++)
		one(message);
	must(twz_thread_join(&t, &status, 0) == 0, "twz_thread_join");
	twz_thread_release(&t);
	streams_one_cpu(false);
	return (cpu_ns() - from) / ROUNDS;
}

static void ask(char *message)
{
	must(bstream_write(&there, message, MESSAGE, 0) == MESSAGE, "bstream_write");
	must(bstream_read(&back, message, MESSAGE, 0) == MESSAGE, "bstream_read");
}

static double round_trip(void)
{
	return rounds(answer, ask);
}

const struct contender ours_stream_throughput = { "ours", begin, throughput, end };
const struct contender ours_stream_round_trip = { "ours", begin, round_trip, end };

/* --- datagrams: one channel has both directions */

static bool begin_dgram(void)
{
	must(twz_object_new(&there, NULL, NULL, OBJ_VOLATILE, OBJECT_FLAGS) == 0, "twz_object_new");
	must(dgram_obj_init(&there, NULL, NBITS, CHUNK) == 0, "dgram_obj_init");
	return true;
}

static double dgram_rate(void)
{
	static char chunk[CHUNK];
	double from = cpu_ns();

	for (uint32_t i = 0; i < CHUNKS; i++) {
		must(dgram_send(&there, DGRAM_A, chunk, CHUNK, 0) == CHUNK, "dgram_send");
		must(dgram_recv(&there, DGRAM_B, chunk, CHUNK, 0, NULL) == CHUNK, "dgram_recv");
	}
	return (cpu_ns() - from) / ((double)CHUNKS * CHUNK / 1024);
}

static void answer_dgram(void *arg)
{
	char message[MESSAGE];

	(void)arg;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		must(dgram_recv(&there, DGRAM_B, message, MESSAGE, 0, NULL) == MESSAGE, "dgram_recv");
		must(dgram_send(&there, DGRAM_B, message, MESSAGE, 0) == MESSAGE, "dgram_send");
	}
}

static void ask_dgram(char *message)
{
	must(dgram_send(&there, DGRAM_A, message, MESSAGE, 0) == MESSAGE, "dgram_send");
	must(dgram_recv(&there, DGRAM_A, message, MESSAGE, 0, NULL) == MESSAGE, "dgram_recv");
}

static double dgram_trip(void)
{
	return rounds(answer_dgram, ask_dgram);
}

const struct contender ours_dgram_throughput = { "ours", begin_dgram, dgram_rate, end };
const struct contender ours_dgram_round_trip = { "ours", begin_dgram, dgram_trip, end };
