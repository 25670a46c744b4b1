// SPDX-License-Identifier: BSD-3-Clause
/* What programs ask about the machine, the user and the limits. */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>

mode_t twix_mode_mask(void)
{
	return __atomic_load_n(&twix_self()->umask, __ATOMIC_RELAXED);
}

long twix_umask(const long a[6])
{
	return __atomic_exchange_n(&twix_self()->umask, (mode_t)a[0] & 0777, __ATOMIC_RELAXED);
}

long twix_zero(const long a[6])
{
	(void)a;
	return 0;
}

long twix_uname(const long a[6])
{
	struct utsname *u = (void *)a[0];

	memset(u, 0, sizeof(*u));
	strcpy(u->sysname, "Twizzler");
	strcpy(u->nodename, "twizzler");
	strcpy(u->release, "1.0");
	strcpy(u->version, "#1");
	strcpy(u->machine, twix_machine_name);
	return 0;
}

long twix_sysinfo(const long a[6])
{
	struct sysinfo *s = (void *)a[0];
	struct twz_sysinfo si;
	long r = sys_sysinfo(&si, sizeof(si));

	if (r < 0)
		return r;
	memset(s, 0, sizeof(*s));
	s->uptime = (unsigned long)(twz_clock_ns() / 1000000000);
	s->totalram = si.mem_total;
	s->freeram = si.mem_free;
	s->procs = 1;
	s->mem_unit = 1;
	return 0;
}

long twix_getrandom(const long a[6])
{
	size_t n = (size_t)a[1] < 1ul << 20 ? (size_t)a[1] : 1ul << 20;
	unsigned flags = (unsigned)a[2];
	long r;

	if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM))
		return -EINVAL;
	r = sys_random((void *)a[0], n, flags & GRND_NONBLOCK ? 1 : 0);
	return r < 0 ? r : (long)n;
}

long twix_getrusage(const long a[6])
{
	struct rusage *u = (void *)a[1];
	struct timespec ts = { 0 };

	if ((int)a[0] != RUSAGE_SELF && (int)a[0] != RUSAGE_CHILDREN && (int)a[0] != RUSAGE_THREAD)
		return -EINVAL;
	if ((int)a[0] != RUSAGE_CHILDREN)
		twz_clock_get((int)a[0] == RUSAGE_SELF ? TWZ_CLOCK_PROGRAM_CPU : TWZ_CLOCK_THREAD_CPU, &ts);
	memset(u, 0, sizeof(*u));
	u->ru_utime = (struct timeval){ .tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000 };
	return 0;
}
