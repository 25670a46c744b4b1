// SPDX-License-Identifier: BSD-3-Clause
/*
 * Frames of protected calls.
 */
#include <fault/become.h>

struct seccontext *become_caller(const struct thread *thread)
{
	(void)thread;
	return NULL;
}

void become_drop_all(struct thread *thread)
{
	(void)thread;
}

bool become_abandon(struct thread *thread)
{
	(void)thread;
	return false;
}
