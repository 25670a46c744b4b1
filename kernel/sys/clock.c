// SPDX-License-Identifier: BSD-3-Clause
/*
 * The system call about time. Programs read the monotonic and the real clock without it
 * (abi/clock.h).
 */
#include <abi/clock.h>
#include <abi/errno.h>
#include <abi/kso.h>
#include <abi/object.h>
#include <arch/time.h>
#include <base/bits.h>
#include <cpu.h>
#include <mm/space.h>
#include <mm/usercopy.h>
#include <obj/object.h>
#include <sched/thread.h>
#include <sched/time.h>
#include <sched/wall.h>
#include <sec/check.h>
#include <sys/calls.h>

#define NS_PER_S 1000000000u

static uint64_t thread_cpu_ns(const struct thread *thread)
{
	return time_ns_from_ticks(thread->cpu_ticks + arch_counter() - thread->started_at);
}

/*
 * Of all threads that ever ran in the view: what they had when they last left a CPU, and since then
 * where they run. A thread that leaves one meanwhile is missed; so what was told before is the
 * least.
 */
static uint64_t program_cpu_ticks(struct object *view)
{
	spin_lock(&view->lock);
	uint64_t ticks = atomic_load_explicit(&view->view_ticks, memory_order_acquire);
	for (unsigned int i = 0; i < cpu_count; i++) {
		if (atomic_load_explicit(&cpus[i].run_view, memory_order_acquire) != view)
			continue;
		uint64_t since = atomic_load_explicit(&cpus[i].run_since, memory_order_relaxed);
		uint64_t now = arch_counter();
		ticks += now > since ? now - since : 0;
	}
	view->view_reported = MAX(view->view_reported, ticks);
	ticks = view->view_reported;
	spin_unlock(&view->lock);
	return ticks;
}

static long get(unsigned long clock, uint64_t *ns)
{
	switch (clock) {
	case TWZ_CLOCK_REAL:
		*ns = wall_now_ns();
		return 0;
	case TWZ_CLOCK_MONOTONIC:
		*ns = time_now_ns();
		return 0;
	case TWZ_CLOCK_THREAD_CPU:
		*ns = thread_cpu_ns(current_thread());
		return 0;
	case TWZ_CLOCK_PROGRAM_CPU:
		*ns = time_ns_from_ticks(program_cpu_ticks(current_thread()->space->view));
		return 0;
	default:
		return -EINVAL;
	}
}

static bool timespec_ok(const struct twz_timespec *ts)
{
	return ts->tv_sec >= 0 && (uint64_t)ts->tv_sec < TWZ_CLOCK_REAL_MAX_NS / NS_PER_S &&
	       ts->tv_nsec >= 0 && ts->tv_nsec < NS_PER_S;
}

static long may_set(void)
{
	struct object *root = object_get(KSO_ROOT_ID);

	if (!root)
		return -ENOENT;
	long error = sec_allows(current_thread(), root, SEC_OP_CHANGE_MACHINE);
	object_put(root);
	return error;
}

/* Only the real clock can be set; what is asked of another is checked all the same. */
static long set(unsigned long clock, uintptr_t ts_at)
{
	struct twz_timespec ts;
	long error = copy_from_user(&ts, ts_at, sizeof(ts));

	if (error)
		return error;
	if (clock != TWZ_CLOCK_REAL || !timespec_ok(&ts))
		return -EINVAL;
	error = may_set();
	return error ? error : wall_set_ns((uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec);
}

/* clock op timespec* */
long sys_clock(SYS_ARGS)
{
	uint64_t ns;

	SYS_UNUSED();
	if (a1 > TWZ_CLOCK_SET)
		return -EINVAL;
	if (a1 == TWZ_CLOCK_SET)
		return set(a0, a2);
	long error = get(a0, &ns);
	if (error)
		return error;
	if (a1 == TWZ_CLOCK_RESOLUTION)
		ns = MAX(NS_PER_S / time_hz(), 1ull);
	const struct twz_timespec ts = { ns / NS_PER_S, ns % NS_PER_S };
	return copy_to_user(a2, &ts, sizeof(ts));
}
