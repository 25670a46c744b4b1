// SPDX-License-Identifier: BSD-3-Clause
/*
 * Writing persistent memory, the way the machine does it. The crash explorer replaces this file.
 */
#include <store/pm.h>

#define LINE 64u
#define LINE_WORDS 8u

/*
 * One store instruction, that cannot be torn, split or merged. Not a relaxed atomic store:
 * compilers make that a read-modify-write on some machines.
 */
static inline void put(uint64_t *to, uint64_t value)
{
	*(volatile uint64_t *)to = value;
}

void pm_store64(uint64_t *to, uint64_t value)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	put(to, value);
}

/* All is read before it is written: so it is fast, and nothing overlaps. */
static inline void copy_line(uint64_t *to, const uint64_t *from)
{
	uint64_t a = from[0], b = from[1], c = from[2], d = from[3];
	uint64_t e = from[4], f = from[5], g = from[6], h = from[7];

	put(&to[0], a);
	put(&to[1], b);
	put(&to[2], c);
	put(&to[3], d);
	put(&to[4], e);
	put(&to[5], f);
	put(&to[6], g);
	put(&to[7], h);
}

static inline void zero_line(uint64_t *to)
{
	put(&to[0], 0);
	put(&to[1], 0);
	put(&to[2], 0);
	put(&to[3], 0);
	put(&to[4], 0);
	put(&to[5], 0);
	put(&to[6], 0);
	put(&to[7], 0);
}

void pm_copy(void *to, const void *from, size_t len)
{
	uint64_t *d = to;
	const uint64_t *s = from;

	for (; len >= LINE; len -= LINE, d += LINE_WORDS, s += LINE_WORDS)
		copy_line(d, s);
	for (size_t i = 0; i < len / 8; i++)
		put(&d[i], s[i]);
}

void pm_zero(void *to, size_t len)
{
	uint64_t *d = to;

	for (; len >= LINE; len -= LINE, d += LINE_WORDS)
		zero_line(d);
	for (size_t i = 0; i < len / 8; i++)
		put(&d[i], 0);
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
