// SPDX-License-Identifier: BSD-3-Clause
/* Faults of user code: the thread ends alone, says why, and the system goes on. */
#include "ktap.h"
#include "testlib.h"

#define KERNEL_ADDRESS 0xffffffff80000000ul
#define NON_CANONICAL 0x4000000000000000ul

/* Not an instruction on any machine we know. Stands in the text. */
__attribute__((section(".text.nothing"), aligned(8), used))
static const uint32_t nothing[4] = { 0 };

static const char text_byte[] = "read-only";
static uint64_t data_word[2] = { 1, 2 };

static void load(void *p)
{
	*(volatile uint8_t *)p;
}

static void store(void *p)
{
	*(volatile uint8_t *)p = 1;
}

static void call(void *p)
{
	((void (*)(void))p)();
}

static void trap(void *arg)
{
	(void)arg;
	__builtin_trap();
}

static void misaligned_atomic(void *arg)
{
	uint64_t *p = (uint64_t *)((char *)arg + 1);

	__asm__("" : "+r"(p));
	__atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST);
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

static void overflow(void *arg)
{
	int zero = 0;

	(void)arg;
	deeper(&zero);
}


static void expect(const char *what, void (*run)(void *), uintptr_t arg, unsigned fault)
{
	uint64_t code = exit_code_of(run, (void *)arg);

	if (code != THRD_EXIT_FAULT(fault)) {
		ktap_note("%s", what);
		CHECK_EQ(code, THRD_EXIT_FAULT(fault));
	}
}

static void null_pages(void)
{
	expect("load from 0", load, 0, FAULT_NULL);
	expect("store to 8", store, 8, FAULT_NULL);
	expect("jump to 16", call, 16, FAULT_NULL);
	expect("load from the last byte of the null page", load, 0xfff, FAULT_NULL);
	expect("load from the data slot's null page", load, SLOT_TO_VADDR(1) + 8, FAULT_NULL);
}

static void kernel_addresses(void)
{
	expect("load from a kernel address", load, KERNEL_ADDRESS, FAULT_EXCEPTION);
	expect("store to a kernel address", store, KERNEL_ADDRESS, FAULT_EXCEPTION);
	expect("jump to a kernel address", call, KERNEL_ADDRESS, FAULT_EXCEPTION);
	expect("load from the last byte", load, ~0ul, FAULT_EXCEPTION);
}

static void non_canonical_addresses(void)
{
	expect("load", load, NON_CANONICAL, FAULT_EXCEPTION);
	expect("store", store, NON_CANONICAL, FAULT_EXCEPTION);
	expect("jump", call, NON_CANONICAL, FAULT_EXCEPTION);
	expect("load just above the slots", load, SLOT_TO_VADDR(twz_nslots()), FAULT_EXCEPTION);
}

static void unmapped_slots(void)
{
	uintptr_t guard = SLOT_TO_VADDR(TWZSLOT_MAX_SLOT) + TWZ_PAGE_SIZE;

	expect("load", load, guard, FAULT_OBJECT);
	expect("store", store, guard, FAULT_OBJECT);
	expect("jump", call, guard, FAULT_OBJECT);
}

static void wrong_access(void)
{
	expect("jump to data", call, (uintptr_t)data_word, FAULT_OBJECT);
	expect("store to text", store, (uintptr_t)nothing, FAULT_OBJECT);
	expect("store to constants", store, (uintptr_t)text_byte, FAULT_OBJECT);
	CHECK_EQ(data_word[0], 1);
}

static void bad_instructions(void)
{
	expect("illegal instruction", call, (uintptr_t)nothing, FAULT_EXCEPTION);
	expect("breakpoint", trap, 0, FAULT_EXCEPTION);
	expect("misaligned atomic", misaligned_atomic, (uintptr_t)data_word, FAULT_EXCEPTION);
	CHECK_EQ(data_word[0], 1);
}

static void stack_overflow(void)
{
	expect("stack overflow", overflow, 0, FAULT_NULL);
}

/* A thread whose stack pointer leads nowhere still only ends itself. */
static void bad_stack(uint64_t stack_base, unsigned fault)
{
	struct thrd_spawn_args a = {
		.start_func = (uintptr_t)overflow,
		.stack_base = stack_base,
		.stack_size = 4096,
	};
	struct thread t;

	NEED(twz_thread_create(&t) == 0);
	NEED((sys_thrd_spawn)(t.tid, &a, 0) == 0);
	CHECK_EQ(finish_thread(&t), THRD_EXIT_FAULT(fault));
}

static void bad_stacks(void)
{
	bad_stack(SLOT_TO_VADDR(TWZSLOT_MAX_SLOT) + 0x10000, FAULT_OBJECT);
	bad_stack(0, FAULT_NULL);
	bad_stack((uintptr_t)nothing & ~0xffful, FAULT_OBJECT);
}

static void say_fault(void *arg)
{
	load(arg);
}

/* A second view in which the kernel finds nobody who takes faults. */
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

static void exit_record(void)
{
	struct twzthread_repr *repr;
	struct thread t;
	uint64_t code;
	twzobj v;

	NEED(new_bare_view(&v) == 0);
	NEED(run_thread_in(&t, twz_object_guid(&v), say_fault, (void *)8) == 0);
	repr = twz_object_base(&t.obj);
	NEED(twz_thread_join(&t, &code, PATIENCE_NS) == 0);
	CHECK_EQ(code, THRD_EXIT_FAULT(FAULT_NULL));
	CHECK_EQ(repr->exit_fault, 1 + FAULT_NULL);
	CHECK_EQ(repr->syncs[THRD_SYNC_EXIT], 1);
	CHECK_EQ(repr->syncs[THRD_SYNC_STATE], THRD_STATE_ENDED);
	twz_thread_release(&t);
	drop_object(&v);
}

static void all_at_once(void)
{
	enum { COUNT = 12 };
	struct thread t[COUNT];

	for (int i = 0; i < COUNT; i++)
		NEED(run_thread(&t[i], i % 2 ? load : store, (void *)(uintptr_t)(i * 8)) == 0);
	for (int i = 0; i < COUNT; i++)
		CHECK_EQ(finish_thread(&t[i]), THRD_EXIT_FAULT(FAULT_NULL));
}

static const struct ktap_case cases[] = {
	{ "null pages", null_pages },
	{ "kernel addresses", kernel_addresses },
	{ "addresses outside all slots", non_canonical_addresses },
	{ "slots without an object", unmapped_slots },
	{ "accesses the view entry lacks", wrong_access },
	{ "illegal, breakpoint, misaligned", bad_instructions },
	{ "stack overflow", stack_overflow },
	{ "stack pointers that lead nowhere", bad_stacks },
	{ "the thread object says what happened", exit_record },
	{ "many threads fault at once", all_at_once },
};

int main(void)
{
	return KTAP_RUN(cases);
}
