// SPDX-License-Identifier: BSD-3-Clause
/*
 * Slots. What stands in an entry of the view is mapped when the entry is written, so that the host's
 * own calls find it (read(), write()); whatever cannot be mapped then, or only in part, is looked at
 * again when it is touched. Slots that are free are reserved.
 */
#define _GNU_SOURCE
#include "hosted.h"

#include <errno.h>
#include <machine/view.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_SLOT (HOSTED_NSLOTS / 2 + 16)

/* What this process has in a slot. Guarded by lock. */
struct mapped {
	objid_t id;
	uint32_t prot; /* VE_*: of the entry, as far as the object permits it; 0: nothing is mapped */
	int error;     /* why nothing is: -ENOENT, -EINVLOBJ, ... */
	uint32_t missing; /* VE_*: what the entry has and the object does not permit */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mapped slots[HOSTED_NSLOTS];

static struct twzview_repr *view(void)
{
	return (void *)(SLOT_TO_VADDR(TWZSLOT_CVIEW) + OBJ_NULLPAGE_SIZE);
}

bool __twz_map_owns(uintptr_t addr)
{
	return VADDR_TO_SLOT(addr) >= FIRST_SLOT && VADDR_TO_SLOT(addr) < HOSTED_NSLOTS;
}

static void reserve(size_t slot)
{
	mmap((void *)SLOT_TO_VADDR(slot), OBJ_MAXSIZE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

static int protection(uint32_t access)
{
	return (access & VE_READ ? PROT_READ : 0) | (access & VE_WRITE ? PROT_WRITE : 0) |
	    (access & VE_EXEC ? PROT_EXEC : 0);
}

static int map_file(size_t slot, int fd, uint32_t access)
{
	char *at = (char *)SLOT_TO_VADDR(slot) + OBJ_NULLPAGE_SIZE;

	return mmap(at, OBJ_MAXSIZE - OBJ_NULLPAGE_SIZE, protection(access), MAP_SHARED | MAP_FIXED,
	    fd, OBJ_NULLPAGE_SIZE) == MAP_FAILED ? -errno : 0;
}

/* A file that is not what its name says: told once for each slot, for its bytes are not lost. */
static void tell_invalid(objid_t id)
{
	fprintf(stderr, "twizzler: object " IDFMT ": the file's size or metadata does not match "
			"its ID; it is left as it is\n", IDPR(id));
}

/* The mapping keeps the file's lock when the descriptor is closed. */
static int map_object(size_t slot, struct mapped *m, uint32_t access)
{
	struct hosted_file f;
	struct metainfo mi;
	int r = __twz_file_open(m->id, &f);

	if (r < 0)
		return r;
	r = __twz_file_verify(f.fd, m->id, &mi);
	if (r == -EINVLOBJ)
		tell_invalid(m->id);
	/* Threads that have no context may do everything; nobody writes a hash-data object. */
	if (r == 0) {
		m->prot = mi.p_flags & MIP_HASHDATA ? access & ~VE_WRITE : access;
		m->missing = access & ~m->prot;
		r = map_file(slot, f.fd, m->prot);
	}
	__twz_file_close(&f);
	return r;
}

static int map_kernel_object(size_t slot, struct mapped *m, uint32_t access)
{
	int r, fd = __twz_kernel_object(m->id);

	if (fd < 0)
		return fd;
	m->prot = access & VE_READ;
	m->missing = access & ~m->prot;
	r = map_file(slot, fd, m->prot);
	close(fd);
	return r;
}

/* Make the slot what its entry says. Caller holds the lock. */
static void fill_slot(size_t slot)
{
	const struct viewentry *ve = &view()->ves[slot];
	uint32_t flags = __atomic_load_n(&ve->flags, __ATOMIC_ACQUIRE);
	struct mapped *m = &slots[slot];

	*m = (struct mapped){ .error = -ENOENT };
	if (!(flags & VE_VALID))
		return;
	m->id = ve->id;
	m->error = objid_is_reserved(m->id) ? map_kernel_object(slot, m, flags & VE_ACCESS)
					    : map_object(slot, m, flags & VE_ACCESS);
	if (m->error < 0)
		m->prot = 0;
}

/* An entry of the current view was written. */
void __twz_machine_view_entry(const struct twzview_repr *repr, size_t slot)
{
	objid_t old;

	if (repr != view() || slot < FIRST_SLOT || slot == TWZSLOT_CVIEW)
		return;
	pthread_mutex_lock(&lock);
	old = slots[slot].id;
	if (slots[slot].prot)
		reserve(slot);
	fill_slot(slot);
	pthread_mutex_unlock(&lock);
	if (old && !objid_is_reserved(old))
		__twz_file_reap(old);
}

/* --- faults */

static int object_fault(const struct mapped *m, uintptr_t addr, uintptr_t ip, uint64_t flags,
    void *info)
{
	*(struct fault_object_info *)info =
	    twz_fault_build_object_info(m->id, (void *)ip, (void *)addr, flags);
	return FAULT_OBJECT;
}

static int page_fault(const struct mapped *m, uintptr_t addr, uintptr_t ip, void *info)
{
	*(struct fault_page_info *)info = twz_fault_build_page_info(m->id, (void *)addr,
	    (addr & (OBJ_MAXSIZE - 1)) / TWZ_PAGE_SIZE, FAULT_PAGE_NOMEM, (void *)ip);
	return FAULT_PAGE;
}

static int security_fault(const struct mapped *m, uintptr_t addr, uintptr_t ip, uint32_t need,
    void *info)
{
	*(struct fault_sctx_info *)info =
	    twz_fault_build_sctx_info(m->id, (void *)ip, (void *)addr, need);
	return FAULT_SCTX;
}

static uint32_t wanted(uint64_t access)
{
	if (access & FAULT_OBJECT_EXEC)
		return VE_EXEC;
	return access & FAULT_OBJECT_WRITE ? VE_WRITE : VE_READ;
}

/* Why an access to what an entry names cannot be. Caller holds the lock. */
static int judge(struct mapped *m, uintptr_t addr, uint64_t access, uintptr_t ip, bool bus,
    void *info)
{
	uint32_t need = wanted(access);
	uint32_t flags = view()->ves[VADDR_TO_SLOT(addr)].flags;

	if (!(flags & VE_VALID))
		return object_fault(m, addr, ip, access | FAULT_OBJECT_NOMAP, info);
	if (m->error == -ENOENT)
		return object_fault(m, addr, ip, access | FAULT_OBJECT_EXIST, info);
	if (!(flags & need))
		return object_fault(m, addr, ip, access, info);
	if (m->error == -EINVLOBJ)
		return object_fault(m, addr, ip, access | FAULT_OBJECT_INVALID, info);
	if (m->missing & need)
		return security_fault(m, addr, ip, need, info);
	return m->error < 0 || bus ? page_fault(m, addr, ip, info) : MAP_RETRY;
}

int __twz_map_fault(uintptr_t addr, uint64_t access, uintptr_t ip, bool bus, void *info)
{
	size_t slot = VADDR_TO_SLOT(addr);
	int r;

	if (addr % OBJ_MAXSIZE < OBJ_NULLPAGE_SIZE) {
		*(struct fault_null_info *)info =
		    twz_fault_build_null_info((void *)ip, (void *)addr);
		return FAULT_NULL;
	}
	pthread_mutex_lock(&lock);
	if (!slots[slot].prot)
		fill_slot(slot);
	r = judge(&slots[slot], addr, access, ip, bus, info);
	pthread_mutex_unlock(&lock);
	return r;
}

/* --- moving */

static void unmap_all(objid_t id)
{
	for (size_t s = FIRST_SLOT; s < HOSTED_NSLOTS; s++)
		if (slots[s].prot && slots[s].id == id) {
			reserve(s);
			slots[s].prot = 0;
		}
}

/* Whoever touches the object meanwhile waits for the lock, and finds it again afterwards. */
int __twz_map_without(objid_t id, int (*fn)(objid_t id, unsigned place), unsigned place)
{
	int r;

	pthread_mutex_lock(&lock);
	unmap_all(id);
	r = fn(id, place);
	for (size_t s = FIRST_SLOT; s < HOSTED_NSLOTS; s++)
		if (slots[s].id == id && !slots[s].prot)
			fill_slot(s);
	pthread_mutex_unlock(&lock);
	return r;
}

/* --- looking */

unsigned __twz_map_count(objid_t id)
{
	unsigned n = 0;

	for (size_t s = FIRST_SLOT; s < HOSTED_NSLOTS; s++)
		n += slots[s].prot && slots[s].id == id;
	return n;
}

void *__twz_map_find(objid_t id)
{
	for (size_t s = FIRST_SLOT; s < HOSTED_NSLOTS; s++)
		if (slots[s].prot && slots[s].id == id)
			return (void *)SLOT_TO_VADDR(s);
	return NULL;
}

/* --- setup */

static _Noreturn void no_room(uintptr_t at)
{
	fprintf(stderr, "twizzler: the addresses from %lx on, where objects are mapped, are not "
			"free: %s\n", (unsigned long)at, strerror(errno));
	_exit(1);
}

void __twz_map_setup(objid_t id)
{
	size_t cview = TWZSLOT_CVIEW;
	uintptr_t start = SLOT_TO_VADDR(FIRST_SLOT);
	void *p = mmap((void *)start, SLOT_TO_VADDR(HOSTED_NSLOTS) - start, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (void *)start)
		no_room(start);
	slots[cview].id = id;
	slots[cview].error = map_object(cview, &slots[cview], VE_READ | VE_WRITE);
	if (slots[cview].error < 0)
		no_room(SLOT_TO_VADDR(cview));
	view()->ves[cview].id = id;
	__atomic_store_n(&view()->ves[cview].flags, VE_VALID | VE_READ | VE_WRITE,
	    __ATOMIC_RELEASE);
}

/* Its entries stay as they are, and so does what is mapped for them. */
void __twz_map_forked(objid_t id)
{
	size_t cview = TWZSLOT_CVIEW;
	struct hosted_file from, to;

	pthread_mutex_init(&lock, NULL);
	if (__twz_file_open(slots[cview].id, &from) < 0 || __twz_file_open(id, &to) < 0 ||
	    __twz_file_copy(to.fd, OBJ_NULLPAGE_SIZE, from.fd, OBJ_NULLPAGE_SIZE,
		OBJ_METAPAGE - OBJ_NULLPAGE_SIZE) < 0)
		no_room(SLOT_TO_VADDR(cview));
	slots[cview].id = id;
	slots[cview].error = map_file(cview, to.fd, VE_READ | VE_WRITE);
	__twz_file_close(&from);
	__twz_file_close(&to);
	view()->ves[cview].id = id;
}
