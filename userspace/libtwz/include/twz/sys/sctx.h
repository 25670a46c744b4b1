// SPDX-License-Identifier: BSD-3-Clause
/*
 * Security contexts: objects that say what a thread they are attached to may do. `o` is open for
 * reading and writing. Masks are SCP_*; see docs/security.md for what they do.
 *
 * What is changed counts from the next invalidation on, which these functions do themselves.
 */
#ifndef TWZ_SYS_SCTX_H
#define TWZ_SYS_SCTX_H

#include <abi/sctx.h>
#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Make an object a context that takes nothing away; `name` may be NULL. -EINVAL it holds a context.
 */
int twz_sctx_init(twzobj *o, const char *name);

/* Default permissions that the context takes from every object. */
void twz_sctx_set_gmask(twzobj *o, uint32_t gmask);

/*
 * What the context makes of the default permissions of `target`: with SCF_TYPE_REGRANT_MASK in
 * flags those of `mask` are given back that gmask takes, else those of `mask` are taken. gates may
 * be NULL. Several for one target add up. Whole or not at all after a power cut. -EINVAL target 0,
 * or unknown flags; -ENOSPC.
 */
int twz_sctx_add_dfl(twzobj *o, objid_t target, uint32_t mask, const struct scgates *gates,
    uint64_t flags);

/* The number of the first bucket for a target, and the next behind one; -ENOENT. */
ssize_t twz_sctx_lookup(twzobj *o, objid_t target);
ssize_t twz_sctx_next(twzobj *o, objid_t target, ssize_t bucket);

/* Empty a bucket of the target. -ENOENT it is none. */
int twz_sctx_del(twzobj *o, objid_t target, ssize_t bucket);

#ifdef __cplusplus
}
#endif

#endif
