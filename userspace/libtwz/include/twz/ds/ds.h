// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the persistent data structures share. Their pages: docs/structures.md.
 *
 * A structure is a root struct that may stand anywhere in an object's data, 8-byte aligned; what
 * it holds is allocated in the same object (twz/alloc.h: twz_object_init_alloc first). A zeroed
 * root is an empty structure. Functions take the object's handle and a d-ptr to the root in it.
 *
 * Each single operation is all done or not at all after a crash at any point, durable when the
 * function returns, and neither leaks nor frees twice. What was interrupted is settled by the
 * next operation that changes the structure, in whatever program.
 *
 * Errors all of them may return:
 *   -EINVAL     the root is not in the object, or a key or length is out of range
 *   -EINVLOBJ   what stands in the object is no such structure, or damaged; nothing was changed
 *   -ENOMEM     the object is full; nothing was changed
 */
#ifndef TWZ_DS_DS_H
#define TWZ_DS_DS_H

#include <abi/mutex.h>
#include <twz/obj.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a root begins with; all zero while the structure has never been used. */
struct twz_ds_head {
	uint32_t magic; /* TWZ_DS_* */
	uint16_t version;
	uint16_t flags; /* of the kind */
};

#define TWZ_DS_VERSION 1u

/* Who may change a structure, or a part of it; and what readers look at. Never flushed. */
struct twz_ds_guard {
	struct mutex lock; /* held while something is changed; crash-proof */
	uint64_t seq;      /* odd while something is freed, and another value behind that */
	uint64_t boot;     /* in which it was last made ready: what a crash left is settled */
};

/* Kinds, which are the magic numbers. */
#define TWZ_DS_VEC 0x63657654u  /* "Tvec" */
#define TWZ_DS_MAP 0x70616d54u  /* "Tmap" */
#define TWZ_DS_HASH 0x68736854u /* "Thsh" */
#define TWZ_DS_LIST 0x74736c54u /* "Tlst" */
#define TWZ_DS_BLOB 0x626f6c42u /* "Blob"; a blob's root is one pointer and bears no magic */
#define TWZ_DS_LOG 0x676f6c54u  /* "Tlog" */

/* Extension tag under which an object may announce a structure of some kind (twz_object_addext). */
#define TWZ_DS_METAEXT_TAG(kind) (0xd500000000000000ull | (kind))

_Static_assert(sizeof(struct twz_ds_head) == 8, "structure head");
_Static_assert(sizeof(struct twz_ds_guard) == 32, "structure guard");

/* Flags of put. */
#define TWZ_DS_NEW 1u /* -EEXIST if the key is there */
#define TWZ_DS_OLD 2u /* -ENOENT if it is not */

/* Greatest key and value, in bytes. A key has at least one byte. */
#define TWZ_DS_KEY_MAX 512u
#define TWZ_DS_VALUE_MAX 0x30000000u

/*
 * Check the whole structure of that kind at root (TWZ_DS_*; 0: as its magic says): every pointer,
 * count, order and length. Its writers are kept out by the caller. 0; -EINVLOBJ something is
 * wrong; -EINVAL no such kind, or root is not in o. Never faults on what stands in the object.
 */
int twz_ds_check(twzobj *o, const void *root, uint32_t kind);

/* "vector", "map", ... or NULL. */
const char *twz_ds_kind_name(uint32_t kind);

#ifdef __cplusplus
}
#endif

#endif
