// SPDX-License-Identifier: BSD-3-Clause
/* Everything at once: what several CPUs may do to one object, view, namespace or word. */
#include "ktap.h"
#include "testlib.h"

#include <base/printf.h>
#include <base/string.h>
#include <twz/obj/hier.h>

#define MAX_THREADS 16
/* A race runs so many rounds, or so long: emulated CPUs that share few real ones are slow. */
#define LIMIT_NS (1500 * NS_PER_MS)
#define WORDS_PER_PAGE (TWZ_PAGE_SIZE / sizeof(uint64_t))

/* One of several threads that do the same. */
struct part {
	unsigned number;
	void *shared;
	atomic_ulong *go;
	uint64_t until;
};

static unsigned team_size(void)
{
	unsigned n = twz_sysinfo()->ncpus * 2;

	return n < 4 ? 4 : n < MAX_THREADS ? n : MAX_THREADS;
}

static void wait_for_go(struct part *p)
{
	while (!atomic_load(p->go))
		twz_thread_sync(THREAD_SYNC_SLEEP, p->go, 0, NULL);
	p->until = twz_clock_ns() + LIMIT_NS;
}

static bool in_time(const struct part *p)
{
	return twz_clock_ns() < p->until;
}

/* Run fn in a team of threads that start together; meanwhile runs here. Every thread must end
 * with 0 or with the fault allowed (-1: none). */
static void run_team(void (*fn)(void *), void *shared, void (*meanwhile)(void *), int fault)
{
	struct part parts[MAX_THREADS];
	struct thread t[MAX_THREADS];
	atomic_ulong go = 0;
	unsigned n = team_size();

	for (unsigned i = 0; i < n; i++) {
		parts[i] = (struct part){ .number = i, .shared = shared, .go = &go };
		NEED(run_thread(&t[i], fn, &parts[i]) == 0);
	}
	twz_thread_cword_wake(&go, 1);
	if (meanwhile)
		meanwhile(shared);
	for (unsigned i = 0; i < n; i++) {
		uint64_t code = finish_thread(&t[i]);

		if (code && (fault < 0 || code != THRD_EXIT_FAULT((unsigned)fault)))
			CHECK_EQ(code, 0);
	}
}

static void make_and_drop(void *arg)
{
	struct part *p = arg;
	uint64_t *base;
	twzobj o;

	wait_for_go(p);
	for (uint64_t round = 0; round < 60 && in_time(p); round++) {
		if (new_object(&o) < 0) {
			ktap_fail(__FILE__, __LINE__, "no object");
			return;
		}
		base = twz_object_base(&o);
		for (uint64_t i = 0; i < 6; i++)
			base[i * WORDS_PER_PAGE] = round << 8 | p->number;
		for (uint64_t i = 0; i < 6; i++)
			CHECK_EQ(base[i * WORDS_PER_PAGE], round << 8 | p->number);
		drop_object(&o);
	}
}

static void objects_come_and_go(void)
{
	run_team(make_and_drop, NULL, NULL, -1);
}

/* --- one object, faulted in by all at once */

#define SHARED_PAGES 128u

static void touch_all(void *arg)
{
	struct part *p = arg;
	_Atomic uint64_t *base = twz_object_base(p->shared);

	wait_for_go(p);
	for (unsigned i = 0; i < SHARED_PAGES; i++)
		atomic_fetch_add(&base[i * WORDS_PER_PAGE], 1);
}

static void same_pages(void)
{
	uint64_t *base;
	twzobj o;

	NEED(new_object(&o) == 0);
	run_team(touch_all, &o, NULL, -1);
	base = twz_object_base(&o);
	for (unsigned i = 0; i < SHARED_PAGES; i++)
		CHECK_EQ(base[i * WORDS_PER_PAGE], team_size());
	drop_object(&o);
}

/* --- deletion under those who use the object */

static void touch_id(void *arg)
{
	struct part *p = arg;
	objid_t id = *(objid_t *)p->shared;
	twzobj h;

	wait_for_go(p);
	for (unsigned i = 0; i < 200 && in_time(p); i++) {
		if (twz_object_init_guid(&h, id, ACCESS_RW) < 0)
			return;
		((_Atomic uint64_t *)twz_object_base(&h))[(i % 64) * WORDS_PER_PAGE] = i;
		twz_object_release(&h);
	}
}

static void delete_now(void *shared)
{
	twz_sleep_ns(NS_PER_MS / 4);
	twz_object_delete_guid(*(objid_t *)shared, TWZ_OD_IMMEDIATE);
}

static void deletion_under_use(void)
{
	struct kernel_ostat st;
	objid_t id;

	for (int i = 0; i < 3; i++) {
		NEED(twz_object_create(NEW_FLAGS | TWZ_OC_VOLATILE, 0, 0, &id) == 0);
		run_team(touch_id, &id, delete_now, FAULT_OBJECT);
		CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st), -ENOENT);
	}
}

/* --- copies of an object that is written */

struct source {
	twzobj o;
	atomic_int stop;
};

static void keep_writing(void *arg)
{
	struct part *p = arg;
	struct source *s = p->shared;
	_Atomic uint64_t *base = twz_object_base(&s->o);

	wait_for_go(p);
	for (uint64_t i = 0; !atomic_load(&s->stop); i++)
		base[(i % 64) * WORDS_PER_PAGE + p->number] = i;
}

static void copy_often(void *shared)
{
	struct source *s = shared;
	twzobj copy;

	uint64_t until = twz_clock_ns() + LIMIT_NS;

	for (int i = 0; i < 20 && twz_clock_ns() < until; i++) {
		int r = twz_object_new(&copy, &s->o, NULL, OBJ_VOLATILE, NEW_FLAGS);

		CHECK_EQ(r, 0);
		if (r < 0)
			break;
		CHECK_EQ(((uint64_t *)twz_object_base(&copy))[100], 4711);
		drop_object(&copy);
	}
	atomic_store(&s->stop, 1);
}

static void copies_while_written(void)
{
	static struct source s;

	NEED(new_object(&s.o) == 0);
	((uint64_t *)twz_object_base(&s.o))[100] = 4711;
	run_team(keep_writing, &s, copy_often, -1);
	drop_object(&s.o);
}

/* --- invalidation under readers */

struct slot_swap {
	twzobj a, b;
	size_t slot;
	atomic_int stop;
};

static void read_slot(void *arg)
{
	struct part *p = arg;
	struct slot_swap *s = p->shared;
	volatile uint64_t *word = (uint64_t *)(SLOT_TO_VADDR(s->slot) + OBJ_NULLPAGE_SIZE);

	wait_for_go(p);
	while (!atomic_load(&s->stop)) {
		uint64_t v = *word;

		if (v != 111 && v != 222)
			CHECK_EQ(v, 111);
	}
}

static void swap_slot(void *shared)
{
	struct slot_swap *s = shared;
	uint64_t until = twz_clock_ns() + LIMIT_NS;

	for (int i = 0; i < 300 && twz_clock_ns() < until; i++)
		twz_view_set(NULL, s->slot, twz_object_guid(i % 2 ? &s->a : &s->b), VE_READ);
	atomic_store(&s->stop, 1);
}

/* Between clearing and setting an entry a reader may find nothing there: that ends it. */
static void swaps_under_readers(void)
{
	static struct slot_swap s;

	NEED(new_object(&s.a) == 0);
	NEED(new_object(&s.b) == 0);
	*(uint64_t *)twz_object_base(&s.a) = 111;
	*(uint64_t *)twz_object_base(&s.b) = 222;
	s.slot = TWZSLOT_MAX_SLOT - 1;
	twz_view_set(NULL, s.slot, twz_object_guid(&s.a), VE_READ);
	run_team(read_slot, &s, swap_slot, FAULT_OBJECT);
	twz_view_set(NULL, s.slot, 0, 0);
	drop_object(&s.a);
	drop_object(&s.b);
}

/* --- structures of libtwz */

#define NAMES_EACH 8u

static void assign_names(void *arg)
{
	struct part *p = arg;
	char name[32];

	wait_for_go(p);
	for (unsigned i = 0; i < NAMES_EACH; i++) {
		snprintf(name, sizeof(name), "name-%u-%u", p->number, i);
		CHECK_EQ(twz_hier_assign_name(p->shared, name, NAME_ENT_REGULAR,
			     MKID(1 + p->number, i + 1)), 0);
		CHECK_EQ(twz_hier_assign_name(p->shared, "contested", NAME_ENT_REGULAR,
			     MKID(1 + p->number, i + 1)), 0);
	}
}

static void concurrent_names(void)
{
	struct twz_name_ent ent;
	char name[32];
	twzobj ns;

	NEED(new_object(&ns) == 0);
	NEED(twz_hier_namespace_init(&ns, 0) == 0);
	run_team(assign_names, &ns, NULL, -1);
	for (unsigned t = 0; t < team_size(); t++) {
		for (unsigned i = 0; i < NAMES_EACH; i++) {
			snprintf(name, sizeof(name), "name-%u-%u", t, i);
			CHECK_EQ(twz_hier_resolve_name(&ns, name, 0, &ent), 0);
			CHECK(ent.id == MKID(1 + t, i + 1));
		}
	}
	CHECK_EQ(twz_hier_resolve_name(&ns, "contested", 0, &ent), 0);
	CHECK_EQ(twz_hier_remove_name(&ns, "contested"), 0);
	CHECK_EQ(twz_hier_resolve_name(&ns, "contested", 0, &ent), -ENOENT);
	drop_object(&ns);
}

#define ENTRIES_EACH 30u

static void add_entries(void *arg)
{
	struct part *p = arg;

	wait_for_go(p);
	for (unsigned i = 0; i < ENTRIES_EACH; i++)
		CHECK(twz_object_addfot(p->shared, MKID(100 + p->number, i + 1), FE_READ) > 0);
}

static void concurrent_fot(void)
{
	struct metainfo *mi;
	twzobj o;

	NEED(new_object(&o) == 0);
	run_team(add_entries, &o, NULL, -1);
	mi = twz_object_meta(&o);
	CHECK_EQ(mi->fotentries, 1 + team_size() * ENTRIES_EACH);
	for (unsigned t = 0; t < team_size(); t++)
		for (unsigned i = 0; i < ENTRIES_EACH; i++) {
			ssize_t e = twz_object_addfot(&o, MKID(100 + t, i + 1), FE_READ);

			CHECK(e > 0 && e < (ssize_t)(1 + team_size() * ENTRIES_EACH));
		}
	drop_object(&o);
}

struct pool {
	objid_t ids[5];
};

static void open_and_close(void *arg)
{
	struct part *p = arg;
	struct pool *pool = p->shared;
	twzobj h;

	wait_for_go(p);
	for (unsigned i = 0; i < 300 && in_time(p); i++) {
		unsigned which = (i * 7 + p->number) % 5;

		if (twz_object_init_guid(&h, pool->ids[which], i % 3 ? FE_READ : ACCESS_RW) < 0) {
			ktap_fail(__FILE__, __LINE__, "no handle");
			return;
		}
		CHECK_EQ(*(uint64_t *)twz_object_base(&h), which + 1);
		twz_object_release(&h);
	}
}

static void concurrent_slots(void)
{
	static struct pool pool;
	twzobj o[5];

	for (unsigned i = 0; i < 5; i++) {
		NEED(new_object(&o[i]) == 0);
		pool.ids[i] = twz_object_guid(&o[i]);
		*(uint64_t *)twz_object_base(&o[i]) = i + 1;
	}
	run_team(open_and_close, &pool, NULL, -1);
	for (unsigned i = 0; i < 5; i++)
		drop_object(&o[i]);
}

/* --- waking */

#define PAIRS 8
#define OVER 2ul /* what a pair's word says when time is up */

static void hand_over(void *arg)
{
	struct part *p = arg;
	atomic_ulong *word = (atomic_ulong *)p->shared + p->number / 2;
	uint64_t me = p->number % 2;

	wait_for_go(p);
	if ((p->number | 1) >= team_size()) /* no partner */
		return;
	for (int i = 0; i < 300; i++) {
		while (atomic_load(word) == 1 - me)
			twz_thread_sync(THREAD_SYNC_SLEEP, word, 1 - me, NULL);
		if (atomic_load(word) == OVER)
			return;
		atomic_store(word, me == 0 && !in_time(p) ? OVER : 1 - me);
		twz_thread_sync(THREAD_SYNC_WAKE, word, 1, NULL);
	}
}

static void no_wake_is_lost(void)
{
	static atomic_ulong words[PAIRS];

	run_team(hand_over, words, NULL, -1);
}

static void end_now(void *arg)
{
	(void)arg;
}

static void spawn_more(void *arg)
{
	wait_for_go(arg);
	for (int i = 0; i < 15 && in_time(arg); i++)
		CHECK_EQ(exit_code_of(end_now, NULL), 0);
}

static void threads_spawn_threads(void)
{
	run_team(spawn_more, NULL, NULL, -1);
}

/* --- the kernel reads what others write */

struct racing_ops {
	struct sys_thread_sync_args op;
	atomic_ulong word;
	atomic_int stop;
};

static void change_ops(void *arg)
{
	struct part *p = arg;
	struct racing_ops *r = p->shared;

	wait_for_go(p);
	while (!atomic_load(&r->stop)) {
		*(volatile uint64_t *)&r->op.addr = 0xffffffff80000000ul;
		*(volatile uint32_t *)&r->op.op = 99;
		*(volatile uint64_t *)&r->op.addr = (uintptr_t)&r->word;
		*(volatile uint32_t *)&r->op.op = THREAD_SYNC_WAKE;
	}
}

static void call_often(void *shared)
{
	struct racing_ops *r = shared;

	uint64_t until = twz_clock_ns() + LIMIT_NS;

	for (int i = 0; i < 2000 && twz_clock_ns() < until; i++) {
		long e = sys_thread_sync(1, &r->op, NULL);

		if (e != 0 && e != -EFAULT && e != -EINVAL)
			CHECK_EQ(e, 0);
	}
	atomic_store(&r->stop, 1);
}

static void racing_arguments(void)
{
	static struct racing_ops r;

	twz_thread_sync_init(&r.op, THREAD_SYNC_WAKE, &r.word, 1);
	run_team(change_ops, &r, call_often, -1);
}

static const struct ktap_case cases[] = {
	{ "objects come and go", objects_come_and_go },
	{ "all CPUs fault the same pages in", same_pages },
	{ "T12: deletion under use", deletion_under_use },
	{ "copies of an object that is written", copies_while_written },
	{ "a slot is changed under its readers", swaps_under_readers },
	{ "names from all sides", concurrent_names },
	{ "foreign entries from all sides", concurrent_fot },
	{ "slots from all sides", concurrent_slots },
	{ "no wake is lost", no_wake_is_lost },
	{ "threads spawn threads", threads_spawn_threads },
	{ "arguments that change while the kernel reads them", racing_arguments },
};

int main(void)
{
	return KTAP_RUN(cases);
}
