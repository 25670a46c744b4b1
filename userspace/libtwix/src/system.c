// SPDX-License-Identifier: BSD-3-Clause
/* What programs ask about the machine, the user and the limits. */
#include "shared.h"

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

long twix_uname(const long a[6])
{
	struct utsname *u = (void *)a[0];

	memset(u, 0, sizeof(*u));
	strcpy(u->sysname, "Twizzler");
	strcpy(u->nodename, twix_shared->names_of_machine[0].text[0] ? twix_shared->names_of_machine[0].text : "twizzler");
	strcpy(u->domainname, twix_shared->names_of_machine[1].text);
	strcpy(u->release, "1.0");
	strcpy(u->version, "#1");
	strcpy(u->machine, twix_machine_name);
	return 0;
}

/* Known to those who share, and to nobody else. */
static long set_name(struct twix_machine_name *to, const char *name, int n)
{
	struct twix_machine_name new = { "" };

	if (!twix_is_root())
		return -EPERM;
	if (n < 0 || n >= (int)sizeof(new.text))
		return -EINVAL;
	if (!twix_can_read(name, (size_t)n))
		return -EFAULT;
	memcpy(new.text, name, (size_t)n);
	*to = new;
	return 0;
}

long twix_sethostname(const long a[6])
{
	return set_name(&twix_shared->names_of_machine[0], (const char *)a[0], (int)a[1]);
}

long twix_setdomainname(const long a[6])
{
	return set_name(&twix_shared->names_of_machine[1], (const char *)a[0], (int)a[1]);
}

/* There is one, Linux's own; all ones ask for it. */
long twix_personality(const long a[6])
{
	return (uint32_t)a[0] == 0 || (uint32_t)a[0] == UINT32_MAX ? 0 : -EINVAL;
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
	for (unsigned n = 0; twix_process_next(&n);)
		s->procs++;
	s->mem_unit = 1;
	return 0;
}

long twix_getrandom(const long a[6])
{
	size_t n = (size_t)a[1] < 1ul << 20 ? (size_t)a[1] : 1ul << 20;
	unsigned flags = (unsigned)a[2];
	long r;

	if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	r = sys_random((void *)a[0], n, flags & GRND_NONBLOCK ? 1 : 0);
	return r < 0 ? r : (long)n;
}
