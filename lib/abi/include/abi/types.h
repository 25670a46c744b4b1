// SPDX-License-Identifier: BSD-3-Clause
/*
 * The scalar types and constants that kernel, userspace and host tools share.
 *
 * Everything in lib/abi is little-endian, fixed-width and identical on every
 * architecture; each layout is pinned by static asserts.
 */
#ifndef ABI_TYPES_H
#define ABI_TYPES_H

/* Words of C that C++ has under other names. */
#ifdef __cplusplus
#define _Static_assert static_assert
#define _Noreturn [[noreturn]]
#define _Alignas alignas
#define _Alignof alignof
#define _Thread_local thread_local
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A 128-bit object ID. Where registers carry one: low half first. */
typedef unsigned __int128 objid_t;
typedef unsigned __int128 nonce_t;

#define MKID(hi, lo) (((objid_t)(hi) << 64) | (objid_t)(uint64_t)(lo))
#define ID_LO(id) ((uint64_t)(id))
#define ID_HI(id) ((uint64_t)((objid_t)(id) >> 64))

/* Printing an ID: printf("object " IDFMT "\n", IDPR(id)). */
#define IDFMT "%.16lx:%.16lx"
#define IDPR(id) (unsigned long)ID_HI(id), (unsigned long)ID_LO(id)

/* IDs whose high half is 0 belong to the kernel. */
#define KSO_ROOT_ID ((objid_t)1)

#define TWZ_PAGE_SIZE 4096ul
#define TWZ_PAGE_SHIFT 12

static inline bool objid_is_reserved(objid_t id)
{
	return ID_HI(id) == 0;
}

#endif
