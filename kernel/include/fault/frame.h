// SPDX-License-Identifier: BSD-3-Clause
/*
 * Register frames (abi/frame.h): a thread's user state, as programs see it.
 */
#ifndef FAULT_FRAME_H
#define FAULT_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include <abi/frame.h>

struct thread;

/*
 * Fill a frame with the state of a thread that is current on this CPU or on none. Its flags say
 * whether the floating-point part was filled; frame_bytes() how much that makes.
 */
void frame_capture(struct thread *thread, struct twz_fault_frame *frame);

/* Bytes of the frame that hold something. */
size_t frame_bytes(const struct twz_fault_frame *frame);

/*
 * Copy a frame in, each byte once, and check it: -EFAULT not readable, or the pc is no user
 * address; -EINVAL size, architecture, version, flags, or a pc where no instruction can stand. What
 * it holds besides is the thread's own business: arch_frame_load() takes nothing that matters to
 * others.
 */
int frame_copy_in(struct twz_fault_frame *frame, uintptr_t from);

/* Make it the state of a thread that is current on this CPU or on none. */
void frame_load(struct thread *thread, const struct twz_fault_frame *frame);

#endif
