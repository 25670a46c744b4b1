// SPDX-License-Identifier: BSD-3-Clause
/*
 * The security context object: what a thread may do to which object. All offsets are base offsets.
 */
#ifndef ABI_SCTX_H
#define ABI_SCTX_H

#include <abi/kso.h>
#include <abi/types.h>

/* Permissions; the first five have the values of an object's default permissions. */
#define SCP_READ 4u
#define SCP_WRITE 8u
#define SCP_EXEC 0x10u
#define SCP_USE 0x20u
#define SCP_DEL 0x40u
#define SCP_CD 0x1000u /* may be delegated */

#define SECCTX_USERDATA 512

/* A range of offsets where control may enter. */
struct scgates {
	uint32_t offset; /* object offset */
	uint16_t length;
	uint16_t align; /* log2 */
};

struct scbucket {
	objid_t target;  /* 0 = empty; the chain goes on */
	uint64_t data;   /* local p-ptr to a capability or delegation, 0 = the masks alone */
	uint64_t flags;  /* SCF_* */
	struct scgates gatemask;
	uint32_t pmask;
	uint32_t chain;  /* index of the next bucket, 0 = end */
};

#define SCF_TYPE_REGRANT_MASK 1u /* without data: pmask gives back what gmask takes; else it takes more */
#define SCF_GATE 2u              /* gatemask applies */

struct secctx_hdr {
	struct kso_hdr hdr;
	uint8_t userdata[SECCTX_USERDATA];
	uint32_t gmask;    /* default permissions taken away */
	uint32_t flags;    /* SECCTX_* */
	uint64_t nbuckets; /* 1 … SECCTX_MAX_BUCKETS */
	uint64_t nchain;   /* 0 … SECCTX_MAX_BUCKETS */
	struct scbucket buckets[]; /* nbuckets + nchain; a target's first is target mod nbuckets */
};

#define SECCTX_OWN_VIEW 1u /* active only in a view that a capability in it names */
#define SECCTX_STICKY 2u   /* while it is active no other context counts, and it cannot be shed */
#define SECCTX_FLAGS (SECCTX_OWN_VIEW | SECCTX_STICKY)

#define SECCTX_MAX_BUCKETS 65536u
#define SECCTX_NBUCKETS 1024u /* what libtwz makes */
#define SECCTX_NCHAIN 4096u

/* SYS_OSTAT of type TWZ_OSTAT_SCTX: what the context has been used for since something uses it. */
struct kernel_ostat_sctx {
	uint64_t granted;   /* rights that capabilities and delegations gave */
	uint64_t malformed; /* structures that made no sense */
	uint64_t forged;
	uint64_t misplaced;
	uint64_t expired;
	uint64_t revoked;
	uint64_t gate_miss;
	uint64_t switches;  /* times it became active */
};

_Static_assert(sizeof(struct kernel_ostat_sctx) == 64, "ostat of contexts");
_Static_assert(sizeof(struct scgates) == 8, "scgates");
_Static_assert(sizeof(struct scbucket) == 48, "scbucket");
_Static_assert(offsetof(struct scbucket, pmask) == 40, "scbucket pmask");
_Static_assert(offsetof(struct secctx_hdr, userdata) == 1040, "secctx userdata");
_Static_assert(offsetof(struct secctx_hdr, gmask) == 1552, "secctx gmask");
_Static_assert(offsetof(struct secctx_hdr, nbuckets) == 1560, "secctx nbuckets");
_Static_assert(offsetof(struct secctx_hdr, buckets) == 1584, "secctx buckets");

#endif
