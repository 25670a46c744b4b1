// SPDX-License-Identifier: BSD-3-Clause
/*
 * The object store: persistent objects in a range of byte-addressable persistent memory.
 *
 * What is promised: every call that changes the store is all-or-nothing, whatever the instant of
 * a power cut, and durable when it returns 0. A call that returns an error changed nothing.
 * Nothing read from the media is trusted: damage gives -EUCLEAN and one log line that names what
 * is damaged.
 *
 * How: docs/store.md. The bytes on the media: docs/format-store.md.
 *
 * Locking. One lock per store, taken inside these functions; callers hold nothing of the store.
 * Lock order: after object locks, before page and slab locks (none is taken inside).
 * store_page_get() takes no lock. Context of all functions: any in which the store lock may be
 * taken; none sleeps, none allocates, kernel stack use is below 1 KiB. Each holds the lock for a
 * bounded time, save that each group of pages (a 4096th of the store) is searched in vain at most
 * once after a mount. The longest is store_run_alloc(), which zeroes 2 MiB.
 *
 * Lifetime. A handle stays valid until store_free() of its object; the caller counts the users of
 * an object and calls store_free() when the last is gone.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/types.h>
#include <store/pm.h>
#include <store/port.h>

#define STORE_PAGE_SIZE 4096ul
#define STORE_OBJECT_PAGES 262144ul         /* an object's: 0 (never stored) … 262143 */
#define STORE_SIDE_PAGES 8192ul             /* beside its content */
#define STORE_RUN_PAGES 512ul
#define STORE_TAIL_RESERVE (2ul << 20)      /* end of every region that the store leaves alone */
#define STORE_MIN_REGION (4ul << 20)        /* smallest region, the reserve included */
#define STORE_MAX_REGION (1ul << 50)

/* ---- What stands in a region ---- */

enum store_content {
	STORE_BLANK,      /* all but the tail reserve is zero; may be formatted */
	STORE_UNFINISHED, /* our own format was interrupted; may be formatted */
	STORE_OURS,       /* a store, perhaps damaged or too new: store_mount() tells */
	STORE_FOREIGN,    /* something else: must not be written */
	STORE_TOO_SMALL,  /* less than STORE_MIN_REGION, too large, or not page-aligned: unusable */
};

/* Reads the region, writes nothing. `base` is page-aligned, `len` in bytes. Never fails. */
enum store_content store_probe(const void *base, size_t len);

/*
 * Make an empty store in a region that store_probe() calls STORE_BLANK or STORE_UNFINISHED.
 * `uuid`: 16 bytes naming this store, best random. Interrupted by a power cut, it leaves
 * STORE_BLANK, STORE_UNFINISHED or the whole store.
 * -EINVAL: too small or misaligned. -EEXIST: holds a store or something foreign (nothing written).
 */
int store_format(void *base, size_t len, const uint8_t uuid[16], const struct pm_ops *ops);

/* ---- Mounting ---- */

#define STORE_RDONLY 1u /* write nothing at all, not even what recovery would write */

#define STORE_TX_WORDS 96u

/*
 * A mounted store: volatile state only. Zeroed or static storage is enough before store_mount().
 * Members are private to the store.
 */
#define STORE_GROUPS 4096u

/* A bit for each group of pages, and one for each word of those. */
struct store_summary {
	uint64_t top;
	uint64_t low[STORE_GROUPS / 64];
};

struct store {
	/* Set by mount, constant afterwards. */
	unsigned char *base;
	const struct pm_ops *ops;
	uint64_t pages;       /* of the store; page numbers are below it */
	uint64_t bitmap;      /* offset of the allocation bitmap */
	uint64_t bitmap_words;
	uint64_t buckets;     /* offset of the hash table */
	uint64_t bucket_mask;
	uint64_t refs;        /* offset of the reference map */
	unsigned group_shift; /* log2 of the runs in a group */
	uint64_t first_data;  /* first page number that is not part of the fixed areas */
	uint64_t salt[2];     /* the uuid */
	bool rdonly;
	bool mounted;

	struct store_lock lock;
	/* Guarded by lock. */
	uint64_t hint;        /* bitmap word where the search for a free page starts */
	struct store_summary may_page, may_run; /* groups that may have a free page or run */
	uint64_t seq;         /* of the last log record */
	struct {
		uint32_t count;
		int error;    /* first error met while building; commit returns it */
		bool fresh;   /* pages were filled that must be durable before the commit */
		struct store_write {
			uint64_t offset;
			uint64_t value;
		} write[STORE_TX_WORDS];
	} tx;                 /* being built; on a read-only mount: the log record, if unapplied */
	uint32_t overlay;     /* read-only mounts: writes of tx that stand in for the media */
	uint64_t faults;      /* damage met since mount */
};

/*
 * Open the store at `base`. Replays the log, counts the boot, frees what was deleted but still in
 * use at the last power cut (time proportional to that, not to the size of the store).
 * `len` may exceed the store's recorded size; the rest is not used. `st` must stay in place until
 * unmount. With STORE_RDONLY, `ops` may be NULL.
 *
 * -ENODEV    blank, or an unfinished format: call store_format()
 * -EINVAL    foreign, too small or misaligned: leave it alone
 * -ENOTSUP   a later, incompatible format
 * -EROFS     has a feature that only allows reading: retry with STORE_RDONLY
 * -EUCLEAN   damaged, or the region is shorter than the store (logged: what). A retry with
 *            STORE_RDONLY may succeed and show the undamaged objects
 */
int store_mount(struct store *st, void *base, size_t len, unsigned flags, const struct pm_ops *ops);

/* Forget the mount. Nothing needs writing: the media is always consistent. No call is under way. */
void store_unmount(struct store *st);

/* ---- Objects ---- */

struct store_handle {
	objid_t id;
	uint64_t inode; /* private */
};

#define STORE_CREATE_DELETED 1u /* born deleted: gone after the next reboot */
#define STORE_CREATE_HIDDEN 2u  /* until store_publish() not found, and gone after a reboot */
#define STORE_CREATE_SYSTEM 4u  /* becomes the store's system object; of store_publish() only */

/*
 * Create object `id` whose metadata page (page 262143) holds the 4096 bytes at `metapage`
 * (8-aligned, ordinary memory; NULL = zeroes). No other page exists. Costs 2 pages.
 * -EEXIST id is in use; -EINVAL id 0 or unknown flags; -ENOSPC; -EROFS; -EUCLEAN.
 */
int store_create(struct store *st, objid_t id, const void *metapage, unsigned flags,
		 struct store_handle *h);

/*
 * Make a STORE_CREATE_HIDDEN object an ordinary one, in one step; its pages, allocated before,
 * appear with it. `flags`: STORE_CREATE_DELETED, STORE_CREATE_SYSTEM. -EEXIST id taken meanwhile
 * (the object stays
 * hidden: store_free() it); -EINVAL not hidden; -EROFS; -EUCLEAN.
 */
int store_publish(struct store *st, const struct store_handle *h, unsigned flags);

/*
 * Find an object. Deleted ones are found as long as they are not freed (on read-only mounts: if
 * they have a parent), hidden ones are not. -ENOENT; -EUCLEAN if damage leaves open whether it
 * exists.
 */
int store_lookup(struct store *st, objid_t id, struct store_handle *h);

/*
 * The address of the object's page `pgnr` in persistent memory, or NULL for a hole. The address
 * is constant until the page is replaced (store_page_replace(), _share(), _unshare()) or freed.
 * No lock: may run beside anything but store_free() of the same object. A page that
 * store_page_shared() must not be written to.
 * -EINVAL pgnr out of range; -EUCLEAN.
 */
int store_page_get(struct store *st, const struct store_handle *h, uint64_t pgnr, void **page);

/*
 * The first page at or behind *pgnr that exists: 1 with *pgnr and *page set, 0 if there is none.
 * Skips what was never allocated in steps of up to 2 MiB, so walking a sparse object costs what
 * exists. Set *pgnr to 0 (or any page number) to start, add 1 to go on. No lock, as
 * store_page_get(); pages allocated meanwhile may be missed.
 * -EUCLEAN: the word for *pgnr is damaged, or that for all pages of its 2 MiB from *pgnr on; the
 * caller may go on behind it.
 */
int store_page_next(struct store *st, const struct store_handle *h, uint64_t *pgnr, void **page);

/*
 * As store_page_get(), but a hole gets a page first, filled from `content` (4096 bytes,
 * 8-aligned; NULL = zeroes). The allocation and that content are durable on return. Costs 1 page,
 * for the first page beyond the lowest and highest 64 pages up to 2 more. If the page existed its
 * content is untouched.
 * -EINVAL pgnr 0 or out of range; -ENOSPC; -EROFS; -EUCLEAN.
 */
int store_page_alloc(struct store *st, const struct store_handle *h, uint64_t pgnr,
		     const void *content, void **page);

/*
 * Put a new page with `content` (4096 bytes, 8-aligned; may be a page of the store) in the place of
 * what `pgnr` is now, and drop the old one; NULL makes a hole. Atomic, durable on return. *page is
 * the new page (NULL for a hole). The caller has seen to it that nobody uses the old address.
 * Costs as store_page_alloc() (no free page if a hole is made outside of a run), and one page more
 * in a run, which it splits.
 * -EINVAL pgnr 0 or out of range, or the metadata page made a hole; -ENOSPC; -EROFS; -EUCLEAN.
 */
int store_page_replace(struct store *st, const struct store_handle *h, uint64_t pgnr,
		       const void *content, void **page);

/*
 * Copy without copying: page `to_pgnr` of `to` becomes the very page `from_pgnr` of `from`, owned
 * by both; what `to` had there is dropped. Atomic, durable on return. Both sides must map it
 * read-only from before the call on, and store_page_unshare() before they write. Runs are split.
 * The two may be one object.
 * -ENOENT a hole in `from`; -EMLINK 4096 owners: copy instead; -EINVAL a page number is 0 or out of
 * range; -ENOSPC (up to 4 pages for node, leaf and split runs); -EROFS; -EUCLEAN.
 */
int store_page_share(struct store *st, const struct store_handle *to, uint64_t to_pgnr,
		     const struct store_handle *from, uint64_t from_pgnr, void **page);

/*
 * Whether more than one owner has the page: 1, 0 (also for a hole), -EINVAL, -EUCLEAN. No lock, as
 * store_page_get(). Only an owner can make it shared, so 0 stays true while the caller keeps
 * all owners it knows from sharing it; 1 may be outdated at once.
 */
int store_page_shared(struct store *st, const struct store_handle *h, uint64_t pgnr);

/*
 * Give `h` a page of its own in the place of a shared one, with the same content; *page is where
 * it is now: the page it was if `h` is the only owner left. Atomic, durable on return.
 * -ENOENT a hole; else as store_page_alloc().
 */
int store_page_unshare(struct store *st, const struct store_handle *h, uint64_t pgnr, void **page);

/* ---- Runs: 2 MiB in one piece ---- */

/*
 * Fill the hole [first_pgnr, first_pgnr + 512) with zeroed pages that lie in a row, 2 MiB-aligned
 * in the address space of `base`. Atomic, durable on return. Costs 512 pages, and 1 for an object's
 * first outside of its lowest and highest 64.
 * -EINVAL first_pgnr 0, no multiple of 512 or not below 261632; -EEXIST a page of its 2 MiB exists
 * or once did;
 * -ENOSPC no such run is free, though single pages may be; -EROFS; -EUCLEAN.
 */
int store_run_alloc(struct store *st, const struct store_handle *h, uint64_t first_pgnr,
		    void **run);

/*
 * Whether page `pgnr` lies in a run that is aligned in the address space of `base` (a store that
 * was moved to another address may have others, too): 1 and *run its start, page
 * pgnr − pgnr % 512; else 0, or -EINVAL, -EUCLEAN. No lock, as store_page_get(). Pages of a run
 * are never shared; replacing or sharing one of them makes the run ordinary pages, their
 * addresses stay.
 */
int store_run_get(struct store *st, const struct store_handle *h, uint64_t pgnr, void **run);

/* ---- Side pages: a second page space of an object, for what is kept beside its content ---- */

/* As store_page_get() and store_page_alloc() for side page `n` < STORE_SIDE_PAGES. */
int store_side_get(struct store *st, const struct store_handle *h, uint64_t n, void **page);
int store_side_alloc(struct store *st, const struct store_handle *h, uint64_t n,
		     const void *content, void **page);

/* ---- Ties: a child lives as long as its parents ---- */

/*
 * A deleted object that has a parent (in this store, not freed) survives mounts. Ties are counted:
 * tied twice, it takes two untyings. Freeing a parent unties its children. Which ties make sense
 * (no circles, how many) is the caller's to decide. Costs nothing, or 1 page for 63 ties.
 * The cost is flat unless the parent has many children *and* the child many parents.
 * -EINVAL parent and child are the same, or one is hidden; -EMLINK counted to 2^48; -ENOSPC;
 * -EROFS; -EUCLEAN.
 */
int store_tie(struct store *st, const struct store_handle *parent,
	      const struct store_handle *child);

/*
 * Count down, and at 0 remove the tie. A child marked deleted that loses its last parent is gone
 * after the next mount, or may be freed now. Needs no free space. -ENOENT not tied; else as above.
 */
int store_untie(struct store *st, const struct store_handle *parent,
		const struct store_handle *child);

/* How many parents (in) and children (out) an object has; each counts once. -EUCLEAN. */
int store_tie_counts(struct store *st, const struct store_handle *h, uint64_t *in, uint64_t *out);

enum store_tie_way { STORE_CHILDREN, STORE_PARENTS };

struct store_tie_cursor {
	uint64_t record; /* zero to start */
	uint64_t count;  /* out: how often the two are tied */
};

/*
 * The ties of an object, one after the other: 1 and the other's handle, 0 at the end. Objects under
 * construction are left out. -EAGAIN: the tie the cursor stands at was untied; start over.
 * -EUCLEAN: the rest cannot be listed.
 */
int store_tie_next(struct store *st, const struct store_handle *h, enum store_tie_way way,
		   struct store_tie_cursor *cursor, struct store_handle *other);

#define STORE_PUBLISH_TIES 64u

/* Who an object is tied to; one named twice counts twice. */
struct store_relatives {
	const struct store_handle *parents, *children;
	unsigned parent_count, child_count; /* up to STORE_PUBLISH_TIES each */
};

/*
 * store_publish() and ties to parents and children, all or nothing. Holds the lock throughout.
 * -EINVAL also: a bad relative, or too many; -ENOSPC. On an error the object is hidden and untied
 * as before.
 */
int store_publish_tied(struct store *st, const struct store_handle *h, unsigned flags,
		       const struct store_relatives *ties);

/* ---- Deletion ---- */

/*
 * Mark deleted: the object stays usable, and will not survive the next mount unless it is tied to
 * a parent. Idempotent. Needs no free space. -EROFS; -EUCLEAN; -EINVAL hidden.
 */
int store_mark_deleted(struct store *st, const struct store_handle *h);

/* Whether the object is marked deleted: 1, 0, or -EUCLEAN. */
int store_is_deleted(struct store *st, const struct store_handle *h);

/*
 * Free everything of an object that is marked deleted or hidden; `h` and all its page addresses
 * are dead afterwards. The caller has unmapped it everywhere and holds the only handle. In the
 * first step the object ceases to be found, then its ties go, then its pages (shared ones stay
 * with their other owners). Works in bounded steps, dropping the lock in between; a power cut or
 * error on the way leaves the rest to the next mount. Needs no free space. Children that are left
 * deleted and without a parent go with the next mount; a caller that wants them to go now lists
 * and unties them first.
 * -EBUSY the child of a parent; -EINVAL not marked; -EROFS; -EUCLEAN (what could be freed is;
 * the rest stays allocated).
 */
int store_free(struct store *st, const struct store_handle *h);

/* Where freeing got to; private. After a cut it starts over and finds the words empty. */
struct store_freeing {
	unsigned direct, side; /* inode words */
	unsigned leaf;         /* of the node */
	unsigned entry;        /* in the leaf under way */
	bool ties_damaged, leaf_damaged, damaged;
	bool whole;            /* the inode goes in the same transaction: its words need no change */
	bool done;             /* the first step was enough */
};

/*
 * store_free() for callers that cannot wait: its first step, with its errors, then one transaction
 * a call: 1 more is to do, 0 done, -EUCLEAN as above.
 */
int store_free_begin(struct store *st, const struct store_handle *h, struct store_freeing *at);
int store_free_more(struct store *st, const struct store_handle *h, struct store_freeing *at);

/*
 * As store_free_begin(), for an object that shall be gone whatever keeps it: it may have parents,
 * and need not be marked deleted. Its being found, and what keeps it, end in one step.
 */
int store_withdraw_begin(struct store *st, const struct store_handle *h, struct store_freeing *at);

/* ---- The store as a whole ---- */

/* The ID of the root of names, 0 = none. Set: atomic and durable. -EROFS; -EUCLEAN. */
int store_set_nameroot(struct store *st, objid_t id);
int store_nameroot(struct store *st, objid_t *id);

/*
 * The ID of the object that the system keeps its own records in, 0 = none (STORE_CREATE_SYSTEM).
 * -EUCLEAN.
 */
int store_system_object(struct store *st, objid_t *id);

/* How often the store was mounted for writing, this time included (so never 0 on such a mount). */
uint64_t store_boot_count(struct store *st);

/*
 * The highest wall-clock time on record, in milliseconds since 1970, below 2^48. Setting a lower
 * value than the recorded one does nothing. -EINVAL too large; -EROFS; -EUCLEAN.
 */
int store_set_clock_mark(struct store *st, uint64_t ms);
uint64_t store_clock_mark(struct store *st);

struct store_stats {
	uint8_t uuid[16];
	uint64_t total_pages; /* usable for objects */
	uint64_t free_pages;
	uint64_t objects;     /* hidden and deleted ones included */
	uint64_t boots;
	uint64_t faults;      /* damage met since mount */
	bool rdonly;
};

void store_stats(struct store *st, struct store_stats *stats);

struct store_cursor {
	uint64_t bucket, depth; /* zero both to start */
};

/*
 * All findable objects in no particular order: 1 and the next handle, 0 at the end, -EUCLEAN for
 * a damaged chain (call again to go on behind it). Objects created or freed meanwhile may be
 * missed or seen twice.
 */
int store_next(struct store *st, struct store_cursor *cursor, struct store_handle *h);

/* Scratch bytes that store_check() needs for a mounted store. */
size_t store_check_scratch(const struct store *st);

/*
 * Check everything: both superblocks, every metadata word, every chain and tree, allocation map
 * against what is reachable, double use, counters. Each fault is logged. Holds the lock
 * throughout: meant for tests and tools. `scratch`: store_check_scratch() bytes, 8-aligned,
 * contents irrelevant. Returns the number of faults found.
 */
uint64_t store_check(struct store *st, void *scratch);

#endif
