// SPDX-License-Identifier: BSD-3-Clause
/* Calls about memory that is mapped already: other sizes, and what the program will do with it. */
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <twz/persist.h>
#include <twz/sys/slots.h>
#include <twz/sys/syscall.h>
#include <twz/sys/view.h>

/* --- other sizes. Lock held in all of these */

/* In place if the pages behind are free. */
static bool grow_in_place(uintptr_t at, size_t old, size_t new)
{
	ssize_t n = twix_arena_of(at, new);

	if (n < 0 || !twix_arena_has((size_t)n, at + old, new - old, false))
		return false;
	twix_arena_take((size_t)n, at + old, new - old);
	return true;
}

static long move_pages(uintptr_t at, size_t old, size_t new)
{
	void *p = twix_take_pages(new / TWIX_PAGE);

	if (!p)
		return -ENOMEM;
	memcpy(p, (void *)at, old);
	twix_unmap(at, old);
	return (long)p;
}

static long resize_pages(uintptr_t at, size_t old, size_t new, int flags)
{
	if (new < old)
		twix_unmap(at + new, old - new);
	else if (new > old && !grow_in_place(at, old, new))
		return flags & MREMAP_MAYMOVE ? move_pages(at, old, new) : -ENOMEM;
	return (long)at;
}

/* All of an object is in its slot: a mapping has room behind it until that ends. */
static long resize_mapping(struct mapping *m, uintptr_t at, size_t old, size_t new)
{
	uintptr_t end = m->start + m->len;

	if (old > end - at)
		return -EFAULT;
	if (new < old)
		twix_unmap(at + new, old - new);
	if (new <= old)
		return (long)at;
	if (at + old != end || new > OBJ_MAXDATA - (at % OBJ_MAXSIZE - OBJ_NULLPAGE_SIZE))
		return -ENOMEM;
	m->len = at + new - m->start;
	return (long)at;
}

long twix_mremap(const long a[6])
{
	uintptr_t at = (uintptr_t)a[0];
	size_t old = ROUND_UP((size_t)a[1], TWIX_PAGE), new = ROUND_UP((size_t)a[2], TWIX_PAGE);
	int flags = (int)a[3];
	struct mapping *m;
	long r;

	if (at % TWIX_PAGE || old == 0 || new == 0 || flags & ~MREMAP_MAYMOVE)
		return -EINVAL;
	mutex_acquire(&twix_own_locks[TWIX_LOCK_MEMORY]);
	m = twix_mapping_of(at);
	if (m)
		r = resize_mapping(m, at, old, new);
	else
		r = twix_arena_of(at, old) < 0 ? -EFAULT : resize_pages(at, old, new, flags);
	mutex_release(&twix_own_locks[TWIX_LOCK_MEMORY]);
	return r;
}

/* --- what there is. Lock held */

/* Of what is neither mapped nor memory that was taken, the program's own slots have all. */
static bool is_mapped(uintptr_t at, size_t len)
{
	ssize_t n = twix_arena_of(at, len);
	struct mapping *m = twix_mapping_of(at);
	uint32_t flags = 0;

	if (n >= 0)
		return twix_arena_has((size_t)n, at, len, true);
	if (m)
		return len <= m->start + m->len - at;
	if (VADDR_TO_SLOT(at) >= TWZSLOT_MMAP_BASE || at + len < at)
		return false;
	twz_view_get(NULL, VADDR_TO_SLOT(at), NULL, &flags);
	return flags & VE_VALID;
}

/* Do something with a range that is mapped. -EINVAL it does not begin with a page; -ENOMEM. */
static long with_range(const long a[6], long (*fn)(uintptr_t at, size_t len, const long *a))
{
	uintptr_t at = (uintptr_t)a[0];
	size_t len = ROUND_UP((size_t)a[1], TWIX_PAGE);
	long r = 0;

	if (at % TWIX_PAGE || len < (size_t)a[1])
		return at % TWIX_PAGE ? -EINVAL : -ENOMEM;
	mutex_acquire(&twix_own_locks[TWIX_LOCK_MEMORY]);
	if (len)
		r = is_mapped(at, len) ? fn(at, len, a) : -ENOMEM;
	mutex_release(&twix_own_locks[TWIX_LOCK_MEMORY]);
	return r;
}

/* --- advice */

static bool is_advice(int advice)
{
	const uint64_t harmless = 1ull << MADV_NORMAL | 1ull << MADV_RANDOM | 1ull << MADV_SEQUENTIAL |
	    1ull << MADV_WILLNEED | 1ull << MADV_FREE | 1ull << MADV_HUGEPAGE | 1ull << MADV_NOHUGEPAGE |
	    1ull << MADV_DONTDUMP | 1ull << MADV_DODUMP | 1ull << 20 /* COLD */ | 1ull << 21 /* PAGEOUT */ |
	    1ull << 22 | 1ull << 23 /* POPULATE_READ, _WRITE */;

	return advice == MADV_DONTNEED || (advice >= 0 && advice < 64 && harmless >> advice & 1);
}

/* Memory becomes zeroes, a copy of a file the file; what is shared stays as it is. */
static long advise(uintptr_t at, size_t len, const long *a)
{
	struct mapping *m = twix_mapping_of(at);
	ssize_t n = twix_arena_of(at, len);
	objid_t *copy = m && m->slot ? twix_private_id(m->slot - TWZSLOT_MMAP_BASE) : NULL;

	if ((int)a[2] != MADV_DONTNEED)
		return 0;
	if (n >= 0)
		twix_drop_pages((size_t)n, at, len);
	else if (copy)
		return sys_ocopy(copy, &m->id, at % OBJ_MAXSIZE, at % OBJ_MAXSIZE, len, 0);
	return 0;
}

long twix_madvise(const long a[6])
{
	return is_advice((int)a[2]) ? with_range(a, advise) : -EINVAL;
}

static long make_durable(uintptr_t at, size_t len, const long *a)
{
	if ((int)a[2] & MS_SYNC) {
		_clwb_len((void *)at, len);
		_pfence();
	}
	return 0;
}

long twix_msync(const long a[6])
{
	int flags = (int)a[2];

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	return with_range(a, make_durable);
}

/* Which pages exist: those that nobody has written or read yet need no memory. */
static long tell_pages(uintptr_t at, size_t len, const long *a)
{
	unsigned char *out = (unsigned char *)a[2];
	struct kernel_ostat_page st;
	objid_t id;

	if (!twix_can_write(out, len / TWIX_PAGE))
		return -EFAULT;
	twz_view_get(NULL, VADDR_TO_SLOT(at), &id, NULL);
	for (size_t i = 0; i < len / TWIX_PAGE; i++) {
		size_t page = at % OBJ_MAXSIZE / TWIX_PAGE + i;

		st.flags = 0;
		sys_ostat(TWZ_OSTAT_PAGE, id, page, &st);
		out[i] = st.flags & OS_PAGE_EXIST ? 1 : 0;
	}
	return 0;
}

long twix_mincore(const long a[6])
{
	return with_range(a, tell_pages);
}

/* --- memory is never taken away: all of it is locked */

static long nothing(uintptr_t at, size_t len, const long *a)
{
	(void)at, (void)len, (void)a;
	return 0;
}

static long lock_range(const long a[6])
{
	uintptr_t begin = (uintptr_t)a[0] & ~(TWIX_PAGE - 1);
	const long pages[6] = { (long)begin, a[1] ? a[1] + (long)((uintptr_t)a[0] - begin) : 0 };

	return with_range(pages, nothing);
}

long twix_mlock(const long a[6])
{
	return lock_range(a);
}

long twix_mlock2(const long a[6])
{
	return (int)a[2] & ~1 ? -EINVAL : lock_range(a);
}

long twix_mlockall(const long a[6])
{
	int flags = (int)a[0];

	return !flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT ? -EINVAL : 0;
}

long twix_munlockall(const long a[6])
{
	(void)a;
	return 0;
}
