// SPDX-License-Identifier: BSD-3-Clause
/*
 * pm.h for a region larger than the host's memory: pages that are zeroed anyway stay untouched.
 */
#include <string.h>

#include <store/pm.h>

void pm_store64(uint64_t *to, uint64_t value)
{
	if (*to != value)
		__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

void pm_copy(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
}

void pm_zero(void *to, size_t len)
{
	uint64_t *words = to;

	for (size_t i = 0; i < len / 8; i++) {
		if (words[i])
			words[i] = 0;
	}
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
