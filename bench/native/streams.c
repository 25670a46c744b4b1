// SPDX-License-Identifier: BSD-3-Clause
/* Linux's pipes and socket pairs. */
#define _GNU_SOURCE
#include "streams.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int there[2], back[2]; /* [0] is read */

void streams_one_cpu(bool one)
{
	static cpu_set_t all;
	cpu_set_t set;

	if (!one) {
		sched_setaffinity(0, sizeof(all), &all);
		return;
	}
	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static pthread_t helper;
static void (*helper_fn)(void *);

static void *helper_main(void *arg)
{
	helper_fn(arg);
	return NULL;
}

void helper_start(void (*fn)(void *), void *arg)
{
	helper_fn = fn;
	must(pthread_create(&helper, NULL, helper_main, arg) == 0, "pthread_create");
}

void helper_join(void)
{
	pthread_join(helper, NULL);
}

static bool begin_pipe(void)
{
	return pipe(there) == 0 && pipe(back) == 0;
}

static bool begin_sockets(int type)
{
	int pair[2];

	if (socketpair(AF_UNIX, type, 0, pair) < 0)
		return false;
	there[1] = back[0] = pair[0];
	there[0] = back[1] = pair[1];
	return true;
}

static bool begin_stream(void)
{
	return begin_sockets(SOCK_STREAM);
}

static bool begin_dgram(void)
{
	return begin_sockets(SOCK_DGRAM);
}

static void end_pipe(void)
{
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
}

static void end_sockets(void)
{
	close(there[0]);
	close(there[1]);
}

static double throughput(void)
{
	static char chunk[CHUNK];
	double from = cpu_ns();

	for (uint32_t i = 0; i < CHUNKS; i++) {
		must(write(there[1], chunk, CHUNK) == CHUNK, "write");
		must(read(there[0], chunk, CHUNK) == CHUNK, "read");
	}
	return (cpu_ns() - from) / ((double)CHUNKS * CHUNK / 1024);
}

static void answer(void *arg)
{
	char message[MESSAGE];

	(void)arg;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		must(read(there[0], message, MESSAGE) == MESSAGE, "read");
		must(write(back[1], message, MESSAGE) == MESSAGE, "write");
	}
}

static double round_trip(void)
{
	char message[MESSAGE] = "ping";
	double from;

	streams_one_cpu(true);
	from = cpu_ns();
	helper_start(answer, NULL);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		must(write(there[1], message, MESSAGE) == MESSAGE, "write");
		must(read(back[0], message, MESSAGE) == MESSAGE, "read");
	}
	helper_join();
	streams_one_cpu(false);
	return (cpu_ns() - from) / ROUNDS;
}

const struct contender pipe_throughput = { "pipe", begin_pipe, throughput, end_pipe };
const struct contender pipe_round_trip = { "pipe", begin_pipe, round_trip, end_pipe };
const struct contender socketpair_throughput = {
	"socketpair", begin_stream, throughput, end_sockets,
};
const struct contender socketpair_round_trip = {
	"socketpair", begin_stream, round_trip, end_sockets,
};
const struct contender dgram_throughput = { "socketpair", begin_dgram, throughput, end_sockets };
const struct contender dgram_round_trip = { "socketpair", begin_dgram, round_trip, end_sockets };

void streams_measure(void)
{
	const struct contender rows[] = { ours_stream_throughput, pipe_throughput,
		socketpair_throughput };
	const struct contender trips[] = { ours_stream_round_trip, pipe_round_trip,
		socketpair_round_trip };

	const struct contender messages[] = { ours_dgram_throughput, dgram_throughput };
	const struct contender exchanges[] = { ours_dgram_round_trip, dgram_round_trip };

	MEASURE("stream_throughput", rows);
	MEASURE("stream_round_trip", trips);
	MEASURE("dgram_throughput", messages);
	MEASURE("dgram_round_trip", exchanges);
}
