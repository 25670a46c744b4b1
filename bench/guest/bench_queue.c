// SPDX-License-Identifier: BSD-3-Clause
/*
 * What queues cost, counted as in bench_core: an entry put in and taken out by one thread, and a
 * request and its answer between two threads.
 */
#include <base/string.h>
#include <twz/obj.h>
#include <twz/obj/queue.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/sys/thread.h>

#define NEW_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define ROUNDS 2000

struct item {
	struct queue_entry qe;
	uint64_t data[3];
};

static twzobj queue;
static int failed;

static uint64_t ns_since(uint64_t start)
{
	return twz_ns_from_ticks(twz_cpu_counter() - start);
}

static void report(const char *name, uint64_t ns, uint64_t count)
{
	kec_printf("bench: %s %lu instructions\n", name, (unsigned long)(ns / count));
}

static bool ok(const char *name, int r)
{
	if (r >= 0)
		return true;
	kec_printf("bench: %s failed (error %d)\n", name, -r);
	failed = 1;
	return false;
}

static int new_queue(enum object_backing_type type)
{
	int r = twz_object_new(&queue, NULL, NULL, type, NEW_FLAGS);

	return r < 0 ? r : queue_init_hdr(&queue, 6, sizeof(struct item), 6, sizeof(struct item));
}

static void drop_queue(void)
{
	objid_t id = twz_object_guid(&queue);

	twz_object_release(&queue);
	twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
}

/* One thread: nobody sleeps, nobody is in the way. */
static void in_and_out(const char *name, enum object_backing_type type)
{
	struct item item = { .data = { 1, 2, 3 } };
	uint64_t start;

	if (!ok(name, new_queue(type)))
		return;
	for (int i = 0; i < 64; i++) {
		queue_submit(&queue, &item.qe, 0);
		queue_receive(&queue, &item.qe, 0);
	}
	start = twz_cpu_counter();
	for (int i = 0; i < ROUNDS; i++) {
		queue_submit(&queue, &item.qe, 0);
		queue_receive(&queue, &item.qe, 0);
	}
	report(name, ns_since(start), ROUNDS);
	drop_queue();
}

static void answer(void *arg)
{
	struct item item;

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		queue_receive(&queue, &item.qe, 0);
		queue_complete(&queue, &item.qe, 0);
	}
}

/* Both sleep every time. */
static void round_trip(const char *name)
{
	struct thrd_spawn_args a = { .start_func = (uintptr_t)answer };
	struct item item = { .data = { 1, 2, 3 } };
	struct thread t;
	uint64_t start;

	if (!ok(name, new_queue(OBJ_VOLATILE)) || !ok(name, twz_thread_spawn(&t, &a)))
		return;
	start = twz_cpu_counter();
	for (int i = 0; i < ROUNDS; i++) {
		queue_submit(&queue, &item.qe, 0);
		queue_get_finished(&queue, &item.qe, 0);
	}
	report(name, ns_since(start), ROUNDS);
	twz_thread_join(&t, NULL, 0);
	twz_thread_release(&t);
	drop_queue();
}

int main(void)
{
	in_and_out("queue_submit_receive", OBJ_VOLATILE);
	round_trip("queue_round_trip");
	if (twz_sysinfo()->features & TWZ_FEATURE_STORE)
		in_and_out("queue_submit_receive_durable", OBJ_PERSISTENT);
	return failed;
}
