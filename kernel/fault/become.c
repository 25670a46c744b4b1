// SPDX-License-Identifier: BSD-3-Clause
/*
 * Protected calls: frames pushed and popped. A frame holds the caller's registers and a reference
 * to its address space, which names its view and its active context.
 */
#define LOG_PREFIX "become"

#include <abi/errno.h>
#include <arch/thread.h>
#include <fault/become.h>
#include <log.h>
#include <mm/slab.h>
#include <mm/space.h>
#include <sec/attach.h>

struct become_frame {
	struct arch_call call;
	struct addrspace *space; /* holds a reference */
	struct become_frame *below;
};

static struct slab_cache frame_cache = SLAB_CACHE("become", struct become_frame);

struct seccontext *become_caller(const struct thread *thread)
{
	return thread->become_top ? thread->become_top->space->context : NULL;
}

/* Go on in another space. The reference that comes with it becomes the thread's. */
static struct addrspace *exchange_space(struct thread *thread, struct addrspace *space)
{
	struct addrspace *old = thread->space;

	thread->space = space;
	if (space != old)
		space_install(space);
	return old;
}

/* A thread keeps the frame of its last call for the next. */
static void frame_free(struct thread *thread, struct become_frame *frame)
{
	if (thread->become_spare)
		slab_free(&frame_cache, frame);
	else
		thread->become_spare = frame;
}

int become_prepare(struct thread *thread, struct become_frame **frame)
{
	if (thread->become_depth >= BECOME_MAX_DEPTH)
		return -EOVERFLOW;
	*frame = thread->become_spare ? thread->become_spare : slab_alloc(&frame_cache);
	thread->become_spare = NULL;
	return *frame ? 0 : -ENOMEM;
}

void become_cancel(struct thread *thread, struct become_frame *frame)
{
	if (frame)
		frame_free(thread, frame);
}

void become_call(struct thread *thread, struct become_frame *frame, struct addrspace *space)
{
	arch_call_save(&frame->call, thread);
	frame->space = exchange_space(thread, space);
	frame->below = thread->become_top;
	thread->become_top = frame;
	thread->become_depth++;
}

void become_move(struct thread *thread, struct addrspace *space)
{
	space_put(exchange_space(thread, space));
	sec_tell(thread);
}

/* What was put off until the thread acts for itself again is looked at before it goes on. */
static void unlink_top(struct thread *thread)
{
	thread->become_top = thread->become_top->below;
	thread->become_depth--;
	if (!thread->become_top && atomic_load(&thread->pending))
		atomic_store_explicit(&this_cpu()->resched, 1, memory_order_relaxed);
}

bool become_return(struct thread *thread)
{
	struct become_frame *frame = thread->become_top;

	if (!frame)
		return false;
	unlink_top(thread);
	arch_call_restore(thread, &frame->call);
	space_put(exchange_space(thread, frame->space));
	frame_free(thread, frame);
	sec_recheck(thread);
	return true;
}

bool become_abandon(struct thread *thread)
{
	uintptr_t pc = arch_regs_pc(&thread->regs);

	if (!become_return(thread))
		return false;
	log_debug("a call by " IDFMT " failed at 0x%lx", IDPR(thread->id), pc);
	arch_regs_set_result(&thread->regs, -EREMOTEIO);
	return true;
}

void become_drop_all(struct thread *thread)
{
	while (thread->become_top) {
		struct become_frame *frame = thread->become_top;
		unlink_top(thread);
		space_put(frame->space);
		frame_free(thread, frame);
	}
	if (thread->become_spare)
		slab_free(&frame_cache, thread->become_spare);
	thread->become_spare = NULL;
}
