// SPDX-License-Identifier: BSD-3-Clause
/*
 * Formatted output without floats, locale or allocation.
 *
 * Conversions: %d %i %u %x %X %o %p %s %c %%. Flags: - 0 + space #. Width and
 * precision as numbers or *. Lengths: hh h l ll z j t. Nothing else: a conversion
 * that is not in this list is copied to the output as it stands, and takes no argument.
 * A NULL string prints as "(null)". Reentrant; usable from any context.
 */
#ifndef BASE_PRINTF_H
#define BASE_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Format, handing the text to put() in pieces of len ≥ 1 bytes, not NUL-terminated and valid
 * during the call only; arg is passed through. Returns the number of bytes put, INT_MAX if more.
 */
int base_vformat(void (*put)(void *arg, const char *text, size_t len), void *arg, const char *fmt,
		 va_list ap) __attribute__((format(printf, 3, 0)));

/* As base_vformat, with the arguments in line. */
int base_format(void (*put)(void *arg, const char *text, size_t len), void *arg, const char *fmt,
		...) __attribute__((format(printf, 3, 4)));

/*
 * Format into buf of size bytes, cut to fit, NUL-terminated if size > 0 (buf may be NULL if
 * size is 0). Returns the length of the whole text: a result ≥ size means that it was cut.
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
int snprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
