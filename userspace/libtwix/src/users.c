// SPDX-License-Identifier: BSD-3-Clause
/*
 * For which user and groups a process acts. Whoever acts for user 0 may become anybody; all others
 * may only change among the numbers that they have.
 */
#include "twix.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT UINT32_MAX /* -1: as it is */

struct twix_users *twix_users(void)
{
	return &twix_about(twix_self())->users;
}

bool twix_is_root(void)
{
	return twix_users()->user.effective == 0;
}

static bool is_one_of(const struct twix_numbers *n, uint32_t x)
{
	return x == n->real || x == n->effective || x == n->saved;
}

/* --- one number, two, three */

static long set_one(struct twix_numbers *n, uint32_t x)
{
	if (x == KEPT)
		return -EINVAL;
	if (!twix_is_root() && x != n->real && x != n->saved)
		return -EPERM;
	if (twix_is_root())
		n->real = n->saved = x;
	n->effective = x;
	return 0;
}

static long set_two(struct twix_numbers *n, uint32_t real, uint32_t effective)
{
	if (!twix_is_root() && ((real != KEPT && real != n->real && real != n->effective) ||
	    (effective != KEPT && !is_one_of(n, effective))))
		return -EPERM;
	bool saves = real != KEPT || (effective != KEPT && effective != n->real);

	n->real = real == KEPT ? n->real : real;
	n->effective = effective == KEPT ? n->effective : effective;
	n->saved = saves ? n->effective : n->saved;
	return 0;
}

static long set_three(struct twix_numbers *n, const uint32_t x[3])
{
	for (int i = 0; i < 3; i++)
		if (!twix_is_root() && x[i] != KEPT && !is_one_of(n, x[i]))
			return -EPERM;
	n->real = x[0] == KEPT ? n->real : x[0];
	n->effective = x[1] == KEPT ? n->effective : x[1];
	n->saved = x[2] == KEPT ? n->saved : x[2];
	return 0;
}

static long tell(const struct twix_numbers *n, const long a[6])
{
	*(uint32_t *)a[0] = n->real;
	*(uint32_t *)a[1] = n->effective;
	*(uint32_t *)a[2] = n->saved;
	return 0;
}

/* The groups must be changed before user 0 is given up, which the caller knows. */
long twix_setuid(const long a[6])
{
	return set_one(&twix_users()->user, (uint32_t)a[0]);
}

long twix_setgid(const long a[6])
{
	return set_one(&twix_users()->group, (uint32_t)a[0]);
}

long twix_setreuid(const long a[6])
{
	return set_two(&twix_users()->user, (uint32_t)a[0], (uint32_t)a[1]);
}

long twix_setregid(const long a[6])
{
	return set_two(&twix_users()->group, (uint32_t)a[0], (uint32_t)a[1]);
}

long twix_setresuid(const long a[6])
{
	return set_three(&twix_users()->user, (const uint32_t[3]){ (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2] });
}

long twix_setresgid(const long a[6])
{
	return set_three(&twix_users()->group, (const uint32_t[3]){ (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2] });
}

long twix_getresuid(const long a[6])
{
	return tell(&twix_users()->user, a);
}

long twix_getresgid(const long a[6])
{
	return tell(&twix_users()->group, a);
}

long twix_getuid(const long a[6])
{
	(void)a;
	return twix_users()->user.real;
}

long twix_geteuid(const long a[6])
{
	(void)a;
	return twix_users()->user.effective;
}

long twix_getgid(const long a[6])
{
	(void)a;
	return twix_users()->group.real;
}

long twix_getegid(const long a[6])
{
	(void)a;
	return twix_users()->group.effective;
}

/* Files are made and reached by the effective number: another cannot be set, which is no error. */
long twix_setfsuid(const long a[6])
{
	return twix_geteuid(a);
}

long twix_setfsgid(const long a[6])
{
	return twix_getegid(a);
}

/* --- groups */

long twix_getgroups(const long a[6])
{
	const struct twix_users *u = twix_users();
	int room = (int)a[0];

	if (room < 0 || (room && (uint32_t)room < u->count))
		return -EINVAL;
	if (room && !twix_can_write((void *)a[1], u->count * sizeof(u->groups[0])))
		return -EFAULT;
	if (room)
		memcpy((void *)a[1], u->groups, u->count * sizeof(u->groups[0]));
	return u->count;
}

/* In order, as Linux tells them. */
static void insert(struct twix_users *u, uint32_t group)
{
	uint32_t i = u->count++;

	for (; i && u->groups[i - 1] > group; i--)
		u->groups[i] = u->groups[i - 1];
	u->groups[i] = group;
}

long twix_setgroups(const long a[6])
{
	struct twix_users *u = twix_users();

	if (!twix_is_root())
		return -EPERM;
	if ((uint32_t)a[0] > NGROUPS_MAX)
		return -EINVAL;
	if ((uint32_t)a[0] > TWIX_GROUPS)
		return -ENOMEM;
	if (!twix_can_read((const void *)a[1], (uint32_t)a[0] * sizeof(u->groups[0])))
		return -EFAULT;
	u->count = 0;
	for (uint32_t i = 0; i < (uint32_t)a[0]; i++)
		insert(u, ((const uint32_t *)a[1])[i]);
	return 0;
}

/* --- what they may */

bool twix_in_group(uint32_t group)
{
	const struct twix_users *u = twix_users();

	for (uint32_t i = 0; i < u->count && i < TWIX_GROUPS; i++)
		if (u->groups[i] == group)
			return true;
	return group == u->group.effective;
}

bool twix_may_signal(const struct twix_process *p, int sig)
{
	const struct twix_numbers *me = &twix_users()->user, *it = &twix_about(p)->users.user;

	if (me->effective == 0 || p == twix_self() || (sig == SIGCONT && p->session == twix_self()->session))
		return true;
	return me->effective == it->real || me->effective == it->saved || me->real == it->real || me->real == it->saved;
}

/* Linux's way: the first of owner, group and others that it is decides. User 0 may not run what nobody may. */
bool twix_may(const struct stat *st, int want, bool real)
{
	const struct twix_users *u = twix_users();
	uint32_t user = real ? u->user.real : u->user.effective, group = real ? u->group.real : u->group.effective;
	mode_t mode = st->st_mode;

	if (user == 0)
		return !(want & X_OK) || S_ISDIR(mode) || mode & 0111;
	if (st->st_uid == user)
		mode >>= 6;
	else if (st->st_gid == group || (st->st_gid != u->group.effective && twix_in_group(st->st_gid)))
		mode >>= 3;
	return (mode & (mode_t)want) == (mode_t)want;
}
