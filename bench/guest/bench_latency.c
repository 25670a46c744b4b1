// SPDX-License-Identifier: BSD-3-Clause
/*
 * How late a real-time thread wakes, at worst, while another thread of the same CPU has the kernel
 * do something long. The kernel is not left between two of its steps, so this is its longest stay,
 * and what a wake-up costs.
 */
#include <twz/obj.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/sys/thread.h>
#include <twz/sys/view.h>

#define NEW_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define MIB (1ul << 20)
#define PAGES (64 * MIB / TWZ_PAGE_SIZE) /* of the objects that are copied, deleted, moved */
#define SLOTS 512u
#define PERIOD_NS 50000u

static atomic_int over;
static uint64_t worst_ns;
static int failed;

/* Sleep until a moment, see how late it has become, again. */
static void watch(void *arg)
{
	struct twz_sched sched = { .klass = TWZ_SCHED_RT, .prio = 50 };

	(void)arg;
	failed |= sys_thrd_ctl(THRD_CTL_SET_SCHED, (long)&sched) < 0;
	while (!atomic_load(&over)) {
		uint64_t due = twz_clock_ns() + PERIOD_NS;
		struct timespec until = { .tv_sec = due / 1000000000u, .tv_nsec = due % 1000000000u };
		sys_thread_sync_abs(0, NULL, &until);
		uint64_t late = twz_clock_ns() - due;
		worst_ns = late > worst_ns ? late : worst_ns;
	}
}

/* A row for what `work` does to the thread. A program that cannot make its objects says so. */
static void measure(const char *name, int (*work)(void))
{
	struct thrd_spawn_args a = { .start_func = (uintptr_t)watch };
	struct thread t;

	atomic_store(&over, 0);
	worst_ns = 0;
	int r = twz_thread_spawn(&t, &a);
	if (r == 0) {
		/* A mapping alone does not keep it: the view is invalidated. */
		twz_object_tie(NULL, &t.obj, 0);
		twz_sleep_ns(2 * PERIOD_NS);
		r = work();
		atomic_store(&over, 1);
		twz_thread_join(&t, NULL, 0);
		twz_thread_release(&t);
	}
	if (r < 0) {
		kec_printf("bench: rt_late_%s failed (error %d)\n", name, -r);
		failed = 1;
		return;
	}
	kec_printf("bench: rt_late_%s %lu instructions\n", name, (unsigned long)worst_ns);
}

static int idle(void)
{
	twz_sleep_ns(40 * PERIOD_NS);
	return 0;
}

static int fill(twzobj *o, uint16_t backing)
{
	int r = twz_object_new(o, NULL, NULL, backing, NEW_FLAGS);

	for (uint64_t p = 0; r == 0 && p < PAGES; p++)
		((volatile uint64_t *)twz_object_base(o))[p * TWZ_PAGE_SIZE / sizeof(uint64_t)] = p;
	return r;
}

static twzobj big;

static int touch(void)
{
	return fill(&big, OBJ_VOLATILE);
}

static int copy_range(void)
{
	objid_t from = twz_object_guid(&big), to;
	int r = twz_object_create(NEW_FLAGS | TWZ_OC_VOLATILE, 0, 0, &to);

	if (r == 0)
		r = (int)sys_ocopy(&to, &from, TWZ_PAGE_SIZE, TWZ_PAGE_SIZE, OBJ_MAXSIZE - 2 * TWZ_PAGE_SIZE, 0);
	twz_object_delete_guid(to, TWZ_OD_IMMEDIATE);
	return r;
}

static int copy_whole(void)
{
	twzobj copy;
	int r = twz_object_new(&copy, &big, NULL, OBJ_VOLATILE, NEW_FLAGS);

	if (r == 0) {
		objid_t id = twz_object_guid(&copy);
		twz_object_release(&copy);
		twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
	}
	return r;
}

static int invalidate(void)
{
	struct sys_invalidate_op op = { .id = KSO_CURRENT_VIEW, .flags = KSOI_VALID | KSOI_CURRENT };
	objid_t id = twz_object_guid(&big);
	size_t first = TWZSLOT_MAX_SLOT / 4 * 3; /* far from those that are given out */

	for (size_t slot = first; slot < first + SLOTS; slot++) {
		twz_view_set(NULL, slot, id, VE_READ);
		*(volatile uint64_t *)(SLOT_TO_VADDR(slot) + OBJ_NULLPAGE_SIZE);
	}
	long r = sys_invalidate(&op, 1);
	for (size_t slot = first; slot < first + SLOTS; slot++)
		twz_view_set(NULL, slot, 0, 0);
	return r < 0 ? (int)r : 0;
}

static int move(void)
{
	return (int)sys_octl(twz_object_guid(&big), OCO_PERSIST, 1, 0, 0);
}

static int delete(void)
{
	objid_t id = twz_object_guid(&big);

	twz_object_release(&big);
	return twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
}

int main(void)
{
	struct twz_sysinfo si;

	sys_sysinfo(&si, sizeof(si));
	measure("idle", idle);
	measure("first_touch", touch);
	measure("ocopy_1GiB", copy_range);
	measure("create_copy_64MiB", copy_whole);
	measure("invalidate_512_slots", invalidate);
	measure("delete_64MiB", delete);
	if (si.pm_free > 80 * MIB) {
		measure("persistent_touch", touch);
		measure("move_64MiB", move);
		measure("delete_moved_64MiB", delete);
	}
	return failed;
}
