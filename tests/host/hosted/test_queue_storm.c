// SPDX-License-Identifier: BSD-3-Clause
/*
 * Queues under load: a million entries between four producers and four consumers, and producers in
 * processes of their own that are killed at any moment.
 */
#include "ktap.h"
#include "testlib.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <twz/obj/queue.h>
#include <unistd.h>

struct item {
	struct queue_entry qe;
	uint64_t from, number, check;
};

#define CHECK_OF(from, number) (~((uint64_t)(from) << 32 ^ (uint64_t)(number)))

/* ---- Threads ---- */

#define SIDES 4
#define EACH 250000

static twzobj queue;
static uint64_t seen[SIDES][SIDES], got[SIDES];
static atomic_ulong bad;

static void produce(void *arg)
{
	uint64_t me = (uintptr_t)arg;

	for (uint64_t n = 0; n < EACH; n++) {
		struct item i = { .from = me, .number = n, .check = CHECK_OF(me, n) };

		if (queue_submit(&queue, &i.qe, 0) != 0)
			bad++;
	}
}

static void consume(void *arg)
{
	uint64_t me = (uintptr_t)arg;
	struct item i;

	for (;;) {
		if (queue_receive(&queue, &i.qe, 0) != 0 || i.from > SIDES) {
			bad++;
			return;
		}
		if (i.from == SIDES)
			return;
		if (i.check != CHECK_OF(i.from, i.number) || i.number < seen[me][i.from])
			bad++;
		seen[me][i.from] = i.number + 1;
		got[me]++;
	}
}

static void storm(void)
{
	struct thread producers[SIDES], consumers[SIDES];
	struct item last = { .from = SIDES };
	uint64_t all = 0;

	NEED(new_object(&queue) == 0);
	NEED(queue_init_hdr(&queue, 8, sizeof(struct item), 0, 8) == 0);
	for (uintptr_t i = 0; i < SIDES; i++) {
		NEED(run_thread(&consumers[i], consume, (void *)i) == 0);
		NEED(run_thread(&producers[i], produce, (void *)i) == 0);
	}
	for (int i = 0; i < SIDES; i++)
		CHECK_EQ(finish_thread(&producers[i]), 0);
	for (int i = 0; i < SIDES; i++)
		CHECK_EQ(queue_submit(&queue, &last.qe, 0), 0);
	for (int i = 0; i < SIDES; i++) {
		CHECK_EQ(finish_thread(&consumers[i]), 0);
		all += got[i];
	}
	CHECK_EQ(all, (uint64_t)SIDES * EACH);
	CHECK_EQ(bad, 0);
	drop_object(&queue);
}

/* ---- Processes ---- */

#define KILLED 60

static const char *self;

/* The program that is killed: it never ends by itself. */
static int produce_for_ever(const char *id_text)
{
	objid_t id;
	twzobj o;

	if (!objid_parse(id_text, strlen(id_text), &id) || twz_object_init_guid(&o, id, ACCESS_RW) < 0)
		return 1;
	for (uint64_t n = 0;; n++) {
		struct item i = { .number = n, .check = CHECK_OF(0, n) };

		if (queue_submit(&o, &i.qe, 0) != 0)
			return 1;
	}
}

static pid_t start_producer(objid_t id)
{
	char text[64];
	pid_t pid;

	snprintf(text, sizeof(text), IDFMT, IDPR(id));
	pid = fork();
	if (pid == 0) {
		execl(self, self, text, (char *)NULL);
		_exit(2);
	}
	return pid;
}

/* Take one, which must be number n of its producer; what taking gave. */
static int take(twzobj *o, uint64_t n, int flags)
{
	struct item i;
	int r = queue_receive(o, &i.qe, flags);

	if (r == 0 && (i.number != n || i.check != CHECK_OF(0, n)))
		bad++;
	return r;
}

/* Nothing is lost or torn, whenever it ends; at most one position has to be skipped. */
static int kill_one(twzobj *o, unsigned round)
{
	pid_t pid = start_producer(twz_object_guid(o));
	uint64_t n = 0;
	int skipped;

	for (uint64_t until = 1 + round * 3331 % 20000; n < until; n++)
		if (take(o, n, 0) != 0)
			bad++;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	skipped = queue_repair(o);
	CHECK(skipped == 0 || skipped == 1);
	while (take(o, n, QUEUE_NONBLOCK) == 0)
		n++;
	return skipped;
}

static void killed_producers(void)
{
	int skipped = 0;
	twzobj o;

	if (!have_store())
		return;
	bad = 0;
	NEED(twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
	NEED(queue_init_hdr(&o, 18, sizeof(struct item), 0, 8) == 0);
	for (unsigned round = 0; round < KILLED; round++)
		skipped += kill_one(&o, round);
	ktap_note("%d producers killed, %d of them had reserved a position", KILLED, skipped);
	CHECK_EQ(bad, 0);
	CHECK_EQ(take(&o, 0, QUEUE_NONBLOCK), -EAGAIN);
	drop_object(&o);
}

static const struct ktap_case cases[] = {
	{ "a million entries, four and four", storm },
	{ "producers that are killed", killed_producers },
};

int main(int argc, char **argv)
{
	if (argc == 2)
		return produce_for_ever(argv[1]);
	self = argv[0];
	return KTAP_RUN(cases);
}
