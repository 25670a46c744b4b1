// SPDX-License-Identifier: BSD-3-Clause
/* Faults that programs handle: what a handler is told, what it may change, who is asked. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/twztry.h>

#define KERNEL_ADDRESS 0xffffffff80000000ul
#define UNKNOWN_CALL 0x123456l
#define MARK 0x0123456789abcdefull

/* Not an instruction on any machine we know. Stands in the text. */
__attribute__((section(".text.nothing"), aligned(8), used))
static const uint32_t nothing[4] = { 0 };

static uint64_t data_word[2] = { 1, 2 };

/* What the last handler saw. */
static struct seen {
	int count;
	int fault;
	uintptr_t pc, sp;
	uint64_t flags;
	uint64_t args[8];
	union {
		struct fault_object_info object;
		struct fault_null_info null;
		struct fault_exception_info exception;
		struct fault_sctx_info sctx;
		uint8_t bytes[64];
	} info;
} seen;

static const size_t info_sizes[NUM_FAULTS] = { 48, 16, 32, 48, 16, 48, 64, 32, 64 };

static void note(int fault, void *info)
{
	struct twz_fault_frame *f = twz_fault_frame();

	seen.count++;
	seen.fault = fault;
	seen.pc = twz_frame_pc(f);
	seen.sp = twz_frame_sp(f);
	seen.flags = f->flags;
	for (unsigned int i = 0; i < 8; i++)
		seen.args[i] = twz_frame_arg(f, i);
	memcpy(&seen.info, info, info_sizes[fault]);
	CHECK_EQ(f->size, sizeof(*f));
	CHECK_EQ(f->arch, twz_sysinfo()->arch);
	CHECK_EQ(f->version, TWZ_FRAME_VERSION);
	CHECK_EQ(f->fault, fault);
	CHECK_EQ(f->info, (uintptr_t)info);
	CHECK_EQ(f->info_len, info_sizes[fault]);
	CHECK((uintptr_t)f % 16 == 0);
	CHECK_EQ((uintptr_t)info, (uintptr_t)(f + 1));
}

static void note_and_skip(int fault, void *info, void *userdata)
{
	note(fault, info);
	(void)userdata;
	twz_frame_skip(twz_fault_frame());
}

/* The compiler need not know where they lead. */
static void load(uintptr_t p)
{
	__asm__("" : "+r"(p));
	*(volatile uint8_t *)p;
}

static void store(uintptr_t p)
{
	__asm__("" : "+r"(p));
	*(volatile uint8_t *)p = 1;
}

/* --- what a handler is told */

static void expect_fault(int fault, void (*access)(uintptr_t), uintptr_t at)
{
	memset(&seen, 0, sizeof(seen));
	twz_fault_set(fault, note_and_skip, NULL);
	access(at);
	twz_fault_set(fault, NULL, NULL);
	CHECK_EQ(seen.count, 1);
	CHECK_EQ(seen.fault, fault);
}

static void told_null(void)
{
	expect_fault(FAULT_NULL, load, 0x18);
	CHECK_EQ(seen.info.null.addr, 0x18);
	CHECK_EQ(seen.info.null.ip, seen.pc);
	expect_fault(FAULT_NULL, store, SLOT_TO_VADDR(1) + 0xfff);
	CHECK_EQ(seen.info.null.addr, SLOT_TO_VADDR(1) + 0xfff);
}

static void told_object(void)
{
	uintptr_t guard = SLOT_TO_VADDR(TWZSLOT_MAX_SLOT) + 0x2345;
	objid_t id;

	expect_fault(FAULT_OBJECT, load, guard);
	CHECK_EQ(seen.info.object.flags, FAULT_OBJECT_NOMAP | FAULT_OBJECT_READ);
	CHECK_EQ(seen.info.object.addr, guard);
	CHECK_EQ(seen.info.object.ip, seen.pc);
	CHECK(seen.info.object.objid == 0);
	expect_fault(FAULT_OBJECT, store, (uintptr_t)nothing);
	CHECK_EQ(seen.info.object.flags, FAULT_OBJECT_WRITE);
	NEED(twz_vaddr_to_obj(nothing, &id, NULL) == 0);
	CHECK(seen.info.object.objid == id);
}

static void told_missing(void)
{
	ssize_t slot = twz_view_allocate_slot(NULL, missing_id(), ACCESS_RW);

	NEED(slot > 0);
	expect_fault(FAULT_OBJECT, store, SLOT_TO_VADDR(slot) + 0x1000);
	CHECK_EQ(seen.info.object.flags, FAULT_OBJECT_EXIST | FAULT_OBJECT_WRITE);
	CHECK(seen.info.object.objid == missing_id());
	twz_view_release_slot(NULL, missing_id(), ACCESS_RW, (size_t)slot);
}

/* Nobody may write what is named after its content. */
static void told_security(void)
{
	struct twz_ocreate_source none = page_range(0, 1, 1, 1);
	ssize_t slot;
	objid_t id;

	NEED(create_from(&id, &none, 1, TWZ_OC_HASHDATA | TWZ_OC_DFL_READ, 0) == 0);
	slot = twz_view_allocate_slot(NULL, id, ACCESS_RW);
	NEED(slot > 0);
	expect_fault(FAULT_SCTX, store, SLOT_TO_VADDR(slot) + 0x1008);
	CHECK(seen.info.sctx.target == id);
	CHECK_EQ(seen.info.sctx.addr, SLOT_TO_VADDR(slot) + 0x1008);
	CHECK_EQ(seen.info.sctx.ip, seen.pc);
	CHECK_EQ(seen.info.sctx.pneed, TWZ_OC_DFL_WRITE);
	twz_view_release_slot(NULL, id, ACCESS_RW, (size_t)slot);
	twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
}

static void told_outside(void)
{
	expect_fault(FAULT_EXCEPTION, load, KERNEL_ADDRESS);
	CHECK_EQ(seen.info.exception.code, FAULT_EXCEPTION_PAGEFAULT);
	CHECK_EQ(seen.info.exception.arg0, KERNEL_ADDRESS);
	CHECK_EQ(seen.info.exception.flags, FEI_READ);
	expect_fault(FAULT_EXCEPTION, store, SLOT_TO_VADDR(twz_nslots()));
	CHECK_EQ(seen.info.exception.code, FAULT_EXCEPTION_PAGEFAULT);
	CHECK_EQ(seen.info.exception.flags, FEI_WRITE);
}

static void misaligned(uintptr_t p)
{
	__asm__("" : "+r"(p));
	__atomic_fetch_add((uint64_t *)p, 1, __ATOMIC_SEQ_CST);
}

static void go_on_after(int fault, void *info, void *userdata)
{
	note(fault, info);
	twz_frame_set_pc(twz_fault_frame(), (uintptr_t)userdata);
}

static uint64_t sum8(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
    uint64_t g, uint64_t h)
{
	return a + b + c + d + e + f + g + h;
}

/* Call what is no instruction; the handler makes sum8 of it. */
static uint64_t call8_at(uintptr_t at)
{
	uint64_t (*volatile fn)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
	    uint64_t) = (void *)at;
	uint64_t sum;

	memset(&seen, 0, sizeof(seen));
	twz_fault_set(FAULT_EXCEPTION, go_on_after, (void *)sum8);
	sum = fn(1, 2, 3, 4, 5, 6, 7, 8);
	twz_fault_set(FAULT_EXCEPTION, NULL, NULL);
	return sum;
}

static void told_exceptions(void)
{
	CHECK_EQ(call8_at((uintptr_t)nothing), 36);
	CHECK_EQ(seen.info.exception.code, FAULT_EXCEPTION_ILLEGAL);
	CHECK_EQ(seen.info.exception.ip, (uintptr_t)nothing);
	CHECK_EQ(seen.pc, (uintptr_t)nothing);
	for (unsigned int i = 0; i < 8; i++)
		CHECK_EQ(seen.args[i], i + 1);
	CHECK(seen.sp % 16 == 0);
	CHECK(!(seen.flags & TWZ_FRAME_SYSCALL));
}

static void told_misaligned(void)
{
	uint64_t before[2] = { data_word[0], data_word[1] };
	volatile uint64_t code = 0;

	twztry {
		misaligned((uintptr_t)data_word + 1);
	} twzcatch(FAULT_EXCEPTION) {
		code = ((struct fault_exception_info *)twzcatch_data())->code;
	} twztry_end;
	CHECK_EQ(code, FAULT_EXCEPTION_MISALIGNED);
	CHECK_EQ(data_word[0], before[0]);
	CHECK_EQ(data_word[1], before[1]);
}

static void break_here(void *arg)
{
	(void)arg;
	__builtin_trap();
}

static volatile int after_break;

static void end_quietly(void)
{
	after_break = 1;
	twz_thread_exit(77);
}

static void told_breakpoint(void)
{
	memset(&seen, 0, sizeof(seen));
	twz_fault_set(FAULT_EXCEPTION, go_on_after, (void *)end_quietly);
	CHECK_EQ(exit_code_of(break_here, NULL), 77);
	twz_fault_set(FAULT_EXCEPTION, NULL, NULL);
	/* What a compiler traps with is a breakpoint, or on purpose no instruction. */
	CHECK(seen.info.exception.code == FAULT_EXCEPTION_BREAKPOINT ||
	    seen.info.exception.code == FAULT_EXCEPTION_ILLEGAL);
	CHECK_EQ(after_break, 1);
}

/* --- unknown system calls */

static void answer_call(int fault, void *info, void *userdata)
{
	struct twz_fault_frame *f = twz_fault_frame();

	note(fault, info);
	twz_frame_skip(f); /* does nothing: the call is over */
	twz_frame_set_arg(f, 0, twz_frame_arg(f, 0) + twz_frame_arg(f, 5) + *(uint64_t *)userdata);
}

static void unknown_calls(void)
{
	uint64_t more = 1000;

	CHECK_EQ(__twz_syscall6(1, 2, 3, 4, 5, 6, UNKNOWN_CALL), -ENOSYS);
	memset(&seen, 0, sizeof(seen));
	twz_fault_set(FAULT_EXCEPTION, answer_call, &more);
	CHECK_EQ(__twz_syscall6(10, 2, 3, 4, 5, 60, UNKNOWN_CALL), 1070);
	CHECK_EQ(__twz_syscall6(10, 2, 3, 4, 5, 60, SYS_BASE + 0x1f), 1070);
	twz_fault_set(FAULT_EXCEPTION, NULL, NULL);
	CHECK_EQ(seen.count, 2);
	CHECK_EQ(seen.info.exception.code, FAULT_EXCEPTION_SYSCALL);
	CHECK_EQ(seen.info.exception.arg0, SYS_BASE + 0x1f);
	CHECK(seen.flags & TWZ_FRAME_SYSCALL);
	CHECK(seen.info.exception.ip < seen.pc);
	CHECK_EQ(__twz_syscall6(0, 0, 0, 0, 0, 0, SYS_VMAP), -ENOSYS);
	CHECK_EQ(seen.count, 2);
}

/* --- retrying: the handler makes the access possible */

static void map_it(int fault, void *info, void *userdata)
{
	struct fault_object_info *o = info;

	note(fault, info);
	twz_view_set(NULL, VADDR_TO_SLOT(o->addr), *(objid_t *)userdata, ACCESS_RW);
}

static void retried(void)
{
	ssize_t slot = twz_view_allocate_slot(NULL, missing_id(), ACCESS_RW);
	volatile uint64_t *word = (uint64_t *)(SLOT_TO_VADDR(slot) + 0x5000);
	objid_t id;
	twzobj o;

	NEED(slot > 0);
	NEED(new_object(&o) == 0);
	id = twz_object_guid(&o);
	*page_word(&o, 5) = MARK;
	memset(&seen, 0, sizeof(seen));
	twz_fault_set(FAULT_OBJECT, map_it, &id);
	CHECK_EQ(*word, MARK);
	*word = 5;
	twz_fault_set(FAULT_OBJECT, NULL, NULL);
	CHECK_EQ(seen.count, 1);
	CHECK_EQ(*page_word(&o, 5), 5);
	twz_view_set(NULL, (size_t)slot, missing_id(), ACCESS_RW);
	twz_view_release_slot(NULL, missing_id(), ACCESS_RW, (size_t)slot);
	drop_object(&o);
}

/* --- nested faults */

static int depth_seen;

static void nest(int fault, void *info, void *userdata)
{
	struct twz_fault_frame *mine = twz_fault_frame();
	int *left = userdata;

	(void)fault;
	(void)info;
	depth_seen++;
	if (--*left > 0)
		load(8);
	CHECK(twz_fault_frame() == mine);
	twz_frame_skip(mine);
}

static void nested(void)
{
	int left = 10;

	depth_seen = 0;
	twz_fault_set(FAULT_NULL, nest, &left);
	load(8);
	twz_fault_set(FAULT_NULL, NULL, NULL);
	CHECK_EQ(depth_seen, 10);
	CHECK(twz_fault_frame() == NULL);
}

/* Handlers that fault without end use up the fault stack, and then only their thread ends. */
static void nest_forever(void *arg)
{
	int left = 1 << 30;

	(void)arg;
	twz_fault_set(FAULT_NULL, nest, &left);
	load(8);
}

static void nested_forever(void)
{
	CHECK_EQ(exit_code_of(nest_forever, NULL), THRD_EXIT_FAULT(FAULT_NULL));
	twz_fault_set(FAULT_NULL, NULL, NULL);
}

/* --- floating point */

static double (*volatile no_function)(double, double) = (double (*)(double, double))nothing;

static double product(double a, double b)
{
	return a * b;
}

/* Change every register that holds `from`. */
static void replace_in_frame(struct twz_fault_frame *f, double from, double to)
{
	uint64_t bits[2];
	uint64_t *words = (uint64_t *)f;

	memcpy(&bits[0], &from, 8);
	memcpy(&bits[1], &to, 8);
	for (size_t i = TWZ_FRAME_HEAD_SIZE / 8; i < sizeof(*f) / 8; i++)
		if (words[i] == bits[0])
			words[i] = bits[1];
}

static void clobber(void)
{
	volatile double d[40];

	for (int i = 0; i < 40; i++)
		d[i] = i * 1.5;
	for (int i = 1; i < 40; i++)
		d[i] = d[i] * d[i - 1] / 7.25 + d[0];
}

static void edit_float(int fault, void *info, void *userdata)
{
	struct twz_fault_frame *f = twz_fault_frame();

	note(fault, info);
	clobber();
	if (userdata == &seen)
		replace_in_frame(f, 1234.5, 99.0);
	else if (userdata)
		f->flags &= ~TWZ_FRAME_FP;
	twz_frame_set_pc(f, (uintptr_t)product);
}

static double float_through(void *userdata)
{
	double r;

	twz_fault_set(FAULT_EXCEPTION, edit_float, userdata);
	r = no_function(1234.5, 2.0);
	twz_fault_set(FAULT_EXCEPTION, NULL, NULL);
	return r;
}

static void floats(void)
{
	volatile double kept = 3.25;
	double callee = kept * 2;

	CHECK(float_through(NULL) == 2469.0);
	CHECK(seen.flags & TWZ_FRAME_FP);
	CHECK(float_through(&seen) == 198.0);
	CHECK(float_through(data_word) == 0.0);
	(void)callee;
}

/* A thread that has used none gets none, though its handler does. */
static void no_floats(void *arg)
{
	(void)arg;
	memset(&seen, 0, sizeof(seen));
	load(8);
	twz_thread_exit(seen.flags & TWZ_FRAME_FP ? 1 : 2);
}

static void note_clobber_skip(int fault, void *info, void *userdata)
{
	note_and_skip(fault, info, userdata);
	clobber();
}

static void floats_unused(void)
{
	twz_fault_set(FAULT_NULL, note_clobber_skip, NULL);
	CHECK_EQ(exit_code_of(no_floats, NULL), 2);
	twz_fault_set(FAULT_NULL, NULL, NULL);
}

/* Many threads with values of their own, all faulting. */
static void float_worker(void *arg)
{
	volatile double x = (double)(uintptr_t)arg;
	double a = x + 1, b = x + 2, c = x + 3;

	for (int i = 0; i < 200; i++) {
		load(8);
		__asm__ volatile("" : : : "memory");
		if (i % 16 == 0)
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
		a += 1;
		b += a;
		c += b;
	}
	twz_thread_exit(a == x + 201 && c > b);
}

static void skip_and_clobber(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	(void)userdata;
	clobber();
	twz_frame_skip(twz_fault_frame());
}

static void floats_of_many(void)
{
	enum { COUNT = 8 };
	struct thread t[COUNT];

	twz_fault_set(FAULT_NULL, skip_and_clobber, NULL);
	for (uintptr_t i = 0; i < COUNT; i++)
		NEED(run_thread(&t[i], float_worker, (void *)(i * 1000)) == 0);
	for (int i = 0; i < COUNT; i++)
		CHECK_EQ(finish_thread(&t[i]), 1);
	twz_fault_set(FAULT_NULL, NULL, NULL);
}

/* --- catching */

static void fault_below(void *p)
{
	store((uintptr_t)p);
}

static void caught_by_number(void)
{
	volatile int where = 0;

	twztry {
		where = 1;
		fault_below((void *)8);
		where = 2;
	} twzcatch(FAULT_OBJECT) {
		where = 3;
	} twzcatch(FAULT_NULL) {
		where += 10;
		CHECK_EQ(twzcatch_fnum(), FAULT_NULL);
		CHECK_EQ(((struct fault_null_info *)twzcatch_data())->addr, 8);
	} twztry_end;
	CHECK_EQ(where, 11);
	CHECK(twz_fault_frame() == NULL);
}

static void nothing_to_catch(void)
{
	volatile int where = 0;

	twztry {
		where = 1;
	} twzcatch_all {
		where = 2;
	} twztry_end;
	CHECK_EQ(where, 1);
}

static void inner_does_not_know(void)
{
	twztry {
		fault_below((void *)8);
	} twzcatch(FAULT_OBJECT) {
		ktap_fail(__FILE__, __LINE__, "caught as another fault");
	} twztry_end;
	ktap_fail(__FILE__, __LINE__, "went on");
}

static void caught_outside(void)
{
	volatile int where = 0;

	twztry {
		inner_does_not_know();
	} twzcatch(FAULT_NULL) {
		where = 1;
	} twztry_end;
	CHECK_EQ(where, 1);
}

/* T27 */
static void propagate(int f)
{
	uint64_t data[8] = { MARK, (uint64_t)f };

	twztry {
		load(8);
	} twzcatch_all {
		twzcatch_propagate(f, data);
	} twztry_end;
}

static void propagated(void)
{
	for (volatile int f = 0; f < NUM_FAULTS; f++) {
		volatile int got = -1;

		if (f == FAULT_FAULT)
			continue; /* its information tells its own length */
		twztry {
			propagate(f);
		} twzcatch_all {
			got = twzcatch_fnum();
			CHECK_EQ(*(uint64_t *)twzcatch_data(), MARK);
		} twztry_end;
		CHECK_EQ(got, f);
	}
}

/* T28 */
static void overwrite_stack(void)
{
	volatile uint8_t bytes[8192];

	memset((void *)bytes, 0x5a, sizeof(bytes));
}

static void scribble(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	overwrite_stack();
	twz_frame_skip(twz_fault_frame());
	(void)userdata;
}

static void data_stays(void)
{
	volatile bool same = false;

	twztry {
		load(0xabc);
	} twzcatch(FAULT_NULL) {
		struct fault_null_info *info = twzcatch_data();

		/* The handler's stack, where the kernel had put it, and ours. */
		twz_fault_set(FAULT_NULL, scribble, NULL);
		load(8);
		twz_fault_set(FAULT_NULL, NULL, NULL);
		overwrite_stack();
		same = info->addr == 0xabc;
	} twztry_end;
	CHECK(same);
}

static void catch_in_handler(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	twztry {
		store(SLOT_TO_VADDR(TWZSLOT_MAX_SLOT) + 0x1000);
	} twzcatch(FAULT_OBJECT) {
		*(int *)userdata += 1;
	} twztry_end;
	twz_frame_skip(twz_fault_frame());
}

static void caught_in_handler(void)
{
	int n = 0;

	twz_fault_set(FAULT_NULL, catch_in_handler, &n);
	for (int i = 0; i < 100; i++)
		load(8);
	twz_fault_set(FAULT_NULL, NULL, NULL);
	CHECK_EQ(n, 100);
}

static int deeper(volatile int *n)
{
	volatile int here[256];

	here[0] = *n + 1;
	/* never true: 2^31 frames do not fit a stack, but the compiler does not count them */
	if (here[0] < 0)
		return 0;
	return deeper(&here[0]) + here[0];
}

static void catch_overflow(void *arg)
{
	volatile uint64_t times = 0;

	(void)arg;
	for (volatile int i = 0; i < 3; i++) {
		int zero = 0;

		twztry {
			deeper(&zero);
		} twzcatch(FAULT_NULL) {
			times++;
		} twztry_end;
	}
	twz_thread_exit(times);
}

static void overflow_caught(void)
{
	CHECK_EQ(exit_code_of(catch_overflow, NULL), 3);
}

static void raise_in_software(void)
{
	struct fault_page_info page = twz_fault_build_page_info(5, (void *)6, 7, 8, (void *)9);
	volatile uint64_t pgnr = 0;

	twztry {
		twz_fault_raise(FAULT_PAGE, &page);
	} twzcatch(FAULT_PAGE) {
		pgnr = ((struct fault_page_info *)twzcatch_data())->pgnr;
	} twztry_end;
	CHECK_EQ(pgnr, 7);
}

/* --- who is asked: raw handlers, entered by the kernel alone */

struct raw {
	volatile int count;
	volatile int fault;
	volatile uint32_t nr, why, len;
	volatile uint64_t addr;
	volatile uintptr_t sp, frame;
	volatile int which;
};
static struct raw raw;

static void raw_note(int which, int fault, void *info, struct twz_fault_frame *f)
{
	struct fault_fault_info *ff = info;
	struct fault_null_info *n = fault == FAULT_FAULT ? (void *)ff->data : info;

	raw.count++;
	raw.which = which;
	raw.fault = fault;
	if (fault == FAULT_FAULT) {
		raw.nr = ff->fault_nr;
		raw.why = ff->info;
		raw.len = ff->len;
	}
	raw.addr = n->addr;
	raw.sp = twz_frame_sp(f);
	raw.frame = (uintptr_t)f;
	twz_frame_skip(f);
	sys_fault_return(f);
}

static void raw_first(int fault, void *info, struct twz_fault_frame *f)
{
	raw_note(1, fault, info, f);
}

static void raw_second(int fault, void *info, struct twz_fault_frame *f)
{
	raw_note(2, fault, info, f);
}

static void raw_double(int fault, void *info, struct twz_fault_frame *f)
{
	raw_note(3, fault, info, f);
}

/* One thread's setting: what its object and its view say, and what its stack pointer becomes. */
struct setting {
	void (*own)(int, void *, struct twz_fault_frame *);
	uint64_t own_flags;
	bool own_elsewhere; /* its own handler is for another view */
	void (*view)(int, void *, struct twz_fault_frame *);
	void (*twice)(int, void *, struct twz_fault_frame *);
	uint64_t mask, view_flags;
	bool no_fault_stack;
};

static void fault_once(void *arg)
{
	load((uintptr_t)arg);
	twz_thread_exit(7);
}

static struct twzview_repr *current_view(void)
{
	return (void *)(SLOT_TO_VADDR(TWZSLOT_CVIEW) + OBJ_NULLPAGE_SIZE);
}

static void apply(const struct setting *s, struct twzthread_repr *repr, struct twzview_repr *view)
{
	repr->faults[FAULT_NULL] = (struct faultinfo){
		.view = s->own_elsewhere ? missing_id() : 0,
		.addr = (uintptr_t)s->own,
		.flags = s->own_flags,
	};
	if (s->no_fault_stack)
		repr->fault_stack = 0;
	view->fault_handler = (uintptr_t)s->view;
	view->dbl_fault_handler = (uintptr_t)s->twice;
	view->fault_mask = s->mask;
	view->fault_flags = s->view_flags;
}

static const struct setting *setting;

static void under_setting(void *arg)
{
	apply(setting, twz_thread_repr_base(), current_view());
	fault_once(arg);
}

/* The exit code of a thread that runs fn under a setting in a view of its own. */
static uint64_t run_under(const struct setting *s, void (*fn)(void *), void *arg)
{
	struct thread t;
	uint64_t code;
	twzobj v;

	memset(&raw, 0, sizeof(raw));
	setting = s;
	if (new_view(&v) < 0 || run_thread_in(&t, twz_object_guid(&v), fn, arg) < 0)
		return ~0ull;
	code = finish_thread(&t);
	drop_object(&v);
	return code;
}

#define UNDER(...) run_under(&(struct setting){ __VA_ARGS__ }, under_setting, (void *)0x28)
#define NO_FUNCTION ((void (*)(int, void *, struct twz_fault_frame *))data_word)
#define NULL_ENDS THRD_EXIT_FAULT(FAULT_NULL)

static void own_comes_first(void)
{
	CHECK_EQ(UNDER(.own = raw_first, .view = raw_second, .twice = raw_double), 7);
	CHECK_EQ(raw.which, 1);
	CHECK_EQ(raw.addr, 0x28);
	CHECK_EQ(UNDER(.view = raw_second, .twice = raw_double), 7);
	CHECK_EQ(raw.which, 2);
	CHECK_EQ(UNDER(.own = raw_first, .own_elsewhere = true, .view = raw_second), 7);
	CHECK_EQ(raw.which, 2);
}

static void masked(void)
{
	CHECK_EQ(UNDER(.own = raw_first, .view = raw_second, .mask = FAULT_MASK(FAULT_NULL)), 7);
	CHECK_EQ(raw.which, 1);
	CHECK_EQ(UNDER(.view = raw_second, .twice = raw_double, .mask = FAULT_MASK(FAULT_NULL)), 7);
	CHECK_EQ(raw.which, 3);
	CHECK_EQ(raw.fault, FAULT_FAULT);
	CHECK_EQ(raw.nr, FAULT_NULL);
	CHECK_EQ(raw.why, FAULT_FAULT_NO_HANDLER);
	CHECK_EQ(raw.len, sizeof(struct fault_null_info));
	CHECK_EQ(raw.addr, 0x28);
	CHECK_EQ(UNDER(.view = raw_second, .twice = raw_double,
		     .mask = FAULT_MASK(FAULT_NULL) | FAULT_MASK(FAULT_FAULT)), NULL_ENDS);
	CHECK_EQ(raw.count, 0);
	CHECK_EQ(UNDER(.view = raw_second, .mask = ~FAULT_MASK(FAULT_NULL)), 7);
}

static void not_executable(void)
{
	CHECK_EQ(UNDER(.own = NO_FUNCTION, .view = raw_second), 7);
	CHECK_EQ(raw.which, 2);
	CHECK_EQ(UNDER(.view = NO_FUNCTION, .twice = raw_double), 7);
	CHECK_EQ(raw.nr, FAULT_NULL);
	CHECK_EQ(raw.why, FAULT_FAULT_HANDLER_EXEC);
	CHECK_EQ(UNDER(.own = NO_FUNCTION, .view = NO_FUNCTION, .twice = NO_FUNCTION), NULL_ENDS);
	CHECK_EQ(UNDER(0), NULL_ENDS);
	CHECK_EQ(UNDER(.view = (void *)KERNEL_ADDRESS), NULL_ENDS);
	CHECK_EQ(UNDER(.view = (void *)8), NULL_ENDS);
	CHECK_EQ(UNDER(.view = (void *)((uintptr_t)raw_first + 1)), NULL_ENDS);
	CHECK_EQ(UNDER(.view = (void *)(SLOT_TO_VADDR(TWZSLOT_MAX_SLOT) + 0x1000)), NULL_ENDS);
}

static bool on_fault_stack(uintptr_t p)
{
	return (p & (OBJ_MAXSIZE - 1)) >= TWZ_FAULT_STACK_OFFSET &&
	       (p & (OBJ_MAXSIZE - 1)) < TWZ_FAULT_STACK_OFFSET + TWZ_FAULT_STACK_SIZE;
}

static void which_stack(void)
{
	CHECK_EQ(UNDER(.view = raw_first, .view_flags = FAULT_ON_STACK), 7);
	CHECK(on_fault_stack(raw.frame) && !on_fault_stack(raw.sp));
	CHECK_EQ(UNDER(.view = raw_first), 7);
	CHECK(!on_fault_stack(raw.frame));
	CHECK(raw.frame < raw.sp && raw.sp - raw.frame < 1024);
	CHECK_EQ(UNDER(.own = raw_first, .own_flags = FAULT_ON_STACK), 7);
	CHECK(on_fault_stack(raw.frame));
	CHECK_EQ(UNDER(.own = raw_first, .own_flags = FAULT_ON_STACK, .no_fault_stack = true), 7);
	CHECK(!on_fault_stack(raw.frame));
}

/* --- stack pointers that lead nowhere, T26 */

static uintptr_t bad_sp;

static void take_stack_away(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	(void)userdata;
	twz_frame_set_sp(twz_fault_frame(), bad_sp);
	twz_frame_set_pc(twz_fault_frame(), (uintptr_t)nothing);
}

static void fault_with_bad_sp(void *arg)
{
	(void)arg;
	apply(setting, twz_thread_repr_base(), current_view());
	load(8);
}

static void bad_stack(uintptr_t sp, unsigned int fault)
{
	const struct setting plain = {
		.view = (void *)current_view()->fault_handler,
		.twice = raw_double,
	};

	bad_sp = sp;
	twz_fault_set(FAULT_NULL, take_stack_away, NULL);
	CHECK_EQ(run_under(&plain, fault_with_bad_sp, NULL), THRD_EXIT_FAULT(fault));
	twz_fault_set(FAULT_NULL, NULL, NULL);
	CHECK_EQ(raw.count, 0);
}

static void bad_stacks(void)
{
	bad_stack(SLOT_TO_VADDR(TWZSLOT_MAX_SLOT) + 0x8000, FAULT_EXCEPTION); /* unmapped */
	bad_stack(0, FAULT_EXCEPTION);
	bad_stack(0x800, FAULT_EXCEPTION); /* null page */
	bad_stack(SLOT_TO_VADDR(1) + 0x1010, FAULT_EXCEPTION); /* runs into the null page */
	bad_stack((uintptr_t)nothing & ~0xful, FAULT_EXCEPTION); /* read-only */
	bad_stack(KERNEL_ADDRESS + 0x100000, FAULT_EXCEPTION);
	bad_stack(~0ul, FAULT_EXCEPTION);
	bad_stack(SLOT_TO_VADDR(twz_nslots()) + 64, FAULT_EXCEPTION); /* above all slots */
	bad_stack(1ul << 62, FAULT_EXCEPTION);
}

/* An odd one is rounded down, and the handler finds a good one. */
static void note_sp(int fault, void *info, struct twz_fault_frame *f)
{
	(void)fault;
	(void)info;
	raw.sp = twz_frame_sp(f);
	raw.frame = (uintptr_t)f;
	twz_thread_exit(8);
}

static void odd_stack(void *arg)
{
	struct twzthread_repr *repr = twz_thread_repr_base();

	(void)arg;
	repr->faults[FAULT_EXCEPTION] = (struct faultinfo){ .addr = (uintptr_t)note_sp };
	load(8);
}

static void unaligned_stack(void)
{
	static _Alignas(16) char stack[8192];

	bad_sp = (uintptr_t)stack + sizeof(stack) - 5;
	twz_fault_set(FAULT_NULL, take_stack_away, NULL);
	CHECK_EQ(exit_code_of(odd_stack, NULL), 8);
	twz_fault_set(FAULT_NULL, NULL, NULL);
	CHECK_EQ(raw.sp, bad_sp);
	CHECK_EQ(raw.frame % 16, 0);
	CHECK(raw.frame < bad_sp);
}

/* --- signals come the same way */

static long signal_args[4];
static volatile int signals_seen;

static void note_signal(int fault, void *info, void *userdata)
{
	struct fault_signal_info *s = info;

	(void)fault;
	(void)userdata;
	for (int i = 0; i < 4; i++)
		signal_args[i] = s->args[i];
	signals_seen++;
}

static void signal_self(void)
{
	twz_fault_set(FAULT_SIGNAL, note_signal, NULL);
	CHECK_EQ(sys_signal(twz_thread_id(), 1, -2, 3, (long)MARK), 0);
	CHECK_EQ(signals_seen, 1);
	CHECK_EQ(signal_args[1], -2);
	CHECK_EQ(signal_args[3], (long)MARK);
	twz_fault_set(FAULT_SIGNAL, NULL, NULL);
}

static void signal_me(void *arg)
{
	(void)arg;
	sys_signal(twz_thread_id(), 1, 2, 3, 4);
	twz_thread_exit(1);
}

static void signal_uncaught(void)
{
	CHECK_EQ(exit_code_of(signal_me, NULL), THRD_EXIT_FAULT(FAULT_SIGNAL));
}

static const struct ktap_case cases[] = {
	{ "null: address and pc", told_null },
	{ "object: what, where, why", told_object },
	{ "object that does not exist", told_missing },
	{ "security: object and right", told_security },
	{ "addresses outside all slots", told_outside },
	{ "illegal instruction: all arguments, another function instead", told_exceptions },
	{ "misaligned access", told_misaligned },
	{ "breakpoint", told_breakpoint },
	{ "unknown system calls are answered by a handler", unknown_calls },
	{ "the access is done again", retried },
	{ "faults in handlers", nested },
	{ "handlers that fault without end", nested_forever },
	{ "floating point: kept, edited, initial", floats },
	{ "floating point that was never used", floats_unused },
	{ "floating point of many threads", floats_of_many },
	{ "twztry by number", caught_by_number },
	{ "twztry without a fault", nothing_to_catch },
	{ "twztry: the outer block", caught_outside },
	{ "twzcatch_propagate, every fault", propagated },
	{ "twzcatch_data stays", data_stays },
	{ "twztry in a handler", caught_in_handler },
	{ "a stack overflow is caught, three times", overflow_caught },
	{ "raised in software", raise_in_software },
	{ "the thread's handler, then the view's", own_comes_first },
	{ "masks", masked },
	{ "handlers that cannot be executed", not_executable },
	{ "which stack", which_stack },
	{ "stack pointers that lead nowhere", bad_stacks },
	{ "an unaligned stack pointer", unaligned_stack },
	{ "a signal to oneself", signal_self },
	{ "a signal that nobody takes", signal_uncaught },
};

int main(void)
{
	return KTAP_RUN(cases);
}
