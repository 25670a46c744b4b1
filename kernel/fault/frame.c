// SPDX-License-Identifier: BSD-3-Clause
/*
 * Register frames, see fault/frame.h.
 */
#include <abi/errno.h>
#include <arch/thread.h>
#include <base/string.h>
#include <fault/frame.h>
#include <mm/space.h>
#include <mm/usercopy.h>
#include <sched/thread.h>
#include <sec/context.h>

void frame_capture(struct thread *thread, struct twz_fault_frame *frame)
{
	const struct object *context = thread->space->context->object;

	memset(frame, 0, TWZ_FRAME_HEAD_SIZE);
	frame->size = sizeof(*frame);
	frame->arch = TWZ_FRAME_ARCH;
	frame->version = TWZ_FRAME_VERSION;
	frame->sctx = context ? context->id : 0;
	arch_frame_save(frame, thread);
}

size_t frame_bytes(const struct twz_fault_frame *frame)
{
	return frame->flags & TWZ_FRAME_FP ? sizeof(*frame) : ARCH_FRAME_FP;
}

static int check(const struct twz_fault_frame *frame)
{
	if (frame->size != sizeof(*frame) || frame->arch != TWZ_FRAME_ARCH ||
	    frame->version != TWZ_FRAME_VERSION || !arch_pc_aligned(frame->pc))
		return -EINVAL;
	if (frame->flags & ~(TWZ_FRAME_FP | TWZ_FRAME_SYSCALL))
		return -EINVAL;
	return user_range_ok(frame->pc, 1) ? 0 : -EFAULT;
}

int frame_copy_in(struct twz_fault_frame *frame, uintptr_t from)
{
	int error = copy_from_user(frame, from, ARCH_FRAME_FP);

	if (!error)
		error = check(frame);
	if (!error && (frame->flags & TWZ_FRAME_FP))
		error = copy_from_user((char *)frame + ARCH_FRAME_FP, from + ARCH_FRAME_FP,
				       sizeof(*frame) - ARCH_FRAME_FP);
	return error;
}

void frame_load(struct thread *thread, const struct twz_fault_frame *frame)
{
	arch_frame_load(thread, frame);
}
