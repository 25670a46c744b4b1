// SPDX-License-Identifier: BSD-3-Clause
/*
 * What programs that come from one another share: open files and processes. They stand in an object
 * that each maps at the same place; the first of them makes it.
 */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <twz/obj/hier.h>
#include <twz/sys/slots.h>
#include <twz/sys/sync.h>
#include <twz/sys/sys.h>
#include <twz/sys/thread.h>
#include <twz/sys/view.h>

struct twix_shared *twix_shared;
static struct twix_process *self;

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
	self->taken = TWIX_TAKEN;
	__atomic_store_n(&self->state, TWIX_RUNNING, __ATOMIC_RELEASE);
	if (twix_terminal_make() < 0)
		return -ENOMEM;
	twix_descriptors_init();
	twix_root_prepare();
	return 0;
}

int twix_shared_init(void)
{
	uint32_t flags;
	int r = 0;

	twix_shared = (void *)(SLOT_TO_VADDR(TWZSLOT_UNIX) + OBJ_NULLPAGE_SIZE);
	twz_view_get(NULL, TWZSLOT_UNIX, NULL, &flags);
	if (!(flags & VE_VALID))
		r = make_shared();
	if (r < 0)
		return r;
	self = find_self();
	return self ? 0 : enter_first();
}

bool twix_shared_taken(void)
{
	uint64_t not = TWIX_NOT_TAKEN;

	if (!__atomic_compare_exchange_n(&self->taken, &not, TWIX_TAKEN, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return not == TWIX_TAKEN;
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&self->taken, (uint64_t)-1, NULL);
	return true;
}

objid_t twix_shared_id(void)
{
	objid_t id;

	twz_view_get(NULL, TWZSLOT_UNIX, &id, NULL);
	return id;
}

/* Its directory's names are in memory: what they stand for must be so, too. */
objid_t twix_shared_memory(void)
{
	twzobj ns;

	mutex_acquire(&twix_shared->lock);
	if (!twix_shared->memory && twix_child_object(twix_shared_id(), 0, &twix_shared->memory) == 0 &&
	    twz_object_init_guid(&ns, twix_shared->memory, FE_READ | FE_WRITE) == 0) {
		twz_hier_namespace_init(&ns, twix_node_of_path("/dev"));
		twix_inode_make(&ns, S_IFDIR | S_ISVTX | 0777);
		twz_object_release(&ns);
	}
	mutex_release(&twix_shared->lock);
	return twix_shared->memory;
}

objid_t twix_shared_memory_made(void)
{
	return twix_shared->memory;
}

/* --- processes */

struct twix_terminals *twix_terminals(void)
{
	return &twix_shared->terminals;
}

struct twix_locks *twix_locks(void)
{
	return &twix_shared->locks;
}

struct twix_process *twix_self(void)
{
	return self;
}

struct twix_queue *twix_queue(const struct twix_process *p)
{
	return &twix_shared->queues[p - twix_shared->processes];
}

struct twix_about *twix_about(const struct twix_process *p)
{
	return &twix_shared->about[p - twix_shared->processes];
}

twix_descriptor *twix_descriptors(const struct twix_process *p)
{
	return twix_shared->descriptors[p - twix_shared->processes];
}

void twix_become(struct twix_process *p)
{
	self = p;
}

void twix_act_as(struct twix_process *p)
{
	self = p;
}

struct twix_process *twix_process_next(unsigned *n)
{
	while (*n < __atomic_load_n(&twix_shared->process_end, __ATOMIC_ACQUIRE)) {
		struct twix_process *p = &twix_shared->processes[(*n)++];

		if (__atomic_load_n(&p->state, __ATOMIC_ACQUIRE) != TWIX_NO_PROCESS)
			return p;
	}
	return NULL;
}

static struct twix_process *by_pid(int pid)
{
	unsigned place = twix_shared->by_pid[(unsigned)pid % TWIX_PIDS];

	return place ? &twix_shared->processes[(place - 1) % TWIX_PROCESSES] : NULL;
}

struct twix_process *twix_process_of(int pid)
{
	struct twix_process *p = pid > 0 ? by_pid(pid) : NULL;

	return p && p->state != TWIX_NO_PROCESS && p->pid == pid ? p : NULL;
}

static void prepare(struct twix_process *p, int pid)
{
	memset(twix_descriptors(p), 0, p->fd_end * sizeof(twix_descriptor));
	memset(p, 0, sizeof(*p));
	twix_about(p)->length = 0;
	twix_about(p)->exe[0] = 0;
	memset(&twix_about(p)->users, 0, sizeof(struct twix_users));
	memset(twix_about(p)->name, 0, sizeof(twix_about(p)->name));
	mutex_init(&twix_queue(p)->lock);
	twix_queue(p)->n = 0;
	p->pid = pid;
	p->started = twz_clock_ns();
	twix_limits_init(p);
	p->state = TWIX_STARTING;
}

/* The next number of which no process has the remainder. Lock held; there are more than processes. */
static int next_pid(void)
{
	struct twix_process *p;

	do {
		twix_shared->last_pid = twix_shared->last_pid % TWIX_PID_MAX + 1;
		p = by_pid(twix_shared->last_pid);
	} while (p && p->state != TWIX_NO_PROCESS &&
		 (unsigned)p->pid % TWIX_PIDS == (unsigned)twix_shared->last_pid % TWIX_PIDS);
	return twix_shared->last_pid;
}

/* The lowest place that is free, so that few pages are in use. */
struct twix_process *twix_process_new(void)
{
	struct twix_process *p = twix_shared->processes, *end = p + TWIX_PROCESSES;
	unsigned n;

	mutex_acquire(&twix_shared->lock);
	n = __atomic_load_n(&twix_shared->process_free, __ATOMIC_ACQUIRE);
	for (p += n; p < end && p->state != TWIX_NO_PROCESS; p++)
		;
	n = (unsigned)(p - twix_shared->processes);
	if (p < end) {
		int pid = next_pid();

		prepare(p, pid);
		twix_shared->by_pid[(unsigned)pid % TWIX_PIDS] = (uint16_t)(n + 1);
		__atomic_store_n(&twix_shared->process_free, n + 1, __ATOMIC_RELEASE);
		if (twix_shared->process_end <= n)
			__atomic_store_n(&twix_shared->process_end, n + 1, __ATOMIC_RELEASE);
	}
	mutex_release(&twix_shared->lock);
	return p < end ? p : NULL;
}

void twix_process_freed(const struct twix_process *p)
{
	unsigned n = (unsigned)(p - twix_shared->processes);

	mutex_acquire(&twix_shared->lock);
	if (twix_shared->process_free > n)
		__atomic_store_n(&twix_shared->process_free, n, __ATOMIC_RELEASE);
	mutex_release(&twix_shared->lock);
}
