// SPDX-License-Identifier: BSD-3-Clause
/*
 * System calls on the kernel's console, and the threads that wait for its input.
 */
#include <abi/errno.h>
#include <abi/syscall.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <dev/console.h>
#include <log.h>
#include <mm/usercopy.h>
#include <sched/sched.h>
#include <sched/thread.h>
#include <sys/calls.h>

static struct spinlock waiters_lock;
static struct list waiters = LIST_INIT(waiters); /* struct thread.input_link; guarded by waiters_lock */

void console_input_wake(void)
{
	struct list *node;

	spin_lock(&waiters_lock);
	while ((node = list_pop_front(&waiters)))
		sched_wake(list_entry(node, struct thread, input_link));
	spin_unlock(&waiters_lock);
}

/* The waiter is current again: it makes the call again, or leaves it to what is pending. */
static void end_wait(struct thread *thread)
{
	atomic_store(&thread->interrupt, NULL);
	if (atomic_load(&thread->pending) == 0) {
		arch_regs_restart(&thread->regs);
		return;
	}
	thread->call_interrupted = true;
	arch_regs_set_result(&thread->regs, -EINTR);
}

/* Somebody wants the waiter to look at what is pending for it. */
static void interrupt_wait(struct thread *thread)
{
	spin_lock(&waiters_lock);
	bool waits = !list_empty(&thread->input_link);
	if (waits)
		list_remove(&thread->input_link);
	spin_unlock(&waiters_lock);
	if (waits)
		sched_wake(thread);
}

/*
 * Park the caller until input arrives; it then makes the call again. Input that came between the
 * caller's look and its joining the list is found here, because wakers take the lock too.
 */
static size_t wait_for_input(char *buffer, size_t length)
{
	struct thread *thread = sched_detach_current();

	spin_lock(&waiters_lock);
	size_t got = console_read(buffer, length);
	if (got == 0) {
		thread->resume = end_wait;
		atomic_store(&thread->interrupt, interrupt_wait);
	}
	/* What was posted before it could be interrupted is seen here. */
	bool stays = got == 0 && atomic_load(&thread->pending) == 0;
	if (stays)
		list_push_back(&waiters, &thread->input_link);
	spin_unlock(&waiters_lock);
	if (got)
		sched_attach_current(thread);
	else if (!stays)
		sched_wake(thread);
	return got;
}

/*
 * A buffer that cannot be written must not swallow input: its ends, in two pages at most, are tried
 * with what is there.
 */
static bool writable(uintptr_t at)
{
	char byte;

	return copy_from_user(&byte, at, 1) == 0 && copy_to_user(at, &byte, 1) == 0;
}

/* buf len flags */
long sys_kec_read(SYS_ARGS)
{
	char buffer[256];
	size_t length = MIN(a1, sizeof(buffer));

	SYS_UNUSED();
	if (a2 & ~(unsigned long)KEC_READ_NONBLOCK)
		return -EINVAL;
	if (!user_range_ok(a0, a1))
		return -EFAULT;
	if (a1 == 0)
		return 0;
	if (!writable(a0) || !writable(a0 + length - 1))
		return -EFAULT;
	size_t got = console_read(buffer, length);
	if (got == 0 && (a2 & KEC_READ_NONBLOCK))
		return -EAGAIN;
	if (got == 0)
		got = wait_for_input(buffer, length);
	if (got == 0)
		return SYSCALL_PARKED;
	return copy_to_user(a0, buffer, got) ? -EFAULT : (long)got;
}

static long write_console(uintptr_t text, unsigned long length)
{
	char buffer[SYS_KEC_WRITE_MAX];
	int error = copy_from_user(buffer, text, length);

	if (error)
		return error;
	console_write(buffer, length);
	return length;
}

/* buf len flags */
long sys_kec_write(SYS_ARGS)
{
	SYS_UNUSED();
	if (a2 & ~(unsigned long)KEC_WRITE_DISCARD_ON_FULL)
		return -EINVAL;
	return write_console(a0, MIN(a1, (unsigned long)SYS_KEC_WRITE_MAX));
}

/* str len */
long sys_debug_print(SYS_ARGS)
{
	SYS_UNUSED();
	return write_console(a0, MIN(a1, (unsigned long)SYS_DEBUG_PRINT_MAX));
}
