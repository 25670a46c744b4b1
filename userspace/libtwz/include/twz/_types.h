// SPDX-License-Identifier: BSD-3-Clause
/* The types every libtwz header needs: object IDs, time, and the object handle. */
#ifndef TWZ__TYPES_H
#define TWZ__TYPES_H

#include <abi/clock.h>
#include <abi/types.h>
#include <stdint.h>

#ifdef __cplusplus
#include <atomic>
using std::atomic_uint;
using std::atomic_uint_least32_t;
using std::atomic_uint_least64_t;
using std::atomic_ulong;
#else
#include <stdatomic.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* With a C library its own struct timespec counts; the layouts are equal. */
#if !defined(__DEFINED_struct_timespec) && !defined(_STRUCT_TIMESPEC)
#define __DEFINED_struct_timespec
#define _STRUCT_TIMESPEC 1
struct timespec {
	long tv_sec;
	long tv_nsec;
};
#endif

#ifndef _SSIZE_T_DECLARED
#if !defined(__DEFINED_ssize_t)
#define __DEFINED_ssize_t
typedef long ssize_t;
#endif
#endif

_Static_assert(sizeof(struct timespec) == sizeof(struct twz_timespec), "timespec layout");

struct __twz_fotmap;

/*
 * An object handle. The members are private; a zeroed handle is a released one. Concurrent use
 * is safe except release and init, which need exclusive use. Handles are not copied by
 * assignment, except those of twz_object_from_ptr and twz_object_init_ptr.
 */
typedef struct __twzobj {
	void *base;
	uint64_t flags;
	objid_t id;
	struct __twz_fotmap *cache; /* atomic */
	uint64_t vf;
	uint64_t lock[2];
} twzobj;

_Static_assert(sizeof(twzobj) == 64, "handle");

/*
 * Read an ID from text: exactly 32 hex digits, an optional ':' between the 16th and the 17th,
 * an optional "0x" before each half. All of len must be consumed, or up to a NUL.
 * Returns whether it was one; otherwise *id is untouched.
 */
_Bool objid_parse(const char *s, size_t len, objid_t *id);

#ifdef __cplusplus
}
#endif

#endif
