// SPDX-License-Identifier: BSD-3-Clause
/* Streams and datagrams against what Linux has. */
#ifndef BENCH_STREAMS_H
#define BENCH_STREAMS_H

#include "bench.h"

#define CHUNK 4096u
#define CHUNKS 20000u
#define ROUNDS 20000u
#define MESSAGE 64u

/* One CPU for this thread and those it starts: a round trip is then its CPU time, whoever runs. */
void streams_one_cpu(bool one);

/* A thread that answers: fn(arg) in it, from start to join. */
void helper_start(void (*fn)(void *), void *arg);
void helper_join(void);

/* Nanoseconds for one KiB, written and read by one thread in chunks. */
extern const struct contender pipe_throughput, socketpair_throughput, ours_stream_throughput;
extern const struct contender dgram_throughput, ours_dgram_throughput;
/* Nanoseconds for a message there and one back, between two threads on one CPU. */
extern const struct contender pipe_round_trip, socketpair_round_trip, ours_stream_round_trip;
extern const struct contender dgram_round_trip, ours_dgram_round_trip;

void streams_measure(void);

#endif
