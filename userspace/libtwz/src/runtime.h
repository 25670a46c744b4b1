// SPDX-License-Identifier: BSD-3-Clause
/* What the parts of libtwz share and programs do not see. */
#ifndef TWZ_RUNTIME_H
#define TWZ_RUNTIME_H

#include <abi/bootinfo.h>
#include <abi/errno.h>
#include <abi/program.h>
#include <base/string.h>
#include <twz/mutex.h>
#include <twz/obj.h>
#include <twz/sys/fault.h>
#include <twz/sys/program.h>
#include <twz/sys/syscall.h>
#include <twz/sys/thread.h>
#include <twz/sys/view.h>

/* --- set once when the program starts (start.c) */
struct twz_runtime {
	struct twz_sysinfo sysinfo;
	const struct twz_bootinfo *bootinfo;
	objid_t nameroot; /* given by whoever started us; 0 = the store's */
	objid_t packroot;
};
extern struct twz_runtime __twz_rt __attribute__((visibility("hidden")));

/* --- this thread (thread.c) */
struct twz_thread_self {
	objid_t tid;
	struct twzthread_repr *repr;
	twzobj obj; /* keeps repr mapped */
};
extern __thread struct twz_thread_self __twz_self;
/* Let the kernel run a thread that this thread has made (twz_thread_create). */
int __twz_thread_start(struct thread *t, struct thrd_spawn_args *a);
/* Faults of the thread run on the upper part of the stack object that stands in slot. */
void __twz_thread_set_fault_stack(struct twzthread_repr *repr, size_t slot);

/* --- arch/ */
size_t __twz_tls_gap(size_t align);
void __twz_set_thread_pointer(void *tp);
void __twz_thread_entry(void);
void __twz_fault_entry(void);
void __twz_clean_line(uint32_t mode, const void *p);
void __twz_persist_barrier(uint32_t mode);

/* --- entered from arch/ */
_Noreturn void __twz_start(uintptr_t arg, uint64_t tid_lo, uint64_t tid_hi);
_Noreturn void __twz_thread_begin(void *record, uint64_t tid_lo, uint64_t tid_hi);
_Noreturn void __twz_fault_begin(int fault, void *info, struct twz_fault_frame *frame);

/* --- main.c: the program itself; a C library puts its own in place of this one */
int __twz_run(int argc, char **argv);

/* --- start.c */
/* Lay out a TLS block for one thread in zeroed memory at p; returns the thread pointer. */
void *__twz_tls_init(void *p);
/* Bytes __twz_tls_init needs. */
size_t __twz_tls_size(void);

/* --- object.c: private flags of a handle */
#define H_BORROWED 1u

/* How often this program has made objects persistent or volatile, counted from 1: what was learnt of
 * an object before that is asked again. */
extern uint32_t __twz_kinds;

/* Flush and fence, unless nothing on this machine is persistent. What is volatile now may be made
 * persistent at any time, by anyone, so that a handle cannot know it. */
void __twz_obj_flush(twzobj *o, const void *p, size_t len);
void __twz_obj_fence(twzobj *o);

/* --- create.c */
bool __twz_have_store(void);
/* A volatile object, tied to parent and born deleted; otherwise as twz_object_create. */
int __twz_create_child(objid_t parent, uint64_t flags, objid_t src, objid_t *id);

/* --- object.c */
/* As twz_object_init_guid; nothing is kept when the last handle is released, see slots.h. */
int __twz_object_init_transient(twzobj *o, objid_t id, uint32_t flags);

/* --- view.c */
struct twzview_repr *__twz_view_repr(twzobj *v);
/* The slot's entry is read again at its next use. */
void __twz_view_invalidate(twzobj *v, size_t slot);

/* --- fotmap.c: a thread begins, perhaps in another view than the program's first */
void __twz_fotmap_thread_begin(void);

/* --- pages.c: zeroed memory of this program, never given back. NULL when there is no more. */
void *__twz_pages(size_t bytes);

/* --- fault.c */
void __twz_throw_pptr(objid_t id, uint64_t fote, uint32_t info, int retval, const void *p);
/*
 * Every fault in a view (NULL = the current one) that is not handled otherwise goes to this
 * program.
 */
void __twz_fault_install(twzobj *view);
void __twz_throw_object(uint64_t flags, const void *p);

#endif
