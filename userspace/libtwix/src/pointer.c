// SPDX-License-Identifier: BSD-3-Clause
/*
 * Pointers that a program hands over, which may lead nowhere. They are tried, a byte of each page,
 * before the call does anything, in a place whose faults are recognised: so a bad one gives EFAULT,
 * and never a fault in the middle of a call, where locks may be held. Another thread that unmaps the
 * memory meanwhile can still end the program.
 */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <twz/sys/fault.h>

#define SCRATCH 1024
#define STRING_MAX 131072ul /* of execve() */

extern const char __twix_probe_begin[], __twix_probe_end[], __twix_probe_bad[]; /* the addresses are the values */
long __twix_probe_read(const void *p);
long __twix_probe_write(void *p);

bool twix_probe_failed(struct twz_fault_frame *f)
{
	uintptr_t pc = twz_frame_pc(f);

	if (pc < (uintptr_t)__twix_probe_begin || pc >= (uintptr_t)__twix_probe_end)
		return false;
	twz_frame_set_pc(f, (uintptr_t)__twix_probe_bad);
	return true;
}

/*
 * How many of n bytes from p on can be used. A slot has more pages than the program: what is longer than
 * one is looked up first, or a length without sense would fill the machine.
 */
static size_t try_pages(uintptr_t p, size_t n, bool write)
{
	uintptr_t last = p + n - 1;

	if (n == 0 || last < p)
		return 0;
	if ((p ^ last) >= TWIX_PAGE)
		n = twix_memory_extent(p, n);
	for (uintptr_t at = p; at - p < n; at = (at | (TWIX_PAGE - 1)) + 1)
		if (write ? __twix_probe_write((void *)at) : __twix_probe_read((const void *)at))
			return at - p;
	return n;
}

size_t twix_readable(const void *p, size_t n)
{
	return try_pages((uintptr_t)p, n, false);
}

size_t twix_writable(void *p, size_t n)
{
	return try_pages((uintptr_t)p, n, true);
}

bool twix_can_read(const void *p, size_t n)
{
	return twix_readable(p, n) == n;
}

bool twix_can_write(void *p, size_t n)
{
	return twix_writable(p, n) == n;
}

/* One that is longer than any call takes is not looked through: it is refused for that. */
bool twix_can_read_string(const char *s)
{
	for (size_t done = 0; done < STRING_MAX;) {
		size_t n = TWIX_PAGE - ((uintptr_t)(s + done) & (TWIX_PAGE - 1));

		if (!twix_memory_extent((uintptr_t)s + done, 1) || __twix_probe_read(s + done))
			return false;
		if (memchr(s + done, 0, n))
			return true;
		done += n;
	}
	return true;
}

/* --- what a call's table says of its arguments */

static size_t length_of(unsigned kind, const long args[6])
{
	unsigned value = kind & TWIX_PTR_VALUE;

	return kind & TWIX_PTR_COUNTED ? (size_t)args[value] : value;
}

static bool is_good(unsigned kind, long arg, const long args[6])
{
	size_t n;

	if ((kind & TWIX_PTR_KIND) == TWIX_PTR_STRING)
		return twix_can_read_string((const char *)arg);
	n = length_of(kind, args);
	return try_pages((uintptr_t)arg, n, (kind & TWIX_PTR_KIND) == TWIX_PTR_OUT) == n;
}

unsigned twix_bad_pointers(const uint16_t kinds[6], const long args[6])
{
	unsigned bad = 0;

	for (unsigned i = 0; i < 6; i++) {
		unsigned kind = kinds[i];

		if (kind && (args[i] || !(kind & TWIX_PTR_MAY_BE_NULL)) && !is_good(kind, args[i], args))
			bad |= 1u << i;
	}
	return bad;
}

/*
 * Linux finds out that it cannot write a result when it has one. So the call is made, with another
 * place for what it would write.
 */
long twix_call_with_bad(twix_call *call, const uint16_t kinds[6], const long args[6], unsigned bad)
{
	_Alignas(16) char scratch[6][SCRATCH];
	long copy[6], r;

	memcpy(copy, args, sizeof(copy));
	for (unsigned i = 0; i < 6; i++) {
		if (!(bad & 1u << i))
			continue;
		if ((kinds[i] & TWIX_PTR_KIND) != TWIX_PTR_OUT || kinds[i] & TWIX_PTR_AT_ONCE)
			return -EFAULT;
		if (kinds[i] & TWIX_PTR_COUNTED && (size_t)args[kinds[i] & TWIX_PTR_VALUE] > SCRATCH)
			copy[kinds[i] & TWIX_PTR_VALUE] = SCRATCH;
		copy[i] = (long)scratch[i];
	}
	r = call(copy);
	return r < 0 ? r : -EFAULT;
}
