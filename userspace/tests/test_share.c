// SPDX-License-Identifier: BSD-3-Clause
/* Sharing: one object in two views, and what the second view pays for a resident object. */
#include "ktap.h"
#include "testlib.h"

#define SHARED_MIB 8ul
#define PAGES ((SHARED_MIB << 20) / TWZ_PAGE_SIZE)
#define WORDS_PER_PAGE (TWZ_PAGE_SIZE / sizeof(uint64_t))

/* What the thread in the second view is to do, and what it saw. Stands on the stack of the first
 * thread, which both views have. */
struct visit {
	volatile uint64_t *base;
	uint64_t wrong;
	uint64_t faults;
	int error;
};

static uint64_t faults_so_far(void)
{
	struct twz_thread_stats st = { 0 };

	return sys_thrd_ctl(THRD_CTL_GET_STATS, (long)&st) < 0 ? ~0ull : st.faults;
}

static void visit_all(void *arg)
{
	struct visit *v = arg;
	volatile uint64_t *base = v->base;
	uint64_t before, wrong = 0;

	faults_so_far(); /* this code, this stack and the counters themselves are in now */
	before = faults_so_far();
	for (uint64_t p = 0; p < PAGES; p++)
		wrong += base[p * WORDS_PER_PAGE] != p + 1;
	v->faults = faults_so_far() - before;
	v->wrong = wrong;
	base[1] = 4711;
}

static int fill(twzobj *o)
{
	uint64_t *base;

	if (new_object(o) < 0)
		return -1;
	base = twz_object_base(o);
	for (uint64_t p = 0; p < PAGES; p++)
		base[p * WORDS_PER_PAGE] = p + 1;
	return 0;
}

/* Visit o in a fresh view, through a handle of ours that the view has too. */
static int visit_in_new_view(twzobj *handle, struct visit *visit)
{
	struct thread t;
	twzobj view;
	uint64_t code;
	int r = new_view(&view);

	if (r < 0)
		return r;
	visit->base = twz_object_base(handle);
	r = run_thread_in(&t, twz_object_guid(&view), visit_all, visit);
	if (r == 0) {
		code = finish_thread(&t);
		r = code ? -EGENERIC : 0;
		if (code)
			ktap_note("the thread ended with %lu", (unsigned long)code);
	}
	drop_object(&view);
	return r;
}

static void both_see_both(void)
{
	struct visit visit = { 0 };
	twzobj o;

	NEED(fill(&o) == 0);
	NEED(visit_in_new_view(&o, &visit) == 0);
	CHECK_EQ(visit.wrong, 0);
	CHECK_EQ(((uint64_t *)twz_object_base(&o))[1], 4711);
	drop_object(&o);
}

static void one_fault_for_all(void)
{
	struct visit visit = { 0 };
	twzobj o;

	NEED(faults_so_far() != ~0ull);
	NEED(fill(&o) == 0);
	for (int i = 0; i < 3; i++) {
		NEED(visit_in_new_view(&o, &visit) == 0);
		CHECK_EQ(visit.wrong, 0);
		ktap_note("view %d: %lu pages, faults: %lu", i + 2, PAGES,
		    (unsigned long)visit.faults);
		CHECK(visit.faults <= 1);
	}
	drop_object(&o);
}

/* A mapping of the other protection is another subtree: resident pages, its own links. */
static void read_only_sees_writes(void)
{
	volatile uint64_t *rw, *ro;
	twzobj o, r;

	NEED(fill(&o) == 0);
	NEED(twz_object_init_guid(&r, twz_object_guid(&o), FE_READ) == 0);
	rw = twz_object_base(&o);
	ro = twz_object_base(&r);
	for (uint64_t p = 0; p < PAGES; p += 7) {
		rw[p * WORDS_PER_PAGE + 1] = ~p;
		CHECK(ro[p * WORDS_PER_PAGE + 1] == ~p);
	}
	/* and a page that the read-only side touches first */
	CHECK_EQ(ro[(PAGES + 5) * WORDS_PER_PAGE], 0);
	rw[(PAGES + 5) * WORDS_PER_PAGE] = 99;
	CHECK_EQ(ro[(PAGES + 5) * WORDS_PER_PAGE], 99);
	twz_object_release(&r);
	drop_object(&o);
}

static void fault_cost(void)
{
	uint64_t before, after;
	volatile uint64_t *base;
	twzobj o;

	NEED(new_object(&o) == 0);
	base = twz_object_base(&o);
	base[0] = 1;
	before = faults_so_far();
	for (uint64_t p = 1; p <= 64; p++)
		base[p * WORDS_PER_PAGE] = p;
	after = faults_so_far();
	ktap_note("64 fresh pages: %lu faults", (unsigned long)(after - before));
	CHECK(after - before <= 64);
	before = faults_so_far();
	for (uint64_t p = 1; p <= 64; p++)
		CHECK_EQ(base[p * WORDS_PER_PAGE], p);
	CHECK_EQ(faults_so_far() - before, 0);
	drop_object(&o);
}

/* A slot of another view is changed and invalidated while its thread uses it. */
struct swap {
	atomic_ulong stage;
	volatile uint64_t *base;
	uint64_t first, second;
};

static void watch_swap(void *arg)
{
	struct swap *s = arg;

	s->first = *s->base;
	twz_thread_cword_wake(&s->stage, 1);
	while (atomic_load(&s->stage) == 1)
		twz_thread_sync(THREAD_SYNC_SLEEP, &s->stage, 1, NULL);
	s->second = *s->base;
}

static void invalidation_shows_the_new_object(void)
{
	struct swap s = { 0 };
	twzobj a, b, view;
	struct thread t;

	NEED(new_object(&a) == 0);
	NEED(new_object(&b) == 0);
	*(uint64_t *)twz_object_base(&a) = 111;
	*(uint64_t *)twz_object_base(&b) = 222;
	NEED(new_view(&view) == 0);
	s.base = twz_object_base(&a);
	NEED(run_thread_in(&t, twz_object_guid(&view), watch_swap, &s) == 0);
	while (atomic_load(&s.stage) == 0)
		twz_thread_sync(THREAD_SYNC_SLEEP, &s.stage, 0, NULL);
	twz_view_set(&view, VADDR_TO_SLOT(s.base), twz_object_guid(&b), VE_READ | VE_WRITE);
	twz_thread_cword_wake(&s.stage, 2);
	CHECK_EQ(finish_thread(&t), 0);
	CHECK_EQ(s.first, 111);
	CHECK_EQ(s.second, 222);
	drop_object(&view);
	drop_object(&a);
	drop_object(&b);
}

static const struct ktap_case cases[] = {
	{ "two views see each other's writes", both_see_both },
	{ "a resident object costs another view one fault at most", one_fault_for_all },
	{ "a read-only mapping sees what is written", read_only_sees_writes },
	{ "a page faults once", fault_cost },
	{ "an invalidated slot shows the new object", invalidation_shows_the_new_object },
};

int main(void)
{
	return KTAP_RUN(cases);
}
