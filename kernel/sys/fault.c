// SPDX-License-Identifier: BSD-3-Clause
/*
 * The way out of a fault handler.
 */
#include <arch/upcall.h>
#include <fault/frame.h>
#include <sched/thread.h>
#include <sys/calls.h>

/* frame* */
long sys_fault_return(SYS_ARGS)
{
	struct twz_fault_frame frame;
	int error = frame_copy_in(&frame, a0);

	SYS_UNUSED();
	if (error)
		return error;
	frame_load(current_thread(), &frame);
	return SYSCALL_PARKED;
}
