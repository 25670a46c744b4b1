// SPDX-License-Identifier: BSD-3-Clause
/* Every system call with hostile arguments: exact errors, nothing changed, the system goes on. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

/* Pointers that no call may follow. The last two are filled in by setup(). */
struct bad_pointer {
	const char *what;
	uintptr_t p;
};

static struct bad_pointer bad[] = {
	{ "NULL", 0 },
	{ "null page", 0x100 },
	{ "null page of the data slot", SLOT_TO_VADDR(1) + 0x100 },
	{ "kernel", 0xffffffff80000000ul },
	{ "kernel, half way", 0xffff800000000000ul },
	{ "last bytes of all", 0xfffffffffffffff8ul },
	{ "non-canonical", 0x4000000000000000ul },
	{ "sign bit alone", 0x8000000000000000ul },
	{ "unmapped slot", 0 },
	{ "last bytes of a slot before an unmapped one", 0 },
};

#define BAD (sizeof(bad) / sizeof(*bad))
#define UNMAPPED (BAD - 2)
#define SLOT_END (BAD - 1)

static twzobj lonely; /* an object in the highest slot that may be mapped */

static const uint64_t read_only[32] = { 0 };

static int setup(void)
{
	size_t slot = TWZSLOT_MAX_SLOT - 1;

	if (new_object(&lonely) < 0)
		return -1;
	twz_view_set(NULL, slot, twz_object_guid(&lonely), VE_READ | VE_WRITE);
	bad[UNMAPPED].p = SLOT_TO_VADDR(TWZSLOT_MAX_SLOT) + 0x2000;
	bad[SLOT_END].p = SLOT_TO_VADDR(slot) + OBJ_MAXSIZE - 8;
	return 0;
}

static void expect_fault(const char *call, long r, const char *pointer)
{
	if (r != -EFAULT)
		ktap_note("%s with %s:", call, pointer);
	CHECK_EQ(r, -EFAULT);
}

#define EACH_BAD(call_name, expression)                              \
	for (size_t i = 0; i < BAD; i++) {                           \
		uintptr_t p = bad[i].p;                              \
		expect_fault(call_name, (expression), bad[i].what);  \
	}

static void unknown_numbers(void)
{
	static const long numbers[] = { 0, 1, 0xfff, 0x1000 + NUM_SYSCALLS, SYS_VMAP, 0x2000, -1,
		INT64_MAX, INT64_MIN, 1l << 32 | SYS_NULL };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		CHECK_EQ(__twz_syscall6(1, 2, 3, 4, 5, 6, numbers[i]), -ENOSYS);
	CHECK_EQ(sys_null(), 0);
}

static void reads_from_user(void)
{
	objid_t id = twz_object_guid(&lonely);

	EACH_BAD("debug_print", __sys_debug_print((void *)p, 16));
	EACH_BAD("kec_write", sys_kec_write((void *)p, 16, 0));
	EACH_BAD("thrd_spawn", (sys_thrd_spawn)(id, (void *)p, 0));
	EACH_BAD("invalidate", sys_invalidate((void *)p, 1));
	EACH_BAD("thread_sync ops", sys_thread_sync(1, (void *)p, NULL));
	EACH_BAD("kaction", sys_kaction(1, (void *)p));
	for (size_t i = 1; i < BAD; i++) /* NULL is no timeout */
		expect_fault("thread_sync timeout", sys_thread_sync(0, NULL, (void *)bad[i].p),
		    bad[i].what);
}

static void writes_to_user(void)
{
	objid_t id = twz_object_guid(&lonely);

	EACH_BAD("sysinfo", sys_sysinfo((void *)p, sizeof(struct twz_sysinfo)));
	EACH_BAD("random", sys_random((void *)p, 64, 0));
	EACH_BAD("clock", sys_clock(TWZ_CLOCK_MONOTONIC, TWZ_CLOCK_GET, (void *)p));
	EACH_BAD("ostat", sys_ostat(TWZ_OSTAT_OBJECT, id, 0, (void *)p));
	EACH_BAD("ocreate", sys_ocreate(TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL, 0, 0, (void *)p));
	EACH_BAD("thrd_ctl get id", sys_thrd_ctl(THRD_CTL_GET_ID, (long)p));
	EACH_BAD("thrd_ctl stats", sys_thrd_ctl(THRD_CTL_GET_STATS, (long)p));
	EACH_BAD("kec_read",
	    sys_kec_read((void *)p, i == SLOT_END ? 1 << 12 : 16, KEC_READ_NONBLOCK));
}

static void writes_to_read_only(void)
{
	void *p = (void *)read_only;

	CHECK_EQ(sys_sysinfo(p, 128), -EFAULT);
	CHECK_EQ(sys_random(p, 64, 0), -EFAULT);
	CHECK_EQ(sys_clock(TWZ_CLOCK_MONOTONIC, TWZ_CLOCK_GET, p), -EFAULT);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, twz_object_guid(&lonely), 0, p), -EFAULT);
	CHECK_EQ(sys_ocreate(TWZ_OC_DFL_READ, 0, 0, p), -EFAULT);
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_GET_ID, (long)p), -EFAULT);
	for (size_t i = 0; i < sizeof(read_only) / 8; i++)
		CHECK_EQ(((volatile const uint64_t *)read_only)[i], 0);
}

/* A buffer across the boundary between two mapped objects is no different from any other: the
 * null page of the upper one is in the way. */
static void spanning_objects(void)
{
	size_t slot = TWZSLOT_MAX_SLOT - 2;
	uintptr_t p = SLOT_TO_VADDR(slot + 1) - 16;

	twz_view_set(NULL, slot, twz_object_guid(&lonely), VE_READ | VE_WRITE);
	CHECK_EQ(sys_random((void *)p, 32, 0), -EFAULT);
	CHECK_EQ(sys_kec_write((void *)p, 32, 0), -EFAULT);
	twz_view_set(NULL, slot, 0, 0);
}

/* The last bytes of an object are good memory: an unaligned end is not a reason to refuse. */
static void up_to_the_end(void)
{
	char *end = (char *)SLOT_TO_VADDR(TWZSLOT_MAX_SLOT);

	CHECK_EQ(sys_random(end - 64, 64, 0), 64);
	CHECK_EQ(sys_sysinfo((void *)(end - 16), 16), 128);
}

static void lengths(void)
{
	char c = ' ';

	CHECK_EQ(__sys_debug_print(&c, 0), 0);
	CHECK_EQ(sys_kec_write(&c, 0, 0), 0);
	CHECK_EQ(sys_random(&c, 0, 0), 0);
	CHECK(sys_random(&c, SYS_RANDOM_MAX + 1, 0) < 0);
	CHECK(sys_random(&c, ~0ul, 0) < 0);
	CHECK_EQ(sys_kec_write((void *)bad[SLOT_END].p, ~0ul, 0), -EFAULT);
	CHECK_EQ(__sys_debug_print((void *)bad[SLOT_END].p, ~0ul), -EFAULT);
	CHECK_EQ(sys_sysinfo((void *)8, 0), 128);
}

static void flags_and_ops(void)
{
	objid_t id = twz_object_guid(&lonely);
	struct timespec ts;
	char c;

	CHECK_EQ(sys_kec_write("", 0, 2), -EINVAL);
	CHECK_EQ(sys_kec_read(&c, 1, 2), -EINVAL);
	CHECK_EQ(sys_random(&c, 1, 2), -EINVAL);
	CHECK_EQ(sys_clock(99, TWZ_CLOCK_GET, &ts), -EINVAL);
	CHECK_EQ(sys_clock(TWZ_CLOCK_MONOTONIC, 99, &ts), -EINVAL);
	CHECK_EQ(sys_kconf(99, 0), -EINVAL);
	CHECK(sys_kconf(KCONF_RDRESET, 0) > 0);
	CHECK_EQ((uint64_t)sys_kconf(KCONF_RDRESET, 0), twz_sysinfo()->boot_code);
	CHECK(sys_kconf(KCONF_ARCH_TSC_PSPERIOD, 0) > 0);
	CHECK_EQ(sys_thrd_ctl(0x7777, 0), -EINVAL);
	CHECK_EQ(sys_thrd_ctl(THRD_CTL_SET_GS, 0), -ENOTSUP);
	CHECK_EQ(sys_odelete(id, ~0ul), -EINVAL);
	CHECK_EQ(sys_osync(id, 0, 0, 1), -EINVAL);
	CHECK_EQ(sys_ostat(77, id, 0, &ts), -EINVAL);
	CHECK(sys_invalidate((void *)8, 4097) < 0);
	CHECK(sys_kaction(4097, (void *)8) < 0);
	CHECK_EQ(sys_thread_sync(~0ul, NULL, NULL), -EINVAL);
}

static void missing_objects(void)
{
	struct thrd_spawn_args a = { .start_func = TWZ_PAGE_SIZE };
	struct kernel_ostat st;
	objid_t out;

	CHECK_EQ(sys_odelete(missing_id(), 0), -ENOENT);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, missing_id(), 0, &st), -ENOENT);
	CHECK_EQ(sys_osync(missing_id(), 0x1000, 8, 0), -ENOENT);
	CHECK_EQ(sys_ocreate(0, 0, missing_id(), &out), -ENOENT);
	CHECK_EQ((sys_thrd_spawn)(missing_id(), &a, 0), -ENOENT);
}

static void kernel_objects(void)
{
	struct sys_kaction_args a[2] = {
		{ .id = KSO_ROOT_ID, .cmd = 9999, .flags = KACTION_VALID },
		{ .id = missing_id(), .cmd = 1, .flags = KACTION_VALID },
	};
	struct sys_invalidate_op op = { .id = 77, .flags = KSOI_VALID | KSOI_CURRENT };

	CHECK_EQ(sys_kaction(2, a), 0);
	CHECK_EQ(a[0].result, -EINVAL);
	CHECK_EQ(a[1].result, -ENOENT);
	a[0].flags = 0;
	a[0].result = 5;
	CHECK_EQ(sys_kaction(1, a), 0);
	CHECK_EQ(a[0].result, 5);
	CHECK_EQ(sys_invalidate(&op, 1), 0);
	CHECK_EQ(op.result, (uint16_t)-EINVAL);
	op = (struct sys_invalidate_op){ KSO_CURRENT_VIEW, .flags = KSOI_VALID | KSOI_CURRENT };
	CHECK_EQ(sys_invalidate(&op, 1), 1);
	CHECK_EQ(op.result, 0);
	CHECK(sys_odelete(KSO_ROOT_ID, TWZ_OD_IMMEDIATE) < 0);
	CHECK(sys_odelete(BOOTINFO_ID, TWZ_OD_IMMEDIATE) < 0);
}

/* The kernel gives back what it filled in, and no more. */
static void sysinfo_size(void)
{
	unsigned char buf[160];

	memset(buf, 0xee, sizeof(buf));
	CHECK_EQ(sys_sysinfo((void *)buf, 16), 128);
	CHECK_EQ(buf[15 + 1], 0xee);
	CHECK_EQ(sys_sysinfo((void *)buf, sizeof(buf)), 128);
	CHECK_EQ(((struct twz_sysinfo *)buf)->size, 128);
	CHECK_EQ(((struct twz_sysinfo *)buf)->page_size, 4096);
	CHECK_EQ(buf[128], 0xee);
}

static void random_bytes(void)
{
	uint64_t a[4] = { 0 }, b[4] = { 0 };

	CHECK_EQ(sys_random(a, sizeof(a), 0), sizeof(a));
	CHECK_EQ(sys_random(b, sizeof(b), 0), sizeof(b));
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	CHECK(a[0] && a[1] && a[2] && a[3]);
}

static void clocks(void)
{
	struct timespec a, b, r;

	CHECK_EQ(sys_clock(TWZ_CLOCK_MONOTONIC, TWZ_CLOCK_RESOLUTION, &r), 0);
	CHECK(r.tv_sec == 0 && r.tv_nsec > 0 && r.tv_nsec < 1000000000);
	CHECK_EQ(sys_clock(TWZ_CLOCK_MONOTONIC, TWZ_CLOCK_GET, &a), 0);
	CHECK_EQ(twz_sleep_ns(2 * NS_PER_MS), 0);
	CHECK_EQ(sys_clock(TWZ_CLOCK_MONOTONIC, TWZ_CLOCK_GET, &b), 0);
	CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec > a.tv_nsec));
	CHECK_EQ(sys_clock(TWZ_CLOCK_THREAD_CPU, TWZ_CLOCK_GET, &a), 0);
	CHECK(a.tv_sec >= 0 && a.tv_nsec >= 0);
}

/* --- pointers of every call, by a table */

/* A call with one pointer to `size` bytes, all else good: without the pointer it would succeed. */
struct pointer_call {
	const char *what;
	long (*call)(uintptr_t p);
	size_t size;
	enum { READS, WRITES } access;
	bool null_means_something;
};

#define SPAN_SLOT (TWZSLOT_MAX_SLOT - 2)
#define TAIL 8u /* bytes of the object before the boundary */
#define TAIL_VALUE 0x1122334455667788ul

static objid_t held; /* the thread object of a suspended thread */

static long become_to(uintptr_t p)
{
	return (sys_become)((void *)p, 0, SYS_BECOME_NOFRAME);
}

static long return_to(uintptr_t p)
{
	return sys_fault_return((void *)p);
}

static long set_sched(uintptr_t p)
{
	return sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)p);
}

static long get_sched(uintptr_t p)
{
	return sys_thrd_ctl(THRD_CTL_GET_SCHED, (long)p);
}

static long set_active(uintptr_t p)
{
	return sys_thrd_ctl(THRD_CTL_SET_ACTIVE, (long)p);
}

static long get_active(uintptr_t p)
{
	return sys_thrd_ctl(THRD_CTL_GET_ACTIVE, (long)p);
}

static long set_sched_of(uintptr_t p)
{
	return sys_thrd_ctl2(held, THRD_CTL_SET_SCHED, (long)p);
}

static long get_sched_of(uintptr_t p)
{
	return sys_thrd_ctl2(held, THRD_CTL_GET_SCHED, (long)p);
}

static long read_regs(uintptr_t p)
{
	return sys_thrd_ctl2(held, THRD_CTL_READ_REGS, (long)p);
}

static long write_regs(uintptr_t p)
{
	return sys_thrd_ctl2(held, THRD_CTL_WRITE_REGS, (long)p);
}

static long get_clock(uintptr_t p)
{
	return sys_clock(TWZ_CLOCK_REAL, TWZ_CLOCK_GET, (void *)p);
}

static long clock_resolution(uintptr_t p)
{
	return sys_clock(TWZ_CLOCK_MONOTONIC, TWZ_CLOCK_RESOLUTION, (void *)p);
}

static long set_clock(uintptr_t p)
{
	return sys_clock(TWZ_CLOCK_REAL, TWZ_CLOCK_SET, (void *)p);
}

static long act(uintptr_t p)
{
	return sys_kaction(2, (void *)p);
}

static long invalidate(uintptr_t p)
{
	return sys_invalidate((void *)p, 2);
}

static long copy_to_id(uintptr_t p)
{
	objid_t id = twz_object_guid(&lonely);

	return sys_ocopy((void *)p, &id, TWZ_PAGE_SIZE, TWZ_PAGE_SIZE, TWZ_PAGE_SIZE, 0);
}

static long copy_from_id(uintptr_t p)
{
	objid_t id = twz_object_guid(&lonely);

	return sys_ocopy(&id, (void *)p, TWZ_PAGE_SIZE, TWZ_PAGE_SIZE, TWZ_PAGE_SIZE, 0);
}

static long create_by(uintptr_t p)
{
	return sys_ocreate2((void *)p);
}

static long create_with_sources(uintptr_t p)
{
	struct twz_ocreate_spec spec = { .flags = NEW_FLAGS & TWZ_SYS_OC_ALL, .srcs = p, .srcs_len = 1 };

	return sys_ocreate2(&spec);
}

static long create_with_ties(uintptr_t p)
{
	struct twz_ocreate_spec spec = { .flags = NEW_FLAGS & TWZ_SYS_OC_ALL, .ties = p, .ties_len = 1 };

	return sys_ocreate2(&spec);
}

static long spawn_by(uintptr_t p)
{
	return (sys_thrd_spawn)(twz_object_guid(&lonely), (void *)p, 0);
}

static long sync_on(uintptr_t p)
{
	return sys_thread_sync(1, (void *)p, NULL);
}

static const struct pointer_call pointer_calls[] = {
	{ "become", become_to, sizeof(struct sys_become_args), READS, true },
	{ "fault_return", return_to, sizeof(struct twz_fault_frame), READS, false },
	{ "thrd_ctl set sched", set_sched, sizeof(struct twz_sched), READS, false },
	{ "thrd_ctl get sched", get_sched, sizeof(struct twz_sched), WRITES, false },
	{ "thrd_ctl set active", set_active, sizeof(objid_t), READS, false },
	{ "thrd_ctl get active", get_active, sizeof(objid_t), WRITES, false },
	{ "thrd_ctl2 set sched", set_sched_of, sizeof(struct twz_sched), READS, false },
	{ "thrd_ctl2 get sched", get_sched_of, sizeof(struct twz_sched), WRITES, false },
	{ "thrd_ctl2 read regs", read_regs, sizeof(struct twz_fault_frame), WRITES, false },
	{ "thrd_ctl2 write regs", write_regs, sizeof(struct twz_fault_frame), READS, false },
	{ "clock get", get_clock, sizeof(struct timespec), WRITES, false },
	{ "clock resolution", clock_resolution, sizeof(struct timespec), WRITES, false },
	{ "clock set", set_clock, sizeof(struct timespec), READS, false },
	{ "kaction", act, 2 * sizeof(struct sys_kaction_args), READS, false },
	{ "invalidate", invalidate, 2 * sizeof(struct sys_invalidate_op), READS, false },
	{ "ocopy dest", copy_to_id, sizeof(objid_t), READS, false },
	{ "ocopy src", copy_from_id, sizeof(objid_t), READS, false },
	{ "ocreate2", create_by, sizeof(struct twz_ocreate_spec), READS, false },
	{ "ocreate2 sources", create_with_sources, sizeof(struct twz_ocreate_source), READS, false },
	{ "ocreate2 ties", create_with_ties, sizeof(objid_t), READS, false },
	{ "thrd_spawn", spawn_by, sizeof(struct thrd_spawn_args), READS, false },
	{ "thread_sync", sync_on, sizeof(struct sys_thread_sync_args), READS, false },
};

/* All that these calls could have changed, had they gone by a bad pointer. */
struct seen {
	struct twz_sched own, other;
	struct twz_fault_frame frame;
	uint64_t first;
};

static volatile uint64_t *tail_word(void)
{
	return (uint64_t *)(SLOT_TO_VADDR(SPAN_SLOT + 1) - TAIL);
}

static void see(struct seen *s)
{
	memset(s, 0, sizeof(*s));
	CHECK_EQ(get_sched((uintptr_t)&s->own), 0);
	CHECK_EQ(get_sched_of((uintptr_t)&s->other), 0);
	CHECK_EQ(read_regs((uintptr_t)&s->frame), 0);
	s->first = *page_word(&lonely, 1);
}

static void try_pointers(const struct pointer_call *c)
{
	for (size_t i = c->null_means_something; i < BAD; i++)
		expect_fault(c->what, c->call(bad[i].p), bad[i].what);
	/* The null page of the upper object is in the way. */
	*tail_word() = TAIL_VALUE;
	if (c->size > TAIL)
		expect_fault(c->what, c->call((uintptr_t)tail_word()), "two objects");
	if (c->access == READS)
		CHECK_EQ(*tail_word(), TAIL_VALUE);
	if (c->access == WRITES)
		expect_fault(c->what, c->call((uintptr_t)read_only), "read-only memory");
}

static void wait_to_be_held(void *arg)
{
	(void)arg;
	for (;;)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
}

static void every_pointer(void)
{
	static struct seen before, after;
	struct thread t;

	twz_view_set(NULL, SPAN_SLOT, twz_object_guid(&lonely), VE_READ | VE_WRITE);
	NEED(run_thread(&t, wait_to_be_held, NULL) == 0);
	held = t.tid;
	CHECK_EQ(sys_thrd_ctl2(held, THRD_CTL_SUSPEND, 0), 0);
	see(&before);
	uint64_t memory = memory_free();
	for (size_t i = 0; i < sizeof(pointer_calls) / sizeof(*pointer_calls); i++)
		try_pointers(&pointer_calls[i]);
	CHECK_EQ(memory_free(), memory);
	see(&after);
	CHECK_EQ(memcmp(&before, &after, sizeof(before)), 0);
	CHECK_EQ(sys_thrd_ctl2(held, THRD_CTL_KILL, 7), 0);
	CHECK_EQ(finish_thread(&t), 7);
	twz_view_set(NULL, SPAN_SLOT, 0, 0);
}

/* Calls whose arguments are IDs, types and flags alone. */
static void ids_and_types(void)
{
	static const uint32_t types[] = { KSO_NONE, KSO_ROOT, 77, 0xffff };
	objid_t id = twz_object_guid(&lonely);

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		CHECK(sys_attach(0, id, 0, types[i]) < 0);
		CHECK(sys_detach(0, id, 0, types[i]) < 0);
		CHECK(sys_attach(id, id, 0, types[i]) < 0);
	}
	CHECK_EQ(sys_attach(0, missing_id(), 0, KSO_SECCTX), -ENOENT);
	CHECK_EQ(sys_attach(missing_id(), id, 0, KSO_SECCTX), -ENOENT);
	CHECK_EQ(sys_attach(0, id, ~0u, KSO_SECCTX), -EINVAL);
	CHECK_EQ(sys_detach(0, id, ~0u, KSO_SECCTX), -EINVAL);
	CHECK_EQ(sys_detach(0, id, 0, KSO_SECCTX), -EINVAL);
	CHECK_EQ(sys_detach(0, missing_id(), TWZ_DETACH_ONEXIT, KSO_SECCTX), -ENOENT);
	CHECK_EQ(sys_signal(missing_id(), ~0l, ~0l, ~0l, ~0l), -ENOENT);
	CHECK_EQ(sys_signal(id, 1, 2, 3, 4), -ESRCH);
	CHECK_EQ(sys_thrd_ctl2(missing_id(), THRD_CTL_KILL, 0), -ENOENT);
	CHECK_EQ(sys_thrd_ctl2(id, THRD_CTL_KILL, 0), -ESRCH);
	CHECK_EQ(sys_opin(id, (void *)bad[UNMAPPED].p, 0), -ENOTSUP);
}

/* Calls that sleep, print, or end something, whatever they are given. */
static bool spoils_the_test(long number)
{
	return number == SYS_THRD_CTL || number == SYS_KEC_READ || number == SYS_THRD_SYNC ||
	    number == SYS_BECOME || number == SYS_DEBUG_PRINT || number == SYS_KEC_WRITE ||
	    number == SYS_FAULT_RETURN || number == SYS_KACTION || number == SYS_SIGNAL;
}

/* Garbage in every register, every call that returns. */
static void garbage(void)
{
	static uint64_t scratch[1 << 17]; /* as large as any result */
	const uint64_t values[] = { 0, 1, ~0ull, 1ull << 63, 0x1000, 0x3fffffff,
		(uintptr_t)scratch, 0xffffffff80000000ull, 0x7fffffffffffffffull };
	enum { VALUES = sizeof(values) / sizeof(*values) };
	uint64_t seed = 12345;

	for (int n = 0; n < 2000; n++) {
		long a[6], number = SYS_BASE + n % (NUM_SYSCALLS + 2);

		for (int i = 0; i < 6; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			a[i] = (long)values[(seed >> 33) % VALUES];
		}
		if (!spoils_the_test(number))
			__twz_syscall6(a[0], a[1], a[2], a[3], a[4], a[5], number);
	}
	CHECK_EQ(sys_null(), 0);
}

static const struct ktap_case cases[] = {
	{ "unknown calls are -ENOSYS", unknown_numbers },
	{ "bad pointers to what is read", reads_from_user },
	{ "bad pointers to what is written", writes_to_user },
	{ "read-only memory is not written", writes_to_read_only },
	{ "buffers across two objects", spanning_objects },
	{ "buffers up to the end of an object", up_to_the_end },
	{ "no call follows a bad pointer", every_pointer },
	{ "IDs, types and flags of no use", ids_and_types },
	{ "lengths", lengths },
	{ "flags and operations", flags_and_ops },
	{ "missing objects", missing_objects },
	{ "kernel objects", kernel_objects },
	{ "sysinfo writes what was asked for", sysinfo_size },
	{ "random bytes", random_bytes },
	{ "clocks", clocks },
	{ "garbage in every register", garbage },
};

int main(void)
{
	if (setup() < 0)
		return 1;
	return KTAP_RUN(cases);
}
