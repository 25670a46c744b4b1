// SPDX-License-Identifier: BSD-3-Clause
/*
 * Open files, in the object that all share. Free places are a list without a lock, so that whoever
 * ends in here leaves nothing taken. Those of objects that have names are found by the object, too:
 * one whose last name goes stays as long as a file of it is open.
 */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FILES TWIX_FILES
#define HANDLES 64u /* in a page */
#define CLOSING (1u << 31) /* of refs: nobody can take another */

/* This program's handles to the objects of open files, opened when they are first needed. */
static struct mutex *const handles_lock = &twix_own_locks[TWIX_LOCK_HANDLES];
static twzobj *handles[FILES / HANDLES]; /* guarded so, as what they point to */

_Static_assert(HANDLES * sizeof(twzobj) == TWIX_PAGE, "a page of handles");

/* --- free places */

static struct twix_file *take_free(void)
{
	uint64_t head = __atomic_load_n(&twix_shared->free_files, __ATOMIC_ACQUIRE), next;
	struct twix_file *f;

	do {
		if (!(uint32_t)head)
			return NULL;
		f = &twix_shared->files[(uint32_t)head % FILES];
		next = ((head >> 32) + 1) << 32 | __atomic_load_n(&f->next, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&twix_shared->free_files, &head, next, false, __ATOMIC_ACQ_REL,
	    __ATOMIC_ACQUIRE));
	return f;
}

static struct twix_file *take_fresh(void)
{
	uint32_t n = __atomic_load_n(&twix_shared->fresh_file, __ATOMIC_RELAXED);

	do {
		if (n + 1 >= FILES)
			return NULL;
	} while (!__atomic_compare_exchange_n(&twix_shared->fresh_file, &n, n + 1, false, __ATOMIC_RELAXED,
	    __ATOMIC_RELAXED));
	return &twix_shared->files[n + 1];
}

static void give_back(struct twix_file *f)
{
	uint64_t head = __atomic_load_n(&twix_shared->free_files, __ATOMIC_ACQUIRE), next;

	__atomic_store_n(&f->refs, 0, __ATOMIC_RELEASE);
	do {
		__atomic_store_n(&f->next, (uint32_t)head, __ATOMIC_RELAXED);
		next = ((head >> 32) + 1) << 32 | twix_number_of(f);
	} while (!__atomic_compare_exchange_n(&twix_shared->free_files, &head, next, false, __ATOMIC_ACQ_REL,
	    __ATOMIC_ACQUIRE));
}

struct twix_file *twix_file_new(enum twix_kind kind, objid_t id, unsigned flags)
{
	struct twix_file *f = take_free();

	if (!f)
		f = take_fresh();
	if (!f)
		return NULL;
	f->generation++;
	f->kind = kind;
	f->id = id;
	f->parent = 0;
	f->flags = flags;
	f->used = 0;
	f->next_open = 0;
	f->orphan = 0;
	f->offset = 0;
	mutex_init(&f->lock);
	__atomic_store_n(&f->refs, 1, __ATOMIC_RELEASE);
	return f;
}

unsigned twix_files_open(void)
{
	unsigned used = 0;

	for (unsigned n = 1; n <= __atomic_load_n(&twix_shared->fresh_file, __ATOMIC_RELAXED); n++)
		used += __atomic_load_n(&twix_shared->files[n].refs, __ATOMIC_RELAXED) != 0;
	return used;
}

/* --- those of objects with names */

static bool is_named(const struct twix_file *f)
{
	return (f->kind == TWIX_REGULAR || f->kind == TWIX_DIRECTORY || f->kind == TWIX_FIFO) && !twix_is_node(f->id);
}

static struct twix_open_list *list_of(objid_t id)
{
	uint64_t bits = ID_LO(id) ^ ID_HI(id);

	return &twix_shared->open[(bits ^ bits >> 32) % TWIX_OPEN_HASHES];
}

struct twix_file *twix_file_open(enum twix_kind kind, objid_t id, objid_t parent, unsigned flags)
{
	struct twix_file *f = twix_file_new(kind, id, flags);
	struct twix_open_list *l = list_of(id);

	if (!f)
		return NULL;
	f->parent = parent;
	if (!is_named(f))
		return f;
	mutex_acquire(&l->lock);
	f->next_open = l->first;
	l->first = twix_number_of(f);
	mutex_release(&l->lock);
	return f;
}

static struct twix_file *find_open(const struct twix_open_list *l, objid_t id)
{
	struct twix_file *f = twix_file_number(l->first);

	while (f && f->id != id)
		f = twix_file_number(f->next_open);
	return f;
}

bool twix_file_orphan(objid_t id)
{
	struct twix_open_list *l = list_of(id);
	struct twix_file *f;

	mutex_acquire(&l->lock);
	f = find_open(l, id);
	if (f && !f->orphan)
		f->orphan = twz_object_tie_guid(twix_shared_id(), id, 0) == 0;
	mutex_release(&l->lock);
	return f;
}

static void unlink_open(struct twix_open_list *l, const struct twix_file *f)
{
	uint32_t *at = &l->first, left = FILES;

	while (*at && *at != twix_number_of(f) && left--)
		at = &twix_shared->files[*at % FILES].next_open;
	if (*at == twix_number_of(f))
		*at = f->next_open;
}

/* Another file of the same object keeps it from now on; or nobody does. */
static void forget_open(struct twix_file *f)
{
	struct twix_open_list *l = list_of(f->id);
	struct twix_file *other;
	bool orphan;

	mutex_acquire(&l->lock);
	unlink_open(l, f);
	orphan = f->orphan;
	other = orphan ? find_open(l, f->id) : NULL;
	if (other)
		other->orphan = 1;
	mutex_release(&l->lock);
	if (orphan && !other)
		twz_object_tie_guid(twix_shared_id(), f->id, TIE_UNTIE);
}

/* --- references */

struct twix_file *twix_file_number(unsigned n)
{
	return n && n < FILES ? &twix_shared->files[n] : NULL;
}

unsigned twix_number_of(const struct twix_file *f)
{
	return f ? (unsigned)(f - twix_shared->files) : 0;
}

void twix_file_get(struct twix_file *f)
{
	__atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
}

bool twix_file_get_open(struct twix_file *f)
{
	uint32_t refs = __atomic_load_n(&f->refs, __ATOMIC_ACQUIRE);

	while (refs && !(refs & CLOSING))
		if (__atomic_compare_exchange_n(&f->refs, &refs, refs + 1, false, __ATOMIC_ACQ_REL,
		    __ATOMIC_ACQUIRE))
			return true;
	return false;
}

struct twix_file *twix_file_get_again(unsigned n, uint32_t generation)
{
	struct twix_file *f = twix_file_number(n);

	if (!f || !twix_file_get_open(f))
		return NULL;
	if (f->generation == generation)
		return f;
	twix_file_put(f);
	return NULL;
}

static twzobj *handle_of(const struct twix_file *f)
{
	unsigned n = twix_number_of(f);
	twzobj *page = handles[n / HANDLES];

	return page ? &page[n % HANDLES] : NULL;
}

static void forget_handle(const struct twix_file *f)
{
	twzobj *h;

	mutex_acquire(handles_lock);
	h = handle_of(f);
	if (h && h->base)
		twz_object_release(h);
	mutex_release(handles_lock);
}

void twix_file_put(struct twix_file *f)
{
	uint32_t refs = __atomic_load_n(&f->refs, __ATOMIC_ACQUIRE);

	while (!__atomic_compare_exchange_n(&f->refs, &refs, refs == 1 ? CLOSING : refs - 1, false, __ATOMIC_ACQ_REL,
	    __ATOMIC_ACQUIRE))
		;
	if (refs != 1)
		return;
	twix_locks_drop(f->id, (int)twix_number_of(f), true);
	if (twix_ops_of(f)->last)
		twix_ops_of(f)->last(f);
	if (twix_ops_of(f)->poll || twix_ops_of(f)->look)
		twix_activity();
	forget_handle(f);
	if (is_named(f))
		forget_open(f);
	give_back(f);
}

/* --- their objects */

int twix_file_with_object(enum twix_kind kind, unsigned flags, struct twix_file **f)
{
	objid_t id;
	int r = twix_child_object(twix_shared_id(), 0, &id);

	if (r < 0)
		return r;
	*f = twix_file_new(kind, id, flags);
	if (!*f) {
		twz_object_tie_guid(twix_shared_id(), id, TIE_UNTIE);
		return -ENFILE;
	}
	if (twix_file_object(*f))
		return 0;
	twix_file_put(*f);
	return -ENOMEM;
}

/* Lock held. */
static twzobj *room_for_handle(const struct twix_file *f)
{
	twzobj **page = &handles[twix_number_of(f) / HANDLES];

	if (!*page)
		*page = twix_pages(TWIX_PAGE);
	return handle_of(f);
}

/* The place in the table may have stood for another file before. */
twzobj *twix_file_object(struct twix_file *f)
{
	/* Who reads a pipe moves it on. */
	bool reads = (f->flags & O_ACCMODE) == O_RDONLY && f->kind != TWIX_PIPE_READ && f->kind != TWIX_PTMX &&
	    f->kind != TWIX_FIFO;
	uint32_t access = reads ? FE_READ : FE_READ | FE_WRITE;
	twzobj *h;
	int r = 0;

	mutex_acquire(handles_lock);
	h = room_for_handle(f);
	if (h && (!h->base || h->id != f->id || h->vf != access)) {
		twz_object_release(h);
		r = twz_object_init_guid(h, f->id, access);
	}
	mutex_release(handles_lock);
	return r < 0 ? NULL : h;
}
