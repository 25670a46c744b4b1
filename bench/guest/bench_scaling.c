// SPDX-License-Identifier: BSD-3-Clause
/*
 * How much independent work 1, 2, 4 … CPUs do at once: a thread on each, and none uses what another
 * does. A figure is the time from the first start to the last end, divided by the operations of
 * all: with twice the CPUs it would be half, if nothing were shared and the machine had them.
 */
#include <twz/obj.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/sys/thread.h>

#define NEW_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define MAX_CPUS 8u

/* What is measured. */
struct work {
	const char *name;
	int (*run)(unsigned count);
	unsigned count; /* of a thread */
};

struct worker {
	struct thread thread;
	const struct work *work;
	unsigned cpu;
	uint64_t start, end; /* out: times */
	int result;          /* out */
};

static struct worker workers[MAX_CPUS];
static atomic_uint waiting; /* for each other */

static int call(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		sys_null();
	return 0;
}

/* First writes of pages of an object of its own. */
static int touch(unsigned count)
{
	twzobj o;
	int r = twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, NEW_FLAGS);

	if (r < 0)
		return r;
	volatile char *base = twz_object_base(&o);
	for (unsigned i = 0; i < count; i++)
		base[i * TWZ_PAGE_SIZE] = 1;
	objid_t id = twz_object_guid(&o);
	twz_object_release(&o);
	return twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
}

static int create_delete(unsigned count)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < count; i++) {
		objid_t id;
		r = twz_object_create(NEW_FLAGS | TWZ_OC_VOLATILE, 0, 0, &id);
		if (r == 0)
			r = twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
	}
	return r;
}

/* All start when the last has come. */
static void work_on(void *arg)
{
	struct worker *w = arg;
	struct twz_sched sched = { .klass = TWZ_SCHED_NORMAL, .prio = TWZ_SCHED_DEFAULT_PRIO };

	sched.affinity[0] = 1ul << w->cpu;
	w->result = (int)sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&sched);
	atomic_fetch_sub(&waiting, 1);
	while (atomic_load(&waiting))
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	if (w->result < 0)
		return;
	w->start = twz_clock_ns();
	w->result = w->work->run(w->work->count);
	w->end = twz_clock_ns();
}

static int start(struct worker *w)
{
	struct thrd_spawn_args a = { .start_func = (uintptr_t)work_on, .arg = (uintptr_t)w };

	return twz_thread_spawn(&w->thread, &a);
}

/* 0 or the first error; *ns: from the first start to the last end. */
static int run_on(const struct work *work, unsigned cpus, uint64_t *ns)
{
	uint64_t first = UINT64_MAX, last = 0;
	int r = 0;

	atomic_store(&waiting, cpus);
	for (unsigned i = 0; i < cpus; i++) {
		workers[i] = (struct worker){ .work = work, .cpu = i };
		r = start(&workers[i]);
		if (r < 0)
			return r; /* those that wait end with the program */
	}
	for (unsigned i = 0; i < cpus; i++) {
		twz_thread_join(&workers[i].thread, NULL, 0);
		twz_thread_release(&workers[i].thread);
		first = workers[i].start < first ? workers[i].start : first;
		last = workers[i].end > last ? workers[i].end : last;
		r = r ? r : workers[i].result;
	}
	*ns = last - first;
	return r;
}

static int measure(const struct work *work, unsigned cpus)
{
	uint64_t ns;
	int r = run_on(work, cpus, &ns);

	if (r < 0)
		kec_printf("bench: scaling_%s_%u failed (error %d)\n", work->name, cpus, -r);
	else
		kec_printf("bench: scaling_%s_%u %lu ns\n", work->name, cpus,
		    (unsigned long)(ns / ((uint64_t)cpus * work->count)));
	return r;
}

static const struct work works[] = {
	{ "null_syscall", call, 20000 },
	{ "first_touch", touch, 1000 },
	{ "create_delete", create_delete, 500 },
};

int main(void)
{
	unsigned most = twz_sysinfo()->ncpus;
	int failed = 0;

	for (unsigned i = 0; i < sizeof(works) / sizeof(*works); i++)
		for (unsigned cpus = 1; cpus <= most && cpus <= MAX_CPUS; cpus *= 2)
			failed |= measure(&works[i], cpus) < 0;
	return failed;
}
