// SPDX-License-Identifier: BSD-3-Clause
/*
 * The scheduler. Each CPU has a first-in first-out queue; a thread that shares its CPU runs for a
 * slice, one that does not is never interrupted by a tick. Wake-ups go to an idle CPU when there is
 * one; a CPU about to idle looks at the others' queues first.
 */
#include <arch/time.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <mm/space.h>
#include <panic.h>
#include <sched/sched.h>
#include <sched/sync.h>
#include <sched/thread.h>
#include <sched/time.h>

_Static_assert(CONFIG_MAX_CPUS <= 64, "sched_idle_mask holds a bit per CPU");

_Atomic uint64_t sched_idle_mask;
static uint64_t slice_ticks;

void sched_init(void)
{
	slice_ticks = SCHED_SLICE_NS * time_hz() / 1000000000u;
	for (unsigned int i = 0; i < CONFIG_MAX_CPUS; i++) {
		list_init(&cpus[i].run_queue);
		heap_init(&cpus[i].timers);
		atomic_init(&cpus[i].next_timeout, TIMER_NEVER);
		cpus[i].timer_armed = TIMER_NEVER;
	}
}

/* ---- Queues ---- */

static void enqueue(struct cpu *cpu, struct thread *thread)
{
	thread->cpu = cpu;
	spin_lock(&cpu->run_lock);
	list_push_back(&cpu->run_queue, &thread->run_link);
	atomic_fetch_add(&cpu->run_count, 1);
	spin_unlock(&cpu->run_lock);
}

static struct thread *dequeue(struct cpu *cpu)
{
	struct thread *thread = NULL;

	if (atomic_load_explicit(&cpu->run_count, memory_order_relaxed) == 0)
		return NULL;
	spin_lock(&cpu->run_lock);
	struct list *node = list_pop_front(&cpu->run_queue);
	if (node) {
		atomic_fetch_sub(&cpu->run_count, 1);
		thread = list_entry(node, struct thread, run_link);
	}
	spin_unlock(&cpu->run_lock);
	return thread;
}

static struct thread *steal(struct cpu *thief)
{
	for (unsigned int i = 1; i < cpu_count; i++) {
		struct thread *thread = dequeue(&cpus[(thief->id + i) % cpu_count]);
		if (thread)
			return thread;
	}
	return NULL;
}

/* Where a woken thread should run: where its state is warm if that is idle, else any idle CPU. */
static struct cpu *choose_cpu(struct thread *thread)
{
	struct cpu *last = thread->cpu ? thread->cpu : this_cpu();
	uint64_t idle = atomic_load(&sched_idle_mask);

	if (idle == 0 || (idle & (1ull << last->id)))
		return last;
	return &cpus[bit_lowest(idle)];
}

void sched_wake(struct thread *thread)
{
	struct cpu *cpu = choose_cpu(thread);

	enqueue(cpu, thread);
	/* Sequentially consistent with the idle loop: it sees the thread, or we see it idle. */
	atomic_store(&cpu->resched, 1);
	if (cpu != this_cpu())
		arch_ipi_send(cpu);
}

/* ---- The current thread ---- */

struct thread *sched_detach_current(void)
{
	struct cpu *cpu = this_cpu();
	struct thread *thread = cpu->current;
	uint64_t ran = arch_counter() - thread->started_at;

	thread->cpu_ticks += ran;
	/* In this order: who adds up a program's time may miss some of it, but counts none twice. */
	atomic_store_explicit(&cpu->run_view, NULL, memory_order_relaxed);
	atomic_fetch_add_explicit(&thread->space->view->view_ticks, ran, memory_order_release);
	arch_thread_out(thread);
	cpu->current = NULL;
	cpu->slice_end = 0;
	atomic_store_explicit(&cpu->resched, 1, memory_order_relaxed);
	return thread;
}

void sched_attach_current(struct thread *thread)
{
	struct cpu *cpu = this_cpu();

	thread->cpu = cpu;
	thread->switches++;
	thread->started_at = arch_counter();
	atomic_store_explicit(&cpu->run_since, thread->started_at, memory_order_relaxed);
	atomic_store_explicit(&cpu->run_view, thread->space->view, memory_order_release);
	cpu->current = thread;
	cpu->switch_count++;
	space_install(thread->space);
	arch_thread_in(thread);
}

void sched_yield(void)
{
	this_cpu()->slice_end = 1;
	atomic_store_explicit(&this_cpu()->resched, 1, memory_order_relaxed);
}

/* Threads compete for this CPU: the current one gets a slice, and goes to the back after it. */
static void share_cpu(struct cpu *cpu)
{
	if (atomic_load_explicit(&cpu->run_count, memory_order_relaxed) == 0) {
		cpu->slice_end = 0;
		return;
	}
	uint64_t now = arch_counter();
	if (cpu->slice_end == 0) {
		cpu->slice_end = now + slice_ticks;
	} else if (now >= cpu->slice_end) {
		struct thread *thread = sched_detach_current();
		enqueue(cpu, thread);
	}
}

/* ---- Timer ---- */

void sched_program_timer(struct cpu *cpu)
{
	uint64_t due = atomic_load_explicit(&cpu->next_timeout, memory_order_relaxed);

	if (cpu->slice_end && cpu->slice_end < due)
		due = cpu->slice_end;
	/* A timer set earlier than needed fires once for nothing; that is cheaper than setting it again. */
	if (due < cpu->timer_armed) {
		cpu->timer_armed = due;
		arch_timer_set(due);
	}
}

void upcall_timer(void)
{
	struct cpu *cpu = this_cpu();

	cpu->irq_count++;
	cpu->timer_armed = TIMER_NEVER;
	sync_expire(cpu, arch_counter());
	atomic_store_explicit(&cpu->resched, 1, memory_order_relaxed);
}

void upcall_ipi(void)
{
	this_cpu()->irq_count++;
	if (panic_active())
		panic_park();
	atomic_store_explicit(&this_cpu()->resched, 1, memory_order_relaxed);
}

/* ---- Settling what runs ---- */

static void idle(struct cpu *cpu)
{
	uint64_t bit = 1ull << cpu->id;

	space_install(NULL);
	atomic_fetch_or(&sched_idle_mask, bit);
	if (atomic_load(&cpu->run_count) == 0) {
		sched_program_timer(cpu);
		arch_idle_wait();
	}
	atomic_fetch_and(&sched_idle_mask, ~bit);
	arch_irq_poll();
}

static void pick_next(struct cpu *cpu)
{
	struct thread *thread = dequeue(cpu);

	if (!thread)
		thread = steal(cpu);
	if (thread)
		sched_attach_current(thread);
	else
		idle(cpu);
}

struct thread *upcall_return(void)
{
	struct cpu *cpu = this_cpu();

	for (;;) {
		if (panic_active())
			panic_park();
		atomic_store(&cpu->resched, 0);
		if (cpu->current)
			share_cpu(cpu);
		if (!cpu->current) {
			pick_next(cpu);
			atomic_store(&cpu->resched, 1);
			continue;
		}
		struct thread *thread = cpu->current;
		if (thread->resume) {
			void (*resume)(struct thread *) = thread->resume;
			thread->resume = NULL;
			resume(thread);
			if (cpu->current != thread)
				continue;
		}
		sched_program_timer(cpu);
		if (atomic_load(&cpu->resched) == 0)
			return thread;
	}
}

_Noreturn void sched_start(void)
{
	atomic_store(&this_cpu()->resched, 1);
	arch_user_enter(upcall_return());
}
