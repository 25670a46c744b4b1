// SPDX-License-Identifier: BSD-3-Clause
/* The names of the system calls. */
#include <stddef.h>

#include <abi/syscall.h>

#include "trace.h"

static const char *const names[NUM_SYSCALLS] = {
	"null", "thrd_spawn", "debug_print", "invl_kso", "attach", "detach", "become", "thrd_sync",
	"ocreate", "odelete", "thrd_ctl", "kaction", "opin", "octl", "kconf", "vmap", "otie", "ocopy",
	"kqueue", "ostat", "signal", "ocreate2", "kec_read", "kec_write", "osync", "sysinfo", "random",
	"clock", "fault_return", "thrd_ctl2",
};

_Static_assert(SYS_THRD_CTL2 == SYS_BASE + 29, "names are in the order of numbers");

const char *syscall_name(unsigned int number)
{
	return number < NUM_SYSCALLS ? names[number] : NULL;
}
