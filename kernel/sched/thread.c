// SPDX-License-Identifier: BSD-3-Clause
/*
 * Threads: starting and ending them.
 */
#include <abi/errno.h>
#include <base/string.h>
#include <boot/init.h>
#include <fault/become.h>
#include <kso/resume.h>
#include <kso/directory.h>
#include <kso/type.h>
#include <mm/reserve.h>
#include <mm/slab.h>
#include <mm/space.h>
#include <sched/control.h>
#include <sched/lend.h>
#include <sched/sched.h>
#include <sched/sync.h>
#include <sched/thread.h>
#include <sys/making.h>
#include <sec/attach.h>

struct spinlock threads_lock;
struct list threads_all = LIST_INIT(threads_all); /* guarded by threads_lock */

static struct slab_cache thread_cache = SLAB_CACHE("thread", struct thread);

/* Object offset of a member of the thread object. */
#define REPR(member) (OBJ_NULLPAGE_SIZE + offsetof(struct twzthread_repr, member))
#define REPR_SYNC(point) (REPR(syncs) + 8 * (point))
#define REPR_SYNCINFO(point) (REPR(syncinfos) + 8 * (point))

/* The object becomes this thread's, unless it is something else or runs already. */
static int claim_repr(struct object *repr, struct thread *thread)
{
	spin_lock(&repr->lock);
	int error = repr->thread ? -EBUSY : kso_claim(repr, KSO_THREAD);
	if (!error)
		repr->thread = thread;
	spin_unlock(&repr->lock);
	return error;
}

static void release_repr(struct object *repr)
{
	spin_lock(&repr->lock);
	repr->thread = NULL;
	spin_unlock(&repr->lock);
}

/* What a starting thread's object says. */
static int write_repr(struct object *repr)
{
	objid_t id = repr->id;
	const uint64_t zero = 0;
	const uint64_t started = THRD_STATE_STARTED;
	int error = object_write(repr, REPR(reprid), &id, sizeof(id));

	if (!error)
		error = object_write(repr, REPR(exit_fault), &zero, sizeof(zero));
	if (!error)
		error = object_write(repr, REPR_SYNC(THRD_SYNC_EXIT), &zero, sizeof(zero));
	if (!error)
		error = object_write(repr, REPR_SYNC(THRD_SYNC_STATE), &started, sizeof(started));
	return error;
}

static struct thread *thread_new(struct object *repr, const struct thrd_spawn_args *args)
{
	struct thread *thread = slab_alloc_zero(&thread_cache);
	const unsigned long registers[3] = { args->arg, ID_LO(repr->id), ID_HI(repr->id) };
	uintptr_t sp = (args->stack_base + args->stack_size) & ~15ul;

	if (!thread)
		return NULL;
	thread->id = repr->id;
	thread->repr = repr;
	list_init(&thread->run_link);
	control_begin(thread);
	sched_inherit(thread, current_thread());
	atomic_init(&thread->sleep.state, WAIT_NONE);
	arch_regs_init(&thread->regs, args->start_func, sp, registers, args->tls_base);
	return thread;
}

int thread_prepare(struct object *repr, struct object *view, struct seccontext *context,
		   const struct thrd_spawn_args *args, struct thread **out)
{
	struct thread *thread = thread_new(repr, args);
	int error;

	if (!thread)
		return -ENOMEM;
	error = space_get(view, context, &thread->space);
	if (error)
		goto fail;
	error = sec_inherit(thread);
	if (!error)
		error = claim_repr(repr, thread);
	if (error)
		goto fail_space;
	error = write_repr(repr);
	if (error)
		goto fail_repr;
	sec_tell(thread);
	object_ref(repr);
	*out = thread;
	return 0;
fail_repr:
	release_repr(repr);
fail_space:
	sec_release(thread);
	space_put(thread->space);
fail:
	slab_free(&thread_cache, thread);
	return error;
}

void thread_launch(struct thread *thread)
{
	spin_lock(&threads_lock);
	list_push_back(&threads_all, &thread->all_link);
	spin_unlock(&threads_lock);
	thread->listed = directory_enter(&kso_threads, thread->id, KSO_THREAD, 0);
	lend_enter(thread);
	sched_wake(thread);
}

void thread_discard(struct thread *thread)
{
	struct object *repr = thread->repr;

	release_repr(repr);
	sec_release(thread);
	space_put(thread->space);
	slab_free(&thread_cache, thread);
	object_put(repr);
}

int thread_spawn(struct object *repr, struct object *view, struct seccontext *context,
		 const struct thrd_spawn_args *args)
{
	struct thread *thread;
	int error = thread_prepare(repr, view, context, args, &thread);

	if (!error)
		thread_launch(thread);
	return error;
}

/*
 * Lock held. What cannot be told, because there is no memory for the page, is not worth more than
 * that.
 */
static void repr_set(struct object *repr, uint64_t offset, uint64_t value)
{
	void *page;

	if (object_page_write(repr, offset / PAGE_SIZE, &page) == 0)
		atomic_store_explicit((_Atomic uint64_t *)((char *)page + offset % PAGE_SIZE), value,
				      memory_order_release);
}

void thread_write_state(struct object *repr, uint64_t state)
{
	repr_set(repr, REPR_SYNC(THRD_SYNC_STATE), state);
}

void thread_wake_state(struct object *repr)
{
	sync_wake(repr, REPR_SYNC(THRD_SYNC_STATE), -1);
}

/*
 * Tell that the thread has ended, and let go of its object. Who waits for the end may then release
 * the object and count on it being gone with all that is tied to it; so our reference goes with the
 * words, under the lock that a mapping needs to let go of its own.
 */
static void announce_exit(struct object *repr, uint64_t exit_fault, bool set_code, uint64_t code)
{
	spin_lock(&repr->lock);
	if (exit_fault)
		repr_set(repr, REPR(exit_fault), exit_fault);
	if (set_code)
		repr_set(repr, REPR_SYNCINFO(THRD_SYNC_EXIT), code);
	repr_set(repr, REPR_SYNC(THRD_SYNC_STATE), THRD_STATE_ENDED);
	repr_set(repr, REPR_SYNC(THRD_SYNC_EXIT), 1);
	bool kept = repr->map_count > 0;
	if (kept)
		atomic_fetch_sub_explicit(&repr->refs, 1, memory_order_release);
	spin_unlock(&repr->lock);
	/* From here on the object is a key, nothing more. */
	sync_wake(repr, REPR_SYNC(THRD_SYNC_STATE), -1);
	sync_wake(repr, REPR_SYNC(THRD_SYNC_EXIT), -1);
	if (!kept)
		object_put(repr);
}

void thread_exit(uint64_t exit_fault, bool set_code, uint64_t code)
{
	struct thread *thread = sched_detach_current();
	struct object *repr = thread->repr;
	objid_t id = thread->id;

	resume_end(thread);
	spin_lock(&threads_lock);
	list_remove(&thread->all_link);
	spin_unlock(&threads_lock);
	directory_leave(&kso_threads, thread->listed);
	release_repr(repr);
	control_end(thread);
	lend_leave(thread);
	become_drop_all(thread);
	/*
	 * The space goes with its last thread, before anybody is told: who waits for the exit may
	 * count.
	 */
	space_install(NULL);
	space_put(thread->space);
	object_put(thread->verifying);
	making_drop(thread);
	sec_release(thread);
	slab_free(&thread_cache, thread);
	reserve_fill();
	announce_exit(repr, exit_fault, set_code, code);
	boot_thread_ended(id);
}
