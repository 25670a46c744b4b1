// SPDX-License-Identifier: BSD-3-Clause
/* What several guest tests do: make objects, threads and views, and let threads fault. */
#ifndef TESTS_TESTLIB_H
#define TESTS_TESTLIB_H

#include <twz/obj.h>
#include <twz/sys/fault.h>
#include <twz/sys/sys.h>
#include <twz/sys/thread.h>
#include <twz/sys/view.h>

#define NEW_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define ACCESS_RW (FE_READ | FE_WRITE)
#define NS_PER_MS 1000000ull
/* Long enough that only a hang reaches it, on a slow emulator too. */
#define PATIENCE_NS (240000 * NS_PER_MS)

/* A new volatile object, open for reading and writing. 0 or a negative error. */
int new_object(twzobj *o);

/* Release a handle and delete the object at once. */
void drop_object(twzobj *o);

/* An object made by SYS_OCREATE2 from ranges, not tied. 0 or a negative error. */
long create_from(objid_t *id, const struct twz_ocreate_source *sources, size_t count,
    uint32_t flags, uint16_t backing);

/* A range of pages: from page `start` of id on, `count` of them, to page `dest`. */
struct twz_ocreate_source page_range(objid_t id, uint64_t start, uint64_t count, uint64_t dest);

/* Word 0 of a page of an open object, by page number (1 is the base). */
volatile uint64_t *page_word(twzobj *o, uint64_t pgnr);

/* Whether the kernel still knows the object. */
bool object_exists(objid_t id);

/* Wait until it does not: a thread that has ended is let go a moment later. False: it stays. */
bool object_goes(objid_t id);

/* Bytes of memory that are free, after what other CPUs are about to free was given time. */
uint64_t memory_free(void);

/* Whether there is a store; says so as the reason to leave the case out if not. */
bool have_store(void);

/* Run fn(arg) in a new thread of this view, or of another (made with new_view). */
int run_thread(struct thread *t, void (*fn)(void *), void *arg);
int run_thread_in(struct thread *t, objid_t view, void (*fn)(void *), void *arg);

/* Wait for a thread, forget it, and return its exit code; ~0 if it did not end in time. */
uint64_t finish_thread(struct thread *t);

/* Exit code of a new thread that runs fn(arg). */
uint64_t exit_code_of(void (*fn)(void *), void *arg);

/* A second view with everything that this one has; -ENOTSUP where there is one only. */
int new_view(twzobj *v);

/* An ID that no object has. */
objid_t missing_id(void);

/* The info of FAULT_PPTR that fn(arg) throws in this thread, or -1 if it throws none. */
int thrown_by(void (*fn)(void *), void *arg);

#endif
