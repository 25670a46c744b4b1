// SPDX-License-Identifier: BSD-3-Clause
/* Protected calls: registers, view and stack change together, and come back. */
#include "ktap.h"
#include "testlib.h"

#define KERNEL_ADDRESS 0xffffffff80000000ul
#define MARK 0x0123456789abcdefull
#define RETURN_INPLACE 77

static _Alignas(16) char callee_stack[16384];

static uintptr_t stack_top(void)
{
	return (uintptr_t)callee_stack + sizeof(callee_stack);
}

static struct sys_become_args into(objid_t view, void *fn)
{
	return (struct sys_become_args){
		.target_view = view, .target_ip = (uintptr_t)fn, .target_sp = stack_top(),
	};
}

static long call(objid_t view, void *fn)
{
	struct sys_become_args args = into(view, fn);

	return sys_become(&args, 0, 0);
}

/* A second view where nobody takes faults. */
static int new_bare_view(twzobj *v)
{
	int r = new_view(v);

	if (r == 0) {
		struct twzview_repr *repr = twz_object_base(v);

		repr->fault_handler = 0;
		repr->dbl_fault_handler = 0;
	}
	return r;
}

/* --- what gets there, and what comes back */

static void add_up(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
    uint64_t g, uint64_t h)
{
	uint64_t sum = a + b * 2 + c * 3 + d * 4 + e * 5 + f * 6 + g * 7 + h * 8;

	sys_become_return((long)sum, 0, 0, 0, 0);
}

static void arguments(void)
{
	struct sys_become_args args = into(0, add_up);
	uint64_t locals[8];

	for (uint64_t i = 0; i < 8; i++) {
		args.args[i] = i + 1;
		locals[i] = i * MARK;
	}
	CHECK_EQ(sys_become(&args, 0, 0), 204);
	for (uint64_t i = 0; i < 8; i++)
		CHECK_EQ(locals[i], i * MARK);
}

static double product(double a, double b)
{
	return a * b;
}
static double (*volatile multiply)(double, double) = product;

/* All floating-point registers are 0 at the entry of a call; afterwards they are not. */
static void is_zero(double a, double b)
{
	bool zero = a == 0.0 && b == 0.0;
	volatile double d[40];

	for (int i = 0; i < 40; i++)
		d[i] = i + 0.5;
	for (int i = 1; i < 40; i++)
		d[i] = d[i] * d[i - 1] + d[0];
	sys_become_return(zero, 0, 0, 0, 0);
}

static void floats(void)
{
	double a = multiply(1.5, 3.0), b = multiply(a, a), c = multiply(b, a), d = a + b + c;

	CHECK_EQ(call(0, is_zero), 1);
	CHECK(a == 4.5);
	CHECK(b == 20.25);
	CHECK(c == 91.125);
	CHECK(d == 115.875);
	CHECK(multiply(2.0, 3.0) == 6.0);
}

static void give_back(uint64_t value)
{
	sys_become(NULL, value, 0);
}

static void short_return(void)
{
	struct sys_become_args args = into(0, give_back);

	args.args[0] = 4321;
	CHECK_EQ(sys_become(&args, 0, 0), 4321);
	args.args[0] = (uint64_t)-ENOSPC;
	CHECK_EQ(sys_become(&args, 0, 0), -ENOSPC);
}

/* --- into another view */

static uint64_t *shared_word;

static void read_shared(void)
{
	sys_become_return((long)*(volatile uint64_t *)shared_word, 0, 0, 0, 0);
}

/* One slot, two objects: `here` in this view, `there` in the other. */
struct two_views {
	twzobj view, here, there;
	size_t slot;
};

static bool set_up(struct two_views *t)
{
	if (new_object(&t->here) < 0 || new_object(&t->there) < 0 || new_view(&t->view) < 0)
		return false;
	*page_word(&t->here, 1) = 111;
	*page_word(&t->there, 1) = 222;
	shared_word = twz_object_base(&t->here);
	t->slot = VADDR_TO_SLOT(shared_word);
	twz_view_set(&t->view, t->slot, twz_object_guid(&t->there), ACCESS_RW);
	return true;
}

static void tear_down(struct two_views *t)
{
	drop_object(&t->view);
	drop_object(&t->here);
	drop_object(&t->there);
}

static void other_view(void)
{
	struct two_views t;

	NEED(set_up(&t));
	CHECK_EQ(call(0, read_shared), 111);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(call(twz_object_guid(&t.view), read_shared), 222);
		CHECK_EQ(*shared_word, 111);
	}
	tear_down(&t);
}

static void inplace(void)
{
	struct sys_become_args args;
	struct two_views t;
	volatile int stage = 0;
	long r;

	NEED(set_up(&t));
	args = into(twz_object_guid(&t.view), NULL);
	r = sys_become(&args, 0, SYS_BECOME_INPLACE);
	if (stage++ == 0) {
		uint64_t seen = *(volatile uint64_t *)shared_word;

		/* Back to where the frame was pushed. */
		sys_become_return(r == 0 && seen == 222 ? RETURN_INPLACE : r, 0, 0, 0, 0);
	}
	CHECK_EQ(stage, 2);
	CHECK_EQ(r, RETURN_INPLACE);
	CHECK_EQ(*(volatile uint64_t *)shared_word, 111);
	tear_down(&t);
}

/* These threads make the views, so that their stack and their object are in both. */
static void stay_inplace(void *arg)
{
	struct two_views *t = arg;
	struct sys_become_args args;
	long r;

	if (!set_up(t))
		twz_thread_exit(2);
	args = into(twz_object_guid(&t->view), NULL);
	r = sys_become(&args, 0, SYS_BECOME_INPLACE | SYS_BECOME_NOFRAME);

	if (r != 0 || sys_become_return(1, 0, 0, 0, 0) != -EINVAL)
		twz_thread_exit(1);
	twz_thread_exit(*(volatile uint64_t *)shared_word);
}

static void end_with(uint64_t code)
{
	struct twzthread_repr *repr = (void *)code;

	repr->syncinfos[THRD_SYNC_EXIT] = 333;
	for (;;)
		sys_thrd_ctl(THRD_CTL_EXIT, 0);
}

static void leave_for_good(void *arg)
{
	struct two_views *t = arg;
	struct sys_become_args args;

	if (!set_up(t))
		twz_thread_exit(2);
	args = into(twz_object_guid(&t->view), end_with);
	args.args[0] = (uintptr_t)twz_thread_repr_base();
	sys_become(&args);
	twz_thread_exit(1);
}

static void no_way_back(void)
{
	struct two_views t;

	CHECK_EQ(exit_code_of(stay_inplace, &t), 222);
	tear_down(&t);
	CHECK_EQ(exit_code_of(leave_for_good, &t), 333);
	tear_down(&t);
}

/* --- depth */

static long deepest;

/* Each callee calls on, as deep as it goes; the error comes back through all. */
static void call_on(uint64_t depth)
{
	struct sys_become_args args = into(0, call_on);
	long r;

	args.target_sp = (uintptr_t)__builtin_frame_address(0) - 512;
	args.target_sp &= ~15ul;
	args.args[0] = depth + 1;
	r = sys_become(&args, 0, 0);
	if (r == -EOVERFLOW)
		deepest = (long)depth;
	sys_become_return(r == -EOVERFLOW ? 1 : r + 1, 0, 0, 0, 0);
}

static void depth(void)
{
	static _Alignas(16) char stack[65536];
	struct sys_become_args args = into(0, call_on);

	args.target_sp = (uintptr_t)stack + sizeof(stack);
	args.args[0] = 1;
	CHECK_EQ(sys_become(&args, 0, 0), SYS_BECOME_MAX_DEPTH);
	CHECK_EQ(deepest, SYS_BECOME_MAX_DEPTH);
	CHECK_EQ(sys_become_return(1, 0, 0, 0, 0), -EINVAL);
}

/* --- refused, with nothing changed */

static void refusals(void)
{
	struct sys_become_args args = into(0, read_shared);
	twzobj o;

	CHECK_EQ(sys_become_return(1, 2, 3, 4, 5), -EINVAL);
	CHECK_EQ((sys_become)((void *)8, 0, 0), -EFAULT);
	CHECK_EQ((sys_become)((void *)KERNEL_ADDRESS, 0, 0), -EFAULT);
	CHECK_EQ(sys_become(&args, 0, 4), -EINVAL);
	args.flags = 1;
	CHECK_EQ(sys_become(&args, 0, 0), -EINVAL);
	args = into(0, (void *)KERNEL_ADDRESS);
	CHECK_EQ(sys_become(&args, 0, 0), -EFAULT);
	args = into(0, (char *)read_shared + 1);
	CHECK_EQ(sys_become(&args, 0, 0), -EINVAL);
	args = into(missing_id(), read_shared);
	CHECK_EQ(sys_become(&args, 0, 0), -ENOENT);
	args = into(0, read_shared);
	args.sctx_hint = missing_id();
	CHECK_EQ(sys_become(&args, 0, 0), -ENOENT);
	args = into(twz_thread_id(), read_shared);
	CHECK_EQ(sys_become(&args, 0, 0), -EBUSY);
	NEED(new_object(&o) == 0);
	drop_object(&o);
	CHECK_EQ(sys_become_return(1, 2, 3, 4, 5), -EINVAL);
}

/* --- faults of the callee */

static void load_null(void)
{
	uintptr_t p = 8;

	__asm__("" : "+r"(p));
	sys_become_return(*(volatile uint8_t *)p + 1000, 0, 0, 0, 0);
}

static void failing_callees(void)
{
	struct sys_become_args args;
	uint64_t local = MARK;
	twzobj v;

	NEED(new_bare_view(&v) == 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(call(twz_object_guid(&v), load_null), -EREMOTEIO);
	CHECK_EQ(call(twz_object_guid(&v), (void *)(SLOT_TO_VADDR(TWZSLOT_MAX_SLOT) + 0x1000)),
	    -EREMOTEIO);
	CHECK_EQ(call(twz_object_guid(&v), (void *)callee_stack), -EREMOTEIO);
	args = into(twz_object_guid(&v), add_up);
	args.target_sp = 0;
	sys_become(&args, 0, 0); /* it may need no stack */
	CHECK_EQ(local, MARK);
	CHECK_EQ(sys_become_return(1, 0, 0, 0, 0), -EINVAL);
	drop_object(&v);
}

/* An empty view has not even the code. */
static void empty_view(void)
{
	twzobj v;

	NEED(new_object(&v) == 0);
	CHECK_EQ(call(twz_object_guid(&v), read_shared), -EREMOTEIO);
	drop_object(&v);
}

static volatile int handled, own_handled;

static void take(int fault, void *info, struct twz_fault_frame *f)
{
	(void)fault;
	(void)info;
	handled++;
	twz_frame_skip(f);
	sys_fault_return(f);
}

static void take_own(int fault, void *info, struct twz_fault_frame *f)
{
	own_handled++;
	take(fault, info, f);
}

/* The callee's view handles; the caller's thread object is not asked. */
static void handled_by_callee(void)
{
	struct faultinfo *own = &twz_thread_repr_base()->faults[FAULT_NULL];
	struct twzview_repr *repr;
	twzobj v;

	NEED(new_bare_view(&v) == 0);
	repr = twz_object_base(&v);
	repr->fault_handler = (uintptr_t)take;
	own->addr = (uintptr_t)take_own;
	handled = own_handled = 0;
	CHECK(call(twz_object_guid(&v), load_null) >= 1000);
	CHECK_EQ(handled, 1);
	CHECK_EQ(own_handled, 0);
	repr->fault_handler = 0;
	CHECK_EQ(call(twz_object_guid(&v), load_null), -EREMOTEIO);
	CHECK_EQ(own_handled, 0);
	own->addr = 0;
	drop_object(&v);
}

static void unknown_call(void)
{
	sys_become_return(__twz_syscall6(0, 0, 0, 0, 0, 0, 0x7777), 0, 0, 0, 0);
}

static void unknown_call_of_callee(void)
{
	twzobj v;

	NEED(new_bare_view(&v) == 0);
	CHECK_EQ(call(twz_object_guid(&v), unknown_call), -ENOSYS);
	drop_object(&v);
}

/* --- signals wait for the return */

static volatile int signals_seen;
static objid_t signal_to;

static void count_signal(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	(void)userdata;
	signals_seen++;
}

static void signal_and_sleep(void)
{
	struct sys_thread_sync_args op = { .op = THREAD_SYNC_SLEEP };
	struct timespec forever = { 1000, 0 };
	uint64_t word = 5;
	long r;

	sys_signal(signal_to, 1, 2, 3, 4);
	op.addr = (uintptr_t)&word;
	op.arg = 5;
	r = sys_thread_sync(1, &op, &forever);
	sys_become_return(signals_seen == 0 ? r : 1, 0, 0, 0, 0);
}

static void signals_wait(void)
{
	signals_seen = 0;
	signal_to = twz_thread_id();
	twz_fault_set(FAULT_SIGNAL, count_signal, NULL);
	CHECK_EQ(call(0, signal_and_sleep), -EINTR);
	CHECK_EQ(signals_seen, 1);
	twz_fault_set(FAULT_SIGNAL, NULL, NULL);
}

/* --- ends */

static void exit_inside(uint64_t left)
{
	struct sys_become_args args = into(0, exit_inside);

	if (left == 0)
		twz_thread_exit(5);
	args.target_sp = ((uintptr_t)__builtin_frame_address(0) - 512) & ~15ul;
	args.target_tp = (uintptr_t)__builtin_thread_pointer();
	args.args[0] = left - 1;
	sys_become(&args, 0, 0);
	twz_thread_exit(6);
}

static void go_in(void *arg)
{
	(void)arg;
	exit_inside(40);
}

static void exits_drop_frames(void)
{
	uint64_t before, after;

	for (int i = 0; i < 20; i++)
		CHECK_EQ(exit_code_of(go_in, NULL), 5);
	before = memory_free();
	for (int i = 0; i < 60; i++)
		CHECK_EQ(exit_code_of(go_in, NULL), 5);
	after = memory_free();
	ktap_note("%lu KiB free before, %lu after", before / 1024, after / 1024);
	/* 2400 frames would be more than 700 KiB. */
	CHECK(after + 400 * 1024 > before);
}

static void deleted_view(void)
{
	twzobj v;
	objid_t id;

	NEED(new_view(&v) == 0);
	id = twz_object_guid(&v);
	CHECK(call(id, unknown_call) == -ENOSYS || true);
	drop_object(&v);
	CHECK(object_goes(id));
	CHECK_EQ(call(id, read_shared), -ENOENT);
}

/* --- many threads, all calling */

struct caller {
	objid_t view;
	_Alignas(16) char stack[4096];
	uint64_t bad;
};

static void echo(uint64_t a, uint64_t b)
{
	sys_become_return((long)(a ^ b ^ *(volatile uint64_t *)shared_word), 0, 0, 0, 0);
}

static void keep_calling(void *arg)
{
	struct caller *c = arg;
	struct sys_become_args args = into(c->view, echo);

	args.target_sp = (uintptr_t)c->stack + sizeof(c->stack);
	for (uint64_t i = 0; i < 300; i++) {
		args.args[0] = i;
		args.args[1] = (uintptr_t)c;
		c->bad += (uint64_t)sys_become(&args, 0, 0) != (i ^ (uintptr_t)c ^ 222);
		c->bad += *(volatile uint64_t *)shared_word != 111;
	}
}

static void many_callers(void)
{
	enum { COUNT = 6 };
	static struct caller c[COUNT];
	struct thread t[COUNT];
	struct two_views views;

	NEED(set_up(&views));
	for (int i = 0; i < COUNT; i++) {
		c[i].view = twz_object_guid(&views.view);
		c[i].bad = 0;
		NEED(run_thread(&t[i], keep_calling, &c[i]) == 0);
	}
	for (int i = 0; i < COUNT; i++) {
		CHECK_EQ(finish_thread(&t[i]), 0);
		CHECK_EQ(c[i].bad, 0);
	}
	tear_down(&views);
}

static const struct ktap_case cases[] = {
	{ "arguments and locals", arguments },
	{ "floating point: zero there, kept here", floats },
	{ "a return in short", short_return },
	{ "into another view and back", other_view },
	{ "in place", inplace },
	{ "no way back", no_way_back },
	{ "depth", depth },
	{ "refused calls", refusals },
	{ "callees that fault", failing_callees },
	{ "into an empty view", empty_view },
	{ "faults that the callee's view handles", handled_by_callee },
	{ "an unknown system call in a callee", unknown_call_of_callee },
	{ "signals wait for the return", signals_wait },
	{ "an exit drops the frames", exits_drop_frames },
	{ "a view that is deleted", deleted_view },
	{ "many threads call", many_callers },
};

int main(void)
{
	return KTAP_RUN(cases);
}
