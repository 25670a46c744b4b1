// SPDX-License-Identifier: BSD-3-Clause
/*
 * Creations whose call is made again until they are complete; see sys/create.c.
 */
#ifndef SYS_MAKING_H
#define SYS_MAKING_H

struct thread;

/*
 * Drop what the thread was making, if anything. The thread itself, or nobody runs it any more. No
 * lock held.
 */
void making_drop(struct thread *thread);

#endif
