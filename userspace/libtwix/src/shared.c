// SPDX-License-Identifier: BSD-3-Clause
/*
 * What programs that come from one another share: open files and processes. They stand in an object
 * that each maps at the same place; the first of them makes it.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <twz/sys/slots.h>
#include <twz/sys/sync.h>
#include <twz/sys/sys.h>
#include <twz/sys/thread.h>
#include <twz/sys/view.h>

#define FILES 4096u
#define PROCESSES 512u
#define PID_MAX 32768

struct shared {
	struct mutex lock; /* between those who look for a free file or process */
	uint32_t search;   /* where the last file was; guarded by lock */
	int32_t last_pid;  /* guarded by lock */
	uint32_t unused[2];
	uint64_t there[PROCESSES / 64]; /* atomic: processes that there may be; changed under lock */
	struct twix_terminals terminals;
	struct twix_locks locks;
	struct twix_file files[FILES]; /* the first is never used */
	struct twix_process processes[PROCESSES];
	struct twix_descriptor descriptors[PROCESSES][TWIX_DESCRIPTORS];
};

static struct shared *shared;
static struct twix_process *self;

/* This program's handles to the objects of open files, opened when they are first needed. */
static struct mutex handles_lock;
static _Alignas(TWIX_PAGE) twzobj handles[FILES]; /* guarded by handles_lock */

/* Whoever started this program may have entered it. */
static struct twix_process *find_self(void)
{
	struct twix_process *p;

	for (unsigned n = 0; (p = twix_process_next(&n));)
		if (p->state == TWIX_RUNNING && p->thread == twz_thread_id())
			return p;
	return NULL;
}

static int make_shared(void)
{
	objid_t id;
	int r = twix_child_object(twix_view_id(), 0, &id);

	if (r < 0)
		return r;
	twz_view_set(NULL, TWZSLOT_UNIX, id, VE_READ | VE_WRITE);
	shared->files[0].refs = 1;
	return 0;
}

static int enter_first(void)
{
	self = twix_process_new();
	if (!self)
		return -EAGAIN;
	self->group = self->session = self->pid;
	self->thread = twz_thread_id();
	self->umask = 022;
	self->first = 1;
	self->taken = 1;
	__atomic_store_n(&self->state, TWIX_RUNNING, __ATOMIC_RELEASE);
	if (twix_terminal_make() < 0)
		return -ENOMEM;
	twix_descriptors_init();
	return 0;
}

int twix_shared_init(void)
{
	uint32_t flags;
	int r = 0;

	shared = (void *)(SLOT_TO_VADDR(TWZSLOT_UNIX) + OBJ_NULLPAGE_SIZE);
	twz_view_get(NULL, TWZSLOT_UNIX, NULL, &flags);
	if (!(flags & VE_VALID))
		r = make_shared();
	if (r < 0)
		return r;
	self = find_self();
	if (!self)
		return enter_first();
	__atomic_store_n(&self->taken, 1, __ATOMIC_RELEASE);
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&self->taken, (uint64_t)-1, NULL);
	return 0;
}

objid_t twix_shared_id(void)
{
	objid_t id;

	twz_view_get(NULL, TWZSLOT_UNIX, &id, NULL);
	return id;
}

/* --- processes */

struct twix_terminals *twix_terminals(void)
{
	return &shared->terminals;
}

struct twix_locks *twix_locks(void)
{
	return &shared->locks;
}

struct twix_process *twix_self(void)
{
	return self;
}

struct twix_descriptor *twix_descriptors(const struct twix_process *p)
{
	return shared->descriptors[p - shared->processes];
}

void twix_become(struct twix_process *p)
{
	self = p;
	mutex_init(&handles_lock);
}

/* Its place is free: nobody needs to look there until another takes it. */
static void note_gone(unsigned n)
{
	mutex_acquire(&shared->lock);
	if (shared->processes[n].state == TWIX_NO_PROCESS)
		__atomic_fetch_and(&shared->there[n / 64], ~(1ull << n % 64), __ATOMIC_RELEASE);
	mutex_release(&shared->lock);
}

struct twix_process *twix_process_next(unsigned *n)
{
	while (*n < PROCESSES) {
		uint64_t rest = __atomic_load_n(&shared->there[*n / 64], __ATOMIC_ACQUIRE) >> *n % 64;
		unsigned at = rest ? *n + (unsigned)__builtin_ctzll(rest) : 0;

		*n = rest ? at + 1 : *n / 64 * 64 + 64;
		if (!rest)
			continue;
		if (__atomic_load_n(&shared->processes[at].state, __ATOMIC_ACQUIRE) != TWIX_NO_PROCESS)
			return &shared->processes[at];
		note_gone(at);
	}
	return NULL;
}

struct twix_process *twix_process_of(int pid)
{
	struct twix_process *p = &shared->processes[(unsigned)pid % PROCESSES];

	return pid > 0 && p->state != TWIX_NO_PROCESS && p->pid == pid ? p : NULL;
}

static struct twix_process *take_process(int pid)
{
	struct twix_process *p = &shared->processes[(unsigned)pid % PROCESSES];

	if (p->state != TWIX_NO_PROCESS)
		return NULL;
	memset(twix_descriptors(p), 0, p->descriptors * sizeof(struct twix_descriptor));
	memset(p, 0, sizeof(*p));
	p->pid = pid;
	p->state = TWIX_STARTING;
	__atomic_fetch_or(&shared->there[(unsigned)pid % PROCESSES / 64], 1ull << (unsigned)pid % 64, __ATOMIC_RELEASE);
	return p;
}

struct twix_process *twix_process_new(void)
{
	struct twix_process *p = NULL;

	mutex_acquire(&shared->lock);
	for (unsigned i = 0; !p && i < PROCESSES; i++) {
		shared->last_pid = shared->last_pid % PID_MAX + 1;
		p = take_process(shared->last_pid);
	}
	mutex_release(&shared->lock);
	return p;
}

/* --- open files */

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
	f->generation++;
	f->kind = kind;
	f->id = id;
	f->flags = flags;
	f->offset = 0;
	mutex_init(&f->lock);
	return f;
}

struct twix_file *twix_file_number(unsigned n)
{
	return n && n < FILES ? &shared->files[n] : NULL;
}

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

struct twix_file *twix_file_get_again(unsigned n, uint32_t generation)
{
	struct twix_file *f = twix_file_number(n);
	uint32_t refs = f ? __atomic_load_n(&f->refs, __ATOMIC_ACQUIRE) : 0;

	while (refs && !__atomic_compare_exchange_n(&f->refs, &refs, refs + 1, false, __ATOMIC_ACQ_REL,
	    __ATOMIC_ACQUIRE))
		;
	if (!refs)
		return NULL;
	if (f->generation == generation)
		return f;
	twix_file_put(f);
	return NULL;
}

unsigned twix_number_of(const struct twix_file *f)
{
	return f ? (unsigned)(f - shared->files) : 0;
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
	uint32_t refs = __atomic_load_n(&f->refs, __ATOMIC_ACQUIRE);

	while (refs > 1)
		if (__atomic_compare_exchange_n(&f->refs, &refs, refs - 1, false, __ATOMIC_ACQ_REL,
		    __ATOMIC_ACQUIRE))
			return;
	/* The last reference: nobody can take another, and the place is not free until it is gone. */
	twix_locks_drop(f->id, (int)twix_number_of(f), true);
	if (twix_ops_of(f)->last)
		twix_ops_of(f)->last(f);
	forget_handle(f);
	__atomic_store_n(&f->refs, 0, __ATOMIC_RELEASE);
}

/* The place in the table may have stood for another file before. */
twzobj *twix_file_object(struct twix_file *f)
{
	twzobj *h = &handles[f - shared->files];
	/* Who reads a pipe moves it on. */
	bool reads = (f->flags & O_ACCMODE) == O_RDONLY && f->kind != TWIX_PIPE_READ && f->kind != TWIX_PTMX;
	uint32_t access = reads ? FE_READ : FE_READ | FE_WRITE;
	int r = 0;

	mutex_acquire(&handles_lock);
	if (!h->base || h->id != f->id || h->vf != access) {
		twz_object_release(h);
		r = twz_object_init_guid(h, f->id, access);
	}
	mutex_release(&handles_lock);
	return r < 0 ? NULL : h;
}
