// SPDX-License-Identifier: BSD-3-Clause
/*
 * The allocator inside an object, privately: its layout, and what its parts do for each other.
 * docs/alloc.md explains it.
 *
 * Durable are the header, the records, the states of pages and the bit maps of runs. All else in
 * these structs is shared by the programs that run now, never flushed, and made anew when `stamp`
 * is another boot's. Nothing read from the object is believed: every number is checked where it is
 * used.
 *
 * Locks: a lane's lock before the arena's.
 */
#ifndef TWZ_ALLOC_ALLOC_H
#define TWZ_ALLOC_ALLOC_H

#include "../runtime.h"

#include <twz/alloc.h>

#define ALLOC_MAGIC 0x636f6c6c617a7774ull /* "twzalloc" */
#define ALLOC_VERSION 2u

#define PAGES_MAX (OBJ_TOPDATA / TWZ_PAGE_SIZE)
#define CHUNK_PAGES 16u /* of a run */
#define CHUNKS_MAX (PAGES_MAX / CHUNK_PAGES)
#define GROUP_PAGES 64u
#define GROUPS_MAX (PAGES_MAX / GROUP_PAGES)
#define ZONE_PAGES 4096u
#define LANES 14u
#define OWN_LANES 12u /* a thread keeps one of these for itself; the others are shared */
#define CLASSES 32u
#define SMALL_MAX 8192u
#define RECORD_WORDS TWZ_ALLOC_ACTIONS
#define PENDING 4u

/* --- the state of a page, one byte */
enum page_state {
	PAGE_FREE = 0,
	PAGE_MORE = 1,         /* goes on what stands before it */
	PAGE_LARGE = 2,        /* begins a region of whole pages */
	PAGE_RESERVED = 3,     /* begins one nobody owns yet; not flushed, and free after a reset */
	PAGE_RESERVED_MORE = 4,
	PAGE_RUN = 32,         /* + class: begins a run */
};

/* --- a run: TWZ_ALLOC_RUN_SIZE bytes of regions of one class, at a multiple of its size */
struct run {
	uint64_t stamp; /* whether busy is of this boot */
	uint64_t maybe; /* words of busy that may have a zero */
	uint64_t zero[6];
	uint64_t bits[]; /* durable: 1 = live. From the next line on: busy, 1 = live, reserved or
			  * freed so lately that it cannot be given away yet */
};

struct size_class {
	uint16_t size, first, blocks, words; /* first: byte in the run of the first region */
};

extern const struct size_class __twz_alloc_class[CLASSES];

/* The class for len bytes at a multiple of align (a power of two); CLASSES: none, whole pages. */
unsigned __twz_alloc_class_for(size_t len, size_t align);

/* --- lanes: what a thread is about to do */
struct record {
	uint64_t check; /* over the rest; 0: nothing to do */
	uint64_t head;  /* a number << 8 | words */
	uint64_t word[RECORD_WORDS];
};

/*
 * The record of this head is put away. In a line of its own: one that is being written back cannot
 * be stored to without waiting, and the next record is stored soon.
 */
struct put_away {
	uint64_t head;
	uint64_t zero[7];
};

struct lane {
	struct mutex lock; /* while a thread keeps it, and for a shared one during a call */
	uint64_t pending[PENDING]; /* entries whose regions become available after the next fence */
	uint64_t active;           /* the thread that keeps it is in a call */
	uint64_t zero;
	struct record record; /* durable */
};

/* Entries of a record. Bits 60–63 are the kind. */
enum entry_kind {
	ENTRY_SET = 1,     /* chunk << 12 | block: is live */
	ENTRY_CLEAR = 2,   /* the same: is free */
	ENTRY_PAGES = 3,   /* state << 36 | count << 18 | page: state, and MORE behind the first */
	ENTRY_UNPAGES = 4, /* count << 18 | page: free */
	ENTRY_PTR = 5,     /* value << 27 | object offset / 8: the word there becomes value */
	ENTRY_WORD = 6,    /* object offset / 8; the value is the next word of the record */
	ENTRY_CONTENT = 7, /* bytes / 8 << 27 | object offset / 8: the check is over these, too */
};

/* Up to here contents are part of the check of a record; beyond, a fence of their own is
 * cheaper. */
#define CONTENT_MAX 256u

/* --- the header, and what follows it */
struct alloc_header {
	uint64_t magic;
	uint32_t version, lanes;
	uint64_t first; /* object offset of page 0 */
	uint64_t pages;
	uint64_t zones; /* pages below zones * ZONE_PAGES may be in use */
	uint64_t zero[3];
	/* not durable */
	uint64_t stamp; /* of the boot all this is valid for */
	struct mutex lock;
	uint64_t class_zones[CLASSES];
	uint32_t done[LANES];    /* how many records each lane has put away */
	uint32_t settled[LANES]; /* how many of them for certain */
	uint64_t zero2[7];
	struct lane lane[LANES];
	/* durable */
	struct put_away put_away[LANES];
	uint64_t zero3[400];
};

/* Where free pages and runs with room are: not durable, guarded by the header's lock. */
struct alloc_finder {
	uint8_t longest[GROUPS_MAX];          /* free pages side by side in each group */
	uint8_t longest_of_64[GROUPS_MAX / 64]; /* the greatest of 64 groups */
	uint8_t zero[2];
	uint64_t chunk_groups[GROUPS_MAX / 64]; /* groups that have a free chunk */
	/* With the lane held: regions of one word of its run that are reserved for it; which word;
	 * and which run, chunk + 1. */
	uint64_t stock[LANES][CLASSES];
	uint8_t stock_word[LANES][CLASSES];
	uint16_t current[LANES][CLASSES];
	uint8_t owner[CHUNKS_MAX];            /* the lane + 1 that allocates from the run */
	uint64_t zero3[2];
	uint64_t room[CHUNKS_MAX / 64][CLASSES]; /* runs of a class with room and no owner */
};

#define HEADER_SIZE (2 * TWZ_PAGE_SIZE)
#define STATES_OFFSET HEADER_SIZE
#define FINDER_OFFSET (STATES_OFFSET + PAGES_MAX)
#define TABLES_SIZE (FINDER_OFFSET + sizeof(struct alloc_finder))

_Static_assert(sizeof(struct run) == 64, "run");
_Static_assert(sizeof(struct record) == 192, "record");
_Static_assert(sizeof(struct lane) == 256, "lane");
_Static_assert(offsetof(struct alloc_header, stamp) == 64, "volatile part of the header");
_Static_assert(offsetof(struct alloc_header, lane) == 512, "lanes");
_Static_assert(offsetof(struct alloc_header, put_away) == TWZ_PAGE_SIZE, "marks of the lanes");
_Static_assert(sizeof(struct alloc_header) == HEADER_SIZE, "header");
_Static_assert(offsetof(struct alloc_finder, room) % 64 == 0, "finder");
_Static_assert(CHUNK_PAGES * TWZ_PAGE_SIZE == TWZ_ALLOC_RUN_SIZE, "run size");

/* --- an object with an allocator, as a call has it open */
struct arena {
	twzobj *o;
	char *zero; /* object offset 0 */
	struct alloc_header *h;
	uint8_t *states;
	struct alloc_finder *finder;
	uint64_t first; /* object offset of page 0 */
	uint32_t pages;
};

/* open.c */
/* Find and check the allocator of o. -EINVAL: it has none, -EINVLOBJ: it makes no sense. */
int __twz_alloc_find(struct arena *a, twzobj *o);
/* The same, and make it ready for use in this boot: what was left half done by a crash is done. */
int __twz_alloc_open(struct arena *a, twzobj *o);
void __twz_alloc_lock(struct arena *a);
void __twz_alloc_unlock(struct arena *a);
/* What marks things as of this boot and object. */
uint64_t __twz_alloc_stamp(twzobj *o);
/* The object offset for a d-ptr or local p-ptr into o, 0 if it is neither. */
uint64_t __twz_alloc_offset(twzobj *o, const void *p);
/* Whether [offset, offset + 8) is an aligned word that does not belong to the allocator. */
bool __twz_alloc_is_word(const struct arena *a, uint64_t offset);
/* Write a word without changing it, so that its page is there. Nobody else changes it. */
void __twz_alloc_touch(const struct arena *a, uint64_t offset);

/* page.c; states and finder with the arena's lock held, except where it says otherwise */
uint32_t __twz_alloc_end(const struct arena *a); /* pages that may be in use */
uint8_t __twz_alloc_state(const struct arena *a, uint32_t page);
/* Store states: `state` and then MORE (0: all FREE). Atomic for the pages beside; any context. */
void __twz_alloc_put_states(struct arena *a, uint32_t page, uint32_t count, uint8_t state);
/* Note what became of these pages. */
void __twz_alloc_note(struct arena *a, uint32_t page, uint32_t count);
/* Pages of the large region at `page`, reserved or not; 0 if there is none. */
uint32_t __twz_alloc_extent(const struct arena *a, uint32_t page);
/* count free pages that are now reserved; -ENOMEM. Takes the arena's lock. */
int __twz_alloc_take_pages(struct arena *a, uint32_t count, uint32_t *page);
/* Pages free again: take them out of use (only if nothing durable names them), note it. Lock. */
void __twz_alloc_drop_pages(struct arena *a, uint32_t page, uint32_t count);
/* A chunk of 16 free pages, reserved, or -ENOMEM. */
int __twz_alloc_take_chunk(struct arena *a, uint32_t *chunk);
/* The first page from `page` on that may be in use, or end. */
uint32_t __twz_alloc_next(const struct arena *a, uint32_t page, uint32_t end);
/* Nothing is reserved, and find free pages anew. */
void __twz_alloc_rebuild_pages(struct arena *a);

/* run.c */
struct run *__twz_alloc_run(const struct arena *a, uint32_t chunk);
/* The class of the run in chunk, or CLASSES if there is none. */
unsigned __twz_alloc_run_class(const struct arena *a, uint32_t chunk);
uint64_t *__twz_alloc_busy(struct run *run, unsigned class);
/* The run's busy map is of this boot. Held: the arena's lock, or a lane's that owns the run. */
void __twz_alloc_sync_run(struct arena *a, struct run *run, unsigned class);
/* Reserve a region of class: chunk << 12 | block, or negative. Held: lane l's lock. */
int64_t __twz_alloc_take_block(struct arena *a, unsigned l, unsigned class);
/* The region of len bytes at p is going to be dropped: have what says that it is live at hand. */
void __twz_alloc_prefetch_drop(const void *p, size_t len);
/* A region that is not live can be given away from now on. True: the run may be without any. */
bool __twz_alloc_drop_block(struct arena *a, uint32_t chunk, uint32_t block);
/* Give the run's pages back if nothing is in it and its class has others. Held: lane l's lock. */
void __twz_alloc_drop_run(struct arena *a, unsigned l, uint32_t chunk);
void __twz_alloc_clear_zone(struct arena *a, uint32_t zone);
/* Find runs anew; with forget_lanes those that lanes own are free to be owned. Held: the arena's
 * lock. */
void __twz_alloc_find_runs(struct arena *a, bool forget_lanes);

/* lane.c */
/* Where a thread's own next fence would do, but others cannot wait for it. */
void __twz_alloc_fence_for_others(struct arena *a);
unsigned __twz_alloc_lane_acquire(struct arena *a);
void __twz_alloc_lane_release(struct arena *a, unsigned l);
/*
 * Do what the entries say, all or nothing, durably. Held: lane l's lock. Regions that became free
 * can be given away as soon as nothing can bring them back.
 */
void __twz_alloc_commit(struct arena *a, unsigned l, const uint64_t *words, unsigned n);
/*
 * The same, but the thread's next fence does not put the record away, only the next record of any
 * lane: for words that are never changed but by records.
 */
void __twz_alloc_commit_words(struct arena *a, unsigned l, const uint64_t *words, unsigned n);
/* The same without a record, neither atomic nor durable. Held: nothing. */
void __twz_alloc_do(struct arena *a, const uint64_t *words, unsigned n);
/* After a reset, or the end of a thread: finish what the lane's record says; fence and
 * __twz_alloc_retire() follow. */
void __twz_alloc_replay(struct arena *a, unsigned l);
void __twz_alloc_retire(struct arena *a, unsigned l);
/* Whether the lane's record is one that is not put away. */
bool __twz_alloc_has_record(const struct arena *a, unsigned l);
/* twz_alloc_publish() by __twz_alloc_commit_words(). */
int __twz_alloc_publish_words(twzobj *o, const struct twz_alloc_action *actions, size_t n);
/* Finish what was begun in a lane whose thread has ended. Held: the lane. */
void __twz_alloc_finish_lane(struct arena *a, unsigned l);
/* Regions that were freed lately become available, everywhere: when there is no memory left. No
 * lane's lock is held. */
void __twz_alloc_settle(struct arena *a);

static inline uint64_t __twz_alloc_entry(enum entry_kind kind, uint64_t rest)
{
	return (uint64_t)kind << 60 | rest;
}

static inline uint64_t __twz_alloc_entry_block(enum entry_kind kind, uint32_t chunk, uint32_t block)
{
	return __twz_alloc_entry(kind, (uint64_t)chunk << 12 | block);
}

static inline uint64_t __twz_alloc_entry_pages(uint32_t page, uint32_t count, uint8_t state)
{
	return __twz_alloc_entry(state ? ENTRY_PAGES : ENTRY_UNPAGES,
	    (uint64_t)state << 36 | (uint64_t)count << 18 | page);
}

static inline uint64_t __twz_alloc_entry_ptr(uint64_t offset, uint64_t value)
{
	return __twz_alloc_entry(ENTRY_PTR, value << 27 | offset / 8);
}

/* Whether this thread holds m: left by a call that a fault ended, unless this is a call from
 * within. */
static inline bool __twz_alloc_is_mine(const struct mutex *m)
{
	uint64_t me = ID_LO(twz_thread_id()) ^ __twz_rt.sysinfo.boot_code << MUTEX_BOOT_SHIFT;

	return ((__atomic_load_n(&m->sleep, __ATOMIC_RELAXED) ^ me) & THREAD_SYNC_OWNER_MASK) == 0;
}

/* --- what a pointer points at (region.c) */
struct region {
	uint64_t offset;
	uint32_t page, count; /* a large one */
	uint32_t chunk, block; /* a small one: count is 0 */
	size_t size;
	bool live; /* else reserved */
};

/* The region, live or reserved, that begins at p; false: none does. */
bool __twz_alloc_region(struct arena *a, const void *p, struct region *r);
/* Reserve a region for len bytes and take a lane, *l; -ENOMEM, -EINVLOBJ, and no lane is held. */
int __twz_alloc_take(struct arena *a, size_t len, size_t align, struct region *r, unsigned *l);
/* Give one back that was reserved. Any context. */
void __twz_alloc_give(struct arena *a, const struct region *r);
uint64_t __twz_alloc_entry_live(const struct region *r);
uint64_t __twz_alloc_entry_free(const struct region *r);
/* The alignment flags ask for; -EINVAL if they, or flags other than those of `allowed`, make
 * none. */
int __twz_alloc_align(uint64_t flags, uint64_t allowed);
/*
 * Make len bytes at r part of what the entries publish. Small ones get an entry: they are checked
 * and flushed with the record. Others are flushed, and need a fence before the entries are
 * committed. Returns whether they do.
 */
bool __twz_alloc_content(struct arena *a, const struct region *r, size_t len, uint64_t *words,
    unsigned *n);

#endif
