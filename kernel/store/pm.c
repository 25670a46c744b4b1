// SPDX-License-Identifier: BSD-3-Clause
/*
 * Writing persistent memory, the way the machine does it. The crash explorer replaces this file.
 */
#include <store/pm.h>

void pm_store64(uint64_t *to, uint64_t value)
{
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

/* Relaxed atomic stores: plain, but never split or merged into anything that could tear. */
void pm_copy(void *to, const void *from, size_t len)
{
	uint64_t *d = to;
	const uint64_t *s = from;

	for (size_t i = 0; i < len / 8; i++)
		__atomic_store_n(&d[i], s[i], __ATOMIC_RELAXED);
}

void pm_zero(void *to, size_t len)
{
	uint64_t *d = to;

	for (size_t i = 0; i < len / 8; i++)
		__atomic_store_n(&d[i], 0, __ATOMIC_RELAXED);
}

void pm_flush(const struct pm_ops *ops, const void *addr, size_t len, enum pm_site site)
{
	(void)site;
	ops->flush(addr, len);
}

void pm_fence(const struct pm_ops *ops, enum pm_site site)
{
	(void)site;
	ops->fence();
}
