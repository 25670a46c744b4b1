// SPDX-License-Identifier: BSD-3-Clause
/*
 * Security contexts, as the kernel holds them: what a thread's rights are judged in, and one half
 * of what names an address space (the other is the view).
 *
 * A struct seccontext is the kernel's record of a context object, one for each object while
 * anything uses it. What the object says (its masks) is copied and checked when it is first needed,
 * kept, and forgotten by seccontext_invalidate(). Layout: abi/sctx.h. Rules: docs/security.md.
 */
#ifndef SEC_CONTEXT_H
#define SEC_CONTEXT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/sctx.h>
#include <base/list.h>
#include <spinlock.h>

struct addrspace;
struct object;

/* What the buckets of one target say without capabilities. */
struct sec_masks {
	uint32_t regrant;  /* of the defaults that gmask takes: given back */
	uint32_t withhold; /* of the defaults: taken */
};

/* The fixed part of a context object, checked. */
struct sec_header {
	uint32_t gmask;
	uint32_t flags; /* SECCTX_* */
	uint64_t buckets; /* all of them */
	uint64_t heads;   /* of these, how many begin a chain */
	bool sound;     /* false: the context grants nothing */
};

#define SECCONTEXT_CACHE 32u /* targets whose masks are remembered */

struct seccontext {
	_Atomic uint32_t refs;
	struct object *object; /* holds a reference; NULL for the two that are no objects */
	_Atomic uint64_t malformed; /* structures in it that made no sense; statistics */
	_Atomic uint64_t switches;  /* times it became active; statistics */

	struct spinlock lock; /* innermost: nothing is taken inside */
	/* Guarded by lock. */
	uint64_t generation;  /* counts invalidations: what was read before one is not remembered */
	bool header_known;
	struct sec_header header;
	struct {
		objid_t target; /* 0 = nothing is remembered here */
		struct sec_masks masks;
	} cache[SECCONTEXT_CACHE];
	struct list spaces;    /* struct addrspace.context_link */
	uint64_t space_number; /* of the next space to come */
};

/*
 * Two contexts that no object stands for; they are never freed, their references are not counted.
 * `sec_bootstrap`: the thread that the kernel starts, and those it spawns before it attaches a
 * context: unrestricted. `sec_none`: threads whose active context is gone: default permissions
 * only.
 */
extern struct seccontext sec_bootstrap;
extern struct seccontext sec_none;

void seccontexts_init(void); /* boot CPU, once, before the first address space */

/*
 * The record of a context object, with a new reference. -EBUSY another kind of KSO; -ENOMEM. No
 * lock held.
 */
int seccontext_get(struct object *object, struct seccontext **out);

/* The record there is of an object, or NULL: nothing uses it as a context. With a new reference. */
struct seccontext *seccontext_known(struct object *object);

/* Another reference to a context one holds a reference to; returns it. */
struct seccontext *seccontext_ref(struct seccontext *context);

/* Drop a reference; the last frees it. No lock held. */
void seccontext_put(struct seccontext *context);

/* What the context object says, from memory or read now. No object's lock held. */
struct sec_header seccontext_header(struct seccontext *context);

/*
 * The masks for a target. False: its chain makes no sense, nothing is granted. No object's lock
 * held.
 */
bool seccontext_masks(struct seccontext *context, const struct sec_header *header, objid_t target,
		      struct sec_masks *masks);

/*
 * What the record of an object has counted; all 0 without one. -EINVAL: the object is no context.
 * No lock held.
 */
int seccontext_stat(struct object *object, struct kernel_ostat_sctx *stat);

/*
 * Forget what was read from the object and drop the translations made by it: when this returns no
 * CPU uses one. No lock held.
 */
void seccontext_invalidate(struct seccontext *context);

/* An address space with the rights of the context came, or goes. Any object's lock may be held. */
void seccontext_space_added(struct seccontext *context, struct addrspace *space);
void seccontext_space_removed(struct seccontext *context, struct addrspace *space);

#endif
