// SPDX-License-Identifier: BSD-3-Clause
/*
 * The object: its map, its metadata page, its foreign object table, the block its ID is
 * derived from, and the arguments of creation, statistics and control.
 *
 * Object offsets count from byte 0 of the object; base offsets from object offset 0x1000.
 *
 *   0x00000000  null page, never mapped, never stored
 *   0x00001000  data
 *   0x3e000000  foreign object table, filled from its top down
 *   0x3ffff000  metadata page: struct metainfo, then metaext slots up to milen
 */
#ifndef ABI_OBJECT_H
#define ABI_OBJECT_H

#include <abi/types.h>

#define OBJ_NULLPAGE_SIZE 0x1000ul
#define OBJ_MAXSIZE 0x40000000ul
#define OBJ_SHIFT 30
#define OBJ_TOPDATA 0x3e000000ul
#define OBJ_METAPAGE_SIZE 0x1000ul
#define OBJ_METAPAGE (OBJ_MAXSIZE - OBJ_METAPAGE_SIZE)
#define OBJ_MAXDATA (OBJ_TOPDATA - OBJ_NULLPAGE_SIZE) /* greatest metainfo.sz */
#define OBJ_MAXPAGES (OBJ_MAXSIZE / TWZ_PAGE_SIZE)

/* Entries of the foreign object table; usable indices are 1 … OBJ_MAXFOTE-1. */
#define OBJ_MAXFOTE ((1ul << 20) - 128)
#define OBJ_FOTE_OFFSET(e) (OBJ_METAPAGE - 32ul * (e))

#define MI_MAGIC 0x54575a4fu

/* metainfo.flags */
#define MIF_SZ 1u /* sz is meaningful */

/* metainfo.p_flags */
#define MIP_HASHDATA 1u
#define MIP_DFL_READ 4u
#define MIP_DFL_WRITE 8u
#define MIP_DFL_EXEC 0x10u
#define MIP_DFL_USE 0x20u
#define MIP_DFL_DEL 0x40u
#define MIP_ALL 0x7du

#define MI_MILEN_DEFAULT 576u
#define MI_MILEN_MIN 64u
#define MI_MILEN_MAX 4096u

/* One extension: a tag that says what the object offers, and where in it. */
struct metaext {
	uint64_t tag; /* atomic; 0 = free, METAEXT_CLAIMED = being written */
	uint64_t ptr; /* local p-ptr */
};

#define METAEXT_CLAIMED 1ull

struct metainfo {
	uint32_t magic;
	uint16_t flags;      /* MIF_* */
	uint16_t p_flags;    /* MIP_* */
	uint32_t fotentries; /* atomic; one more than the highest FOT index used; 0 reads as 1 */
	uint32_t milen;      /* bytes to the end of exts; 64 … 4096, multiple of 16 */
	nonce_t nonce;
	objid_t kuid; /* public-key object, 0 = none */
	uint64_t sz;  /* data size from base, with MIF_SZ */
	uint64_t pad; /* 0 */
	struct metaext exts[];
};

#define ALLOC_METAINFO_TAG 0xaaaaaaaa11223344ull
#define EVENT_METAEXT_TAG 0x1122ee00eeeeull
#define TWZIO_METAEXT_TAG 0x10101010ull
#define BSTREAM_METAEXT_TAG 0xbbbbbbbbull
#define BSTREAMD_METAEXT_TAG 0xbbbbddddull
#define DGRAM_METAEXT_TAG 0xddddaaaaull
#define QUEUE_METAEXT_TAG 0x99999999ull
#define PTY_METAEXT_TAG 0x77777777ull
#define HIER_METAEXT_TAG 0xa13a1300ull
#define USER_METAEXT_TAG 0x05e20001ull
#define KRING_METAEXT_TAG 0x05e20002ull
#define KU_METAEXT_TAG 0x05e20003ull
#define KR_METAEXT_TAG 0x05e20004ull

/* One FOT entry. Entry e stands at OBJ_FOTE_OFFSET(e). */
struct fotentry {
	union {
		objid_t id;
		struct {
			uint64_t data;      /* local p-ptr to a NUL-terminated string */
			uint64_t nresolver; /* p-ptr, or TWZ_NAME_RESOLVER_* */
		} name;                     /* with FE_NAME */
	};
	uint64_t flags; /* atomic; FE_* */
	uint64_t info;  /* 0 */
};

#define FE_READ 4u
#define FE_WRITE 8u
#define FE_EXEC 0x10u
#define FE_USE 0x20u
#define FE_NAME 0x1000u
#define FE_DERIVE 0x2000u
#define _FE_ALLOC 0x10000u
#define _FE_VALID 0x20000u
#define FE_ALL 0x3303cu

#define TWZ_NAME_RESOLVER_DFL 0ull
#define TWZ_NAME_RESOLVER_HIER 0ull
#define TWZ_NAME_RESOLVER_SOFN 1ull

/* A p-ptr is FOT index << 30 | object offset; index 0 is the object itself. */
#define PPTR_FOTE(p) ((uint64_t)(p) >> OBJ_SHIFT)
#define PPTR_OFFSET(p) ((uint64_t)(p) & (OBJ_MAXSIZE - 1))

/*
 * What an object's ID is derived from:
 * BLAKE2b(outlen 16, no key, salt 0, personal ID_BLOCK_PERSONAL) over 64 bytes of this, 96 for
 * hash-data objects. Digest byte 0 is the least significant byte of the ID.
 */
struct id_block {
	uint16_t version; /* ID_BLOCK_VERSION */
	uint16_t p_flags;
	uint32_t reserved0;
	uint64_t sz; /* this and the next two: hash-data only, else 0 */
	nonce_t nonce;
	objid_t kuid;
	uint32_t fotentries;
	uint32_t milen;
	uint64_t reserved1;
	uint8_t root[32]; /* hash-data only: root of the hash tree */
};

#define ID_BLOCK_VERSION 1u
#define ID_BLOCK_SIZE 64u
#define ID_BLOCK_HASHDATA_SIZE 96u
#define ID_BLOCK_PERSONAL "twz-object-id-v1" /* 16 bytes, no NUL */
#define HASH_LEAF_PERSONAL "twz-hash-leaf-v1"
#define HASH_NODE_PERSONAL "twz-hash-node-v1"
#define HASH_FANOUT 128u
#define HASH_SIZE 32u

/* Flags of creation. SYS_OCREATE takes those of TWZ_SYS_OC_ALL; the rest is libtwz's. */
#define TWZ_OC_HASHDATA 1u
#define TWZ_OC_DFL_READ 4u
#define TWZ_OC_DFL_WRITE 8u
#define TWZ_OC_DFL_EXEC 0x10u
#define TWZ_OC_DFL_USE 0x20u
#define TWZ_OC_DFL_DEL 0x40u
#define TWZ_OC_ZERONONCE 0x1000u
#define TWZ_OC_VOLATILE 0x2000u
#define TWZ_OC_PERSIST 0x4000u
#define TWZ_SYS_OC_PERSIST_ TWZ_OC_PERSIST
#define TWZ_OC_TIED_NONE 0x10000u
#define TWZ_OC_TIED_VIEW 0x20000u
#define TWZ_OC_DMA 0x40000u
#define TWZ_OC_NODEL 0x80000u
#define TWZ_SYS_OC_ALL 0x4707du /* VOLATILE is allowed and has no effect */

/* Flags of SYS_ODELETE and SYS_OTIE. */
#define TWZ_OD_IMMEDIATE 1u
#define OTIE_UNTIE 1u

/* One source of SYS_OCREATE2. Object offsets, page-aligned. */
struct twz_ocreate_source {
	objid_t id; /* 0 = zeroes */
	uint64_t start;
	uint64_t length; /* start = length = 0: the whole object, only as first source */
	uint64_t dest;   /* 0 = same as start */
	uint64_t flags;  /* 0 */
};

/* The argument of SYS_OCREATE2. */
struct twz_ocreate_spec {
	objid_t result; /* out */
	objid_t ku;
	uint64_t srcs;     /* address of struct twz_ocreate_source[] */
	uint64_t srcs_len; /* ≤ TWZ_OCREATE_MAX_SOURCES */
	uint64_t ties;     /* address of objid_t[]: parents */
	uint64_t ties_len; /* ≤ TWZ_OCREATE_MAX_TIES */
	uint32_t flags;    /* as SYS_OCREATE */
	uint16_t backing_type;
	uint16_t lifetime; /* 0 until deleted, 1 born deleted (needs a tie) */
	uint64_t reserved;
};

#define TWZ_OCREATE_MAX_SOURCES 256u
#define TWZ_OCREATE_MAX_TIES 64u

/* Values of backing_type. */
#define TWZ_BACKING_VOLATILE 0u
#define TWZ_BACKING_PERSISTENT 1u

/* Operations of SYS_OCTL. */
#define OCO_CACHE_MODE 0
#define OCO_MAP 1
#define OCO_UNMAP 2
#define OCO_PERSIST 3
#define OCO_REVOKE 4
#define OCO_MAP_RO 5

#define OC_CM_WB 0
#define OC_CM_UC 1
#define OC_CM_WT 2
#define OC_CM_WC 3

#define OP_UNPIN 1u

_Static_assert(sizeof(struct metaext) == 16, "metaext");
_Static_assert(offsetof(struct metainfo, p_flags) == 6, "metainfo p_flags");
_Static_assert(offsetof(struct metainfo, fotentries) == 8, "metainfo fotentries");
_Static_assert(offsetof(struct metainfo, milen) == 12, "metainfo milen");
_Static_assert(offsetof(struct metainfo, nonce) == 16, "metainfo nonce");
_Static_assert(offsetof(struct metainfo, kuid) == 32, "metainfo kuid");
_Static_assert(offsetof(struct metainfo, sz) == 48, "metainfo sz");
_Static_assert(sizeof(struct metainfo) == 64, "metainfo");
_Static_assert(sizeof(struct fotentry) == 32, "fotentry");
_Static_assert(offsetof(struct fotentry, flags) == 16, "fotentry flags");
_Static_assert(OBJ_FOTE_OFFSET(OBJ_MAXFOTE - 1) >= OBJ_TOPDATA, "FOT stays above the data");
_Static_assert(offsetof(struct id_block, sz) == 8, "id_block sz");
_Static_assert(offsetof(struct id_block, nonce) == 16, "id_block nonce");
_Static_assert(offsetof(struct id_block, kuid) == 32, "id_block kuid");
_Static_assert(offsetof(struct id_block, fotentries) == 48, "id_block fotentries");
_Static_assert(offsetof(struct id_block, root) == ID_BLOCK_SIZE, "id_block root");
_Static_assert(sizeof(struct id_block) == ID_BLOCK_HASHDATA_SIZE, "id_block");
_Static_assert(sizeof(struct twz_ocreate_source) == 48, "create source");
_Static_assert(offsetof(struct twz_ocreate_spec, srcs) == 32, "create spec srcs");
_Static_assert(offsetof(struct twz_ocreate_spec, flags) == 64, "create spec flags");
_Static_assert(sizeof(struct twz_ocreate_spec) == 80, "create spec");

#endif
