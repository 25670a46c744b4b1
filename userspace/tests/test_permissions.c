// SPDX-License-Identifier: BSD-3-Clause
/*
 * Who needs what: the table of docs/security.md, row by row. Each operation is tried by a thread
 * whose context leaves it exactly the rights the row lists, and again with each of them removed.
 */
#include "contexts.h"
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define RWX (SCP_READ | SCP_WRITE | SCP_EXEC)
#define ANY4 (RWX | SCP_USE)

/* What an operation is done to; the first is the one whose rights are limited. */
struct stage {
	twzobj target, other;
	char *base; /* of the target */
	objid_t id, other_id;
};

struct row {
	const char *name;
	uint32_t all;  /* rights that are all needed */
	uint32_t any;  /* rights of which one is needed */
	long (*run)(void *stage);
	int (*setup)(struct stage *s);
	void (*end)(struct stage *s);
};

/* ---- P1: memory ---- */

static long load(void *arg)
{
	struct stage *s = arg;

	return (long)*(volatile uint64_t *)s->base & 0xff;
}

static long kernel_reads(void *arg)
{
	struct stage *s = arg;
	long r = sys_kec_write(s->base + 8, 1, 0);

	return r == -EFAULT ? -EACCES : r;
}

static long kernel_writes(void *arg)
{
	struct stage *s = arg;
	long r = sys_random(s->base + 64, 8, 0);

	return r == -EFAULT ? -EACCES : r;
}

/* ---- P2 … P11: objects ---- */

static long create_from_it(void *arg)
{
	struct stage *s = arg;
	objid_t id;
	long r = sys_ocreate(TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL, 0, s->id, &id);

	if (r == 0)
		sys_odelete(id, 0);
	return r;
}

static long create_tied(void *arg)
{
	struct stage *s = arg;
	struct twz_ocreate_spec spec = {
		.ties = (uintptr_t)&s->id, .ties_len = 1, .flags = TWZ_OC_DFL_READ, .lifetime = 1,
	};

	return sys_ocreate2(&spec);
}

static long delete_it(void *arg)
{
	return sys_odelete(((struct stage *)arg)->id, 0);
}

static long delete_now(void *arg)
{
	return sys_odelete(((struct stage *)arg)->id, TWZ_OD_IMMEDIATE);
}

static long tie_to_it(void *arg)
{
	struct stage *s = arg;

	return sys_otie(s->id, s->other_id, 0);
}

static long untie_from_it(void *arg)
{
	struct stage *s = arg;
	long r = sys_otie(s->id, s->other_id, OTIE_UNTIE);

	return r == -ENOENT ? 0 : r;
}

static long tie_it(void *arg)
{
	struct stage *s = arg;

	return sys_otie(s->other_id, s->id, 0);
}

static long copy_from_it(void *arg)
{
	struct stage *s = arg;

	return sys_ocopy(&s->other_id, &s->id, 0x1000, 0x1000, 0x1000, 0);
}

static long copy_to_it(void *arg)
{
	struct stage *s = arg;

	return sys_ocopy(&s->id, &s->other_id, 0x1000, 0x1000, 0x1000, 0);
}

static long pin_it(void *arg)
{
	long r = sys_opin(((struct stage *)arg)->id, NULL, 0);

	if (r == 0)
		r = sys_opin(((struct stage *)arg)->id, NULL, OP_UNPIN);
	return r;
}

static long cache_mode(void *arg)
{
	return sys_octl(((struct stage *)arg)->id, OCO_CACHE_MODE, 0, 0x1000, OC_CM_WB);
}

static long keep_volatile(void *arg)
{
	return sys_octl(((struct stage *)arg)->id, OCO_PERSIST, 0, 0, 0);
}

static long stat_it(void *arg)
{
	struct kernel_ostat st;

	return sys_ostat(TWZ_OSTAT_OBJECT, ((struct stage *)arg)->id, 0, &st);
}

static long sync_it(void *arg)
{
	return sys_osync(((struct stage *)arg)->id, 0x1000, 0x1000, 0);
}

/* ---- P12: spawn ---- */

static char spawn_stack[4096] __attribute__((aligned(16)));

static void nothing(void)
{
	for (;;)
		sys_thrd_ctl(THRD_CTL_EXIT, 0);
}

static long spawn(objid_t tid, objid_t view, void (*fn)(void))
{
	struct thrd_spawn_args a = {
		.target_view = view,
		.start_func = (uintptr_t)fn,
		.stack_base = (uintptr_t)spawn_stack,
		.stack_size = sizeof(spawn_stack),
	};

	return (sys_thrd_spawn)(tid, &a, 0);
}

static long spawn_it(void *arg)
{
	return spawn(((struct stage *)arg)->id, 0, nothing);
}

static long spawn_in_it(void *arg)
{
	struct stage *s = arg;

	return spawn(s->other_id, s->id, nothing);
}

/* ---- P13 … P18: kernel state objects ---- */

static int setup_context(struct stage *s)
{
	return twz_sctx_init(&s->target, "row");
}

static int setup_view(struct stage *s)
{
	return twz_view_clone(NULL, &s->target, VIEW_CLONE_ENTRIES | VIEW_CLONE_BITMAP, NULL);
}

static long attach_it(void *arg)
{
	return sys_attach(0, ((struct stage *)arg)->id, 0, KSO_SECCTX);
}

/* Threads without the library: a stack in the program's data, which every clone of the view has. */
static _Atomic long entered;
static objid_t entered_view;

static void enter_and_end(void)
{
	entered = sys_attach(0, entered_view, 0, KSO_VIEW);
	nothing();
}

static long enter_view(void *arg)
{
	struct stage *s = arg;
	long r;

	entered = 1;
	entered_view = s->id;
	r = spawn(s->other_id, 0, enter_and_end);
	while (r == 0 && entered == 1)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	return r < 0 ? -1000005 : entered;
}

static long invalidate_it(void *arg)
{
	struct sys_invalidate_op op = { .id = ((struct stage *)arg)->id, .flags = KSOI_VALID };
	long r = sys_invalidate(&op, 1);

	return r == 1 ? 0 : r < 0 ? r : (int16_t)op.result;
}

/* ---- P14, P19, P20: threads ---- */

static char helper_stack[4096] __attribute__((aligned(16)));

static void yield_for_ever(void)
{
	for (;;)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
}

/* A thread that the target is the object of, without contexts. */
static int setup_helper(struct stage *s)
{
	struct thrd_spawn_args a = {
		.start_func = (uintptr_t)yield_for_ever,
		.stack_base = (uintptr_t)helper_stack,
		.stack_size = sizeof(helper_stack),
	};

	return (int)(sys_thrd_spawn)(s->id, &a, 0);
}

static void end_helper(struct stage *s)
{
	struct twzthread_repr *repr = (void *)s->base;

	sys_thrd_ctl2(s->id, THRD_CTL_KILL, 0);
	while (!*(_Atomic uint64_t *)&repr->syncs[THRD_SYNC_EXIT])
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
}

static long attach_context_to_it(void *arg)
{
	struct stage *s = arg;

	return sys_attach(s->id, s->other_id, 0, KSO_SECCTX);
}

static int setup_helper_and_context(struct stage *s)
{
	int r = twz_sctx_init(&s->other, "row");

	return r < 0 ? r : setup_helper(s);
}

static long signal_it(void *arg)
{
	return sys_signal(((struct stage *)arg)->id, 1, 2, 3, 4);
}

static long suspend_it(void *arg)
{
	objid_t id = ((struct stage *)arg)->id;
	long r = sys_thrd_ctl2(id, THRD_CTL_SUSPEND, 0);

	return r < 0 ? r : sys_thrd_ctl2(id, THRD_CTL_RESUME, 0);
}

static long kill_it(void *arg)
{
	return sys_thrd_ctl2(((struct stage *)arg)->id, THRD_CTL_KILL, 1);
}

static long sched_of_it(void *arg)
{
	struct twz_sched sched;

	return sys_thrd_ctl2(((struct stage *)arg)->id, THRD_CTL_GET_SCHED, (long)&sched);
}

static long registers_of_it(void *arg)
{
	static uint8_t frame[1024] __attribute__((aligned(16)));
	long r = sys_thrd_ctl2(((struct stage *)arg)->id, THRD_CTL_READ_REGS, (long)frame);

	return r == -EBUSY ? 0 : r;
}

static long wake_at_it(void *arg)
{
	struct stage *s = arg;
	long r = twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)s->base, 1, NULL);

	return r == -EFAULT ? -EACCES : r;
}

/* ---- The walk ---- */

#define ROW(name_, all_, any_, run_, ...) { .name = name_, .all = all_, .any = any_, .run = run_, __VA_ARGS__ }

static const struct row rows[] = {
	ROW("P1 load", SCP_READ, 0, load),
	ROW("P1 the kernel reads for the caller", SCP_READ, 0, kernel_reads),
	ROW("P1 the kernel writes for the caller", SCP_WRITE, 0, kernel_writes),
	ROW("P1 sync to the store", SCP_WRITE, 0, sync_it),
	ROW("P2 create from", SCP_READ, 0, create_from_it),
	ROW("P2 create tied to", SCP_WRITE, 0, create_tied),
	ROW("P3 delete", SCP_DEL, 0, delete_it),
	ROW("P3 delete at once", SCP_DEL, 0, delete_now),
	ROW("P4 tie to", SCP_WRITE, 0, tie_to_it),
	ROW("P4 untie from", SCP_WRITE, 0, untie_from_it),
	ROW("P4 tie", 0, ANY4, tie_it),
	ROW("P5 copy from", SCP_READ, 0, copy_from_it),
	ROW("P5 copy to", SCP_WRITE, 0, copy_to_it),
	ROW("P7 pin", SCP_READ | SCP_WRITE, 0, pin_it),
	ROW("P8 cache mode", SCP_WRITE, 0, cache_mode),
	ROW("P8 persist", SCP_WRITE, 0, keep_volatile),
	ROW("P11 stat", 0, ALL_RIGHTS, stat_it),
	ROW("P12 spawn: thread", SCP_WRITE, 0, spawn_it),
	ROW("P12 spawn: view", 0, SCP_USE | SCP_WRITE, spawn_in_it, .setup = setup_view),
	ROW("P13 attach a context", SCP_USE, 0, attach_it, .setup = setup_context),
	ROW("P15 enter a view", 0, SCP_USE | SCP_WRITE, enter_view, .setup = setup_view),
	ROW("P18 invalidate a view", 0, SCP_USE | SCP_WRITE, invalidate_it, .setup = setup_view),
	ROW("P18 invalidate a context", 0, SCP_USE | SCP_WRITE, invalidate_it, .setup = setup_context),
	ROW("P19 wake", SCP_READ, 0, wake_at_it),
};

/* Threads: the helper has no contexts of its own, and so is beyond the reach of who has. */
static const struct row thread_rows[] = {
	ROW("P14 attach a context to a thread", SCP_USE | SCP_WRITE, 0, attach_context_to_it,
	    .setup = setup_helper_and_context, .end = end_helper),
	ROW("P20 signal", SCP_WRITE, 0, signal_it, .setup = setup_helper, .end = end_helper),
	ROW("P20 suspend, resume", SCP_WRITE, 0, suspend_it, .setup = setup_helper, .end = end_helper),
	ROW("P20 kill", SCP_WRITE, 0, kill_it, .setup = setup_helper, .end = end_helper),
	ROW("P20 scheduling", SCP_WRITE, 0, sched_of_it, .setup = setup_helper, .end = end_helper),
	ROW("P20 registers", SCP_READ | SCP_WRITE, 0, registers_of_it, .setup = setup_helper,
	    .end = end_helper),
};

static int stage_make(struct stage *s, const struct row *row)
{
	int r = new_open_object(&s->target);

	if (r == 0)
		r = new_open_object(&s->other);
	if (r < 0)
		return r;
	s->base = twz_object_base(&s->target);
	s->id = twz_object_guid(&s->target);
	s->other_id = twz_object_guid(&s->other);
	memset(s->base, '\n', 16); /* a byte of it gets printed: no line of results begins behind it */
	*(uint64_t *)twz_object_base(&s->other) = 1;
	return row->setup ? row->setup(s) : 0;
}

static void stage_drop(struct stage *s, const struct row *row)
{
	if (row->end)
		row->end(s);
	drop_object(&s->target);
	drop_object(&s->other);
}

/* The row's operation with some rights on its target. A security fault counts as refusal. */
static long attempt(const struct row *row, uint32_t rights, bool share)
{
	struct stage s;
	long r;

	if (stage_make(&s, row) < 0)
		return -1000003;
	if (share) {
		twzobj context;

		if (new_context(&context) < 0)
			return -1000004;
		twz_sctx_add_dfl(&context, s.id, ALL_RIGHTS & ~rights, NULL, 0);
		struct limited l = { .run = row->run, .arg = &s, .context = twz_object_guid(&context) };
		r = sys_attach(s.id, l.context, 0, KSO_SECCTX);
		if (r == 0 && run_limited(&l) == 0)
			r = l.result;
		drop_object(&context);
	} else {
		r = with_rights(s.id, rights, row->run, &s);
	}
	stage_drop(&s, row);
	return r == -(long)THRD_EXIT_FAULT(FAULT_SCTX) ? -EACCES : r;
}

static void expect(const struct row *row, uint32_t rights, bool permitted, bool share)
{
	long r = attempt(row, rights, share);
	bool ok = permitted ? r >= 0 : r == -EACCES;

	if (!ok)
		ktap_note("%s with rights %x: %ld", row->name, rights, r);
	CHECK(ok);
}

static void walk(const struct row *row, bool share)
{
	uint32_t bit;

	if (row->all)
		expect(row, row->all, true, share);
	else
		expect(row, ALL_RIGHTS & ~row->any, false, share);
	for (bit = SCP_READ; bit <= SCP_DEL; bit <<= 1) {
		if (row->all & bit)
			expect(row, ALL_RIGHTS & ~bit, false, share);
		if (row->any & bit)
			expect(row, bit, true, share);
	}
}

static void objects(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		walk(&rows[i], false);
}

static void threads(void)
{
	for (size_t i = 0; i < sizeof(thread_rows) / sizeof(*thread_rows); i++)
		walk(&thread_rows[i], true);
}

/* ---- Stores, jumps, W^X ---- */

static long store(void *arg)
{
	*(volatile uint64_t *)((struct stage *)arg)->base = 3;
	return 0;
}

static const struct row store_row = ROW("P1 store", SCP_WRITE, 0, store);

static void stores(void)
{
	walk(&store_row, false);
}

/* A function that is position independent and short: it returns at once. */
__attribute__((noinline, aligned(16))) static void leaf(void)
{
	__asm__ volatile("");
}

struct code {
	objid_t id;
	uintptr_t entry;
	ssize_t slot;
};

static int code_make(struct code *c)
{
	twzobj o;
	int r = new_open_object(&o);

	if (r < 0)
		return r;
	memcpy(twz_object_base(&o), (const void *)(uintptr_t)leaf, 64);
	c->id = twz_object_guid(&o);
	twz_object_release(&o);
	c->slot = twz_view_allocate_slot(NULL, c->id, FE_READ | FE_EXEC);
	c->entry = SLOT_TO_VADDR(c->slot) + OBJ_NULLPAGE_SIZE;
	return c->slot < 0 ? (int)c->slot : 0;
}

static void code_drop(struct code *c)
{
	twz_view_release_slot(NULL, c->id, FE_READ | FE_EXEC, (size_t)c->slot);
	sys_odelete(c->id, TWZ_OD_IMMEDIATE);
}

static long jump(void *arg)
{
	((void (*)(void))((struct code *)arg)->entry)();
	return 0;
}

static void jumps(void)
{
	struct code c;

	NEED(code_make(&c) == 0);
	CHECK_EQ(with_rights(c.id, SCP_READ | SCP_EXEC, jump, &c), 0);
	CHECK_EQ(with_rights(c.id, SCP_EXEC, jump, &c), 0);
	CHECK_EQ(with_rights(c.id, ALL_RIGHTS & ~SCP_EXEC, jump, &c), -(long)THRD_EXIT_FAULT(FAULT_SCTX));
	code_drop(&c);
}

/* T39: that another attached context allows it by default permission leads nobody into it. */
struct crossing {
	struct code code;
	objid_t open;
};

static long jump_across(void *arg)
{
	struct crossing *c = arg;

	if (sys_attach(0, c->open, 0, KSO_SECCTX) != 0)
		return -1;
	return jump(&c->code);
}

static void no_jump_across(void)
{
	struct crossing c;
	twzobj open;

	NEED(code_make(&c.code) == 0 && new_context(&open) == 0);
	c.open = twz_object_guid(&open);
	CHECK_EQ(with_rights(c.code.id, ALL_RIGHTS, jump_across, &c), 0);
	CHECK_EQ(with_rights(c.code.id, ALL_RIGHTS & ~SCP_EXEC, jump_across, &c),
	    -(long)THRD_EXIT_FAULT(FAULT_SCTX));
	drop_object(&open);
	code_drop(&c.code);
}

/* A context that allows writing and executing: an entry of the view has one of the two. */
static void write_or_execute(void)
{
	struct code c;
	uint32_t flags = 0;
	twzobj o;

	NEED(code_make(&c) == 0);
	twz_view_set(NULL, (size_t)c.slot, c.id, FE_READ | FE_WRITE | FE_EXEC);
	twz_view_get(NULL, (size_t)c.slot, NULL, &flags);
	CHECK((flags & VE_WRITE) && !(flags & VE_EXEC));
	CHECK_EQ(with_rights(c.id, ALL_RIGHTS, jump, &c), -(long)THRD_EXIT_FAULT(FAULT_OBJECT));
	/* What the library leaves out, put in by hand: the kernel leaves it out as well. */
	twz_view_object_init(&o);
	((struct twzview_repr *)twz_object_base(&o))->ves[c.slot].flags |= VE_EXEC;
	CHECK_EQ(with_rights(c.id, ALL_RIGHTS, jump, &c), -(long)THRD_EXIT_FAULT(FAULT_OBJECT));
	/* Page by page one of the two, where that is asked for and both are granted. */
	twz_view_set(NULL, (size_t)c.slot, c.id, VE_READ | VE_WRITE | VE_EXEC | VE_EITHER);
	CHECK_EQ(with_rights(c.id, ALL_RIGHTS, jump, &c), 0);
	CHECK_EQ(with_rights(c.id, ALL_RIGHTS & ~SCP_WRITE, jump, &c), 0);
	CHECK_EQ(with_rights(c.id, ALL_RIGHTS & ~SCP_EXEC, jump, &c), -(long)THRD_EXIT_FAULT(FAULT_SCTX));
	twz_view_set(NULL, (size_t)c.slot, c.id, FE_READ | FE_EXEC);
	CHECK_EQ(with_rights(c.id, ALL_RIGHTS, jump, &c), 0);
	code_drop(&c);
}

/* ---- The machine: P16, P21, P22, P23 ---- */

static long root_action(void *arg)
{
	struct sys_kaction_args op = {
		.id = KSO_ROOT_ID, .cmd = KACTION_CMD_ROOT_SYNC, .flags = KACTION_VALID,
	};
	long r = sys_kaction(1, &op);

	(void)arg;
	return r < 0 ? r : op.result;
}

static long raise_priority(void *arg)
{
	struct twz_sched sched = { .klass = TWZ_SCHED_RT, .prio = 1 };

	(void)arg;
	return sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&sched);
}

static long attach_to_root(void *arg)
{
	return sys_attach(KSO_ROOT_ID, *(objid_t *)arg, 0, KSO_THREAD);
}

static long in_context(long (*run)(void *), void *arg)
{
	return with_rights(missing_id(), ALL_RIGHTS, run, arg);
}

/*
 * Nobody but who the kernel started has more than READ on the root, as long as no capability grants
 * it.
 */
static void machine(void)
{
	struct twz_sched normal = { .klass = TWZ_SCHED_NORMAL, .prio = TWZ_SCHED_DEFAULT_PRIO };
	objid_t tid = twz_thread_id();

	CHECK_EQ(root_action(NULL), 0);
	CHECK_EQ(in_context(root_action, NULL), -EACCES);
	CHECK_EQ(raise_priority(NULL), 0);
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&normal), 0);
	CHECK_EQ(in_context(raise_priority, NULL), -EACCES);
	CHECK_EQ(in_context(attach_to_root, &tid), -EACCES);
}

/* A thread with contexts has no power over one with others, however much its object allows. */
static void uncovered(void)
{
	const struct row row = ROW("helper", 0, 0, NULL, .setup = setup_helper, .end = end_helper);
	struct stage s;

	NEED(stage_make(&s, &row) == 0);
	CHECK_EQ(with_rights(s.id, ALL_RIGHTS, signal_it, &s), -EACCES);
	CHECK_EQ(with_rights(s.id, ALL_RIGHTS, kill_it, &s), -EACCES);
	stage_drop(&s, &row);
}

static const struct ktap_case cases[] = {
	{ "objects: exactly the listed right is needed", objects },
	{ "stores", stores },
	{ "threads: the listed right and the same contexts", threads },
	{ "no power over threads with other contexts", uncovered },
	{ "jumps", jumps },
	{ "default permissions lead no jump into another context", no_jump_across },
	{ "writable or executable, never both", write_or_execute },
	{ "the machine", machine },
};

int main(void)
{
	return KTAP_RUN(cases);
}
