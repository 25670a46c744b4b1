// SPDX-License-Identifier: BSD-3-Clause
/* Program objects hold code of other machines: hosted, none can be run. */
#include "hosted.h"

#include <twz/sys/program.h>

int twz_program_spawn(objid_t program, int argc, char *const argv[],
    const struct twz_program_opts *opts, struct thread *t)
{
	(void)program, (void)argc, (void)argv, (void)opts;
	memset(t, 0, sizeof(*t));
	return -ENOEXEC;
}

int twz_program_wait(struct thread *t, uint64_t *status)
{
	int r = twz_thread_join(t, status, 0);

	twz_thread_release(t);
	return r;
}
