// SPDX-License-Identifier: BSD-3-Clause
/* Printing for people who debug: to the kernel's log, whatever the program's output is. */
#ifndef TWZ_DEBUG_H
#define TWZ_DEBUG_H

#include <abi/types.h>

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Print to the kernel log, at most 1024 bytes. Returns the bytes printed or a negative error. */
int debug_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int debug_vprintf(const char *fmt, va_list ap);

/* Print a message and end this thread with status 255. */
_Noreturn void libtwz_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#ifdef __cplusplus
}
#endif

#endif
