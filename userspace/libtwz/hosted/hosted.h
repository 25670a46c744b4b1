// SPDX-License-Identifier: BSD-3-Clause
/*
 * The hosted machine: what stands for the kernel when libtwz runs as a Linux process. An object is
 * a sparse file of 1 GiB, mapped at the address of its slot. Files are in two places, the store
 * (persistent) and the memory folder (volatile), of the same form:
 *
 *	objects/ID   objects
 *	deleted/ID   objects that were deleted and are still used
 *	dying/ID     the same, deleted at once: no longer found
 *	new/         objects being made
 *	up/CHILD/PARENT, down/PARENT/CHILD   a tie: two names of a file as long as there are ties
 *
 * Whoever uses a file holds a shared flock() on it, the kernel of the host lets it go whichever way
 * a process ends; what is deleted and neither tied nor locked is removed. Changes of these names
 * are made by who holds the lock on the file `lock`.
 */
#ifndef TWZ_HOSTED_H
#define TWZ_HOSTED_H

#include "../src/fault.h"
#include "../src/runtime.h"

#include <machine/hosted.h>

#define PLACE_MEMORY 0u
#define PLACE_STORE 1u
#define PLACES 2u

#define STATE_LIVE 0u
#define STATE_DELETED 1u
#define STATE_DYING 2u

/* An open file of an object, with its lock. */
struct hosted_file {
	int fd;
	unsigned place, state;
};

/* --- folder.c: the two places */
/* Find or make them; ends the process with a message when that cannot be. */
void __twz_places_open(void);
/* Tell the boot code and the name root. */
uint64_t __twz_places_boot_code(void);
objid_t __twz_places_nameroot(void);
int __twz_places_set_nameroot(objid_t id);
/* The folder of a place, or -1. */
int __twz_place_dir(unsigned place);
/* Only one process and thread at a time changes names. */
void __twz_places_lock(void);
void __twz_places_unlock(void);
/* Make what was done to names in a folder of the store durable. */
void __twz_place_sync(unsigned place, const char *folder);
/* Only one process makes the store's root of names. */
void __twz_places_lock_root(void);
void __twz_places_unlock_root(void);
/* Bytes that the store's file system has. */
void __twz_places_statfs(uint64_t *total, uint64_t *unused);
/* A file of the memory folder that all processes share, as memory. NULL: out of it. */
void *__twz_places_shared(const char *name, size_t bytes);
/* Open again what a child of fork() must not share with its parent. */
void __twz_places_forked(void);
/* Say why the machine cannot start, or go on, and end the process. */
_Noreturn void libtwz_refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- files.c: the files of objects */
/* Open and lock: 0, -ENOENT, other errors. */
int __twz_file_open(objid_t id, struct hosted_file *f);
void __twz_file_close(struct hosted_file *f);
/* An empty file that nobody finds yet; __twz_file_publish() or __twz_file_abandon() follows. */
int __twz_file_make(unsigned place, struct hosted_file *f, char name[64]);
int __twz_file_publish(struct hosted_file *f, const char *name, objid_t id, unsigned state);
void __twz_file_abandon(struct hosted_file *f, const char *name);
/* Take away the name of a file whose content is elsewhere now. */
void __twz_file_forget(objid_t id, const struct hosted_file *f);
/* Whether an object of this ID is there, in any state but dying, without opening it. */
bool __twz_file_exists(objid_t id, unsigned *place);
/* The same in any state. */
bool __twz_file_there(objid_t id);
/* Mark as deleted: 0, -ENOENT. */
int __twz_file_delete(objid_t id, unsigned state);
/* Remove the object if it is deleted and nobody uses it, and what then falls. */
void __twz_file_reap(objid_t id);
/* The same for all that is deleted. Caller holds the lock. */
void __twz_files_sweep(unsigned place);
/* Metadata that is well formed and gives this ID: 0, -EINVLOBJ. */
int __twz_file_verify(int fd, objid_t id, struct metainfo *mi);
/* Copy bytes between files, holes as holes: 0 or a negative error. */
int __twz_file_copy(int to, uint64_t at, int from, uint64_t start, uint64_t length);
int __twz_file_zero(int fd, uint64_t at, uint64_t length);

/* --- objects.c */
/* A volatile object that goes when its file is closed and it is mapped nowhere. */
int __twz_own_object(objid_t *id, struct hosted_file *f);

/* --- ties.c; callers hold the lock */
int __twz_tie_add(objid_t parent, objid_t child);
int __twz_tie_remove(objid_t parent, objid_t child);
/* A tie of a child that nobody has tied anything to. */
int __twz_tie_new(objid_t parent, objid_t child, unsigned child_place);
/* Whether any parent is left, and how many ties there are to (up) or from an object. */
bool __twz_tie_any(objid_t child);
unsigned __twz_tie_count(objid_t id, bool up);
/* The object is in this place now: its ties, too, are where they belong. */
int __twz_tie_move(objid_t id);
/* The parent is gone: take its ties away; fn is called for each child. */
void __twz_tie_drop(objid_t parent, void (*fn)(objid_t child));
/* Remove ties of objects that are gone. */
void __twz_ties_sweep(unsigned place);

/* --- own_ties.c: ties to threads of this process and its view */
/* fd: the child's file, open and locked. -ENOENT: the parent is no such object; -EMFILE. */
int __twz_own_tie_add(objid_t parent, objid_t child, int fd);
int __twz_own_tie_remove(objid_t parent, objid_t child);
unsigned __twz_own_tie_count(objid_t id, bool up);
bool __twz_own_tie_any(objid_t child);
/* The parent has ended: its children go unless something else keeps them. */
void __twz_own_ties_drop(objid_t parent);
void __twz_own_ties_forked(void);
/* Let go of an object's file, and take the one that it has now; the lock is held from one to the
 * other. */
void __twz_own_ties_close(objid_t child);
void __twz_own_ties_reopen(objid_t child);

/* --- kernel.c: objects whose IDs are the kernel's */
/* A file with what is in it, or a negative error. */
int __twz_kernel_object(objid_t id);

/* --- map.c: slots */
void __twz_map_setup(objid_t view);
/* Put a copy of the view, as that new object, in its place. */
void __twz_map_forked(objid_t view);
/* The slots that are the machine's. */
bool __twz_map_owns(uintptr_t addr);
/* What an access there is: 1 it can be made again, else a fault number with its information. */
#define MAP_RETRY (-1)
int __twz_map_fault(uintptr_t addr, uint64_t access, uintptr_t ip, bool bus, void *info);
/* Call fn while this process has no mapping of the object. */
int __twz_map_without(objid_t id, int (*fn)(objid_t id, unsigned place), unsigned place);
/* How often this process has the object mapped. */
unsigned __twz_map_count(objid_t id);
/* Where the object is mapped here; NULL nowhere. */
void *__twz_map_find(objid_t id);

/* --- trap.c: signals as faults */
void __twz_trap_setup(void);
/* Deliver a fault that a signal of the host brings, from its handler. */
void __twz_trap_deliver(int fault, void *info, void *context);
/* A stack for handlers of this thread. */
void __twz_trap_thread_begin(void);
void __twz_trap_thread_end(void);
/* Whether memory that a caller named is there: 0 or -EFAULT. */
int __twz_probe(void *p, size_t length, bool writing);
/* End the process as the host does after a fault that nobody took. */
_Noreturn void __twz_trap_die(void);

/* --- futex.c */
void __twz_futex_setup(void);
/* How many sleep on words of the object. */
uint32_t __twz_futex_sleepers(objid_t id);
/* This thread got a signal: what it is about to sleep on is not slept on. */
void __twz_futex_interrupt(void);

/* --- signal.c: signals of threads */
void __twz_signal_setup(void);
void __twz_signal_thread_begin(objid_t tid);
void __twz_signal_thread_end(void);
/* There are no other threads. */
void __twz_signal_forked(void);
/* Whether an object is a thread of this process that runs, or its view. */
bool __twz_own_parent(objid_t id);

/* --- thread.c */
/* Make this the thread of that object. */
void __twz_thread_setup(objid_t id);
/* The same in a child of fork(). */
void __twz_thread_forked(objid_t id);
/* Whether a thread whose ID has this low half (but for two bits) runs anywhere. */
bool __twz_thread_lives(uint64_t low);
_Noreturn void __twz_thread_leave(void);

/* --- arch/ */
/* Between a frame and a ucontext_t. */
void __twz_frame_load(struct twz_fault_frame *f, const void *context);
void __twz_frame_store(const struct twz_fault_frame *f, void *context);
uintptr_t __twz_context_pc(const void *context);
/* FAULT_OBJECT_* of the access that trapped. */
uint64_t __twz_context_access(const void *context);
/* TWZ_FLUSH_* or one of the machine's own, and the line size. */
uint32_t __twz_flush_probe(uint32_t *line);

#endif
