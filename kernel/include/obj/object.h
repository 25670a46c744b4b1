// SPDX-License-Identifier: BSD-3-Clause
/*
 * Objects, as the kernel holds them.
 *
 * A struct object is found by its ID in one table. It holds the object's pages (volatile objects),
 * or stands for an object of the store (persistent ones, whose pages are in persistent memory and
 * are mapped from there). It owns one page-table subtree per protection, each a level-1 table that
 * translates the whole GiB; every address space that maps the object links the same subtree.
 *
 * Lifetime: counted references. The table itself holds one until the object is deleted (volatile)
 * or for as long as others do (persistent: the store remembers it). Mappings, ties, threads,
 * sleepers and running system calls hold one each. The last object_put() frees it.
 */
#ifndef OBJ_OBJECT_H
#define OBJ_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/object.h>
#include <abi/types.h>
#include <arch/mmu.h>
#include <base/list.h>
#include <spinlock.h>
#include <store/store.h>

#define OBJ_META_PGNR (OBJ_MAXPAGES - 1)
#define OBJ_MMIO_PGNR 2u
#define PERSIST_MAX_STORES 8u /* regions of persistent memory that are used */

/*
 * The protections a subtree can have. W and X never stand together in a page's entry: with
 * OBJ_PROT_EITHER each page has the one that was asked for last.
 */
enum object_prot { OBJ_PROT_R, OBJ_PROT_RW, OBJ_PROT_RX, OBJ_PROT_X, OBJ_PROT_EITHER, OBJ_PROT_COUNT };

/* What is known of the metadata: see docs/objects.md, "Verification". */
enum object_identity { OBJ_UNVERIFIED, OBJ_VERIFIED, OBJ_INVALID };

struct cache_ranges;
struct hash_state; /* obj/digest.h: what of a hash-data object was verified */
struct page_node; /* obj/pages.h: radix tree of a volatile object's pages */
struct addrspace;
struct seccontext;
struct thread;

struct object {
	objid_t id;
	_Atomic uint32_t refs;

	/* Fixed at creation. */
	uint64_t mmio_base;  /* registers of a device stand in it, from page OBJ_MMIO_PGNR on: physical address */
	uint64_t mmio_pages; /* 0: none do */
	bool kernel_owned; /* bytes are read-only to every mapping; identity is exempt from verification */

	/* Read under either lock, changed under both: that below, and the lock of all ties. */
	bool persistent;
	struct store *store;        /* persistent objects: the one it lives in; else NULL */
	struct store_handle stored; /* persistent objects */

	/* Guarded by the table lock. */
	struct list table_link;
	bool in_table;
	bool hidden; /* deleted immediately: lookups do not find it */

	struct spinlock lock;
	/* Guarded by lock. */
	bool deleted;
	enum object_identity identity;
	uint16_t p_flags;        /* trusted identity, while identity is OBJ_VERIFIED */
	objid_t kuid;
	struct metainfo verified; /* the metadata that was verified: equal bytes need no second hash */
	struct hash_state *hash;  /* hash-data objects whose pages are verified as they are used; else NULL */
	struct page_node *pages; /* volatile objects: all pages but the next */
	void *metapage;          /* volatile objects: that of the metadata, which all have */
	uint64_t page_count;     /* volatile: pages held; persistent: pages added since it was opened */
	pte_t *subtree[OBJ_PROT_COUNT]; /* level-1 tables, NULL until first mapped so */
	uint64_t subtree_tables[OBJ_PROT_COUNT]; /* a bit for each 64th of it that may have tables below */
	struct list mappings;    /* struct mapping.object_link */
	uint32_t map_count;
	uint32_t pins;           /* its pages stay where they are: they are not shared */
	struct cache_ranges *cache_ranges; /* volatile: pages that are not cached write-back (obj/cache.c); or NULL */

	/* Guarded by the lock of all ties, obj/tie.c. */
	struct list children; /* struct tie.parent_link: objects that live as long as this one */
	struct list parents;  /* struct tie.child_link */
	uint64_t tie_walk;    /* the last walk that saw this object, and what it found */
	uint32_t tie_reach;
	uint32_t ties_in;     /* how many parents hold this one */
	uint32_t ties_out;    /* and how many children in memory it has */
	bool kept;            /* by a reference, as a persistent parent of volatile children; obj/tie.h */

	/* Kernel state object type, and what the kernel keeps for it. Guarded by lock. */
	uint32_t kso_type;
	struct list spaces;      /* KSO_VIEW: struct addrspace.view_link, those that threads run in */
	struct thread *thread;   /* KSO_THREAD: the running thread */
	struct seccontext *context; /* KSO_SECCTX: its record, while something uses it */
	uint64_t view_reported;  /* KSO_VIEW: the most CPU time anybody was told of */
	_Atomic uint64_t view_ticks; /* CPU time in the view, of threads up to when they left a CPU; no lock */

	_Atomic uint32_t sleepers;

	/* No reference is left: who gives it back owns it. */
	struct list end_link;         /* among those its CPU is giving back, or of which there are remains */
	bool leaving;                 /* its pages in the store are being freed */
	struct store_freeing freeing; /* and how far that got */
};

/* ---- Finding and holding (obj/table.c) ---- */

void objects_init(void);

/*
 * A new reference to object `id`, from the table or the store; NULL when there is none or no
 * memory.
 */
struct object *object_get(objid_t id);
/* The same, also of what was deleted immediately and is still kept: by ties or pins, say. */
struct object *object_get_kept(objid_t id);

static inline void object_ref(struct object *object)
{
	atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);
}

/* Drop a reference; the last frees the object. No lock may be held. NULL is ignored. */
void object_put(struct object *object);

/*
 * Mark for deletion; it is freed with its last reference. `immediate`: new lookups fail from now
 * on. Durable on return for persistent objects. Permission has been checked. -EROFS, -EUCLEAN.
 */
int object_delete(struct object *object, bool immediate);

/*
 * Free a batch of what is left of large objects that are gone (obj/remains.c). False: nothing is.
 * No lock held.
 */
bool object_remains_step(void);

/* Objects in memory; for statistics. */
uint64_t objects_count(void);

/* ---- Making (obj/create.c) ---- */

/* A range of pages that a new object begins with. */
struct object_source {
	struct object *object; /* NULL: holes. The caller holds a reference */
	uint64_t first, count; /* pages of the source */
	uint64_t dest;         /* page of the new object */
	bool whole;            /* everything, with size, extensions and foreign object table; only first */
};

#define OBJECT_MAX_SOURCES 256u
#define OBJECT_MAX_TIES 64u

struct object_spec {
	uint16_t p_flags; /* MIP_* */
	bool persistent;
	bool zero_nonce;
	bool born_deleted; /* goes with its last tie and reference */
	bool system;       /* persistent: the store remembers it as its system object */
	objid_t kuid;
	const struct object_source *sources; /* later ones overwrite earlier ones */
	unsigned int source_count;
	struct object *const *ties; /* parents; the caller holds references */
	unsigned int tie_count;
};

/* A hidden copy of a volatile object in a store, while it is made (obj/private.h). */
struct object_place {
	struct store *store;
	struct store_handle handle;
	uint64_t next; /* page to be copied next */
};

/*
 * Make an object with a derived ID, its contents, its ties and its birth deletion in one step. On
 * success a reference is returned in *out; a volatile object is in the table, a persistent one
 * durable as a whole. A hash-data object that exists already is returned as it is, with the ties
 * added. -ENOMEM, -ENOSPC, -ENODEV (no store), -EROFS, -EUCLEAN, -EBUSY (exists and is being
 * deleted immediately), and those of object_tie(). On error nothing exists.
 */
int object_create(const struct object_spec *spec, struct object **out);

/*
 * The same in steps, none of which takes long. Until it is finished nobody sees anything of it. The
 * spec, and all it names, stay as they are until the end. Members are private.
 */
struct object_creation {
	const struct object_spec *spec;
	objid_t id;           /* of the object to be; valid when a step has returned 0 */
	struct object *draft; /* NULL: not begun */
	struct object *twin;  /* the same hash-data object exists already; holds a reference */
	struct store *stores[PERSIST_MAX_STORES]; /* to be tried, and which is next */
	int store_count, store;
	unsigned int source;  /* where filling got to: the source, */
	uint64_t next;        /* the page of it, */
	bool cleared;         /* and whether its range is empty by now */
	bool named, moving;   /* hash-data: what it is called is known; it is on its way into a store */
	struct object_place place;
};

int object_create_begin(struct object_creation *creation, const struct object_spec *spec);

/*
 * 1: to be called again; 0: complete, to be finished or abandoned; an error: nothing is left of it.
 */
int object_create_step(struct object_creation *creation);

/* Publish it, as object_create() does. On an error nothing is left of it. */
int object_create_finish(struct object_creation *creation, struct object **out);
void object_create_abandon(struct object_creation *creation);

/*
 * Turn a volatile object into a persistent one or back, keeping its contents. Durable on return.
 * -ENODEV, -ENOSPC, -ENOMEM, -EROFS, -EUCLEAN; nothing changed then. -EBUSY: it is tied, or
 * kernel-owned.
 */
int object_set_persistent(struct object *object, bool persistent);

/* A kernel-owned object with a reserved ID and a metadata page; NULL when out of memory. */
struct object *object_create_kernel(objid_t id);

/* An empty volatile object with a given ID, unverified (boot pack). NULL: exists or no memory. */
struct object *object_create_given(objid_t id);

/* ---- Pages (obj/pages.c) ---- */

/*
 * The kernel address of page `pgnr`, or NULL in *page for a hole. With `alloc` a hole gets a zeroed
 * page first (durably, for persistent objects). Lock held. A page of a hash-data object is verified
 * before it is given away: -EUCLEAN also if it is not what the ID says. -ENOMEM, -ENOSPC, -EROFS,
 * -EUCLEAN; -EINVAL page 0 or out of range.
 */
int object_page(struct object *object, uint64_t pgnr, bool alloc, void **page);

/*
 * As object_page() with `alloc`, but the page may then be written: one that is shared with other
 * objects is copied first, and no translation to the old one is left. Lock held.
 */
int object_page_write(struct object *object, uint64_t pgnr, void **page);

/* Whether other objects have the page too, so that it must not be written. Lock held. */
bool object_page_shared(struct object *object, uint64_t pgnr, const void *page);

/*
 * Give a volatile object a page that was allocated elsewhere; it takes ownership. Lock held.
 * -EEXIST, -ENOMEM.
 */
int object_page_insert(struct object *object, uint64_t pgnr, void *page);

/*
 * Call fn for each resident page of a volatile object, or each page of a persistent one, with first
 * ≤ number < end, in ascending order, until it returns non-zero, which is returned. Lock held.
 */
int object_pages_walk(struct object *object, uint64_t first, uint64_t end,
		      int (*fn)(void *arg, uint64_t pgnr, void *page), void *arg);

/* Free all pages of a volatile object. No mapping is left; no one else uses it. */
void object_pages_free(struct object *object);

/*
 * Copy bytes out of or into an object, object offsets; holes read as zero, writes allocate.
 * Takes the lock page by page. Errors as object_page().
 */
int object_read(struct object *object, uint64_t offset, void *to, size_t length);
int object_write(struct object *object, uint64_t offset, const void *from, size_t length);

/* Make a range of a persistent object durable: flush, fence. Volatile objects: nothing. */
void object_sync(struct object *object, uint64_t offset, uint64_t length);

/* ---- Copying (obj/copy.c) ---- */

/*
 * Make `count` pages of `to`, from number `to_page` on, equal to those of `from` from `from_page`
 * on (`from` NULL: holes). Pages are shared until one side writes, where both are in the same kind
 * of memory. Page by page visible; ranges in one object do not overlap. At most OBJECT_COPY_BATCH
 * pages a call: *done says how many, also on error. -ENOMEM, -ENOSPC, -EROFS, -EUCLEAN; -EINVAL:
 * the metadata page would be a hole.
 */
#define OBJECT_COPY_BATCH 128u
int object_copy_pages(struct object *to, uint64_t to_page, struct object *from, uint64_t from_page,
		      uint64_t count, uint64_t *done);

/* ---- Identity (obj/verify.c) ---- */

/*
 * Verify the ID against the metadata page, if that may have changed since the last time. Afterwards
 * p_flags and kuid may be used. 0; -EINVLOBJ; -ENOMEM; OBJECT_AGAIN: there is much to hash, and
 * part of it is done: call again, while a reference is held, but let others run before. Lock held.
 */
#define OBJECT_AGAIN (-4096)
int object_verify(struct object *object);

/* ---- Translation (obj/subtree.c). Lock held for all. ---- */

/* The subtree for a protection, made if need be. NULL when out of memory. */
pte_t *object_subtree(struct object *object, enum object_prot prot);

/*
 * Enter page `pgnr` into the subtree, or for a hole being read in a persistent object the zero
 * page. Neighbours that are resident come along when a leaf table is new. 0 or as object_page().
 */
int object_map_page(struct object *object, enum object_prot prot, uint64_t pgnr, bool write);

/*
 * The same for OBJ_PROT_EITHER, for an access (ACCESS_*): the page can be written, or executed, if
 * that is what is asked for, and from then on on no CPU the other. Page by page, never 2 MiB.
 */
int object_map_either(struct object *object, uint64_t pgnr, unsigned int access);

/*
 * Drop every translation to a page, or to the 2 MiB around it, on every CPU. Lock held. Where the 2
 * MiB are mapped in one piece the first does what the second does.
 */
void object_unmap_page(struct object *object, uint64_t pgnr);
void object_unmap_block(struct object *object, uint64_t pgnr);

/*
 * No translation allows writing the page any more, once the TLBs are flushed. True if one did. Lock
 * held.
 */
bool object_protect_page(struct object *object, uint64_t pgnr);

/*
 * Entries for `count` pages from pgnr on were taken out or allow less than before: when this
 * returns no CPU uses the old ones. Only CPUs that may hold some are troubled (mm/flush.c). Lock
 * held.
 */
void object_flush(struct object *object, uint64_t pgnr, uint64_t count);

/*
 * Drop the translations of the whole object, on every CPU; mappings stay and fault again. Lock
 * held.
 */
void object_unmap_all(struct object *object);

/* Free all subtrees; no address space links them any more. */
void object_subtrees_free(struct object *object);

/* ---- Pins (obj/pin.c) ---- */

/*
 * A pinned object's pages stay where they are until it is unpinned as often as it was pinned: they
 * are neither shared nor moved. It is kept meanwhile. -EOVERFLOW; unpin: -EINVAL not pinned.
 */
int object_pin(struct object *object);
int object_unpin(struct object *object);

/* ---- Cache modes (obj/cache.c) ---- */

/*
 * Pages first … end-1 of an object are translated with a mode OC_CM_* from now on, those that exist
 * and those to come. -EINVAL: the object is persistent, and the mode not write-back; -ENOTSUP: the
 * machine cannot; -ENOSPC: more than 16 ranges; -ENOMEM. No lock held.
 */
int object_set_cache_mode(struct object *object, uint64_t first, uint64_t end, unsigned int mode);
unsigned int object_cache_mode(const struct object *object, uint64_t pgnr); /* lock held */

/* ---- Ties (obj/tie.c) ---- */

/*
 * 0; -EPERM self; -ELOOP; -EMLINK chain over 16; -ENOMEM. Between persistent objects durable on
 * return, also -ENOSPC, -EROFS, -EUCLEAN, and -EXDEV: they are in two stores. No lock held.
 */
int object_tie(struct object *parent, struct object *child);
int object_untie(struct object *parent, struct object *child); /* -ENOENT */
void object_ties_drop(struct object *parent);                  /* when the parent is freed */

#endif
