// SPDX-License-Identifier: BSD-3-Clause
/* The byte stream of libtwz, in volatile objects: pipes do not outlive a power cut either. */
/* The C library's headers come first: see twz/_types.h. */
#include <string.h>
#include <time.h>

#include "bench.h"
#include "ours.h"
#include "streams.h"

#include <twz/obj/bstream.h>
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

static double round_trip(void)
{
	struct thrd_spawn_args args = { .start_func = (uintptr_t)answer };
	char message[MESSAGE] = "ping";
	struct thread t;
	uint64_t status;
	double from;

	streams_one_cpu(true);
	from = cpu_ns();
	must(twz_thread_spawn(&t, &args) == 0, "twz_thread_spawn");
	for (uint32_t i = 0; i < ROUNDS; i++) {
		must(bstream_write(&there, message, MESSAGE, 0) == MESSAGE, "bstream_write");
		must(bstream_read(&back, message, MESSAGE, 0) == MESSAGE, "bstream_read");
	}
	must(twz_thread_join(&t, &status, 0) == 0, "twz_thread_join");
	twz_thread_release(&t);
	streams_one_cpu(false);
	return (cpu_ns() - from) / ROUNDS;
}

const struct contender ours_stream_throughput = { "ours", begin, throughput, end };
const struct contender ours_stream_round_trip = { "ours", begin, round_trip, end };
