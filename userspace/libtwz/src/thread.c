// SPDX-License-Identifier: BSD-3-Clause
/*
 * Threads: their object, stack, TLS and end. The thread's object is tied to its maker until it
 * runs; from then on it lives as long as it runs or a handle to it is open. The stack is tied to
 * it.
 */
#include "locks.h"
#include "runtime.h"

#include <twz/sys/sys.h>

__thread struct twz_thread_self __twz_self;

struct twzthread_repr *twz_thread_repr_base(void)
{
	return __twz_self.repr;
}

objid_t twz_thread_id(void)
{
	return __twz_self.tid;
}

void twz_thread_set_name(const char *name)
{
	strlcpy(__twz_self.repr->hdr.name, name, KSO_NAME_MAXLEN);
}

void __twz_thread_retire(uint64_t code)
{
	struct twzthread_repr *repr = __twz_self.repr;

	if (repr) {
		__atomic_store_n(&repr->syncinfos[THRD_SYNC_EXIT], code, __ATOMIC_RELEASE);
		__atomic_store_n(&repr->open, 0, __ATOMIC_RELEASE);
	}
	twz_object_release(&__twz_self.obj);
}

/* The kernel sets the exit point and wakes its waiters once the stack is no longer in use. */
_Noreturn void twz_thread_exit(uint64_t code)
{
	__twz_thread_retire(code);
	for (;;)
		sys_thrd_ctl(THRD_CTL_EXIT, 0);
}

_Noreturn void __twz_thread_begin(void *record, uint64_t tid_lo, uint64_t tid_hi)
{
	struct __twz_start_record *r = record;

	if (r->prepare)
		r->prepare();
	__twz_self.tid = MKID(tid_hi, tid_lo);
	__twz_fotmap_thread_begin();
	if (__twz_object_init_transient(&__twz_self.obj, __twz_self.tid, FE_READ | FE_WRITE) == 0) {
		__twz_self.repr = twz_object_base(&__twz_self.obj);
		__atomic_store_n(&__twz_self.repr->open, 1, __ATOMIC_RELEASE);
	}
	r->start(r->arg);
	twz_thread_exit(0);
}

void __twz_thread_set_fault_stack(struct twzthread_repr *repr, size_t slot)
{
	repr->fault_stack = SLOT_TO_VADDR(slot) + TWZ_FAULT_STACK_OFFSET;
	repr->fault_stack_size = TWZ_FAULT_STACK_SIZE;
}

int twz_thread_create(struct thread *t)
{
	int r;

	memset(t, 0, sizeof(*t));
	r = twz_object_new(&t->obj, NULL, NULL, OBJ_VOLATILE, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE);
	if (r == 0)
		t->tid = twz_object_guid(&t->obj);
	return r;
}

/* Bytes at the upper end of a stack for the record and, without tls_base, the TLS block. */
static size_t overhead(const struct thrd_spawn_args *a)
{
	size_t n = sizeof(struct __twz_start_record) + (a->tls_base ? 0 : __twz_tls_size());

	return (n + 63) & ~63ul;
}

/*
 * Write the record (and TLS) at the upper end of the stack, which we see at local and the thread
 * at a->stack_base; changes *a to what the kernel is to be told.
 */
static void lay_out(struct thrd_spawn_args *a, char *local, objid_t stack)
{
	size_t used = overhead(a);
	size_t top = (a->stack_size - used) & ~15ul;
	struct __twz_start_record *r = (void *)(local + top);

	*r = (struct __twz_start_record){
		.start = (void (*)(void *))a->start_func, .arg = (void *)a->arg, .stack = stack,
	};
	if (!a->tls_base) {
		char *tp = __twz_tls_init(r + 1);

		a->tls_base = a->stack_base + (uint64_t)(tp - local);
	}
	a->start_func = (uintptr_t)__twz_thread_entry;
	a->arg = a->stack_base + top;
	a->stack_size = top;
}

/* Forget a thread's object; it goes with what still uses it. */
static void drop_thread_object(struct thread *t)
{
	twz_object_tie(NULL, &t->obj, TIE_UNTIE); /* -ENOENT: it ran, or another thread made it */
	twz_object_release(&t->obj);
	memset(t, 0, sizeof(*t));
}

/* Long chains of threads that make threads shall not be chains of ties: the handle keeps it now. */
int __twz_thread_start(struct thread *t, struct thrd_spawn_args *a)
{
	int r;

	if (!a->target_view)
		__twz_locks_need();
	r = (int)(sys_thrd_spawn)(t->tid, a, 0);
	if (r == 0)
		twz_object_tie(NULL, &t->obj, TIE_UNTIE);
	return r;
}

static int spawn_on_given_stack(struct thread *t, struct thrd_spawn_args *a)
{
	if (a->stack_size < overhead(a) + 1024 || a->target_view)
		return -EINVAL;
	lay_out(a, (char *)a->stack_base, 0);
	return __twz_thread_start(t, a);
}

/* Drop the slot that holds a thread's stack in the view it ran in. */
static void release_stack_slot(objid_t view, objid_t stack, size_t slot)
{
	twzobj v;

	if (!view) {
		twz_view_release_slot(NULL, stack, FE_READ | FE_WRITE, slot);
	} else if (__twz_object_init_transient(&v, view, FE_READ | FE_WRITE) == 0) {
		twz_view_release_slot(&v, stack, FE_READ | FE_WRITE, slot);
		twz_object_release(&v);
	}
}

static ssize_t map_stack(objid_t view, objid_t stack)
{
	twzobj v;
	ssize_t slot;
	int r;

	if (!view)
		return twz_view_allocate_slot(NULL, stack, FE_READ | FE_WRITE);
	r = __twz_object_init_transient(&v, view, FE_READ | FE_WRITE);
	if (r < 0)
		return r;
	slot = twz_view_allocate_slot(&v, stack, FE_READ | FE_WRITE);
	twz_object_release(&v);
	return slot;
}

/* The stack object is written through a mapping of our own, wherever the thread will see it. */
static int start_on_stack(struct thread *t, struct thrd_spawn_args *a, ssize_t slot)
{
	twzobj stack;
	int r = __twz_object_init_transient(&stack, t->stack, FE_READ | FE_WRITE);

	if (r < 0)
		return r;
	a->stack_base = SLOT_TO_VADDR(slot) + TWZ_STACK_OFFSET;
	a->stack_size = TWZ_THREAD_STACK_SIZE + overhead(a);
	lay_out(a, twz_object_base(&stack), t->stack);
	__twz_thread_set_fault_stack(twz_object_base(&t->obj), (size_t)slot);
	r = __twz_thread_start(t, a);
	twz_object_release(&stack);
	return r;
}

static int spawn_on_new_stack(struct thread *t, struct thrd_spawn_args *a)
{
	objid_t view = a->target_view;
	ssize_t slot;
	int r = __twz_create_child(t->tid, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE, 0, &t->stack);

	if (r < 0)
		return r;
	slot = map_stack(view, t->stack);
	if (slot < 0)
		return (int)slot;
	r = start_on_stack(t, a, slot);
	if (r < 0)
		release_stack_slot(view, t->stack, (size_t)slot);
	t->view = view;
	t->stack_slot = (size_t)slot;
	return r;
}

static struct twzthread_repr *repr_of(struct thread *t)
{
	return t ? twz_object_base(&t->obj) : __twz_self.repr;
}

int twz_thread_spawn(struct thread *t, struct thrd_spawn_args *args)
{
	struct thrd_spawn_args a = *args;
	int r = twz_thread_create(t);

	if (r < 0)
		return r;
	/* Until it names itself it goes by its maker's name: reports of faults print it. */
	strlcpy(repr_of(t)->hdr.name, __twz_self.repr->hdr.name, KSO_NAME_MAXLEN);
	r = a.stack_base ? spawn_on_given_stack(t, &a) : spawn_on_new_stack(t, &a);
	if (r < 0)
		drop_thread_object(t);
	return r;
}

/*
 * A thread that was killed, or ended by a fault, could not release its own handle, which shares the
 * slot of ours.
 */
static void release_for(struct thread *t)
{
	if (repr_of(t)->open && t->stack && !t->view)
		twz_view_release_slot(NULL, t->tid, FE_READ | FE_WRITE, VADDR_TO_SLOT(t->obj.base));
}

int twz_thread_release(struct thread *t)
{
	bool ended;

	if (!t->tid)
		return -EINVAL;
	ended = __atomic_load_n(&repr_of(t)->syncs[THRD_SYNC_EXIT], __ATOMIC_ACQUIRE);
	if (ended && t->stack)
		release_stack_slot(t->view, t->stack, t->stack_slot);
	if (ended)
		release_for(t);
	drop_thread_object(t);
	return 0;
}
