// SPDX-License-Identifier: BSD-3-Clause
/*
 * What programs that come from one another share: the open files. They stand in an object that each
 * maps at the same place; the first of them makes it.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <twz/sys/slots.h>
#include <twz/sys/sys.h>
#include <twz/sys/view.h>

#define FILES 4096u

struct shared {
	struct mutex lock; /* between those who look for a free file */
	uint32_t search;   /* where the last one was; guarded by lock */
	uint32_t unused[3];
	struct twix_file files[FILES];
};

static struct shared *shared;

/* This program's handles to the objects of open files, opened when they are first needed. */
static struct mutex handles_lock;
static twzobj handles[FILES]; /* guarded by handles_lock */

int twix_shared_init(void)
{
	objid_t id;
	int r = twz_object_create(TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_VIEW, 0, 0, &id);

	if (r < 0)
		return r;
	twz_view_set(NULL, TWZSLOT_UNIX, id, VE_READ | VE_WRITE);
	shared = (void *)(SLOT_TO_VADDR(TWZSLOT_UNIX) + OBJ_NULLPAGE_SIZE);
	return 0;
}

static bool take(struct twix_file *f)
{
	uint32_t none = 0;

	return __atomic_compare_exchange_n(&f->refs, &none, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

struct twix_file *twix_file_new(enum twix_kind kind, objid_t id, unsigned flags)
{
	struct twix_file *f = NULL;

	mutex_acquire(&shared->lock);
	for (unsigned i = 0; !f && i < FILES; i++) {
		struct twix_file *candidate = &shared->files[(shared->search + i) % FILES];

		if (take(candidate))
			f = candidate;
	}
	if (f)
		shared->search = (uint32_t)(f - shared->files) + 1;
	mutex_release(&shared->lock);
	if (!f)
		return NULL;
	f->kind = kind;
	f->id = id;
	f->flags = flags;
	f->offset = 0;
	mutex_init(&f->lock);
	return f;
}

void twix_file_get(struct twix_file *f)
{
	__atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
}

static void forget_handle(const struct twix_file *f)
{
	mutex_acquire(&handles_lock);
	twz_object_release(&handles[f - shared->files]);
	mutex_release(&handles_lock);
}

void twix_file_put(struct twix_file *f)
{
	if (__atomic_load_n(&f->refs, __ATOMIC_ACQUIRE) == 1)
		forget_handle(f);
	__atomic_fetch_sub(&f->refs, 1, __ATOMIC_RELEASE);
}

/* The place in the table may have stood for another file before. */
twzobj *twix_file_object(struct twix_file *f)
{
	twzobj *h = &handles[f - shared->files];
	uint32_t access = (f->flags & O_ACCMODE) == O_RDONLY ? FE_READ : FE_READ | FE_WRITE;
	int r = 0;

	mutex_acquire(&handles_lock);
	if (!h->base || h->id != f->id || h->vf != access) {
		twz_object_release(h);
		r = twz_object_init_guid(h, f->id, access);
	}
	mutex_release(&handles_lock);
	return r < 0 ? NULL : h;
}
