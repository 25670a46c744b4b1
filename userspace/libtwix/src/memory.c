// SPDX-License-Identifier: BSD-3-Clause
/*
 * Memory of a program. Anonymous memory comes from arenas, volatile objects that stand in the slots
 * for mappings; a mapped file is its object, or a private copy of it, in a slot of its own.
 *
 * Protection is that of slots, so that mprotect() cannot take anything away: what it asks for is
 * there already.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <twz/persist.h>
#include <twz/sys/slots.h>
#include <twz/sys/syscall.h>
#include <twz/sys/view.h>

#define ARENA_PAGES (OBJ_MAXDATA / TWIX_PAGE)
#define WORDS ((ARENA_PAGES + 63) / 64)
#define ARENAS 64u
#define FILES 256u
#define BREAK_SIZE (1ul << 20) /* what libtwz leaves free above the program's data */

/* At the start of an arena: which of its pages are taken. */
struct arena {
	uint64_t taken[WORDS];
};

#define ARENA_HEADER_PAGES (ROUND_UP(sizeof(struct arena), TWIX_PAGE) / TWIX_PAGE)

/* A mapped file. */
struct mapping {
	uintptr_t start; /* 0: free */
	size_t len;
	twzobj obj;
};

extern char __data_end[];

static struct mutex lock; /* guards all below */
static twzobj arenas[ARENAS];
static size_t next_page[ARENAS]; /* where the last search ended */
static struct mapping files[FILES];
static uintptr_t break_now;

/* --- arenas */

static bool is_taken(const struct arena *a, size_t page)
{
	return a->taken[page / 64] >> page % 64 & 1;
}

static void mark(struct arena *a, size_t page, size_t count, bool taken)
{
	for (size_t i = page; i < page + count; i++) {
		uint64_t bit = 1ull << i % 64;

		a->taken[i / 64] = taken ? a->taken[i / 64] | bit : a->taken[i / 64] & ~bit;
	}
}

/* The first run of free pages in [from, to); 0 if there is none. */
static size_t find_run(const struct arena *a, size_t count, size_t from, size_t to)
{
	size_t run = 0;

	for (size_t page = from; page < to; page++) {
		if (page % 64 == 0 && a->taken[page / 64] == UINT64_MAX) {
			run = 0;
			page += 63;
			continue;
		}
		run = is_taken(a, page) ? 0 : run + 1;
		if (run == count)
			return page + 1 - count;
	}
	return 0;
}

static int arena_make(unsigned n)
{
	int r = (twz_object_new)(&arenas[n], NULL, NULL, OBJ_VOLATILE,
	    TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_VIEW);

	if (r < 0)
		return r;
	mark(twz_object_base(&arenas[n]), 0, ARENA_HEADER_PAGES, true);
	next_page[n] = ARENA_HEADER_PAGES;
	return 0;
}

static void *take_from(unsigned n, size_t count)
{
	struct arena *a = twz_object_base(&arenas[n]);
	size_t page = find_run(a, count, next_page[n], ARENA_PAGES);

	if (!page)
		page = find_run(a, count, ARENA_HEADER_PAGES, ARENA_PAGES);
	if (!page)
		return NULL;
	mark(a, page, count, true);
	next_page[n] = page + count;
	return (char *)a + page * TWIX_PAGE;
}

/* Lock held. */
static void *take_pages(size_t count)
{
	void *p = NULL;

	if (count == 0 || count > ARENA_PAGES - ARENA_HEADER_PAGES)
		return NULL;
	for (unsigned n = 0; !p && n < ARENAS; n++)
		if (arenas[n].base || arena_make(n) == 0)
			p = take_from(n, count);
	return p;
}

/* The arena that has all of [start, start + len), or NULL. */
static twzobj *arena_of(uintptr_t start, size_t len)
{
	for (unsigned n = 0; n < ARENAS && arenas[n].base; n++) {
		uintptr_t base = (uintptr_t)arenas[n].base + ARENA_HEADER_PAGES * TWIX_PAGE;
		uintptr_t end = (uintptr_t)arenas[n].base + ARENA_PAGES * TWIX_PAGE;

		if (start >= base && start < end && len <= end - start)
			return &arenas[n];
	}
	return NULL;
}

/* The pages read as zeroes again, and cost nothing. */
static void drop_pages(twzobj *arena, uintptr_t start, size_t len)
{
	objid_t id = twz_object_guid(arena), zeroes = 0;

	sys_ocopy(&id, &zeroes, start % OBJ_MAXSIZE, 0, len, 0);
}

void *twix_pages(size_t bytes)
{
	void *p;

	mutex_acquire(&lock);
	p = take_pages(ROUND_UP(bytes, TWIX_PAGE) / TWIX_PAGE);
	mutex_release(&lock);
	return p;
}

/* --- mapped files */

static struct mapping *free_mapping(void)
{
	for (unsigned i = 0; i < FILES; i++)
		if (!files[i].start)
			return &files[i];
	return NULL;
}

static struct mapping *mapping_of(uintptr_t start)
{
	for (unsigned i = 0; i < FILES; i++)
		if (files[i].start && start >= files[i].start && start - files[i].start < files[i].len)
			return &files[i];
	return NULL;
}

static uint32_t access_of(int prot)
{
	return FE_READ | (prot & PROT_WRITE ? FE_WRITE : 0) | (prot & PROT_EXEC ? FE_EXEC : 0);
}

/* A private mapping that can be written to is one of a copy. */
static long map_object(objid_t id, size_t len, int prot, int flags, off_t offset)
{
	struct mapping *m = free_mapping();
	uint32_t access = access_of(prot);
	int r;

	if (!m)
		return -ENOMEM;
	if ((uint64_t)offset >= OBJ_MAXDATA || len > OBJ_MAXDATA - (uint64_t)offset)
		return -EOVERFLOW;
	if (!(flags & MAP_SHARED) && prot & PROT_WRITE)
		access |= FE_DERIVE;
	r = twz_object_init_guid(&m->obj, id, access);
	if (r < 0)
		return r == -ENOSPC ? -ENOMEM : r;
	m->start = (uintptr_t)twz_object_base(&m->obj) + (uintptr_t)offset;
	m->len = len;
	return (long)m->start;
}

static bool may_map(unsigned mode, int prot, int flags)
{
	return mode == O_RDWR || (mode == O_RDONLY && !(flags & MAP_SHARED && prot & PROT_WRITE));
}

static long map_file(int fd, size_t len, int prot, int flags, off_t offset)
{
	struct twix_file *f = twix_file_of(fd);
	long r = -EACCES;

	if (!f)
		return -EBADF;
	if (f->kind != TWIX_REGULAR)
		r = -ENODEV;
	else if (may_map(f->flags & O_ACCMODE, prot, flags))
		r = map_object(f->id, len, prot, flags, offset);
	twix_file_put(f);
	return r;
}

/* At a given place: only where anonymous memory is already, which is made new. */
static long map_fixed(uintptr_t at, size_t len, int flags)
{
	twzobj *arena = arena_of(at, len);

	if (!(flags & MAP_ANONYMOUS) || !arena)
		return -ENOMEM;
	drop_pages(arena, at, len);
	return (long)at;
}

static int check_map(uintptr_t at, size_t len, int prot, int flags, off_t offset)
{
	int kind = flags & (MAP_SHARED | MAP_PRIVATE);

	if (len == 0 || offset % (off_t)TWIX_PAGE || offset < 0 || kind == 0 ||
	    (flags & MAP_FIXED && at % TWIX_PAGE))
		return -EINVAL;
	if (len > OBJ_MAXDATA)
		return -ENOMEM;
	/* Nothing is ever writable and executable. */
	return (prot & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC) ? -EACCES : 0;
}

long twix_mmap(const long a[6])
{
	uintptr_t at = (uintptr_t)a[0];
	size_t len = (size_t)a[1];
	int prot = (int)a[2], flags = (int)a[3], fd = (int)a[4];
	off_t offset = a[5];
	long r = check_map(at, len, prot, flags, offset);

	if (r < 0)
		return r;
	len = ROUND_UP(len, TWIX_PAGE);
	mutex_acquire(&lock);
	if (flags & MAP_FIXED)
		r = map_fixed(at, len, flags);
	else if (flags & MAP_ANONYMOUS)
		r = (long)take_pages(len / TWIX_PAGE) ?: -ENOMEM;
	else
		r = map_file(fd, len, prot, flags, offset);
	mutex_release(&lock);
	return r;
}

/* Lock held. What is not mapped is none the worse for it. */
static void unmap(uintptr_t at, size_t len)
{
	twzobj *arena = arena_of(at, len);
	struct mapping *m = mapping_of(at);

	if (arena) {
		struct arena *head = twz_object_base(arena);

		drop_pages(arena, at, len);
		mark(head, (at - (uintptr_t)head) / TWIX_PAGE, len / TWIX_PAGE, false);
	} else if (m && at == m->start && len >= m->len) {
		twz_object_release(&m->obj);
		m->start = 0;
	} else if (m && at + len >= m->start + m->len) {
		m->len = at - m->start;
	}
}

long twix_munmap(const long a[6])
{
	uintptr_t at = (uintptr_t)a[0];
	size_t len = ROUND_UP((size_t)a[1], TWIX_PAGE);

	if (at % TWIX_PAGE || len == 0 || at + len < at)
		return -EINVAL;
	mutex_acquire(&lock);
	unmap(at, len);
	mutex_release(&lock);
	return 0;
}

long twix_mprotect(const long a[6])
{
	int prot = (int)a[2];

	if ((uintptr_t)a[0] % TWIX_PAGE)
		return -EINVAL;
	return (prot & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC) ? -EACCES : 0;
}

/* In place if the pages behind are free. Lock held. */
static bool grow_in_place(uintptr_t at, size_t old, size_t new)
{
	twzobj *arena = arena_of(at, new);
	struct arena *head;
	size_t page;

	if (!arena)
		return false;
	head = twz_object_base(arena);
	page = (at - (uintptr_t)head) / TWIX_PAGE;
	for (size_t i = old / TWIX_PAGE; i < new / TWIX_PAGE; i++)
		if (is_taken(head, page + i))
			return false;
	mark(head, page + old / TWIX_PAGE, (new - old) / TWIX_PAGE, true);
	return true;
}

static long move_pages(uintptr_t at, size_t old, size_t new)
{
	void *p = take_pages(new / TWIX_PAGE);

	if (!p)
		return -ENOMEM;
	memcpy(p, (void *)at, old);
	unmap(at, old);
	return (long)p;
}

long twix_mremap(const long a[6])
{
	uintptr_t at = (uintptr_t)a[0];
	size_t old = ROUND_UP((size_t)a[1], TWIX_PAGE), new = ROUND_UP((size_t)a[2], TWIX_PAGE);
	int flags = (int)a[3];
	long r = (long)at;

	if (at % TWIX_PAGE || old == 0 || new == 0 || flags & ~MREMAP_MAYMOVE)
		return -EINVAL;
	mutex_acquire(&lock);
	if (!arena_of(at, old))
		r = -EFAULT;
	else if (new < old)
		unmap(at + new, old - new);
	else if (new > old && !grow_in_place(at, old, new))
		r = flags & MREMAP_MAYMOVE ? move_pages(at, old, new) : -ENOMEM;
	mutex_release(&lock);
	return r;
}

long twix_madvise(const long a[6])
{
	uintptr_t at = (uintptr_t)a[0];
	size_t len = ROUND_UP((size_t)a[1], TWIX_PAGE);
	twzobj *arena;

	if (at % TWIX_PAGE)
		return -EINVAL;
	mutex_acquire(&lock);
	arena = arena_of(at, len);
	if ((int)a[2] == MADV_DONTNEED && arena && len)
		drop_pages(arena, at, len);
	mutex_release(&lock);
	return 0;
}

long twix_msync(const long a[6])
{
	if ((uintptr_t)a[0] % TWIX_PAGE)
		return -EINVAL;
	_clwb_len((void *)a[0], (size_t)a[1]);
	_pfence();
	return 0;
}

/* --- the break: what the program's data object has left above its data */

long twix_brk(const long a[6])
{
	uintptr_t want = (uintptr_t)a[0], low = (uintptr_t)__data_end;

	mutex_acquire(&lock);
	if (!break_now)
		break_now = low;
	if (want >= low && want <= low + BREAK_SIZE) {
		if (want < break_now)
			memset((void *)want, 0, break_now - want);
		break_now = want;
	}
	mutex_release(&lock);
	return (long)break_now;
}
