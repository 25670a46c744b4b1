// SPDX-License-Identifier: BSD-3-Clause
/*
 * Memory of a program. What is private to it, anonymous memory and copies of files, stands in the
 * slots for mappings, from the first on, so that fork() finds it. Anonymous memory comes from
 * arenas, volatile objects. A mapped file that is not copied is its object, as any handle has it.
 *
 * Protection is that of slots, so that mprotect() cannot take anything away: what it asks for is
 * there already.
 */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <twz/persist.h>
#include <twz/sys/program.h>
#include <twz/sys/slots.h>
#include <twz/sys/syscall.h>
#include <twz/sys/view.h>

#define ARENA_PAGES (OBJ_MAXDATA / TWIX_PAGE)
#define WORDS ((ARENA_PAGES + 63) / 64)
#define FILES 256u
#define PRIVATE_MAX 1024u
#define BREAK_SIZE (1ul << 20) /* what libtwz leaves free above the program's data */

/* At the start of an arena: which of its pages are taken. */
struct arena {
	uint64_t taken[WORDS];
};

#define ARENA_HEADER_PAGES (ROUND_UP(sizeof(struct arena), TWIX_PAGE) / TWIX_PAGE)

/* What stands in a slot for mappings. */
struct private {
	objid_t id; /* 0: nothing */
	bool arena;
	size_t next_page; /* of an arena: where the last search ended */
};

/* Guarded by TWIX_LOCK_MEMORY, as all below. */
static _Alignas(TWIX_PAGE) struct private privates[PRIVATE_MAX];
static size_t private_end; /* from there on none was ever used */
static _Alignas(TWIX_PAGE) struct mapping files[FILES];
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

static size_t slot_of(size_t n)
{
	return TWZSLOT_MMAP_BASE + n;
}

static void *base_of(size_t n)
{
	return (void *)(SLOT_TO_VADDR(slot_of(n)) + OBJ_NULLPAGE_SIZE);
}

static size_t slots(void)
{
	size_t n = TWZSLOT_MMAP_NUM;

	return n < PRIVATE_MAX ? n : PRIVATE_MAX;
}

/* A new object, a copy of src unless that is 0, in a free slot. Its number, or an error. */
static ssize_t put_private(objid_t src, bool arena, uint32_t access)
{
	size_t n = 0;
	int r;

	while (n < private_end && privates[n].id)
		n++;
	if (n == slots())
		return -ENOMEM;
	r = twix_child_object(twix_view_id(), src, &privates[n].id);
	if (r < 0)
		return r;
	privates[n].arena = arena;
	if (n >= private_end)
		private_end = n + 1;
	twz_view_set(NULL, slot_of(n), privates[n].id, access);
	return (ssize_t)n;
}

static void drop_private(size_t n)
{
	twz_view_set(NULL, slot_of(n), 0, 0);
	twz_object_tie_guid(twix_view_id(), privates[n].id, TIE_UNTIE);
	privates[n].id = 0;
}

static ssize_t arena_make(void)
{
	ssize_t n = put_private(0, true, VE_READ | VE_WRITE);

	if (n < 0)
		return n;
	mark(base_of((size_t)n), 0, ARENA_HEADER_PAGES, true);
	privates[n].next_page = ARENA_HEADER_PAGES;
	return n;
}

static void *take_from(size_t n, size_t count)
{
	struct arena *a = base_of(n);
	size_t page = find_run(a, count, privates[n].next_page, ARENA_PAGES);

	if (!page)
		page = find_run(a, count, ARENA_HEADER_PAGES, ARENA_PAGES);
	if (!page)
		return NULL;
	mark(a, page, count, true);
	privates[n].next_page = page + count;
	return (char *)a + page * TWIX_PAGE;
}

/* Lock held. */
void *twix_take_pages(size_t count)
{
	void *p = NULL;
	ssize_t n;

	if (count == 0 || count > ARENA_PAGES - ARENA_HEADER_PAGES)
		return NULL;
	for (size_t i = 0; !p && i < private_end; i++)
		if (privates[i].id && privates[i].arena)
			p = take_from(i, count);
	if (p)
		return p;
	n = arena_make();
	return n < 0 ? NULL : take_from((size_t)n, count);
}

ssize_t twix_arena_of(uintptr_t start, size_t len)
{
	size_t n = VADDR_TO_SLOT(start) - TWZSLOT_MMAP_BASE;
	uintptr_t first, end;

	if (n >= private_end || !privates[n].id || !privates[n].arena)
		return -1;
	first = (uintptr_t)base_of(n) + ARENA_HEADER_PAGES * TWIX_PAGE;
	end = (uintptr_t)base_of(n) + ARENA_PAGES * TWIX_PAGE;
	return start >= first && start < end && len <= end - start ? (ssize_t)n : -1;
}

void twix_drop_pages(size_t n, uintptr_t start, size_t len)
{
	objid_t zeroes = 0;

	sys_ocopy(&privates[n].id, &zeroes, start % OBJ_MAXSIZE, start % OBJ_MAXSIZE, len, 0);
}

bool twix_arena_has(size_t n, uintptr_t start, size_t len, bool taken)
{
	const struct arena *a = base_of(n);
	size_t page = (start - (uintptr_t)a) / TWIX_PAGE;

	for (size_t i = 0; i < len / TWIX_PAGE; i++)
		if (is_taken(a, page + i) != taken)
			return false;
	return true;
}

void twix_arena_take(size_t n, uintptr_t start, size_t len)
{
	struct arena *a = base_of(n);

	mark(a, (start - (uintptr_t)a) / TWIX_PAGE, len / TWIX_PAGE, true);
}

objid_t *twix_private_id(size_t n)
{
	return n < private_end ? &privates[n].id : NULL;
}

void *twix_pages(size_t bytes)
{
	void *p;

	mutex_acquire(&twix_own_locks[TWIX_LOCK_MEMORY]);
	p = twix_take_pages(ROUND_UP(bytes, TWIX_PAGE) / TWIX_PAGE);
	mutex_release(&twix_own_locks[TWIX_LOCK_MEMORY]);
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

struct mapping *twix_mapping_of(uintptr_t start)
{
	for (unsigned i = 0; i < FILES; i++)
		if (files[i].start && start >= files[i].start && start - files[i].start < files[i].len)
			return &files[i];
	return NULL;
}

/* A private mapping that can be written to is one of a copy. */
static int map_copy(struct mapping *m, objid_t id, uintptr_t *base)
{
	ssize_t n = put_private(id, false, VE_READ | VE_WRITE);

	if (n < 0)
		return (int)n;
	m->slot = slot_of((size_t)n);
	*base = (uintptr_t)base_of((size_t)n);
	return 0;
}

static int map_itself(struct mapping *m, objid_t id, int prot, uintptr_t *base)
{
	uint32_t access = FE_READ | (prot & PROT_WRITE ? FE_WRITE : 0) | (prot & PROT_EXEC ? FE_EXEC : 0);
	int r = twz_object_init_guid(&m->obj, id, access);

	if (r < 0)
		return r == -ENOSPC ? -ENOMEM : r;
	m->slot = 0;
	*base = (uintptr_t)twz_object_base(&m->obj);
	return 0;
}

static long map_object(objid_t id, size_t len, int prot, int flags, off_t offset)
{
	struct mapping *m = free_mapping();
	uintptr_t base = 0;
	int r;

	if (!m)
		return -ENOMEM;
	if ((uint64_t)offset >= OBJ_MAXDATA || len > OBJ_MAXDATA - (uint64_t)offset)
		return -EOVERFLOW;
	if (!(flags & MAP_SHARED) && prot & PROT_WRITE)
		r = map_copy(m, id, &base);
	else
		r = map_itself(m, id, prot, &base);
	if (r < 0)
		return r;
	m->start = base + (uintptr_t)offset;
	m->len = len;
	m->id = id;
	m->shared_memory = false;
	return (long)m->start;
}

/* In an object of its own, which those that come of fork() have mapped, too. */
static long map_shared_memory(size_t len)
{
	struct mapping *m;
	objid_t id;
	long r = twix_child_object(twix_view_id(), 0, &id);

	if (r < 0)
		return r;
	r = map_object(id, len, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	m = r > 0 ? twix_mapping_of((uintptr_t)r) : NULL;
	if (m)
		m->shared_memory = true;
	else
		twz_object_tie_guid(twix_view_id(), id, TIE_UNTIE);
	return r;
}

static long map_anonymous(size_t len, int flags)
{
	if (flags & MAP_SHARED)
		return map_shared_memory(len);
	return (long)twix_take_pages(len / TWIX_PAGE) ?: -ENOMEM;
}

static bool may_map(unsigned mode, int prot, int flags)
{
	return mode == O_RDWR || (mode == O_RDONLY && !(flags & MAP_SHARED && prot & PROT_WRITE));
}

/* The reference to the file is not given back under the lock: with the last one much is done. */
static long map_file(int fd, size_t len, int prot, int flags, off_t offset)
{
	struct twix_file *f = twix_file_of(fd);
	long r = -EACCES;

	if (!f)
		return -EBADF;
	if (f->kind != TWIX_REGULAR) {
		r = -ENODEV;
	} else if (may_map(f->flags & O_ACCMODE, prot, flags)) {
		mutex_acquire(&twix_own_locks[TWIX_LOCK_MEMORY]);
		r = map_object(f->id, len, prot, flags, offset);
		mutex_release(&twix_own_locks[TWIX_LOCK_MEMORY]);
	}
	twix_file_put(f);
	return r;
}

/* At a given place: only where anonymous memory is already, which is made new. */
static long map_fixed(uintptr_t at, size_t len, int flags)
{
	ssize_t n = twix_arena_of(at, len);

	if (!(flags & MAP_ANONYMOUS) || n < 0)
		return -ENOMEM;
	twix_drop_pages((size_t)n, at, len);
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
	if (!(flags & (MAP_FIXED | MAP_ANONYMOUS)))
		return map_file(fd, len, prot, flags, offset);
	mutex_acquire(&twix_own_locks[TWIX_LOCK_MEMORY]);
	if (flags & MAP_FIXED)
		r = map_fixed(at, len, flags);
	else
		r = map_anonymous(len, flags);
	mutex_release(&twix_own_locks[TWIX_LOCK_MEMORY]);
	return r;
}

void twix_unmap(uintptr_t at, size_t len)
{
	ssize_t n = twix_arena_of(at, len);
	struct mapping *m = twix_mapping_of(at);

	if (n >= 0) {
		struct arena *head = base_of((size_t)n);

		twix_drop_pages((size_t)n, at, len);
		mark(head, (at - (uintptr_t)head) / TWIX_PAGE, len / TWIX_PAGE, false);
	} else if (m && at == m->start && len >= m->len) {
		if (m->slot)
			drop_private(m->slot - TWZSLOT_MMAP_BASE);
		else
			twz_object_release(&m->obj);
		if (m->shared_memory)
			twz_object_tie_guid(twix_view_id(), m->id, TIE_UNTIE);
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
	mutex_acquire(&twix_own_locks[TWIX_LOCK_MEMORY]);
	twix_unmap(at, len);
	mutex_release(&twix_own_locks[TWIX_LOCK_MEMORY]);
	return 0;
}

long twix_mprotect(const long a[6])
{
	int prot = (int)a[2];

	if ((uintptr_t)a[0] % TWIX_PAGE)
		return -EINVAL;
	return (prot & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC) ? -EACCES : 0;
}

/* --- the break: what the program's data object has left above its data */

long twix_brk(const long a[6])
{
	const struct twix_linux *other = twix_linux_program();
	uintptr_t want = (uintptr_t)a[0], low = other ? other->memory_end : (uintptr_t)__data_end;
	size_t room = other ? TWIX_LINUX_AT - low : BREAK_SIZE;

	mutex_acquire(&twix_own_locks[TWIX_LOCK_MEMORY]);
	if (!break_now)
		break_now = low;
	if (want >= low && want <= low + room) {
		if (want < break_now)
			memset((void *)want, 0, break_now - want);
		break_now = want;
	}
	mutex_release(&twix_own_locks[TWIX_LOCK_MEMORY]);
	return (long)break_now;
}

/* --- what the program has */

/* Of an arena: where the pages end that are taken, from at on, at last or before. */
static uintptr_t end_of_taken(const struct arena *a, uintptr_t at, uintptr_t last)
{
	size_t page = (at - (uintptr_t)a) / TWIX_PAGE, most = (last - (uintptr_t)a) / TWIX_PAGE;

	while (page <= most && page < ARENA_PAGES && is_taken(a, page))
		page++;
	return (uintptr_t)a + page * TWIX_PAGE;
}

#define UNKNOWN_AT_ONCE (1ul << 20) /* of an object of which only libtwz knows: it may have 1 GiB */

/* Where the program's memory around at ends. No lock: what changes meanwhile is another thread's doing. */
static uintptr_t end_of_memory(uintptr_t at, uintptr_t last)
{
	const struct twix_linux *other = twix_linux_program();
	uintptr_t low = other ? other->memory_end : (uintptr_t)__data_end;
	size_t slot = VADDR_TO_SLOT(at), n = slot - TWZSLOT_MMAP_BASE;
	const struct mapping *m;

	if (slot == TWIX_TEXT_SLOT && at < SLOT_TO_VADDR(slot) + __twz_program.text_end)
		return SLOT_TO_VADDR(slot) + ROUND_UP(__twz_program.text_end, TWIX_PAGE);
	if (slot == TWZSLOT_STACK && at % OBJ_MAXSIZE < TWZ_FAULT_STACK_OFFSET)
		return SLOT_TO_VADDR(slot) + TWZ_ENV_OFFSET + TWZ_ENV_MAX;
	if (slot == VADDR_TO_SLOT(low) && at < low + (other ? TWIX_LINUX_AT - low : BREAK_SIZE))
		return ROUND_UP(break_now > low ? break_now : low, TWIX_PAGE);
	if (n < private_end && privates[n].id && privates[n].arena)
		return end_of_taken(base_of(n), at, last);
	m = twix_mapping_of(at);
	return m ? m->start + m->len : at + UNKNOWN_AT_ONCE;
}

size_t twix_memory_extent(uintptr_t at, size_t n)
{
	uintptr_t end = end_of_memory(at, at + n - 1);

	return end <= at ? 0 : end - at < n ? end - at : n;
}

/* --- fork */

/* What is shared stays as long as one of them has it. */
static int tie_shared(objid_t view)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < FILES; i++)
		if (files[i].start && files[i].shared_memory)
			r = twz_object_tie_guid(view, files[i].id, 0);
	return r;
}

int twix_memory_copy(objid_t view, twzobj *to)
{
	for (size_t n = 0; n < private_end; n++) {
		uint32_t flags;
		objid_t id;
		int r;

		if (!privates[n].id)
			continue;
		twz_view_get(NULL, slot_of(n), NULL, &flags);
		r = twix_child_object(view, privates[n].id, &id);
		if (r < 0)
			return r;
		twz_view_set(to, slot_of(n), id, flags);
	}
	return tie_shared(view);
}

void twix_memory_after_fork(void)
{
	for (size_t n = 0; n < private_end; n++)
		if (privates[n].id)
			twz_view_get(NULL, slot_of(n), &privates[n].id, NULL);
}
