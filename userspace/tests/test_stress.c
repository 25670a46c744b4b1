// SPDX-License-Identifier: BSD-3-Clause
/*
 * Everything that threads can do to each other, at random and at once: sleeps, wakes, signals,
 * suspension, ends, changes of class and affinity, threads and objects that come and go. What is
 * checked is that all come to their end and nothing is left; debug builds of the kernel check
 * themselves besides.
 *
 *     test_stress [seconds=N] [seed=N]       seconds=0: for ever
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/mutex.h>
#include <twz/sys/program.h>

#define WORKERS_MAX 24u
#define WORDS 8u

static uint64_t seconds = 3, seed = 1;
static atomic_ulong words[WORDS], signals_sent, signals_seen, steps;
static atomic_int stop;
static struct mutex mortal_lock;
static objid_t mortal; /* an object that sleepers use while it is deleted */

static struct worker {
	struct thread thread;
	uint64_t random;
	atomic_ulong steps;
} workers[WORKERS_MAX];
static unsigned worker_count;

static uint64_t draw(uint64_t *random, uint64_t below)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (*random >> 11) % below;
}

static void on_signal(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	(void)userdata;
	atomic_fetch_add(&signals_seen, 1);
}

static struct timespec short_time(struct worker *w)
{
	return (struct timespec){ 0, (long)draw(&w->random, 2000000) };
}

static void sleep_on_words(struct worker *w)
{
	struct sys_thread_sync_args ops[40];
	struct timespec to = short_time(w);
	size_t n = draw(&w->random, 3) ? 1 : draw(&w->random, 41);

	for (size_t i = 0; i < n; i++) {
		atomic_ulong *word = &words[draw(&w->random, WORDS)];
		bool wake = draw(&w->random, 8) == 0;
		twz_thread_sync_init(&ops[i], wake ? THREAD_SYNC_WAKE : THREAD_SYNC_SLEEP, word,
		    wake ? 1 : atomic_load(word));
	}
	sys_thread_sync(n, ops, &to);
}

static void wake_word(struct worker *w)
{
	atomic_ulong *word = &words[draw(&w->random, WORDS)];

	atomic_fetch_add(word, 1);
	twz_thread_sync(THREAD_SYNC_WAKE, word, draw(&w->random, 3) ? 1 : (uint64_t)-1, NULL);
}

static struct worker *another(struct worker *w)
{
	return &workers[draw(&w->random, worker_count)];
}

static void signal_another(struct worker *w)
{
	if (sys_signal(another(w)->thread.tid, 1, 2, 3, 4) == 0)
		atomic_fetch_add(&signals_sent, 1);
}

/*
 * The two go together: nobody else resumes what we stopped. Only later workers are stopped: two that
 * stop each other would both stand for ever.
 */
static void stop_and_go(struct worker *w)
{
	struct worker *other = another(w);
	objid_t tid = other->thread.tid;

	if (other <= w)
		return;
	if (sys_thrd_ctl2(tid, THRD_CTL_SUSPEND, 0) == 0)
		sys_thrd_ctl2(tid, THRD_CTL_RESUME, 0);
}

static void reschedule(struct worker *w)
{
	static const uint32_t classes[] = { TWZ_SCHED_NORMAL, TWZ_SCHED_NORMAL, TWZ_SCHED_RT, TWZ_SCHED_IDLE };
	struct twz_sched s = { .klass = classes[draw(&w->random, 4)], .slice_ns = 1000000 };

	s.prio = (uint32_t)(1 + draw(&w->random, s.klass == TWZ_SCHED_RT ? 40 : 39));
	s.affinity[0] = draw(&w->random, 3) ? 0 : 1ull << draw(&w->random, twz_sysinfo()->ncpus);
	sys_thrd_ctl2(another(w)->thread.tid, THRD_CTL_SET_SCHED, (long)&s);
}

static void sleep_for_good(void *arg)
{
	atomic_ulong *begun = arg;
	atomic_ulong never = 1;

	atomic_store(begun, 1);
	twz_thread_sync(THREAD_SYNC_WAKE, begun, -1ul, NULL);
	for (;;)
		twz_thread_sync(THREAD_SYNC_SLEEP, &never, 1, NULL);
}

static void await_begin(atomic_ulong *begun)
{
	while (!atomic_load(begun))
		twz_thread_sync(THREAD_SYNC_SLEEP, begun, 0, NULL);
}

static void spawn_and_kill(struct worker *w)
{
	atomic_ulong begun = 0;
	struct thread t;

	if (run_thread(&t, sleep_for_good, &begun) < 0)
		return;
	if (draw(&w->random, 2))
		await_begin(&begun);
	if (draw(&w->random, 2))
		sys_thrd_ctl2(t.tid, THRD_CTL_SUSPEND, 0);
	sys_thrd_ctl2(t.tid, THRD_CTL_KILL, 9);
	CHECK_EQ(finish_thread(&t), 9);
}

static objid_t exchange_mortal(objid_t id)
{
	mutex_acquire(&mortal_lock);
	objid_t old = mortal;
	if (id)
		mortal = id;
	mutex_release(&mortal_lock);
	return old;
}

static void object_dies(struct worker *w)
{
	struct timespec to = short_time(w);
	objid_t id;
	twzobj o;

	if (draw(&w->random, 4) == 0) {
		if (sys_ocreate(TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_DEL, 0, 0, &id) < 0)
			return;
		id = exchange_mortal(id);
		if (id)
			CHECK_EQ(sys_odelete(id, TWZ_OD_IMMEDIATE), 0);
		return;
	}
	id = exchange_mortal(0);
	if (id && twz_object_init_guid(&o, id, FE_READ | FE_WRITE) == 0) {
		twz_thread_sync(THREAD_SYNC_SLEEP, twz_object_base(&o), 0, &to);
		twz_object_release(&o);
	}
}

static void step(struct worker *w)
{
	switch (draw(&w->random, 16)) {
	case 0: case 1: case 2: case 3: case 4: sleep_on_words(w); break;
	case 5: case 6: case 7: case 8: wake_word(w); break;
	case 9: case 10: signal_another(w); break;
	case 11: stop_and_go(w); break;
	case 12: reschedule(w); break;
	case 13: if (draw(&w->random, 8) == 0) spawn_and_kill(w); else object_dies(w); break;
	case 14: sys_thrd_ctl(THRD_CTL_YIELD, 0); break;
	default: if (draw(&w->random, 4) == 0) twz_sleep_ns(draw(&w->random, 500000)); break;
	}
}

static void work(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load(&stop)) {
		step(w);
		atomic_fetch_add(&w->steps, 1);
		atomic_fetch_add(&steps, 1);
	}
}

/* Above them all, so that it sees when time is over. */
static void be_first(bool first)
{
	struct twz_sched s = { .klass = first ? TWZ_SCHED_RT : TWZ_SCHED_NORMAL, .prio = first ? 90 : 20 };

	CHECK_EQ(sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&s), 0);
}

static void everything(void)
{
	uint64_t begun = twz_clock_ns(), last = 0;

	worker_count = twz_sysinfo()->ncpus * 2 + 2;
	worker_count = worker_count < WORKERS_MAX ? worker_count : WORKERS_MAX;
	be_first(true);
	for (unsigned i = 0; i < worker_count; i++) {
		struct twz_sched s = { .prio = TWZ_SCHED_DEFAULT_PRIO };
		workers[i].random = (seed * 1000003 + i + 1) * 0x9e3779b97f4a7c15ull | 1;
		NEED(run_thread(&workers[i].thread, work, &workers[i]) == 0);
		CHECK_EQ(sys_thrd_ctl2(workers[i].thread.tid, THRD_CTL_SET_SCHED, (long)&s), 0);
	}
	while (seconds == 0 || twz_clock_ns() - begun < seconds * 1000 * NS_PER_MS) {
		twz_sleep_ns(1000 * NS_PER_MS);
		if (seconds == 0)
			ktap_note("%lu steps", atomic_load(&steps) - last);
		last = atomic_load(&steps);
	}
	atomic_store(&stop, 1);
	for (unsigned i = 0; i < worker_count; i++)
		CHECK_EQ(finish_thread(&workers[i].thread), 0);
	be_first(false);
	ktap_note("seed %lu: %lu steps of %u threads, %lu signals", seed, atomic_load(&steps), worker_count,
	    atomic_load(&signals_seen));
	CHECK(atomic_load(&signals_seen) <= atomic_load(&signals_sent));
	if (mortal)
		sys_odelete(mortal, TWZ_OD_IMMEDIATE);
}

static const struct ktap_case cases[] = {
	{ "threads do everything to each other", everything },
};

static void take_number(const char *word, const char *name, uint64_t *value)
{
	size_t n = strlen(name);

	if (strncmp(word, name, n) != 0)
		return;
	for (*value = 0, word += n; *word >= '0' && *word <= '9'; word++)
		*value = *value * 10 + (uint64_t)(*word - '0');
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		take_number(argv[i], "seconds=", &seconds);
		take_number(argv[i], "seed=", &seed);
	}
	twz_fault_set(FAULT_SIGNAL, on_signal, NULL);
	return KTAP_RUN(cases);
}
