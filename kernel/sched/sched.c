// SPDX-License-Identifier: BSD-3-Clause
/*
 * The scheduler, see sched/sched.h and docs/scheduling.md.
 *
 * Virtual time. What a NORMAL thread has had is counted in ticks, divided by its weight; the one
 * that had least is next. Each CPU has its own scale: a thread that moves keeps its distance to
 * those around it.
 */
#include <abi/thread.h>
#include <arch/time.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <debug.h>
#include <log.h>
#include <mm/reserve.h>
#include <mm/space.h>
#include <obj/object.h>
#include <panic.h>
#include <sched/control.h>
#include <sched/sched.h>
#include <sched/sync.h>
#include <sched/thread.h>
#include <sched/time.h>
#include <trace.h>
#include <sec/attach.h>
#include <sys/dispatch.h>

_Static_assert(CONFIG_MAX_CPUS <= 64, "masks hold a bit per CPU");

#define RATE_SHIFT 16
#define NORMAL_PRIOS 40u
#define VIRTUAL_START (1ull << 48) /* so that a credit never goes below 0 */

_Atomic uint64_t sched_idle_mask;
static _Atomic uint64_t rt_mask;     /* CPUs in whose queue a thread above NORMAL waits */
static _Atomic uint64_t online_mask; /* CPUs that run threads */
static uint64_t slice_ticks;
static uint64_t credit_ticks;        /* what a sleeper may be behind the others when it wakes */
static uint32_t rates[NORMAL_PRIOS]; /* of virtual time, by priority; 1 << RATE_SHIFT for the default */

/* Each step of priority is a factor of 1.25. */
static void rates_init(void)
{
	uint64_t rate = 1ull << (RATE_SHIFT + 8);

	for (unsigned int prio = TWZ_SCHED_DEFAULT_PRIO; prio < NORMAL_PRIOS; prio++, rate = rate * 5 / 4)
		rates[prio] = (uint32_t)(rate >> 8);
	rate = 1ull << (RATE_SHIFT + 8);
	for (unsigned int prio = TWZ_SCHED_DEFAULT_PRIO; prio-- > 0;) {
		rate = rate * 4 / 5;
		rates[prio] = (uint32_t)(rate >> 8);
	}
}

void sched_init(void)
{
	slice_ticks = SCHED_SLICE_NS * time_hz() / 1000000000u;
	credit_ticks = slice_ticks / 2;
	rates_init();
	atomic_store(&online_mask, 1);
	for (unsigned int i = 0; i < CONFIG_MAX_CPUS; i++) {
		queue_init(&cpus[i].queue);
		cpus[i].queue.virtual_time = VIRTUAL_START;
		heap_init(&cpus[i].timers);
		atomic_init(&cpus[i].next_timeout, TIMER_NEVER);
		cpus[i].timer_armed = TIMER_NEVER;
	}
}

static uint64_t bit_of(const struct cpu *cpu)
{
	return 1ull << cpu->id;
}

void sched_kick(struct cpu *cpu)
{
	atomic_store(&cpu->resched, 1);
	if (cpu != this_cpu())
		arch_ipi_send(cpu);
}

/* ---- Parameters ---- */

uint32_t sched_level(const struct thread *thread)
{
	uint32_t level = atomic_load_explicit(&thread->level, memory_order_relaxed);
	uint32_t lent = atomic_load_explicit(&thread->lent, memory_order_relaxed);

	if (atomic_load_explicit(&thread->urgent, memory_order_relaxed))
		return LEVEL_STOP;
	return MAX(level, lent);
}

static uint32_t level_of(const struct sched_values *values)
{
	switch (values->klass) {
	case TWZ_SCHED_RT: return LEVEL_RT(values->prio);
	case TWZ_SCHED_IDLE: return LEVEL_IDLE;
	default: return LEVEL_NORMAL;
	}
}

/* A turn in ticks: what it asked for if it is real time, else ours. */
static uint64_t slice_of(const struct sched_values *values)
{
	uint64_t ns = values->slice_ns;

	if (values->klass != TWZ_SCHED_RT)
		return slice_ticks;
	if (ns == 0)
		return 0;
	ns = MIN(MAX(ns, (uint64_t)SCHED_SLICE_MIN_NS), 1000000000ull);
	return MAX(ns * time_hz() / 1000000000u, 1ul);
}

void sched_set(struct thread *thread, const struct sched_values *values)
{
	uint32_t prio = values->klass == TWZ_SCHED_NORMAL ? values->prio : TWZ_SCHED_DEFAULT_PRIO;

	thread->sched = *values;
	atomic_store(&thread->rate, rates[prio]);
	atomic_store(&thread->slice, slice_of(values));
	atomic_store(&thread->affinity, values->affinity);
	atomic_store(&thread->level, level_of(values));
}

void sched_inherit(struct thread *thread, const struct thread *parent)
{
	static const struct sched_values first = {
		.klass = TWZ_SCHED_NORMAL,
		.prio = TWZ_SCHED_DEFAULT_PRIO,
		.affinity = AFFINITY_ALL,
	};
	const struct sched_values *values = parent ? &parent->sched : &first;

	thread->sched_floor = values->klass == TWZ_SCHED_NORMAL ? values->prio :
			      parent ? parent->sched_floor : TWZ_SCHED_DEFAULT_PRIO;
	sched_set(thread, values);
}

/* ---- Virtual time ---- */

/* What the current thread of a CPU has had by now, as far as others can tell. */
static uint64_t running_time(const struct cpu *cpu, uint64_t now)
{
	uint64_t stamp = atomic_load_explicit(&cpu->fair_stamp, memory_order_relaxed);
	uint64_t had = now > stamp ? now - stamp : 0;

	return atomic_load_explicit(&cpu->fair_time, memory_order_relaxed) +
	       (had * atomic_load_explicit(&cpu->fair_rate, memory_order_relaxed) >> RATE_SHIFT);
}

static uint32_t running_level(const struct cpu *cpu)
{
	return atomic_load(&cpu->running_level);
}

static bool runs_normal(const struct cpu *cpu)
{
	return atomic_load_explicit(&cpu->running_level, memory_order_relaxed) == LEVEL_NORMAL;
}

/* Where the CPU's virtual time is: at the least that anybody there has had. Queue lock held. */
static uint64_t advance_virtual_time(struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;
	uint64_t least = queue_least(queue);

	if (runs_normal(cpu))
		least = MIN(least, running_time(cpu, arch_counter()));
	if (least != UINT64_MAX && least > queue->virtual_time)
		queue->virtual_time = least;
	return queue->virtual_time;
}

/*
 * A thread comes to a CPU: what it has had, on that CPU's scale. Queue lock held. Where threads
 * take turns the scale is looked after at each of them; a thread that was alone may be far ahead of
 * it.
 */
static void place(struct cpu *cpu, struct thread *thread)
{
	if (atomic_load_explicit(&cpu->slice_end, memory_order_relaxed) == 0)
		advance_virtual_time(cpu);
	uint64_t base = cpu->queue.virtual_time;

	if (thread->fair_cpu != cpu) {
		uint64_t ahead = thread->fair_cpu ? thread->virtual_time - thread->virtual_base : 0;
		/*
		 * No more than a few turns ahead or behind, whatever the two scales did meanwhile.
		 */
		if ((int64_t)ahead > (int64_t)(8 * slice_ticks))
			ahead = 8 * slice_ticks;
		thread->virtual_time = base + ahead;
		thread->fair_cpu = cpu;
	}
	if (thread->virtual_time + credit_ticks < base)
		thread->virtual_time = base - credit_ticks;
}

/*
 * Count what the current thread had since it was last counted; run_begin() is to follow if it goes
 * on.
 */
static void charge(struct cpu *cpu, struct thread *thread, uint64_t now)
{
	uint64_t had = now - thread->started_at;

	thread->cpu_ticks += had;
	thread->started_at = now;
	/*
	 * In this order: who adds up a program's time may miss some of it, but counts none twice.
	 */
	atomic_store_explicit(&cpu->run_view, NULL, memory_order_relaxed);
	atomic_fetch_add_explicit(&thread->space->view->view_ticks, had, memory_order_release);
	if (running_level(cpu) == LEVEL_NORMAL)
		thread->virtual_time += had * atomic_load_explicit(&thread->rate, memory_order_relaxed) >> RATE_SHIFT;
}

/* The current thread runs from thread->started_at on. */
static void run_begin(struct cpu *cpu, struct thread *thread)
{
	atomic_store_explicit(&cpu->fair_time, thread->virtual_time, memory_order_relaxed);
	atomic_store_explicit(&cpu->fair_stamp, thread->started_at, memory_order_relaxed);
	atomic_store_explicit(&cpu->fair_rate, atomic_load_explicit(&thread->rate, memory_order_relaxed),
			      memory_order_relaxed);
	atomic_store_explicit(&cpu->run_since, thread->started_at, memory_order_relaxed);
	atomic_store_explicit(&cpu->run_view, thread->space->view, memory_order_release);
}

/* ---- Queues ---- */

/* The CPUs a thread may run on and that run threads. */
static uint64_t allowed_cpus(const struct thread *thread)
{
	uint64_t online = atomic_load_explicit(&online_mask, memory_order_relaxed);
	uint64_t allowed = atomic_load_explicit(&thread->affinity, memory_order_relaxed) & online;

	return allowed ? allowed : online; /* a CPU of its own that never came up */
}

static bool may_stay(const struct cpu *cpu, const struct thread *thread)
{
	return atomic_load_explicit(&thread->affinity, memory_order_relaxed) == AFFINITY_ALL ||
	       (allowed_cpus(thread) & bit_of(cpu));
}

/* The allowed CPU that runs what matters least, if that matters less than `level`. */
static struct cpu *lowest_cpu(uint64_t allowed, uint32_t level)
{
	struct cpu *lowest = NULL;

	for (unsigned int i = 0; i < cpu_count; i++) {
		if ((allowed >> i & 1) && running_level(&cpus[i]) < level) {
			level = running_level(&cpus[i]);
			lowest = &cpus[i];
		}
	}
	return lowest;
}

static struct cpu *shortest_queue(uint64_t allowed)
{
	struct cpu *shortest = NULL;
	uint32_t least = UINT32_MAX;

	for (unsigned int i = 0; i < cpu_count; i++) {
		uint32_t count = atomic_load_explicit(&cpus[i].queue.count, memory_order_relaxed);
		if ((allowed >> i & 1) && count < least) {
			least = count;
			shortest = &cpus[i];
		}
	}
	return shortest;
}

/*
 * Where a thread should wait: where its state is warm if it can run there at once, else where it
 * can run at once, else where its state is warm.
 */
static struct cpu *choose_cpu(struct thread *thread, uint32_t level)
{
	if (cpu_count == 1)
		return &cpus[0];
	struct cpu *last = atomic_load_explicit(&thread->cpu, memory_order_relaxed);
	uint64_t allowed = allowed_cpus(thread);
	uint64_t idle = atomic_load(&sched_idle_mask) & allowed;

	if (!last)
		last = this_cpu();
	bool stays = allowed & bit_of(last);
	if (stays && (idle & bit_of(last)))
		return last;
	if (idle)
		return &cpus[bit_lowest(idle)];
	if (stays && running_level(last) < level)
		return last;
	struct cpu *lower = lowest_cpu(allowed, level);
	return lower ? lower : stays ? last : shortest_queue(allowed);
}

static void publish_top(struct cpu *cpu)
{
	bool rt = atomic_load_explicit(&cpu->queue.top, memory_order_relaxed) > LEVEL_NORMAL;
	bool shown = atomic_load_explicit(&rt_mask, memory_order_relaxed) & bit_of(cpu);

	if (rt && !shown)
		atomic_fetch_or(&rt_mask, bit_of(cpu));
	else if (!rt && shown)
		atomic_fetch_and(&rt_mask, ~bit_of(cpu));
}

static void begin_turn(struct cpu *cpu, struct thread *thread)
{
	uint64_t slice = atomic_load_explicit(&thread->slice, memory_order_relaxed);

	if (slice && thread->slice_left)
		slice = MIN(slice, thread->slice_left);
	thread->slice_left = 0;
	atomic_store(&cpu->slice_end, slice ? arch_counter() + slice : UINT64_MAX);
}

/*
 * The current thread no longer has its CPU to itself. False: its CPU must see to that, it is not
 * this one.
 */
static bool begin_turns(struct cpu *cpu)
{
	struct thread *current = cpu->current;

	if (cpu != this_cpu() || !current)
		return false;
	begin_turn(cpu, current);
	sched_program_timer(cpu);
	return true;
}

/* Does the CPU have to look at what it runs because this thread came? Queue lock held. */
static bool disturbs(struct cpu *cpu, const struct thread *thread, uint32_t level)
{
	uint32_t running = running_level(cpu);

	if (level != running)
		return level > running;
	if (atomic_load(&cpu->slice_end) == 0 && !begin_turns(cpu))
		return true;
	if (level != LEVEL_NORMAL || thread->virtual_time + credit_ticks / 2 >
				     atomic_load_explicit(&cpu->fair_time, memory_order_relaxed))
		return false;
	atomic_store(&cpu->preempt, 1);
	return true;
}

/* Somebody waits where he cannot run at once: is there a CPU that came free for him meanwhile? */
static void call_for_help(struct cpu *cpu, uint64_t allowed, uint32_t level)
{
	uint64_t idle = atomic_load(&sched_idle_mask) & allowed & ~bit_of(cpu);

	if (idle) {
		sched_kick(&cpus[bit_lowest(idle)]);
	} else if (level > LEVEL_NORMAL) {
		struct cpu *lower = lowest_cpu(allowed & ~bit_of(cpu), level);
		if (lower)
			sched_kick(lower);
	}
}

static void enqueue(struct cpu *cpu, struct thread *thread, bool front)
{
	spin_lock(&cpu->queue.lock);
	/*
	 * In this order with sched_refresh(): it finds the thread here, or we find its new values.
	 * The fence is for the values, which are read without an order of their own.
	 */
	atomic_store_explicit(&thread->cpu, cpu, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	uint32_t level = sched_level(thread);
	uint64_t allowed = cpu_count > 1 ? allowed_cpus(thread) : 0;
	if (level == LEVEL_NORMAL)
		place(cpu, thread);
	queue_insert(&cpu->queue, thread, level, front);
	if (level > LEVEL_NORMAL)
		publish_top(cpu);
	bool kick = disturbs(cpu, thread, level);
	spin_unlock(&cpu->queue.lock);
	if (kick)
		sched_kick(cpu);
	else if (cpu_count > 1)
		call_for_help(cpu, allowed, level); /* the thread may be gone by now */
}

/* Queue lock held. */
static void take_out(struct cpu *cpu, struct thread *thread)
{
	bool rt = thread->queued_level > LEVEL_NORMAL;

	queue_remove(&cpu->queue, thread);
	if (rt)
		publish_top(cpu);
	thread->virtual_base = cpu->queue.virtual_time;
}

static struct thread *dequeue(struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;

	if (atomic_load(&queue->count) == 0)
		return NULL;
	spin_lock(&queue->lock);
	struct thread *thread = queue_first(queue);
	if (thread) {
		if (thread->queued_level == LEVEL_NORMAL && thread->virtual_time > queue->virtual_time)
			queue->virtual_time = thread->virtual_time;
		take_out(cpu, thread);
	}
	spin_unlock(&queue->lock);
	return thread;
}

/* Take a thread above level `above` from another CPU's queue. */
static struct thread *take_from(struct cpu *other, struct cpu *cpu, uint32_t above)
{
	struct thread *thread;

	if (atomic_load(&other->queue.top) <= above)
		return NULL;
	spin_lock(&other->queue.lock);
	thread = queue_find(&other->queue, above, bit_of(cpu));
	if (thread)
		take_out(other, thread);
	spin_unlock(&other->queue.lock);
	return thread;
}

static struct thread *steal(struct cpu *cpu, uint32_t above)
{
	for (unsigned int i = 1; i < cpu_count; i++) {
		struct thread *thread = take_from(&cpus[(cpu->id + i) % cpu_count], cpu, above);
		if (thread)
			return thread;
	}
	return NULL;
}

/* A real-time thread that waits elsewhere, above level `above`; most of the time there is none. */
static struct thread *pull(struct cpu *cpu, uint32_t above)
{
	if ((atomic_load(&rt_mask) & ~bit_of(cpu)) == 0)
		return NULL;
	return steal(cpu, MAX(above, LEVEL_NORMAL));
}

void sched_wake(struct thread *thread)
{
	TRACE(TWZ_TRACE_WAKES, TWZ_EVENT_WAKE, 0, ID_LO(thread->id));
	enqueue(choose_cpu(thread, sched_level(thread)), thread, false);
}

void sched_refresh(struct thread *thread)
{
	for (;;) {
		struct cpu *cpu = atomic_load(&thread->cpu);
		if (!cpu)
			return; /* it has never been runnable: all it takes is to come */
		spin_lock(&cpu->queue.lock);
		bool here = atomic_load(&thread->cpu) == cpu;
		/*
		 * Only its queue itself says so for sure: another CPU may have taken it from here, and
		 * be about to put it into its own.
		 */
		bool queued = atomic_load_explicit(&thread->queue, memory_order_relaxed) == &cpu->queue;
		if (queued)
			take_out(cpu, thread);
		spin_unlock(&cpu->queue.lock);
		if (queued)
			sched_wake(thread);
		else if (here)
			sched_kick(cpu); /* it may be running there; else no harm is done */
		if (here)
			return;
	}
}

/* ---- The current thread ---- */

struct thread *sched_detach_current(void)
{
	struct cpu *cpu = this_cpu();
	struct thread *thread = cpu->current;

	charge(cpu, thread, arch_counter());
	thread->virtual_base = cpu->queue.virtual_time;
	arch_thread_out(thread);
	cpu->current = NULL;
	atomic_store_explicit(&cpu->resched, 1, memory_order_relaxed);
	return thread;
}

void sched_attach_current(struct thread *thread)
{
	struct cpu *cpu = this_cpu();
	uint32_t level = sched_level(thread);

	/*
	 * Time-shared threads look at their turns at fixed times; all others have turns of their
	 * own.
	 */
	if (level != LEVEL_NORMAL || !runs_normal(cpu))
		atomic_store_explicit(&cpu->slice_end, 0, memory_order_relaxed);
	atomic_store_explicit(&thread->cpu, cpu, memory_order_relaxed);
	thread->switches++;
	thread->started_at = arch_counter();
	run_begin(cpu, thread);
	atomic_store_explicit(&cpu->preempt, 0, memory_order_relaxed);
	cpu->current = thread;
	cpu->stats->switches++;
	TRACE(TWZ_TRACE_SWITCHES, TWZ_EVENT_SWITCH, 0, 0);
	/*
	 * All this is published before the queues and the thread's values are looked at, which
	 * upcall_return() does next.
	 */
	atomic_store_explicit(&cpu->running_level, level, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	space_install(thread->space);
	arch_thread_in(thread);
}

void sched_yield(void)
{
	struct cpu *cpu = this_cpu();

	atomic_store_explicit(&cpu->slice_end, 1, memory_order_relaxed);
	atomic_store_explicit(&cpu->preempt, 2, memory_order_relaxed);
	atomic_store_explicit(&cpu->resched, 1, memory_order_relaxed);
}

/*
 * Take the current thread off; it waits on, here or elsewhere. `level`: what runs here from now on.
 */
static void requeue(struct cpu *cpu, uint32_t level, bool front)
{
	uint64_t end = atomic_load_explicit(&cpu->slice_end, memory_order_relaxed);
	struct thread *thread = sched_detach_current();
	uint64_t now = thread->started_at; /* it was counted up to now */

	thread->slice_left = front && end > now && end != UINT64_MAX ? end - now : 0;
	if (end != 0 && thread->slice_left == 0 && end != UINT64_MAX)
		front = false; /* its turn was over anyway */
	atomic_store(&cpu->running_level, level);
	struct cpu *to = choose_cpu(thread, sched_level(thread));
	/*
	 * Taking turns evens out the queues: a shorter one elsewhere is where the next turn is
	 * sooner.
	 */
	if (to == cpu && !front && cpu_count > 1) {
		struct cpu *shortest = shortest_queue(allowed_cpus(thread));
		if (atomic_load(&shortest->queue.count) < atomic_load(&cpu->queue.count) &&
		    running_level(shortest) <= level)
			to = shortest;
	}
	enqueue(to, thread, front);
}

/* The end of a turn: whether another one is to run now. */
static bool turn_is_over(struct cpu *cpu, struct thread *thread, uint32_t level, bool yields)
{
	uint64_t now = arch_counter();
	bool preempt = atomic_exchange(&cpu->preempt, 0) != 0;
	uint64_t end = atomic_load_explicit(&cpu->slice_end, memory_order_relaxed);

	if (end > now && !preempt)
		return false;
	if (level != LEVEL_NORMAL)
		return true;
	charge(cpu, thread, now);
	run_begin(cpu, thread);
	spin_lock(&cpu->queue.lock);
	uint64_t least = queue_least(&cpu->queue);
	advance_virtual_time(cpu);
	spin_unlock(&cpu->queue.lock);
	/* Who gives way comes after the next one, whatever it has had. */
	if (yields && least != UINT64_MAX && least >= thread->virtual_time)
		thread->virtual_time = least + 1;
	return least <= thread->virtual_time;
}

/*
 * Threads of one level compete for this CPU, the current one among them. True: it goes to the back.
 */
static bool take_turns(struct cpu *cpu, struct thread *thread, uint32_t level)
{
	uint64_t end = atomic_load_explicit(&cpu->slice_end, memory_order_relaxed);
	bool yields = atomic_load_explicit(&cpu->preempt, memory_order_relaxed) == 2;
	bool fifo = atomic_load_explicit(&thread->slice, memory_order_relaxed) == 0;

	if (end != 0 && (!fifo || yields) && turn_is_over(cpu, thread, level, yields)) {
		/* The next one has a turn of its own. */
		atomic_store_explicit(&cpu->slice_end, 0, memory_order_relaxed);
		return true;
	}
	if (end == 0 || fifo != (end == UINT64_MAX) || end <= arch_counter())
		begin_turn(cpu, thread);
	return false;
}

/* Nobody competes with the current thread, as far as the queue says now. */
static uint32_t be_alone(struct cpu *cpu)
{
	atomic_store(&cpu->slice_end, 0);
	atomic_store_explicit(&cpu->preempt, 0, memory_order_relaxed);
	return atomic_load(&cpu->queue.top); /* who came before he could see the 0 is seen here */
}

/* Nobody waits at the level of the current thread, or above. */
static bool is_alone(struct cpu *cpu, uint32_t level)
{
	uint64_t end = atomic_load_explicit(&cpu->slice_end, memory_order_relaxed);

	if (atomic_load(&cpu->queue.top) >= level)
		return false;
	/* The end of a turn is left standing until it comes: competition may be back before. */
	return end == 0 || end > arch_counter() || be_alone(cpu) < level;
}

/* Whether the current thread goes on; if not, it is taken off. */
static void settle_current(struct cpu *cpu)
{
	struct thread *thread = cpu->current;
	uint32_t level = sched_level(thread);

	if (running_level(cpu) != level)
		atomic_store(&cpu->running_level, level);
	if (!may_stay(cpu, thread)) {
		requeue(cpu, LEVEL_NORMAL, true);
		return;
	}
	struct thread *pulled = pull(cpu, level);
	if (pulled)
		enqueue(cpu, pulled, true);
	if (is_alone(cpu, level))
		return;
	uint32_t top = atomic_load(&cpu->queue.top);
	if (top > level)
		requeue(cpu, top, true);
	else if (top == level && take_turns(cpu, thread, level))
		requeue(cpu, level, false);
}

/* ---- Timer ---- */

/* A timer set earlier than needed fires once for nothing; that is cheaper than setting it again. */
static void arm_timer(struct cpu *cpu, uint64_t due)
{
	if (due < cpu->timer_armed) {
		cpu->timer_armed = due;
		arch_timer_set(due);
	}
}

void sched_program_timer(struct cpu *cpu)
{
	uint64_t due = atomic_load_explicit(&cpu->next_timeout, memory_order_relaxed);
	uint64_t end = atomic_load_explicit(&cpu->slice_end, memory_order_relaxed);

	if (end && end < due)
		due = end;
	arm_timer(cpu, due);
}

void upcall_timer(void)
{
	struct cpu *cpu = this_cpu();

	cpu->stats->timer++;
	TRACE(TWZ_TRACE_INTERRUPTS, TWZ_EVENT_INTERRUPT, TWZ_INTERRUPT_TIMER, 0);
	cpu->timer_armed = TIMER_NEVER;
	sync_expire(cpu, arch_counter());
	atomic_store_explicit(&cpu->resched, 1, memory_order_relaxed);
}

void upcall_ipi(void)
{
	this_cpu()->stats->calls++;
	TRACE(TWZ_TRACE_INTERRUPTS, TWZ_EVENT_INTERRUPT, TWZ_INTERRUPT_CALL, 0);
	if (panic_active())
		panic_park();
	atomic_store_explicit(&this_cpu()->resched, 1, memory_order_relaxed);
}

/* ---- Settling what runs ---- */

static void wait_for_work(struct cpu *cpu)
{
	uint64_t start = arch_counter();

	TRACE(TWZ_TRACE_SWITCHES, TWZ_EVENT_IDLE, 0, 0);
	arch_idle_wait();
	cpu->stats->idle_ticks += arch_counter() - start;
	cpu->stats->idles++;
}

/* Nothing to run here. Others see that before this CPU looks at their queues a last time. */
static struct thread *idle(struct cpu *cpu)
{
	space_install(NULL);
	atomic_store(&cpu->running_level, LEVEL_NONE);
	atomic_store_explicit(&cpu->slice_end, 0, memory_order_relaxed); /* no turn ends here */
	atomic_fetch_or(&sched_idle_mask, bit_of(cpu));
	struct thread *thread = dequeue(cpu);
	if (!thread)
		thread = steal(cpu, LEVEL_NONE);
	if (!thread && !object_remains_step()) {
		reserve_fill();
		sched_program_timer(cpu);
		wait_for_work(cpu);
	}
	atomic_fetch_and(&sched_idle_mask, ~bit_of(cpu));
	arch_irq_poll();
	return thread;
}

static void pick_next(struct cpu *cpu)
{
	struct thread *thread = pull(cpu, atomic_load(&cpu->queue.top));

	if (!thread)
		thread = dequeue(cpu);
	if (!thread)
		thread = idle(cpu);
	if (thread)
		sched_attach_current(thread);
}

/*
 * Do what is left to do for the current thread before it returns. False: look again at what runs.
 */
static bool finish_kernel_work(struct cpu *cpu, struct thread *thread)
{
	/* One that waits for another to stop can itself be stopped meanwhile. */
	if (thread->watched && atomic_load(&thread->pending) != 0) {
		control_deliver(thread, false);
		if (cpu->current != thread)
			return false;
	}
	if (thread->resume) {
		void (*resume)(struct thread *) = thread->resume;
		thread->resume = NULL;
		resume(thread);
		if (cpu->current != thread || thread->resume)
			return false;
	}
	return true;
}

struct thread *upcall_return(void)
{
	struct cpu *cpu = this_cpu();
	const struct thread *signalled = NULL; /* has been given a signal: one is enough for one return */
	uint64_t since = stay_begin();

	for (;;) {
		if (panic_active())
			panic_park();
		atomic_store(&cpu->resched, 0);
		if (atomic_load_explicit(&log_wake_wanted, memory_order_relaxed))
			log_wake();
		if (cpu->current)
			settle_current(cpu);
		atomic_store_explicit(&cpu->settled, atomic_load_explicit(&cpu->settled, memory_order_relaxed) + 1,
				      memory_order_release);
		if (!cpu->current) {
			stay_end_return(since);
			pick_next(cpu);
			since = stay_begin();
			atomic_store(&cpu->resched, 1);
			continue;
		}
		struct thread *thread = cpu->current;
		if (!finish_kernel_work(cpu, thread))
			continue;
		if (atomic_load(&thread->pending) != 0) {
			if (control_deliver(thread, thread != signalled))
				signalled = thread;
			if (cpu->current != thread)
				continue;
		}
		if (atomic_load_explicit(&thread->unsettled, memory_order_relaxed))
			sec_settle_now(thread);
		if ((atomic_load_explicit(&thread->late, memory_order_relaxed) != 0) != cpu->takes_late)
			dispatch_for(cpu, thread);
		sched_program_timer(cpu);
		if (atomic_load(&cpu->resched) != 0)
			continue;
		/*
		 * More signals, or what waits for the end of a protected call: looked at in every
		 * return.
		 */
		if (atomic_load(&thread->pending) != 0) {
			arm_timer(cpu, arch_counter() + slice_ticks);
			atomic_store(&cpu->resched, 1);
		}
		stay_end_return(since);
		return thread;
	}
}

_Noreturn void sched_start(void)
{
	atomic_fetch_or(&online_mask, bit_of(this_cpu()));
	atomic_store(&this_cpu()->resched, 1);
	arch_user_enter(upcall_return());
}
