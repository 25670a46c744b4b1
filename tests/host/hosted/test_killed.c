// SPDX-License-Identifier: BSD-3-Clause
/*
 * Processes that make, tie, name and delete objects, killed at random instants. Whatever they were
 * at, the store is whole when it is opened again, and what belonged to them only is gone.
 */
#include "hosted.h"

#include <dirent.h>
#include <signal.h>
#include <sys/random.h>
#include <twz/mutex.h>
#include <twz/name.h>
#include <twz/persist.h>

#define KILLS 60
#define WORKERS 3
#define CHECKED 0x600d600d600d600dull

struct record {
	struct mutex lock;
	uint64_t first, second; /* equal but while somebody has the lock */
};

static twzobj object;
static struct record *record;

static int open_record(void)
{
	int r = twz_object_init_name(&object, "record", FE_READ | FE_WRITE);

	if (r == 0)
		record = twz_object_base(&object);
	return r;
}

static int make_record(void)
{
	int r = twz_object_new(&object, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS);

	if (r == 0)
		r = twz_name_assign(twz_object_guid(&object), "record");
	record = twz_object_base(&object);
	return r;
}

/* --- a worker: a life of objects, again and again */

/* A child that goes with its parent. */
static int make_child(objid_t parent)
{
	struct twz_ocreate_spec spec = {
		.ties = (uintptr_t)&parent,
		.ties_len = 1,
		.flags = TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE,
		.backing_type = TWZ_BACKING_PERSISTENT,
		.lifetime = 1,
	};

	return (int)sys_ocreate2(&spec);
}

static int one_life(const char *name)
{
	twzobj o;
	int r = twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE);

	if (r < 0)
		return r;
	*(uint64_t *)twz_object_base(&o) = CHECKED;
	r = make_child(twz_object_guid(&o));
	if (r == 0)
		r = twz_name_assign(twz_object_guid(&o), name);
	if (r == 0)
		r = twz_name_dfl_remove(name);
	twz_object_release(&o);
	return r;
}

static int change_record(void)
{
	if (mutex_acquire_r(&record->lock))
		record->second = record->first;
	if (record->first != record->second)
		return 3;
	record->first++;
	_clwb(&record->first);
	_pfence();
	record->second++;
	mutex_release(&record->lock);
	return 0;
}

static int work(const char *name)
{
	int r = open_record() < 0 ? 2 : 0;

	twz_name_dfl_remove(name); /* by whoever was killed before */
	while (r == 0) {
		r = one_life(name) < 0 ? 4 : 0;
		if (r == 0)
			r = change_record();
	}
	return r;
}

/* --- judging */

static int files_in(const char *folder)
{
	char path[512];
	struct dirent *e;
	DIR *d;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", getenv("TWZ_STORE"), folder);
	d = opendir(path);
	while (d && (e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return d ? n : -1;
}

/* Two objects are left: the root of names and the record. */
static void check_store(void)
{
	CHECK_EQ(files_in("objects"), 2);
	CHECK_EQ(files_in("new"), 0);
	CHECK_EQ(files_in("deleted"), 0);
	CHECK_EQ(files_in("dying"), 0);
	CHECK_EQ(files_in("down"), 0);
	CHECK_EQ(files_in("up"), 0);
}

static void pause_randomly(void)
{
	uint16_t random = 0;

	CHECK_EQ(getrandom(&random, sizeof(random), 0), sizeof(random));
	usleep(1000 + random % 16384);
}

static void kill_one(pid_t *pid, const char *name)
{
	int status;

	kill(*pid, SIGKILL);
	status = finish_role(*pid);
	CHECK_EQ(status, 256 + SIGKILL);
	*pid = start_role("work", name, NULL);
}

static void the_store_stays_whole(void)
{
	static const char *const names[WORKERS] = { "one", "two", "three" };
	pid_t pids[WORKERS];

	NEED(make_record() == 0);
	for (int i = 0; i < WORKERS; i++)
		pids[i] = start_role("work", names[i], NULL);
	for (int i = 0; i < KILLS; i++) {
		pause_randomly();
		kill_one(&pids[i % WORKERS], names[i % WORKERS]);
	}
	for (int i = 0; i < WORKERS; i++) {
		kill(pids[i], SIGKILL);
		CHECK_EQ(finish_role(pids[i]), 256 + SIGKILL);
	}
	if (mutex_acquire_r(&record->lock))
		record->second = record->first;
	CHECK_EQ(record->first, record->second);
	CHECK(record->first > 0);
	mutex_release(&record->lock);
	ktap_note("%lu lives", (unsigned long)record->first);
	CHECK_EQ(run_role("nothing", "", NULL), 0);
	check_store();
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "the store stays whole", the_store_stays_whole },
	};

	if (argc > 2 && strcmp(argv[1], "work") == 0)
		return work(argv[2]);
	return argc > 1 ? 0 : KTAP_RUN(cases);
}
