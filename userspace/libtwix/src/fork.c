// SPDX-License-Identifier: BSD-3-Clause
/*
 * A copy of this program: a new view, in which what is private to it stands as copies that are made
 * page by page when either writes; what it shares, it shares. The child's first thread goes on
 * where the parent's called.
 */
#include "twix.h"

#include <errno.h>
#include <string.h>
#include <twz/sys/locks.h>
#include <twz/sys/program.h>
#include <twz/sys/slots.h>
#include <twz/sys/syscall.h>
#include <twz/sys/thread.h>
#include <twz/sys/view.h>
#include <twz/twztry.h>

#define FIRST_STACK 4096 /* what the child needs before it is where the parent was */

static struct mutex *const lock = &twix_own_locks[TWIX_LOCK_FORK];

/* Of the fork that is under way; guarded by the lock. The child finds its own copy. */
static struct {
	uint64_t regs[32];
	struct twix_process *child;
	bool is_there; /* the child is a process already */
	objid_t data, stack, thread, memory; /* the copies */
} point;

/* The child's first instructions: on to where the parent saved its registers. */
static void begin(void *unused)
{
	(void)unused;
	__twz_try_load(point.regs, 1);
}

static struct __twz_start_record record = { .start = begin, .prepare = twix_hold_in_copy };

/* What stands in the child's view in place of the parent's own. */
static bool replace(twzobj *view, size_t slot, objid_t id, uint32_t flags, objid_t *new_id, uint32_t *new_flags)
{
	(void)view, (void)id, (void)flags, (void)new_flags;
	if (slot == TWIX_DATA_SLOT)
		*new_id = point.data;
	else if (slot == TWZSLOT_STACK)
		*new_id = point.stack;
	else if (slot == TWZSLOT_THRD)
		*new_id = point.thread;
	else if (slot == TWIX_LINUX_SLOT && twix_linux_program())
		*new_id = point.memory;
	return true;
}

static objid_t id_in(size_t slot)
{
	objid_t id;

	twz_view_get(NULL, slot, &id, NULL);
	return id;
}

/* Everything but the data, whose copy is the last: until then this memory may change. All locks held. */
static int copy_all(objid_t view, twzobj *to)
{
	int how = VIEW_CLONE_ENTRIES | VIEW_CLONE_BITMAP | (twz_locks_needed() ? VIEW_CLONE_LOCKED : 0);
	int r = twix_child_object(view, id_in(TWZSLOT_STACK), &point.stack);

	if (r == 0 && twix_image_is_made())
		r = twz_object_tie_guid(view, id_in(TWIX_TEXT_SLOT), 0);
	if (r == 0 && twix_linux_program())
		r = twix_child_object(view, id_in(TWIX_LINUX_SLOT), &point.memory);
	if (r == 0)
		r = twix_memory_copy(view, to);
	if (r == 0)
		r = twz_view_clone(NULL, to, how, replace);
	if (r == 0)
		r = twix_child_object(view, id_in(TWIX_DATA_SLOT), &point.data);
	if (r == 0)
		twz_view_set(to, TWIX_DATA_SLOT, point.data, VE_READ | VE_WRITE);
	return r;
}

static int copy_view(objid_t thread, objid_t *view)
{
	twzobj to;
	int r = twix_child_object(thread, 0, view);

	if (r == 0)
		r = twz_object_init_guid(&to, *view, FE_READ | FE_WRITE);
	if (r < 0)
		return r;
	twix_hold();
	r = copy_all(*view, &to);
	twix_let_go();
	twz_object_release(&to);
	return r;
}

/*
 * It begins on the copy of this stack, below what of it is in use: where that is the one for faults,
 * the kernel puts what comes meanwhile below, too. Not inlined, so that twix_fork()'s frame is above.
 */
static __attribute__((noinline)) int start(struct thread *t, objid_t view)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~15ul;
	struct twzthread_repr *repr = twz_object_base(&t->obj);
	struct thrd_spawn_args args = {
		.target_view = view,
		.start_func = (uintptr_t)__twz_thread_entry,
		.arg = (uintptr_t)&record,
		.stack_base = here - FIRST_STACK,
		.stack_size = FIRST_STACK,
		.tls_base = (uintptr_t)__builtin_thread_pointer(),
	};

	repr->fault_stack = SLOT_TO_VADDR(TWZSLOT_STACK) + TWZ_FAULT_STACK_OFFSET;
	repr->fault_stack_size = TWZ_FAULT_STACK_SIZE;
	repr->fault_tp = twz_thread_repr_base()->fault_tp;
	strcpy(repr->hdr.name, twz_thread_repr_base()->hdr.name);
	return (int)(sys_thrd_spawn)(t->tid, &args, 0);
}

void twix_process_inherit(struct twix_process *p, objid_t thread)
{
	const struct twix_process *parent = twix_self();

	p->parent = parent->pid;
	p->group = parent->group;
	p->session = parent->session;
	p->umask = parent->umask;
	p->attributes = parent->attributes & ~TWIX_ANOTHER_PROGRAM;
	p->blocked = twix_me->blocked;
	p->caught = parent->caught;
	p->ignored = parent->ignored;
	p->child_flags = parent->child_flags;
	p->taken = TWIX_TAKEN;
	p->cwd = parent->cwd;
	p->thread = thread;
	twix_descriptors_copy(parent, p);
}

static int make_child(struct thread *t)
{
	struct twix_process *p = point.child;
	objid_t view, old = p->thread;
	int r = twz_thread_create(t);

	if (r < 0)
		return r;
	point.thread = t->tid;
	if (point.is_there)
		p->thread = point.thread;
	else
		twix_process_inherit(p, point.thread);
	__atomic_store_n(&p->state, TWIX_RUNNING, __ATOMIC_RELEASE);
	r = copy_view(t->tid, &view);
	if (r == 0)
		r = start(t, view);
	if (r < 0 && point.is_there)
		p->thread = old;
	else if (r < 0)
		twix_descriptors_drop(p, false);
	twz_object_tie(NULL, &t->obj, TIE_UNTIE);
	twz_object_release(&t->obj);
	return r;
}

static long be_child(void)
{
	twix_become(point.child);
	twix_memory_after_fork();
	twix_threads_after_fork();
	twix_signals_after_fork();
	twix_timers_after_fork();
	return 0;
}

/* NULL: a new process. */
static long copy(struct twix_process *child)
{
	struct thread t;
	long r;

	mutex_acquire(lock);
	point.is_there = child;
	point.child = child ? child : twix_process_new();
	if (!point.child) {
		mutex_release(lock);
		return -EAGAIN;
	}
	if (__twz_try_save(point.regs))
		return be_child();
	r = make_child(&t);
	if (r >= 0) {
		r = point.child->pid;
	} else if (!child) {
		__atomic_store_n(&point.child->state, TWIX_NO_PROCESS, __ATOMIC_RELEASE);
		twix_process_freed(point.child);
	}
	mutex_release(lock);
	return r;
}

long twix_fork(void)
{
	int r = twix_vfork_settle();

	return r < 0 ? r : copy(NULL);
}

long twix_fork_for(struct twix_process *child)
{
	return copy(child);
}
