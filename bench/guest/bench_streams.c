// SPDX-License-Identifier: BSD-3-Clause
/*
 * What streams of bytes and of messages cost: round trips, throughput, durable appends. As in
 * bench_core.c a figure is in instructions where the emulator counts them, else in nanoseconds.
 */
#include <twz/obj.h>
#include <twz/obj/bstream.h>
#include <twz/obj/dgram.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/sys/thread.h>
#include <twz/sys/view.h>

#define NEW_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define ROUNDS 1000
#define KIB 1024ul
#define PIECE (4 * KIB)
#define TOTAL (4 * KIB * KIB)
#define NBITS 18u
#define MESSAGE 64u

static int failed;
static twzobj stream, channel;
static struct bstream_hdr *there, *back; /* both in stream */
static _Alignas(64) char out[PIECE], in[PIECE];

static uint64_t ns_since(uint64_t start)
{
	uint64_t ticks = twz_cpu_counter() - start;

	return ticks * (1000000000u / 1000) / (twz_sysinfo()->timer_hz / 1000);
}

static void report(const char *name, uint64_t ns, uint64_t count)
{
	kec_printf("bench: %s %lu instructions\n", name, (unsigned long)(ns / count));
}

/* Says what did not work; the figure is then missing. */
static bool ok(const char *name, int64_t r)
{
	if (r >= 0)
		return true;
	kec_printf("bench: %s failed (error %ld)\n", name, (long)-r);
	failed = 1;
	return false;
}

/* ---- Round trips: another thread gives back what it gets, in one view or in two ---- */

static void echo_bytes(void *arg)
{
	char c;

	(void)arg;
	while (bstream_hdr_read(&stream, there, &c, 1, 0) == 1)
		bstream_hdr_write(&stream, back, &c, 1, 0);
}

static void echo_messages(void *arg)
{
	char m[MESSAGE];

	(void)arg;
	while (dgram_recv(&channel, DGRAM_B, m, MESSAGE, 0, NULL) == MESSAGE)
		dgram_send(&channel, DGRAM_B, m, MESSAGE, 0);
}

static void one_byte(void)
{
	char c = 1;

	bstream_hdr_write(&stream, there, &c, 1, 0);
	bstream_hdr_read(&stream, back, &c, 1, 0);
}

static void one_message(void)
{
	char m[MESSAGE] = { 0 };

	dgram_send(&channel, DGRAM_A, m, MESSAGE, 0);
	dgram_recv(&channel, DGRAM_A, m, MESSAGE, 0, NULL);
}

static bool set_up(void)
{
	there = twz_object_base(&stream);
	back = (void *)((char *)there + 2 * bstream_hdr_size(NBITS));
	return bstream_obj_init(&stream, there, NBITS) == 0 &&
	       bstream_obj_init(&stream, back, NBITS) == 0 &&
	       dgram_obj_init(&channel, NULL, NBITS, PIECE) == 0;
}

static void round_trip(const char *name, objid_t view, void (*other)(void *), void (*round)(void))
{
	struct thrd_spawn_args a = { .target_view = view, .start_func = (uintptr_t)other };
	struct thread t;
	uint64_t start;

	set_up();
	if (!ok(name, twz_thread_spawn(&t, &a)))
		return;
	for (int i = 0; i < 10; i++)
		round();
	start = twz_cpu_counter();
	for (int i = 0; i < ROUNDS; i++)
		round();
	report(name, ns_since(start), ROUNDS);
	bstream_close(&stream, there, BSTREAM_WCLOSED);
	dgram_shutdown(&channel, DGRAM_A, DGRAM_SHUT_BOTH);
	twz_thread_join(&t, NULL, 0);
	twz_thread_release(&t);
}

static void round_trips(void)
{
	twzobj view;
	int r;

	round_trip("bstream_round_trip", 0, echo_bytes, one_byte);
	round_trip("dgram_round_trip_64", 0, echo_messages, one_message);
	r = twz_object_new(&view, NULL, NULL, OBJ_VOLATILE, NEW_FLAGS);
	r = r < 0 ? r : twz_view_clone(NULL, &view, VIEW_CLONE_ENTRIES | VIEW_CLONE_BITMAP, NULL);
	if (!ok("bstream_round_trip_two_views", r))
		return;
	round_trip("bstream_round_trip_two_views", twz_object_guid(&view), echo_bytes, one_byte);
	round_trip("dgram_round_trip_64_two_views", twz_object_guid(&view), echo_messages, one_message);
}

/* ---- Throughput, in pieces of 4 KiB ---- */

static void write_all(void *arg)
{
	(void)arg;
	for (size_t done = 0; done < TOTAL;) {
		size_t at = done % PIECE;
		ssize_t n = bstream_hdr_write(&stream, there, out + at, PIECE - at, 0);
		if (n <= 0)
			return;
		done += (size_t)n;
	}
	bstream_close(&stream, there, BSTREAM_WCLOSED);
}

static void send_all(void *arg)
{
	(void)arg;
	for (size_t done = 0; done < TOTAL; done += PIECE)
		dgram_send(&channel, DGRAM_A, out, PIECE, 0);
	dgram_shutdown(&channel, DGRAM_A, DGRAM_SHUT_WRITE);
}

static void read_all(void)
{
	for (size_t done = 0; done < TOTAL;) {
		size_t at = done % PIECE;
		ssize_t n = bstream_hdr_read(&stream, there, in + at, PIECE - at, 0);
		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

static void receive_all(void)
{
	while (dgram_recv(&channel, DGRAM_B, in, PIECE, 0, NULL) > 0)
		;
}

static void throughput(const char *name, void (*writer)(void *), void (*reader)(void))
{
	struct thrd_spawn_args a = { .start_func = (uintptr_t)writer };
	struct thread t;
	uint64_t start;

	set_up();
	start = twz_cpu_counter();
	if (!ok(name, twz_thread_spawn(&t, &a)))
		return;
	reader();
	report(name, ns_since(start), TOTAL / KIB);
	twz_thread_join(&t, NULL, 0);
	twz_thread_release(&t);
}

/* ---- Without anybody who sleeps ---- */

static void uncontended(void)
{
	uint64_t start;
	char c = 0;

	set_up();
	start = twz_cpu_counter();
	for (int i = 0; i < ROUNDS; i++) {
		bstream_hdr_write(&stream, there, &c, 1, 0);
		bstream_hdr_read(&stream, there, &c, 1, 0);
	}
	report("bstream_write_read_1", ns_since(start), ROUNDS);
}

/* ---- Persistent: 64 bytes, durable when the call returns ---- */

static void append_durably(void)
{
	enum { PIECES = 1000, EMPTIED = 500 };
	uint64_t sum = 0, start;
	struct bstream_hdr *hdr;
	twzobj log;

	if (!(twz_sysinfo()->features & TWZ_FEATURE_STORE))
		return;
	if (!ok("bstream_append_64_durably", twz_object_new(&log, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS)))
		return;
	/* so that its data begin with a line */
	hdr = (void *)((char *)twz_object_base(&log) + 48);
	if (!ok("bstream_append_64_durably", bstream_obj_init(&log, hdr, NBITS)))
		return;
	for (int i = 0; i < PIECES; i++) {
		start = twz_cpu_counter();
		bstream_hdr_write(&log, hdr, out, MESSAGE, 0);
		sum += twz_cpu_counter() - start;
		if (i % EMPTIED == 0)
			while (bstream_hdr_read(&log, hdr, in, PIECE, TWZIO_NONBLOCK) > 0)
				;
	}
	report("bstream_append_64_durably", sum * 1000000 / (twz_sysinfo()->timer_hz / 1000), PIECES);
	twz_object_delete(&log, TWZ_OD_IMMEDIATE);
}

int main(void)
{
	if (!ok("bstream", twz_object_new(&stream, NULL, NULL, OBJ_VOLATILE, NEW_FLAGS)) ||
	    !ok("dgram", twz_object_new(&channel, NULL, NULL, OBJ_VOLATILE, NEW_FLAGS)) || !set_up())
		return 1;
	uncontended();
	round_trips();
	throughput("bstream_per_kib", write_all, read_all);
	throughput("dgram_per_kib", send_all, receive_all);
	append_durably();
	return failed;
}
