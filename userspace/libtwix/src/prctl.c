// SPDX-License-Identifier: BSD-3-Clause
/* prctl(): what a process or a thread says of itself. What there is nothing behind gives EINVAL. */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#define NAME 16
#define CAPABILITIES 41 /* of Linux */

/* The first thread's name is the process's. */
static char *name_of_thread(void)
{
	return twix_me->tid == twix_self()->pid ? twix_about(twix_self())->name : twix_me->name;
}

static long set_name(const char *name)
{
	char *mine = name_of_thread();

	if (!twix_can_read_string(name))
		return -EFAULT;
	memset(mine, 0, NAME);
	memcpy(mine, name, strnlen(name, NAME - 1));
	return 0;
}

static long get_name(char *name)
{
	const char *mine = name_of_thread();

	if (!twix_can_write(name, NAME))
		return -EFAULT;
	if (mine[0])
		memcpy(name, mine, NAME);
	else
		twix_process_name(twix_self(), name);
	return 0;
}

static long set_death_signal(unsigned long sig)
{
	if (sig > TWIX_SIGNALS)
		return -EINVAL;
	__atomic_store_n(&twix_self()->death_signal, (uint32_t)sig, __ATOMIC_RELEASE);
	return 0;
}

static long get_death_signal(int *sig)
{
	if (!twix_can_write(sig, sizeof(*sig)))
		return -EFAULT;
	*sig = (int)twix_self()->death_signal;
	return 0;
}

static long set_flag(uint32_t flag, unsigned long on)
{
	if (on > 1)
		return -EINVAL;
	if (on)
		__atomic_fetch_or(&twix_self()->attributes, flag, __ATOMIC_ACQ_REL);
	else
		__atomic_fetch_and(&twix_self()->attributes, ~flag, __ATOMIC_ACQ_REL);
	return 0;
}

static bool has(uint32_t flag)
{
	return __atomic_load_n(&twix_self()->attributes, __ATOMIC_ACQUIRE) & flag;
}

/* A program gets no more here than it has, so that it can do without. */
static long no_new_privileges(const long a[6])
{
	if (a[0] == PR_GET_NO_NEW_PRIVS)
		return a[1] || a[2] || a[3] || a[4] ? -EINVAL : has(TWIX_NO_NEW_PRIVILEGES);
	return a[1] != 1 || a[2] || a[3] || a[4] ? -EINVAL : set_flag(TWIX_NO_NEW_PRIVILEGES, 1);
}

long twix_prctl(const long a[6])
{
	switch ((int)a[0]) {
	case PR_SET_NAME:
		return set_name((const char *)a[1]);
	case PR_GET_NAME:
		return get_name((char *)a[1]);
	case PR_SET_PDEATHSIG:
		return set_death_signal((unsigned long)a[1]);
	case PR_GET_PDEATHSIG:
		return get_death_signal((int *)a[1]);
	case PR_GET_DUMPABLE:
		return !has(TWIX_NOT_DUMPABLE);
	case PR_SET_DUMPABLE:
		return (unsigned long)a[1] > 1 ? -EINVAL : set_flag(TWIX_NOT_DUMPABLE, !a[1]);
	case PR_GET_KEEPCAPS:
		return has(TWIX_KEEP_CAPABILITIES);
	case PR_SET_KEEPCAPS:
		return set_flag(TWIX_KEEP_CAPABILITIES, (unsigned long)a[1]);
	case PR_GET_NO_NEW_PRIVS:
	case PR_SET_NO_NEW_PRIVS:
		return no_new_privileges(a);
	case PR_CAPBSET_READ:
		return (unsigned long)a[1] < CAPABILITIES ? 1 : -EINVAL;
	case PR_GET_SECCOMP:
		return 0;
	case PR_GET_TIMING:
		return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING:
		return a[1] == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}
