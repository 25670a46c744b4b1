// SPDX-License-Identifier: BSD-3-Clause
/* Attaching contexts and views, detaching them, and which context acts. */
#include "contexts.h"
#include "ktap.h"
#include "testlib.h"

static long touch_read(void *arg)
{
	return (long)*(volatile uint64_t *)arg;
}

static long touch_write(void *arg)
{
	*(volatile uint64_t *)arg = 7;
	return 7;
}

static objid_t active_context(void)
{
	objid_t id = 0;

	return sys_thrd_ctl(THRD_CTL_GET_ACTIVE, (long)&id) < 0 ? ~(objid_t)0 : id;
}

/* A target, a context that withholds rights on it, and a second context that does not. */
struct scene {
	twzobj target, strict, open;
	volatile uint64_t *word;
};

static int scene_make(struct scene *s, uint32_t withheld)
{
	int r = new_open_object(&s->target);

	if (r == 0)
		r = new_context(&s->strict);
	if (r == 0)
		r = new_context(&s->open);
	if (r == 0)
		r = twz_sctx_add_dfl(&s->strict, twz_object_guid(&s->target), withheld, NULL, 0);
	s->word = twz_object_base(&s->target);
	*s->word = 5;
	return r;
}

static void scene_drop(struct scene *s)
{
	drop_object(&s->target);
	drop_object(&s->strict);
	drop_object(&s->open);
}

static uint64_t run_in(twzobj *context, long (*run)(void *), void *arg, long *result)
{
	struct limited l = { .run = run, .arg = arg, .context = twz_object_guid(context) };
	uint64_t code = run_limited(&l);

	CHECK_EQ(l.attached, 0);
	*result = l.result;
	return code;
}

/* ---- One context ---- */

static void masks_count(void)
{
	struct scene s;
	long result;

	NEED(scene_make(&s, SCP_WRITE) == 0);
	CHECK_EQ(run_in(&s.open, touch_write, (void *)s.word, &result), 0);
	CHECK_EQ(result, 7);
	CHECK_EQ(run_in(&s.strict, touch_read, (void *)s.word, &result), 0);
	CHECK_EQ(run_in(&s.strict, touch_write, (void *)s.word, &result), THRD_EXIT_FAULT(FAULT_SCTX));
	scene_drop(&s);
}

/* gmask takes from all, a regrant gives back, a mask takes again. */
static void gmask_and_regrant(void)
{
	struct scene s;
	struct kernel_ostat st;
	objid_t target;
	long result;

	NEED(scene_make(&s, 0) == 0);
	target = twz_object_guid(&s.target);
	twz_sctx_set_gmask(&s.open, SCP_DEL | SCP_USE);
	(void)st;
	CHECK_EQ(run_in(&s.open, touch_write, (void *)s.word, &result), 0);
	CHECK_EQ(twz_sctx_add_dfl(&s.open, target, SCP_WRITE, NULL, 0), 0);
	CHECK_EQ(run_in(&s.open, touch_write, (void *)s.word, &result), THRD_EXIT_FAULT(FAULT_SCTX));
	CHECK_EQ(twz_sctx_del(&s.open, target, twz_sctx_lookup(&s.open, target)), 0);
	CHECK_EQ(run_in(&s.open, touch_write, (void *)s.word, &result), 0);
	scene_drop(&s);
}

static long delete_it(void *arg)
{
	return sys_odelete(*(objid_t *)arg, 0);
}

static void regrant(void)
{
	objid_t id;
	struct scene s;
	long result;

	NEED(scene_make(&s, 0) == 0);
	id = twz_object_guid(&s.target);
	twz_sctx_set_gmask(&s.open, SCP_DEL);
	CHECK_EQ(run_in(&s.open, delete_it, &id, &result), 0);
	CHECK_EQ(result, -EACCES);
	CHECK_EQ(twz_sctx_add_dfl(&s.open, id, SCP_DEL, NULL, SCF_TYPE_REGRANT_MASK), 0);
	CHECK_EQ(run_in(&s.open, delete_it, &id, &result), 0);
	CHECK_EQ(result, 0);
	scene_drop(&s);
}

/* ---- Several ---- */

struct two {
	struct scene *s;
	objid_t first, then;
};

static long switch_by_access(void *arg)
{
	struct two *t = arg;

	if (sys_attach(0, t->then, 0, KSO_SECCTX) != 0)
		return -1;
	if (active_context() != t->first)
		return -2;
	*t->s->word = 9;
	return active_context() == t->then ? 0 : -3;
}

static void access_switches(void)
{
	struct scene s;
	long result;

	NEED(scene_make(&s, SCP_WRITE) == 0);
	struct two t = { &s, twz_object_guid(&s.strict), twz_object_guid(&s.open) };
	CHECK_EQ(run_in(&s.strict, switch_by_access, &t, &result), 0);
	CHECK_EQ(result, 0);
	CHECK_EQ(*s.word, 9);
	scene_drop(&s);
}

/* A call finds the right in the second context; the first stays active. */
static long call_does_not_switch(void *arg)
{
	struct two *t = arg;
	objid_t target = twz_object_guid(&t->s->target);

	if (sys_odelete(target, 0) != -EACCES)
		return -1;
	if (sys_attach(0, t->then, 0, KSO_SECCTX) != 0)
		return -2;
	if (sys_odelete(target, 0) != 0)
		return -3;
	return active_context() == t->first ? 0 : -4;
}

static void calls_search(void)
{
	struct scene s;
	long result;

	NEED(scene_make(&s, SCP_DEL) == 0);
	struct two t = { &s, twz_object_guid(&s.strict), twz_object_guid(&s.open) };
	CHECK_EQ(run_in(&s.strict, call_does_not_switch, &t, &result), 0);
	CHECK_EQ(result, 0);
	scene_drop(&s);
}

static long set_active(void *arg)
{
	struct two *t = arg;

	if (sys_thrd_ctl(THRD_CTL_SET_ACTIVE, (long)&t->then) != -ENOENT)
		return -1;
	if (sys_attach(0, t->then, 0, KSO_SECCTX) != 0)
		return -2;
	if (sys_thrd_ctl(THRD_CTL_SET_ACTIVE, (long)&t->then) != 0)
		return -3;
	return active_context() == t->then ? 0 : -4;
}

static void active_is_chosen(void)
{
	struct scene s;
	long result;

	NEED(scene_make(&s, 0) == 0);
	struct two t = { &s, twz_object_guid(&s.strict), twz_object_guid(&s.open) };
	CHECK_EQ(run_in(&s.strict, set_active, &t, &result), 0);
	CHECK_EQ(result, 0);
	scene_drop(&s);
}

/* ---- Detaching ---- */

static long detach_active(void *arg)
{
	struct two *t = arg;

	if (sys_detach(0, t->then, TWZ_DETACH_ONEXIT, KSO_SECCTX) != -ENOENT)
		return -1;
	if (sys_attach(0, t->then, 0, KSO_SECCTX) != 0)
		return -2;
	if (sys_detach(0, t->first, 0, KSO_SECCTX) != -EINVAL)
		return -3;
	if (sys_detach(0, t->first, TWZ_DETACH_ONENTRY, KSO_SECCTX) != 0)
		return -4;
	if (active_context() != t->then)
		return -5;
	if (sys_detach(0, 0, TWZ_DETACH_ONEXIT, KSO_SECCTX) != 0)
		return -6;
	return active_context() == 0 ? 0 : -7;
}

static void detached(void)
{
	struct scene s;
	long result;

	NEED(scene_make(&s, 0) == 0);
	struct two t = { &s, twz_object_guid(&s.strict), twz_object_guid(&s.open) };
	CHECK_EQ(run_in(&s.strict, detach_active, &t, &result), 0);
	CHECK_EQ(result, 0);
	scene_drop(&s);
}

/* T44: what the kernel started is not regained. */
static long shed_all(void *arg)
{
	objid_t closed = *(objid_t *)arg;

	if (sys_detach(0, 0, TWZ_DETACH_ONENTRY, KSO_SECCTX) != 0)
		return -1;
	if (active_context() != 0)
		return -2;
	return sys_odelete(closed, 0);
}

static void privilege_is_gone(void)
{
	struct scene s;
	twzobj closed;
	objid_t id;
	long result;

	NEED(scene_make(&s, 0) == 0);
	NEED(twz_object_new(&closed, NULL, NULL, OBJ_VOLATILE, TWZ_OC_DFL_READ | TWZ_OC_TIED_NONE) == 0);
	id = twz_object_guid(&closed);
	CHECK_EQ(run_in(&s.open, shed_all, &id, &result), 0);
	CHECK_EQ(result, -EACCES);
	drop_object(&closed);
	scene_drop(&s);
}

static long leave_sandbox(void *arg)
{
	struct two *t = arg;

	if (sys_attach(0, t->then, 0, KSO_SECCTX) != -EACCES)
		return -1;
	if (sys_detach(0, t->first, TWZ_DETACH_ONENTRY, KSO_SECCTX) != -EACCES)
		return -2;
	if (sys_detach(0, 0, TWZ_DETACH_ONENTRY, KSO_SECCTX) != -EACCES)
		return -3;
	return active_context() == t->first ? 0 : -4;
}

static void sticky_stays(void)
{
	struct scene s;
	struct secctx_hdr *h;
	long result;

	NEED(scene_make(&s, 0) == 0);
	h = twz_object_base(&s.strict);
	h->flags = SECCTX_STICKY;
	CHECK_EQ(twz_sctx_add_dfl(&s.strict, twz_object_guid(&s.strict), SCP_WRITE, NULL, 0), 0);
	struct two t = { &s, twz_object_guid(&s.strict), twz_object_guid(&s.open) };
	CHECK_EQ(run_in(&s.strict, leave_sandbox, &t, &result), 0);
	CHECK_EQ(result, 0);
	scene_drop(&s);
}

/* ---- At system calls ---- */

static bool is_attached(objid_t id)
{
	struct twzthread_repr *repr = twz_thread_repr_base();

	for (int i = 0; i < TWZ_THRD_MAX_SCS; i++)
		if (repr->attached[i].id == id)
			return true;
	return false;
}

static long late_entry(void *arg)
{
	objid_t id = *(objid_t *)arg;

	if (sys_detach(0, id, TWZ_DETACH_ONENTRY | TWZ_DETACH_ONSYSCALL(SYS_KCONF), KSO_SECCTX) != 0)
		return -1;
	sys_null();
	if (!is_attached(id))
		return -2;
	sys_kconf(KCONF_RDRESET, 0);
	return is_attached(id) || active_context() != 0 ? -3 : 0;
}

static long late_exit(void *arg)
{
	objid_t id = *(objid_t *)arg, during = 0;

	if (sys_detach(0, id, TWZ_DETACH_ONEXIT | TWZ_DETACH_ONSYSCALL(SYS_THRD_CTL), KSO_SECCTX) != 0)
		return -1;
	if (sys_thrd_ctl(THRD_CTL_GET_ACTIVE, (long)&during) != 0 || during != id)
		return -2;
	return is_attached(id) || active_context() != 0 ? -3 : 0;
}

/* Away during the call, which fails or succeeds without it, and back after. */
static long late_back(void *arg)
{
	objid_t id = *(objid_t *)arg, during = 1;

	if (sys_detach(0, id, TWZ_DETACH_REATTACH | TWZ_DETACH_ONSYSCALL(SYS_THRD_CTL), KSO_SECCTX) != 0)
		return -1;
	for (int i = 0; i < 3; i++) {
		if (sys_thrd_ctl(THRD_CTL_GET_ACTIVE, (long)&during) != 0 || during != 0)
			return -2;
		if (!is_attached(id))
			return -3;
	}
	/* Attaching what is attached takes the request back. */
	if (sys_attach(0, id, 0, KSO_SECCTX) != 0)
		return -4;
	return active_context() == id ? 0 : -5;
}

/* A call that sleeps is over when the thread goes on. */
static long late_sleep(void *arg)
{
	objid_t id = *(objid_t *)arg;

	if (sys_detach(0, id, TWZ_DETACH_ONEXIT | TWZ_DETACH_ONSYSCALL(SYS_THRD_SYNC), KSO_SECCTX) != 0)
		return -1;
	twz_sleep_ns(5 * NS_PER_MS);
	return is_attached(id) ? -2 : 0;
}

static void detached_at_calls(void)
{
	static long (*const cases[])(void *) = { late_entry, late_exit, late_back, late_sleep };
	struct scene s;
	objid_t id;
	long result;

	NEED(scene_make(&s, 0) == 0);
	id = twz_object_guid(&s.open);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CHECK_EQ(run_in(&s.open, cases[i], &id, &result), 0);
		CHECK_EQ(result, 0);
	}
	scene_drop(&s);
}

/* ---- Other threads ---- */

struct other {
	twzobj target;
	_Atomic uint64_t go;
};

static void spin_until_told(void *arg)
{
	struct other *o = arg;

	while (!o->go)
		;
	*(volatile uint64_t *)twz_object_base(&o->target) = 1;
}

/*
 * T19: the named thread's contexts change, not the caller's; a running thread loses what it had at
 * once.
 */
static void attach_other(void)
{
	struct scene s;
	struct thread t;
	struct other o = { 0 };
	struct twzthread_repr *repr;

	NEED(scene_make(&s, SCP_WRITE) == 0);
	o.target = s.target;
	NEED(run_thread(&t, spin_until_told, &o) == 0);
	CHECK_EQ(sys_attach(t.tid, twz_object_guid(&s.strict), 0, KSO_SECCTX), 0);
	CHECK(active_context() == 0);
	CHECK_EQ(*s.word = 1, 1);
	o.go = 1;
	repr = twz_object_base(&t.obj);
	uint64_t code = ~0ull;
	CHECK_EQ(twz_thread_join(&t, &code, PATIENCE_NS), 0);
	CHECK_EQ(code, THRD_EXIT_FAULT(FAULT_SCTX));
	CHECK(repr->attached[0].id == twz_object_guid(&s.strict));
	twz_thread_release(&t);
	scene_drop(&s);
}

static void child(void *arg)
{
	touch_write(arg);
}

static long child_has_them(void *arg)
{
	return (long)exit_code_of(child, arg);
}

static void inherited(void)
{
	struct scene s;
	long result;

	NEED(scene_make(&s, SCP_WRITE) == 0);
	CHECK_EQ(run_in(&s.strict, child_has_them, (void *)s.word, &result), 0);
	CHECK_EQ(result, THRD_EXIT_FAULT(FAULT_SCTX));
	scene_drop(&s);
}

/* ---- Refusals ---- */

static void many(void *arg)
{
	twzobj *contexts = arg;

	for (int i = 0; i < TWZ_THRD_MAX_SCS; i++)
		if (sys_attach(0, twz_object_guid(&contexts[i]), 0, KSO_SECCTX) != 0)
			twz_thread_exit(1);
	if (sys_attach(0, twz_object_guid(&contexts[0]), 0, KSO_SECCTX) != 0)
		twz_thread_exit(2);
	if (sys_attach(0, twz_object_guid(&contexts[32]), 0, KSO_SECCTX) != -ENOSPC)
		twz_thread_exit(3);
}

static void thirty_two(void)
{
	static twzobj contexts[TWZ_THRD_MAX_SCS + 1];

	for (int i = 0; i <= TWZ_THRD_MAX_SCS; i++)
		NEED(new_context(&contexts[i]) == 0);
	CHECK_EQ(exit_code_of(many, contexts), 0);
	for (int i = 0; i <= TWZ_THRD_MAX_SCS; i++)
		drop_object(&contexts[i]);
}

static void bad_arguments(void)
{
	twzobj c, v;
	objid_t id;

	NEED(new_context(&c) == 0 && new_object(&v) == 0);
	id = twz_object_guid(&c);
	CHECK_EQ(sys_attach(0, id, 1, KSO_SECCTX), -EINVAL);
	CHECK_EQ(sys_attach(0, id, 0, KSO_MAX), -EINVAL);
	CHECK_EQ(sys_attach(0, id, 0, KSO_ROOT), -EINVAL);
	CHECK_EQ(sys_attach(0, missing_id(), 0, KSO_SECCTX), -ENOENT);
	CHECK_EQ(sys_attach(missing_id(), id, 0, KSO_SECCTX), -ENOENT);
	CHECK_EQ(sys_attach(twz_object_guid(&v), id, 0, KSO_SECCTX), -EINVAL);
	CHECK_EQ(sys_attach(0, twz_thread_id(), 0, KSO_SECCTX), -EBUSY);
	CHECK_EQ(sys_attach(0, twz_thread_id(), 0, KSO_VIEW), -EBUSY);
	CHECK_EQ(sys_detach(0, id, TWZ_DETACH_ONENTRY, KSO_SECCTX), -ENOENT);
	CHECK_EQ(sys_detach(0, id, TWZ_DETACH_ONENTRY, KSO_VIEW), -EINVAL);
	CHECK_EQ(sys_detach(0, id, 0, KSO_SECCTX), -EINVAL);
	CHECK_EQ(sys_detach(0, id, 4, KSO_SECCTX), -EINVAL);
	CHECK_EQ(sys_detach(0, id, TWZ_DETACH_ONENTRY | TWZ_DETACH_ONSYSCALL(7), KSO_SECCTX), -EINVAL);
	CHECK_EQ(sys_detach(0, id, TWZ_DETACH_ONENTRY | TWZ_DETACH_ONSYSCALL(SYS_NULL), KSO_VIEW), -EINVAL);
	drop_object(&c);
	drop_object(&v);
}

/* ---- Malformed contexts grant nothing, and take no time (T35) ---- */

static uint64_t malformed(twzobj *context)
{
	struct kernel_ostat_sctx st;

	return sys_ostat(TWZ_OSTAT_SCTX, twz_object_guid(context), 0, &st) == 0 ? st.malformed : ~0ull;
}

static long count_malformed(void *arg)
{
	twzobj *context = arg;
	struct secctx_hdr *h = twz_object_base(context);
	struct sys_invalidate_op op = { .id = KSO_CURRENT_ATTACHED_SECCTXS, .flags = KSOI_VALID | KSOI_CURRENT };
	uint64_t before = malformed(context);

	h->nchain = SECCTX_MAX_BUCKETS + 1;
	return sys_invalidate(&op, 1) == 1 && malformed(context) > before ? 0 : -1;
}

/* A context that is spoilt while it acts: then not even its own memory is left to the thread. */
static void spoilt(void)
{
	struct kernel_ostat_sctx st;
	struct scene s;
	long result;

	NEED(scene_make(&s, 0) == 0);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_SCTX, twz_object_guid(&s.open), 0, &st), -EINVAL);
	CHECK(run_in(&s.open, count_malformed, &s.open, &result) != 0 || result == 0);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_SCTX, twz_object_guid(&s.open), 0, &st), 0);
	scene_drop(&s);
}

static long read_own_memory(void *arg)
{
	return (long)*(volatile uint64_t *)arg;
}

static void no_buckets(void)
{
	struct scene s;
	long result;

	NEED(scene_make(&s, 0) == 0);
	((struct secctx_hdr *)twz_object_base(&s.open))->nbuckets = 0;
	/*
	 * It cannot even execute in it, so it does not become active; other than default rights are
	 * gone.
	 */
	CHECK_EQ(run_in(&s.open, read_own_memory, (void *)s.word, &result), 0);
	CHECK_EQ(result, 5);
	scene_drop(&s);
}

static void circle(void)
{
	struct scene s;
	struct secctx_hdr *h;
	objid_t target;
	long result;

	NEED(scene_make(&s, 0) == 0);
	h = twz_object_base(&s.open);
	target = twz_object_guid(&s.target);
	CHECK_EQ(twz_sctx_add_dfl(&s.open, target, 0, NULL, 0), 0);
	h->buckets[twz_sctx_lookup(&s.open, target)].chain = (uint32_t)twz_sctx_lookup(&s.open, target);
	CHECK_EQ(run_in(&s.open, touch_read, (void *)s.word, &result), THRD_EXIT_FAULT(FAULT_SCTX));
	h->buckets[twz_sctx_lookup(&s.open, target)].chain = 0xffffffff;
	struct sys_invalidate_op op = { .id = twz_object_guid(&s.open), .flags = KSOI_VALID };
	CHECK_EQ(sys_invalidate(&op, 1), 1);
	CHECK_EQ(run_in(&s.open, touch_read, (void *)s.word, &result), THRD_EXIT_FAULT(FAULT_SCTX));
	scene_drop(&s);
}

/* T36: more colliding targets than there are buckets, all found. */
static void collisions(void)
{
	struct scene s;
	struct secctx_hdr *h;
	objid_t target;
	long result;

	NEED(scene_make(&s, 0) == 0);
	h = twz_object_base(&s.open);
	h->nbuckets = 4;
	h->nchain = 64;
	target = twz_object_guid(&s.target);
	for (uint64_t i = 1; i <= 40; i++)
		CHECK_EQ(twz_sctx_add_dfl(&s.open, target + 4 * i, SCP_READ, NULL, 0), 0);
	CHECK_EQ(twz_sctx_add_dfl(&s.open, target, SCP_WRITE, NULL, 0), 0);
	CHECK_EQ(run_in(&s.open, touch_read, (void *)s.word, &result), 0);
	CHECK_EQ(run_in(&s.open, touch_write, (void *)s.word, &result), THRD_EXIT_FAULT(FAULT_SCTX));
	scene_drop(&s);
}

/* ---- Invalidation ---- */

struct reader {
	volatile uint64_t *word;
	objid_t context;
	_Atomic uint64_t running;
};

static void read_for_ever(void *arg)
{
	struct reader *r = arg;

	sys_attach(0, r->context, 0, KSO_SECCTX);
	for (;;) {
		(void)*r->word;
		r->running = 1;
	}
}

/* T41: a spinning reader faults once the context is changed and invalidated. */
static void cut_is_immediate(void)
{
	struct scene s;
	struct thread t;

	NEED(scene_make(&s, 0) == 0);
	struct reader r = { s.word, twz_object_guid(&s.open), 0 };
	NEED(run_thread(&t, read_for_ever, &r) == 0);
	while (!r.running)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	CHECK_EQ(twz_sctx_add_dfl(&s.open, twz_object_guid(&s.target), SCP_READ, NULL, 0), 0);
	CHECK_EQ(finish_thread(&t), THRD_EXIT_FAULT(FAULT_SCTX));
	scene_drop(&s);
}

/* ---- Views ---- */

static long change_view(void *arg)
{
	volatile uint64_t local = 1;
	objid_t view;
	twzobj v;

	(void)arg;
	if (new_view(&v) < 0)
		return -1;
	view = twz_object_guid(&v);
	if (sys_attach(0, view, 0, KSO_VIEW) != 0)
		return -2;
	local++;
	if (twz_thread_repr_base()->view != view || local != 2)
		return -3;
	sys_odelete(view, 0);
	return 0;
}

static void changer(void *arg)
{
	twz_thread_exit((uint64_t)-change_view(arg));
}

static void view_switch(void)
{
	struct scene s;
	long result;

	NEED(scene_make(&s, 0) == 0);
	CHECK_EQ(run_in(&s.open, change_view, NULL, &result), 0);
	CHECK_EQ(result, 0);
	CHECK_EQ(exit_code_of(changer, NULL), 0);
	scene_drop(&s);
}

/* ---- All at once ---- */

struct storm {
	struct scene s;
	objid_t victim;
	_Atomic uint64_t stop, rounds;
};

static void suffer(void *arg)
{
	struct storm *st = arg;

	while (!st->stop) {
		(void)*st->s.word;
		sys_null();
		st->rounds++;
	}
}

/* Contexts come and go at a thread that reads what all of them permit. */
static void torment(void *arg)
{
	struct storm *st = arg;
	objid_t ids[2] = { twz_object_guid(&st->s.strict), twz_object_guid(&st->s.open) };

	for (unsigned int i = 0; i < 300; i++) {
		sys_attach(st->victim, ids[i & 1], 0, KSO_SECCTX);
		if (i % 3 == 0)
			sys_detach(st->victim, ids[i >> 1 & 1], TWZ_DETACH_ONEXIT, KSO_SECCTX);
		if (i % 7 == 0)
			sys_detach(st->victim, 0, TWZ_DETACH_REATTACH | TWZ_DETACH_ONSYSCALL(SYS_NULL), KSO_SECCTX);
	}
}

static void invalidate_often(void *arg)
{
	struct storm *st = arg;
	struct sys_invalidate_op ops[2] = {
		{ .id = twz_object_guid(&st->s.strict), .flags = KSOI_VALID },
		{ .id = twz_object_guid(&st->s.open), .flags = KSOI_VALID },
	};

	for (unsigned int i = 0; i < 300; i++)
		sys_invalidate(ops, 2);
}

static void storm(void)
{
	static struct storm st;
	struct thread victim, others[3];

	NEED(scene_make(&st.s, SCP_DEL) == 0);
	NEED(run_thread(&victim, suffer, &st) == 0);
	st.victim = victim.tid;
	NEED(run_thread(&others[0], torment, &st) == 0);
	NEED(run_thread(&others[1], torment, &st) == 0);
	NEED(run_thread(&others[2], invalidate_often, &st) == 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(finish_thread(&others[i]), 0);
	uint64_t before = st.rounds;
	while (st.rounds == before)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	st.stop = 1;
	CHECK_EQ(finish_thread(&victim), 0);
	scene_drop(&st.s);
}

static void nothing_is_left(void)
{
	uint64_t before = 0, after;

	for (int i = 0; i < 40; i++) {
		struct scene s;
		long result;

		NEED(scene_make(&s, SCP_DEL) == 0);
		objid_t then = twz_object_guid(&s.open);
		struct two t = { &s, twz_object_guid(&s.strict), then };
		CHECK_EQ(run_in(&s.strict, call_does_not_switch, &t, &result), 0);
		scene_drop(&s);
		if (i == 19)
			before = memory_free();
	}
	after = memory_free();
	ktap_note("memory free: %lu before, %lu after", (unsigned long)before, (unsigned long)after);
	CHECK(after + 16 * TWZ_PAGE_SIZE >= before);
}

static const struct ktap_case cases[] = {
	{ "masks of the active context count", masks_count },
	{ "gmask and masks of one target", gmask_and_regrant },
	{ "a regrant gives back what gmask takes", regrant },
	{ "a data access makes another context active", access_switches },
	{ "a call searches all and changes nothing", calls_search },
	{ "an attached context is made active", active_is_chosen },
	{ "detaching passes on what is active", detached },
	{ "the first attach ends the bootstrap privilege", privilege_is_gone },
	{ "a sticky context is not shed", sticky_stays },
	{ "contexts are detached at system calls", detached_at_calls },
	{ "a context for another thread", attach_other },
	{ "children get what their maker has", inherited },
	{ "thirty-two and no more", thirty_two },
	{ "bad arguments", bad_arguments },
	{ "a context without buckets", no_buckets },
	{ "chains that lead nowhere", circle },
	{ "a context is spoilt while it acts", spoilt },
	{ "more collisions than buckets", collisions },
	{ "a permission is cut at once", cut_is_immediate },
	{ "another view, the same address", view_switch },
	{ "attached, detached and invalidated at once", storm },
	{ "nothing is left behind", nothing_is_left },
};

int main(void)
{
	return KTAP_RUN(cases);
}
