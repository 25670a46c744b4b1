// SPDX-License-Identifier: BSD-3-Clause
/* Control of threads by each other, see sched/control.h. */
#include <abi/errno.h>
#include <abi/thread.h>
#include <arch/time.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <fault/become.h>
#include <fault/fault.h>
#include <mm/slab.h>
#include <obj/object.h>
#include <sched/control.h>
#include <sched/sched.h>
#include <sched/sync.h>
#include <sched/thread.h>
#include <sched/time.h>

struct signal {
	struct list link;
	long args[4];
};

static struct slab_cache signal_cache = SLAB_CACHE("signal", struct signal);

/*
 * Guards every thread's stop_waiters. Taken with an object's lock held; run queues are taken
 * within.
 */
static struct spinlock stops_lock;

void control_begin(struct thread *thread)
{
	list_init(&thread->signals);
	list_init(&thread->stop_waiters);
	list_init(&thread->stop_link);
	list_init(&thread->input_link);
}

/* ---- Making a thread look ---- */

static void make_look(struct thread *thread)
{
	struct cpu *cpu = atomic_load(&thread->cpu);

	/*
	 * In this order with the way onto a CPU: it becomes current, then it looks at what is
	 * pending.
	 */
	if (cpu && __atomic_load_n(&cpu->current, __ATOMIC_SEQ_CST) == thread)
		sched_kick(cpu);
}

/* Object lock held. */
static void post(struct thread *thread, uint32_t what)
{
	atomic_fetch_or(&thread->pending, what);
	sync_interrupt(thread);
	void (*interrupt)(struct thread *) = atomic_load(&thread->interrupt);
	if (interrupt)
		interrupt(thread);
	if (what & (PENDING_STOP | PENDING_KILL)) {
		/* A thread of low priority shall not keep waiting who stops or ends it. */
		atomic_store(&thread->urgent, 1);
		sched_refresh(thread);
	} else {
		make_look(thread);
	}
}

static void wake_stop_waiters(struct thread *thread)
{
	struct list *node;

	spin_lock(&stops_lock);
	while ((node = list_pop_front(&thread->stop_waiters)))
		sched_wake(list_entry(node, struct thread, stop_link));
	spin_unlock(&stops_lock);
}

/* ---- Signals ---- */

static int queue_signal(struct thread *thread, struct signal *signal)
{
	if (!thread)
		return -ESRCH;
	if (thread->signal_count == SIGNALS_MAX)
		return -EAGAIN;
	list_push_back(&thread->signals, &signal->link);
	thread->signal_count++;
	post(thread, PENDING_SIGNAL);
	return 0;
}

int control_signal(struct object *repr, const long args[4])
{
	struct signal *signal = slab_alloc(&signal_cache);

	if (!signal)
		return -ENOMEM;
	for (unsigned int i = 0; i < 4; i++)
		signal->args[i] = args[i];
	spin_lock(&repr->lock);
	int error = queue_signal(repr->thread, signal);
	spin_unlock(&repr->lock);
	if (error)
		slab_free(&signal_cache, signal);
	return error;
}

/* The oldest signal, or NULL. Object lock held. */
static struct signal *take_signal(struct thread *thread)
{
	struct list *node = list_pop_front(&thread->signals);

	if (!node)
		return NULL;
	if (--thread->signal_count == 0)
		atomic_fetch_and(&thread->pending, ~PENDING_SIGNAL);
	return list_entry(node, struct signal, link);
}

/* ---- Suspension ---- */

/*
 * The call is carried on when the waiter is next current: it looks whether the thread has stopped.
 */
static void suspend_resume(struct thread *waiter);

/*
 * Somebody wants something of a waiter: it leaves the list, to come back if it still has to wait.
 */
static void suspend_interrupt(struct thread *waiter)
{
	spin_lock(&stops_lock);
	bool waits = !list_empty(&waiter->stop_link);
	if (waits)
		list_remove(&waiter->stop_link);
	spin_unlock(&stops_lock);
	if (waits)
		sched_wake(waiter);
}

static bool has_to_stop(const struct thread *thread)
{
	return (atomic_load(&thread->pending) & (PENDING_STOP | PENDING_KILL)) && !become_in_call(thread);
}

/* Park the current thread until `target` stops. The target's object lock is held. */
static void wait_for_stop(struct thread *target)
{
	struct thread *waiter = sched_detach_current();

	waiter->resume = suspend_resume;
	spin_lock(&stops_lock);
	list_push_back(&target->stop_waiters, &waiter->stop_link);
	atomic_store(&waiter->interrupt, suspend_interrupt);
	/* Who came before it could be interrupted is seen here. */
	bool stays = !has_to_stop(waiter);
	if (!stays)
		list_remove(&waiter->stop_link);
	spin_unlock(&stops_lock);
	if (!stays)
		sched_wake(waiter);
}

static void end_watch(struct thread *waiter)
{
	struct object *watched = waiter->watched;

	atomic_store(&waiter->interrupt, NULL);
	waiter->watched = NULL;
	object_put(watched);
}

static void suspend_resume(struct thread *waiter)
{
	struct object *repr = waiter->watched;

	spin_lock(&repr->lock);
	struct thread *target = repr->thread;
	bool waits = target && !target->suspended && target->suspend_count > 0;
	if (waits)
		wait_for_stop(target);
	spin_unlock(&repr->lock);
	if (waits)
		return;
	end_watch(waiter);
	arch_regs_set_result(&waiter->regs, 0);
}

long control_suspend(struct object *repr)
{
	struct thread *waiter = current_thread();
	long result = 0;

	spin_lock(&repr->lock);
	struct thread *target = repr->thread;
	if (!target)
		result = -ESRCH;
	else if (target == waiter)
		result = -EINVAL;
	else if (target->suspend_count == SUSPENDS_MAX)
		result = -EOVERFLOW;
	if (result == 0 && target->suspend_count++ == 0)
		post(target, PENDING_STOP);
	if (result == 0 && !target->suspended) {
		object_ref(repr);
		waiter->watched = repr;
		wait_for_stop(target);
		result = SYSCALL_PARKED;
	}
	spin_unlock(&repr->lock);
	return result;
}

/* A suspended thread goes on. Object lock held. */
static void release(struct thread *thread)
{
	thread->suspended = false;
	thread_write_state(thread->repr, THRD_STATE_STARTED);
	sched_wake(thread);
}

static int resume_locked(struct object *repr)
{
	struct thread *thread = repr->thread;

	if (!thread)
		return -ESRCH;
	if (thread->suspend_count == 0)
		return -EINVAL;
	if (--thread->suspend_count > 0)
		return 0;
	atomic_fetch_and(&thread->pending, ~PENDING_STOP);
	wake_stop_waiters(thread);
	if (thread->suspended)
		release(thread);
	return 0;
}

int control_resume(struct object *repr)
{
	spin_lock(&repr->lock);
	int error = resume_locked(repr);
	spin_unlock(&repr->lock);
	if (!error)
		thread_wake_state(repr);
	return error;
}

/* Take the current thread off its CPU until it is resumed. Object lock held. */
static void stop(struct thread *thread)
{
	sched_detach_current();
	thread->suspended = true;
	thread_write_state(thread->repr, THRD_STATE_SUSPENDED);
	wake_stop_waiters(thread);
}

int control_with_stopped(struct object *repr, int (*fn)(struct thread *thread, void *arg), void *arg)
{
	spin_lock(&repr->lock);
	struct thread *thread = repr->thread;
	/* One that was stopped within a call has no complete state yet. */
	int error = !thread ? -ESRCH : thread->suspended && !thread->resume ? fn(thread, arg) : -EBUSY;
	spin_unlock(&repr->lock);
	return error;
}

/* ---- Ending ---- */

int control_kill(struct object *repr, uint64_t code)
{
	spin_lock(&repr->lock);
	struct thread *thread = repr->thread;
	if (thread && !(atomic_load(&thread->pending) & PENDING_KILL)) {
		thread->kill_code = code;
		post(thread, PENDING_KILL);
		if (thread->suspended)
			release(thread);
	}
	spin_unlock(&repr->lock);
	return thread ? 0 : -ESRCH;
}

/* ---- Parameters ---- */

/* The call is carried on until the CPU that runs the thread has looked at its new values. */
static void settle_resume(struct thread *waiter)
{
	struct cpu *cpu = waiter->watch_cpu;

	if (__atomic_load_n(&cpu->current, __ATOMIC_SEQ_CST) == waiter->watch_thread &&
	    atomic_load(&cpu->settled) == waiter->watch_count) {
		waiter->resume = settle_resume;
		arch_irq_poll();
		return;
	}
	arch_regs_set_result(&waiter->regs, 0);
}

/* Make new values count; what the call returns. Object lock held. */
static long put_in_force(struct thread *thread)
{
	struct thread *waiter = current_thread();
	struct cpu *cpu = atomic_load(&thread->cpu);

	waiter->watch_count = cpu ? atomic_load(&cpu->settled) : 0;
	sched_refresh(thread);
	sync_requeue(thread);
	if (!cpu || cpu == this_cpu() || __atomic_load_n(&cpu->current, __ATOMIC_SEQ_CST) != thread)
		return 0; /* it is not running, or it is the caller, or looks before it runs */
	waiter->watch_cpu = cpu;
	waiter->watch_thread = thread;
	waiter->resume = settle_resume;
	atomic_store(&this_cpu()->resched, 1);
	return SYSCALL_PARKED;
}

/* Whether values go beyond what a thread has or was given at its start. */
static bool raises(const struct thread *thread, const struct sched_values *values)
{
	if (values->klass == TWZ_SCHED_RT)
		return thread->sched.klass != TWZ_SCHED_RT || values->prio > thread->sched.prio;
	return values->klass == TWZ_SCHED_NORMAL && values->prio < thread->sched_floor;
}

long control_set_sched(struct object *repr, const struct sched_values *values, bool may_raise)
{
	long result = -ESRCH;

	spin_lock(&repr->lock);
	struct thread *thread = repr->thread;
	if (thread && !may_raise && raises(thread, values)) {
		result = -EACCES;
	} else if (thread) {
		sched_set(thread, values);
		result = put_in_force(thread);
	}
	spin_unlock(&repr->lock);
	return result;
}

int control_get_sched(struct object *repr, struct sched_values *values)
{
	spin_lock(&repr->lock);
	struct thread *thread = repr->thread;
	if (thread)
		*values = thread->sched;
	spin_unlock(&repr->lock);
	return thread ? 0 : -ESRCH;
}

/* ---- The thread's own side ---- */

/* It has noticed that it is to stop or end: from here on it runs as what it is. */
static void calm_down(struct thread *thread)
{
	if (atomic_exchange(&thread->urgent, 0))
		atomic_store(&this_cpu()->resched, 1);
}

static uint64_t cpu_time(const struct thread *thread)
{
	return thread->cpu_ticks + (arch_counter() - thread->started_at);
}

static bool in_handler(struct thread *thread)
{
	uintptr_t sp = arch_regs_sp(&thread->regs);

	if (sp < thread->handler_low || sp > thread->handler_high)
		return false;
	/* Looks are counted besides, because time passes on a virtual CPU that does not run. */
	return ++thread->handler_looks < SIGNAL_HOLD_LOOKS ||
	       time_ns_from_ticks(cpu_time(thread) - thread->handler_ticks) < SIGNAL_HOLD_NS;
}

/* The handler has begun: its stack is the thread's fault stack, or the object that its sp is in. */
static void note_handler(struct thread *thread)
{
	struct object *repr = thread->repr;
	uintptr_t sp = arch_regs_sp(&thread->regs);
	uint64_t stack[2];

	if (object_read(repr, OBJ_NULLPAGE_SIZE + offsetof(struct twzthread_repr, fault_stack), stack,
			sizeof(stack)) != 0 ||
	    sp < stack[0] || sp - stack[0] > stack[1])
		stack[0] = align_down(sp, OBJ_MAXSIZE);
	thread->handler_low = stack[0];
	thread->handler_high = sp;
	thread->handler_ticks = cpu_time(thread);
	thread->handler_looks = 0;
}

/* A signal, now that no lock is held. True: delivered. */
static bool deliver_signal(struct thread *thread, struct signal *signal)
{
	long args[4];

	if (!signal) {
		if (!(atomic_load(&thread->pending) & PENDING_SIGNAL))
			thread->call_interrupted = false;
		return false;
	}
	for (unsigned int i = 0; i < 4; i++)
		args[i] = signal->args[i];
	slab_free(&signal_cache, signal);
	fault_signal(thread, args);
	if (current_thread() == thread)
		note_handler(thread);
	return true;
}

bool control_deliver(struct thread *thread, bool signals)
{
	struct object *repr = thread->repr;
	struct signal *signal = NULL;

	if (become_in_call(thread)) {
		calm_down(thread);
		return false;
	}
	spin_lock(&repr->lock);
	uint32_t pending = atomic_load(&thread->pending);
	calm_down(thread);
	bool stops = !(pending & PENDING_KILL) && (pending & PENDING_STOP);
	if (stops)
		stop(thread);
	else if (!(pending & PENDING_KILL) && signals && !in_handler(thread))
		signal = take_signal(thread);
	if (stops)
		object_ref(repr); /* the thread may be resumed, and end, as soon as the lock is free */
	spin_unlock(&repr->lock);
	if (stops) {
		thread_wake_state(repr);
		object_put(repr);
	} else if (pending & PENDING_KILL) {
		thread_exit(0, true, thread->kill_code);
		return false;
	}
	if (stops)
		return false;
	return deliver_signal(thread, signal);
}

void control_end(struct thread *thread)
{
	struct list *node;

	wake_stop_waiters(thread);
	while ((node = list_pop_front(&thread->signals)))
		slab_free(&signal_cache, list_entry(node, struct signal, link));
	if (thread->watched)
		end_watch(thread);
}
