// SPDX-License-Identifier: BSD-3-Clause
/* Several processes with one store: what they share, and what one leaves that is killed. */
#include "hosted.h"

#include <signal.h>
#include <twz/mutex.h>
#include <twz/name.h>

#define PROCESSES 4
#define ROUNDS 5000
#define TURNS_OFF 400
#define TURNS 3000

struct shared {
	struct mutex lock;
	uint64_t count, twin;
	atomic_ulong turn, ready;
	objid_t temporary, derived;
};

static twzobj object;
static struct shared *shared;

static int open_shared(void)
{
	int r = twz_object_init_name(&object, "shared", FE_READ | FE_WRITE);

	if (r == 0)
		shared = twz_object_base(&object);
	return r;
}

static int make_shared(void)
{
	int r = twz_object_new(&object, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS);

	if (r == 0)
		r = twz_name_assign(twz_object_guid(&object), "shared");
	shared = twz_object_base(&object);
	return r;
}

/* --- what the other processes do */

static int count_up(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		mutex_acquire(&shared->lock);
		shared->count++;
		shared->twin++;
		mutex_release(&shared->lock);
	}
	return 0;
}

static _Noreturn void hold(void)
{
	mutex_acquire(&shared->lock);
	shared->count++;
	atomic_store(&shared->ready, 1);
	twz_thread_sync(THREAD_SYNC_WAKE, &shared->ready, 1, NULL);
	for (;;)
		pause();
}

/* Makes objects that live as long as it does, and counts in the store. */
static int work(void)
{
	twzobj o;

	if (twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE) < 0)
		return 1;
	shared->temporary = twz_object_guid(&o);
	if (twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE) < 0)
		return 1;
	shared->derived = twz_object_guid(&o);
	atomic_store(&shared->ready, 1);
	twz_thread_sync(THREAD_SYNC_WAKE, &shared->ready, 1, NULL);
	for (;;)
		count_up();
}

/* Only the upper half of the word changes: the lower must not be all that is compared. */
static int take_turns(unsigned me)
{
	for (unsigned i = 0; i < TURNS; i++) {
		uint64_t mine = (uint64_t)(2 * i + me) << 32, now;

		while ((now = atomic_load(&shared->turn)) != mine)
			twz_thread_sync(THREAD_SYNC_SLEEP, &shared->turn, now, NULL);
		atomic_store(&shared->turn, mine + (1ull << 32));
		twz_thread_sync(THREAD_SYNC_WAKE, &shared->turn, (uint64_t)-1, NULL);
	}
	return 0;
}

static int role(const char *name, const char *arg)
{
	if (strcmp(name, "nothing") == 0)
		return 0;
	if (open_shared() < 0)
		return 9;
	if (strcmp(name, "count") == 0)
		return count_up();
	if (strcmp(name, "hold") == 0)
		hold();
	if (strcmp(name, "work") == 0)
		return work();
	return take_turns((unsigned)atoi(arg));
}

/* --- cases */

static void wait_ready(void)
{
	while (!atomic_load(&shared->ready))
		twz_thread_sync(THREAD_SYNC_SLEEP, &shared->ready, 0, NULL);
	atomic_store(&shared->ready, 0);
}

static void a_mutex_excludes(void)
{
	pid_t pids[PROCESSES];

	for (int i = 0; i < PROCESSES; i++)
		pids[i] = start_role("count", "", NULL);
	count_up();
	for (int i = 0; i < PROCESSES; i++)
		CHECK_EQ(finish_role(pids[i]), 0);
	CHECK_EQ(shared->count, (PROCESSES + 1) * ROUNDS);
	CHECK_EQ(shared->twin, (PROCESSES + 1) * ROUNDS);
}

static void a_holder_is_killed(void)
{
	pid_t pid = start_role("hold", "", NULL);

	wait_ready();
	kill(pid, SIGKILL);
	CHECK_EQ(finish_role(pid), 256 + SIGKILL);
	CHECK_EQ(mutex_acquire_r(&shared->lock), 1);
	shared->twin = shared->count;
	mutex_release(&shared->lock);
	CHECK_EQ(mutex_acquire_r(&shared->lock), 0);
	mutex_release(&shared->lock);
}

static void a_worker_is_killed(void)
{
	pid_t pid = start_role("work", "", NULL);

	wait_ready();
	CHECK(object_exists(shared->temporary));
	CHECK(object_exists(shared->derived));
	kill(pid, SIGKILL);
	CHECK_EQ(finish_role(pid), 256 + SIGKILL);
	CHECK_EQ(run_role("nothing", "", NULL), 0);
	CHECK(!object_exists(shared->temporary));
	CHECK(!object_exists(shared->derived));
	mutex_acquire(&shared->lock);
	CHECK(shared->count - shared->twin <= 1);
	shared->twin = shared->count;
	mutex_release(&shared->lock);
}

static void wakes_are_not_lost(void)
{
	pid_t a, b;

	atomic_store(&shared->turn, 0);
	a = start_role("turns", "0", NULL);
	b = start_role("turns", "1", NULL);
	CHECK_EQ(finish_role(a), 0);
	CHECK_EQ(finish_role(b), 0);
	CHECK_EQ(atomic_load(&shared->turn), (uint64_t)2 * TURNS << 32);
}

/* One root of names comes of it, whoever is first. */
static void a_store_is_made_by_many(void)
{
	char folder[] = "/tmp/twizzler-many-XXXXXX", command[64];
	pid_t pids[PROCESSES * 2];

	NEED(mkdtemp(folder) != NULL);
	for (int i = 0; i < PROCESSES * 2; i++)
		pids[i] = start_role("nothing", "", folder);
	for (int i = 0; i < PROCESSES * 2; i++)
		CHECK_EQ(finish_role(pids[i]), 0);
	snprintf(command, sizeof(command), "test $(ls %s/objects | wc -l) = 1", folder);
	CHECK_EQ(system(command), 0);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK_EQ(system(command), 0);
}

/* The last one to go switches the machine off while the next one comes: again and again. */
static void machines_go_off_and_on(void)
{
	char folder[] = "/tmp/twizzler-off-XXXXXX", command[64];
	pid_t pids[2];
	int bad = 0;

	NEED(mkdtemp(folder) != NULL);
	pids[0] = start_role("nothing", "", folder);
	pids[1] = start_role("nothing", "", folder);
	for (int i = 0; i < TURNS_OFF; i++) {
		bad += finish_role(pids[i % 2]) != 0;
		pids[i % 2] = start_role("nothing", "", folder);
	}
	bad += finish_role(pids[0]) != 0;
	bad += finish_role(pids[1]) != 0;
	CHECK_EQ(bad, 0);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK_EQ(system(command), 0);
}

/* A child of fork() is a process of its own, with a thread and a view of its own. */
static void a_forked_child_counts(void)
{
	uint64_t before = shared->count;
	twzobj other;
	pid_t pid = fork();

	if (pid == 0) {
		int r = new_object(&other);

		if (r == 0)
			drop_object(&other);
		count_up();
		_exit(r == 0 && twz_object_init_name(&other, "shared", FE_READ) == 0 ? 0 : 1);
	}
	count_up();
	CHECK_EQ(finish_role(pid), 0);
	CHECK_EQ(shared->count, before + 2 * ROUNDS);
	NEED(new_object(&other) == 0);
	drop_object(&other);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "a mutex excludes", a_mutex_excludes },
		{ "a holder is killed", a_holder_is_killed },
		{ "a worker is killed", a_worker_is_killed },
		{ "wakes are not lost", wakes_are_not_lost },
		{ "a store is made by many", a_store_is_made_by_many },
		{ "machines go off and on", machines_go_off_and_on },
		{ "a forked child counts", a_forked_child_counts },
	};

	if (argc > 1)
		return role(argv[1], argc > 2 ? argv[2] : "");
	return make_shared() < 0 ? 2 : KTAP_RUN(cases);
}
