// SPDX-License-Identifier: BSD-3-Clause
/*
 * The memory and string functions of the C library that kernel, userspace and
 * host tools share. Compilers emit calls to the first four on their own.
 *
 * Meaning and prototypes are those of ISO C (strnlen, strlcpy: POSIX/BSD). All of
 * them are reentrant, never sleep, allocate nothing, and use aligned accesses
 * only, so they may be called from any context, before the MMU is on, too.
 */
#ifndef BASE_STRING_H
#define BASE_STRING_H

#include <stddef.h>

/* Copy n bytes; the ranges must not overlap. Returns dst. */
void *memcpy(void *restrict dst, const void *restrict src, size_t n);

/* Copy n bytes; the ranges may overlap. Returns dst. */
void *memmove(void *dst, const void *src, size_t n);

/* Set n bytes to (unsigned char)c. Returns dst. */
void *memset(void *dst, int c, size_t n);

/* Compare n bytes as unsigned chars: <0, 0 or >0. Not constant in time: not for secrets. */
int memcmp(const void *a, const void *b, size_t n);

/* First occurrence of (unsigned char)c in n bytes, or NULL. */
void *memchr(const void *s, int c, size_t n);

/* Bytes before the NUL. */
size_t strlen(const char *s);

/* Bytes before the NUL, at most max; nothing at or beyond s[max] is read. */
size_t strnlen(const char *s, size_t max);

/* Compare as unsigned chars up to the first difference or NUL: <0, 0 or >0. */
int strcmp(const char *a, const char *b);

/* As strcmp, but at most n bytes. */
int strncmp(const char *a, const char *b, size_t n);

/* First occurrence of (char)c in s, its NUL included, or NULL. */
char *strchr(const char *s, int c);

/* Last occurrence of (char)c in s, its NUL included, or NULL. */
char *strrchr(const char *s, int c);

/*
 * Copy src into dst of size bytes, cut to fit, always NUL-terminated if size > 0.
 * Returns strlen(src): a result ≥ size means that it was cut.
 */
size_t strlcpy(char *dst, const char *src, size_t size);

#endif
