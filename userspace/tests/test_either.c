// SPDX-License-Identifier: BSD-3-Clause
/*
 * Slots whose pages are either written or executed (VE_EITHER): what was just written is what is
 * executed, on every CPU; a page that threads of other CPUs execute can be written; nothing is both.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define CODE_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_EXEC)
#define SLOT (TWZSLOT_MAX_SLOT - 2)
#define EITHER (VE_READ | VE_WRITE | VE_EXEC | VE_EITHER)
#define CODE_SIZE 64u /* of a function, generously */
#define ROUNDS 300
#define MATES 8u

typedef long code_fn(void);

#define RETURNS(n)                                                  \
	static __attribute__((noinline, aligned(64))) long r##n(void)\
	{                                                           \
		return 1000 + n;                                    \
	}
RETURNS(0) RETURNS(1) RETURNS(2) RETURNS(3) RETURNS(4) RETURNS(5) RETURNS(6) RETURNS(7)

static code_fn *const functions[] = { r0, r1, r2, r3, r4, r5, r6, r7 };

#define FUNCTIONS (int)(sizeof(functions) / sizeof(*functions))

static __attribute__((noinline, aligned(64))) long store(volatile long *to)
{
	*to = 5;
	return 1;
}

static char *base(void)
{
	return (char *)SLOT_TO_VADDR(SLOT) + OBJ_NULLPAGE_SIZE;
}

static char *place(unsigned n)
{
	return base() + n * CODE_SIZE;
}

static void put(unsigned n, int function)
{
	memcpy(place(n), (const void *)(uintptr_t)functions[function], CODE_SIZE);
}

static long call(unsigned n)
{
	return ((code_fn *)(uintptr_t)place(n))();
}

static bool make(objid_t *id, uint32_t flags)
{
	struct twz_ocreate_source none = { 0 };

	if (create_from(id, &none, 0, flags, TWZ_BACKING_VOLATILE) != 0)
		return false;
	twz_view_set(NULL, SLOT, *id, EITHER);
	return true;
}

static void drop(objid_t id)
{
	twz_view_set(NULL, SLOT, 0, 0);
	sys_odelete(id, TWZ_OD_IMMEDIATE);
}

static void what_was_written(void)
{
	objid_t id;
	long wrong = 0;

	NEED(make(&id, CODE_FLAGS));
	for (int i = 0; i < ROUNDS; i++) {
		put(0, i % FUNCTIONS);
		wrong += call(0) != 1000 + i % FUNCTIONS;
	}
	CHECK_EQ(wrong, 0);
	drop(id);
}

static void data_beside_code(void)
{
	volatile long *word = (long *)(base() + 2048);
	objid_t id;

	NEED(make(&id, CODE_FLAGS));
	put(0, 3);
	*word = 77;
	CHECK_EQ(call(0), 1003);
	CHECK_EQ(*word, 77);
	*word = 78;
	CHECK_EQ(call(0), 1003);
	CHECK_EQ(*word, 78);
	drop(id);
}

static void store_to(void *page)
{
	memcpy(base(), (const void *)(uintptr_t)store, CODE_SIZE);
	((long (*)(volatile long *))(uintptr_t)base())((volatile long *)((char *)page + 2048));
}

static void stores_of_code(void)
{
	objid_t id;

	NEED(make(&id, CODE_FLAGS));
	CHECK_EQ(exit_code_of(store_to, base()), THRD_EXIT_FAULT(FAULT_OBJECT));
	CHECK_EQ(exit_code_of(store_to, base() + 4096), 0);
	CHECK_EQ(*(long *)(base() + 4096 + 2048), 5);
	drop(id);
}

static void without_one_of_them(void)
{
	objid_t id;

	NEED(make(&id, CODE_FLAGS));
	put(0, 2);
	twz_view_set(NULL, SLOT, id, EITHER & ~VE_WRITE);
	CHECK_EQ(call(0), 1002);
	CHECK_EQ(exit_code_of(store_to, base()), THRD_EXIT_FAULT(FAULT_OBJECT));
	CHECK_EQ(call(0), 1002);
	twz_view_set(NULL, SLOT, id, EITHER & ~VE_EITHER);
	put(0, 3);
	CHECK_EQ(exit_code_of((void (*)(void *))(uintptr_t)place(0), NULL), THRD_EXIT_FAULT(FAULT_OBJECT));
	drop(id);
}

/* A copy shares pages until they are written, whatever they were made. */
static void copies(void)
{
	objid_t id, copy;
	struct twz_ocreate_source whole;
	long wrong = 0;

	NEED(make(&id, CODE_FLAGS));
	for (int i = 0; i < 20; i++) {
		put(0, i % FUNCTIONS);
		if (i % 2)
			wrong += call(0) != 1000 + i % FUNCTIONS;
		whole = page_range(id, 1, 1, 1);
		NEED(create_from(&copy, &whole, 1, CODE_FLAGS, TWZ_BACKING_VOLATILE) == 0);
		put(0, (i + 1) % FUNCTIONS);
		twz_view_set(NULL, SLOT, copy, EITHER);
		wrong += call(0) != 1000 + i % FUNCTIONS;
		twz_view_set(NULL, SLOT, id, EITHER);
		wrong += call(0) != 1000 + (i + 1) % FUNCTIONS;
		sys_odelete(copy, TWZ_OD_IMMEDIATE);
	}
	CHECK_EQ(wrong, 0);
	drop(id);
}

/*
 * One thread writes functions to the page, at places that nobody is at; all others execute what was
 * written last, and store to a page beside it.
 */
static struct {
	atomic_ulong turn; /* place and function of the last one are this, taken modulo */
	atomic_ulong wrong, calls;
	atomic_bool over;
} stage;

static int function_of(unsigned long turn)
{
	return (int)((turn + turn / 16) % (unsigned long)FUNCTIONS);
}

static void execute(void *unused)
{
	unsigned long turn;

	(void)unused;
	while (!atomic_load(&stage.over)) {
		turn = atomic_load(&stage.turn);
		long got = call(turn % 16);
		if (got != 1000 + function_of(turn) && atomic_load(&stage.turn) - turn < 8)
			atomic_fetch_add(&stage.wrong, 1);
		if (atomic_fetch_add(&stage.calls, 1) % 64 == 0)
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
	}
}

static void on_all_cpus(void)
{
	unsigned mates = twz_sysinfo()->ncpus < MATES ? twz_sysinfo()->ncpus : MATES;
	struct thread t[MATES];
	objid_t id;

	NEED(make(&id, CODE_FLAGS));
	for (unsigned n = 0; n < 16; n++)
		put(n, function_of(n));
	for (unsigned i = 0; i < mates; i++)
		NEED(run_thread(&t[i], execute, NULL) == 0);
	for (unsigned turn = 1; turn < ROUNDS; turn++) {
		unsigned long calls = atomic_load(&stage.calls);

		put(turn % 16, function_of(turn));
		atomic_store(&stage.turn, turn);
		while (atomic_load(&stage.calls) - calls < mates)
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
	}
	atomic_store(&stage.over, true);
	for (unsigned i = 0; i < mates; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	CHECK_EQ(atomic_load(&stage.wrong), 0);
	drop(id);
}

static const struct ktap_case cases[] = {
	{ "what was just written is executed", what_was_written },
	{ "data beside code", data_beside_code },
	{ "an instruction cannot store to its own page", stores_of_code },
	{ "without one of the flags the slot is as ever", without_one_of_them },
	{ "copies share pages until they are written", copies },
	{ "a page is written that all CPUs execute", on_all_cpus },
};

int main(void)
{
	return KTAP_RUN(cases);
}
