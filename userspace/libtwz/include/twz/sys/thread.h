// SPDX-License-Identifier: BSD-3-Clause
/* Threads. */
#ifndef TWZ_SYS_THREAD_H
#define TWZ_SYS_THREAD_H

#include <abi/thread.h>
#include <twz/obj.h>
#include <twz/sys/sync.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a thread's stack. The null page of the stack object guards its end. */
#define TWZ_THREAD_STACK_SIZE 0x200000ul

/* A stack object made here (object offsets): the stack, its upper end holding the thread's TLS
 * block; above it, for a program's first thread, its arguments (twz/sys/program.h). */
#define TWZ_STACK_OFFSET 0x1000ul

/* Where in it fault handlers run, far from all else; memory only once there is a fault. */
#define TWZ_FAULT_STACK_OFFSET 0x20000000ul
#define TWZ_FAULT_STACK_SIZE 0x20000ul

struct thread {
	objid_t tid;
	twzobj obj;
	/* private: where its stack is mapped, if we made it; view 0 = this one */
	objid_t view, stack;
	size_t stack_slot;
};

struct thrd_wait_args {
	struct thread *thread;
	int syncpoint;
	long event;
	uint64_t info;
};

/* Make the thread object (volatile, READ and WRITE by default, tied to this thread) and open it.
 * Errors as twz_object_new. */
int twz_thread_create(struct thread *t);

/*
 * Create and start a thread. stack_base 0: a new stack and TLS. tls_base 0: TLS in the stack
 * object. target_view 0: this view; another view must have this program's image in slots 0 and 1
 * (twz_view_clone). arg is passed unchanged; start_func returning is twz_thread_exit(0).
 * The thread's object lives while it runs or a handle is open, the stack with it. -EINVAL the
 * given stack is too small or for another view; the errors of creation and spawn. Nothing remains.
 */
int twz_thread_spawn(struct thread *t, struct thrd_spawn_args *a);

/*
 * Forget a thread: release the handle and, if it has ended, the slot of its stack. Its object goes
 * with it, or now. A running thread keeps running. -EINVAL if released.
 */
int twz_thread_release(struct thread *t);

/* End this thread with a code in syncinfos[THRD_SYNC_EXIT]. */
_Noreturn void twz_thread_exit(uint64_t code);

/*
 * For a C library that starts a thread itself: where it begins, and what it finds then where its
 * argument says.
 */
struct __twz_start_record {
	void (*start)(void *);
	void *arg;
	objid_t stack; /* 0 */
	void (*prepare)(void); /* before libtwz knows the thread; NULL: nothing */
};
void __twz_thread_entry(void);

/* For a C library: all of twz_thread_exit but the end itself, which may then do without a stack. */
void __twz_thread_retire(uint64_t code);

/* Wait until one of the points is non-zero; those get event 1 and info. Returns how many; 0 for
 * n 0; -EINVAL for n over 1024 or a bad point. */
ssize_t(twz_thread_wait)(struct thrd_wait_args *a, size_t n);
ssize_t __twz_thread_wait5(size_t n, struct thread **threads, int *points, long *event,
    uint64_t *info);

#define __TWZ_WAIT2(a, n) (twz_thread_wait)(a, n)
#define __TWZ_WAIT5(n, t, p, e, i) __twz_thread_wait5(n, t, p, e, i)
#define __TWZ_WAIT_PICK(a, b, c, d, e, name, ...) name
#define twz_thread_wait(...) \
	__TWZ_WAIT_PICK(__VA_ARGS__, __TWZ_WAIT5, , , __TWZ_WAIT2, )(__VA_ARGS__)

/* Wait for one thread's end; its exit code. With a timeout (nanoseconds, 0 = none): -ETIMEDOUT. */
int twz_thread_join(struct thread *t, uint64_t *code, uint64_t timeout_ns);

/* Store info at a sync point, set the point, wake all. t NULL = this thread. -EINVAL. */
int twz_thread_ready(struct thread *t, int sp, uint64_t info);

/* This thread's object, and its ID. */
struct twzthread_repr *twz_thread_repr_base(void);
objid_t twz_thread_id(void);

/* The kso name of this thread. */
void twz_thread_set_name(const char *name);

#ifdef __cplusplus
}
#endif

#endif
