// SPDX-License-Identifier: BSD-3-Clause
/*
 * Limits of processes. All of them can be set and asked for, and are inherited; those on descriptors and
 * on the size of files count, of the rest there is nothing to limit.
 */
#include "twix.h"

#include <errno.h>
#include <sys/resource.h>

#define NONE UINT64_MAX

void twix_limits_init(struct twix_process *p)
{
	uint64_t (*all)[2] = twix_about(p)->limits;

	for (unsigned i = 0; i < RLIM_NLIMITS; i++)
		all[i][0] = all[i][1] = NONE;
	all[RLIMIT_NOFILE][0] = 1024;
	all[RLIMIT_NOFILE][1] = TWIX_DESCRIPTORS;
	all[RLIMIT_STACK][0] = 8ul << 20;
	all[RLIMIT_CORE][0] = 0;
	p->nofile = 1024;
}

static int set(struct twix_process *p, unsigned what, const struct rlimit *new)
{
	uint64_t *limit = twix_about(p)->limits[what];

	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if ((what == RLIMIT_NOFILE && new->rlim_max > TWIX_DESCRIPTORS) || (new->rlim_max > limit[1] && !twix_is_root()))
		return -EPERM;
	limit[0] = new->rlim_cur;
	limit[1] = new->rlim_max;
	if (what == RLIMIT_NOFILE)
		p->nofile = (uint32_t)new->rlim_cur;
	return 0;
}

long twix_prlimit(const long a[6])
{
	struct twix_process *p = a[0] ? twix_process_of((int)a[0]) : twix_self();
	unsigned what = (unsigned)a[1];
	struct rlimit wanted = { 0, 0 }, *old = (struct rlimit *)a[3];

	if (what >= RLIM_NLIMITS)
		return -EINVAL;
	if (!p)
		return -ESRCH;
	if (a[2])
		wanted = *(const struct rlimit *)a[2];
	if (old)
		*old = (struct rlimit){ twix_about(p)->limits[what][0], twix_about(p)->limits[what][1] };
	return a[2] ? set(p, what, &wanted) : 0;
}

uint64_t twix_limit(unsigned what)
{
	return twix_about(twix_self())->limits[what][0];
}
