// SPDX-License-Identifier: BSD-3-Clause
/*
 * Names under which lib/base's C library functions are compiled for host tests. No include guard:
 * a test includes this, then a header of lib/base, then undo_rename.h.
 */
#define memchr base_memchr
#define memcmp base_memcmp
#define memcpy base_memcpy
#define memmove base_memmove
#define memset base_memset
#define strchr base_strchr
#define strcmp base_strcmp
#define strlen base_strlen
#define strncmp base_strncmp
#define strnlen base_strnlen
#define snprintf base_snprintf
#define vsnprintf base_vsnprintf
