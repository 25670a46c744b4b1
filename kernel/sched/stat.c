// SPDX-License-Identifier: BSD-3-Clause
/* What a running thread has cost, and what it does. See sched/stat.h. */
#include <abi/errno.h>
#include <arch/time.h>
#include <base/string.h>
#include <obj/object.h>
#include <sched/queue.h>
#include <sched/stat.h>
#include <sched/thread.h>
#include <sched/time.h>

/* Counted by the CPU that runs the thread: a word that is whole, but maybe not the latest. */
static uint64_t peek(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static uint64_t cpu_ticks(const struct thread *thread, bool running)
{
	uint64_t had = peek(&thread->cpu_ticks), since = peek(&thread->started_at), now = arch_counter();

	return had + (running && now > since ? now - since : 0);
}

static uint32_t state_of(const struct thread *thread, bool running)
{
	if (thread->suspended)
		return TWZ_THREAD_SUSPENDED;
	if (running)
		return TWZ_THREAD_RUNNING;
	return atomic_load_explicit(&thread->queue, memory_order_relaxed) ? TWZ_THREAD_READY
									   : TWZ_THREAD_SLEEPING;
}

static void fill(const struct thread *thread, struct kernel_ostat_thread *stat)
{
	const struct cpu *cpu = atomic_load(&thread->cpu);
	bool running = cpu && cpu->current == thread;

	*stat = (struct kernel_ostat_thread){
		.state = state_of(thread, running),
		.cpu = cpu ? cpu->id : 0,
		.klass = thread->sched.klass,
		.prio = thread->sched.prio,
		.cpu_ns = time_ns_from_ticks(cpu_ticks(thread, running)),
		.switches = peek(&thread->switches),
		.faults = peek(&thread->faults),
		.view = thread->home.view,
		.active = thread->home.active,
	};
}

int thread_stat(struct object *repr, struct kernel_ostat_thread *stat)
{
	spin_lock(&repr->lock);
	const struct thread *thread = repr->thread;
	if (thread)
		fill(thread, stat);
	spin_unlock(&repr->lock);
	return thread ? 0 : -ESRCH;
}
