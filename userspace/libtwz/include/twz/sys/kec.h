// SPDX-License-Identifier: BSD-3-Clause
/* The kernel's early console: what programs print to and read from before drivers exist. */
#ifndef TWZ_SYS_KEC_H
#define TWZ_SYS_KEC_H

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Print, at most 2048 bytes, in one piece. Returns the bytes written or a negative error. */
int kec_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int kec_vprintf(const char *fmt, va_list ap);

/* Write all of buf. 0 or a negative error. */
int kec_write(const char *buf, size_t len);

/* Read one character, waiting for it: 0 … 255, or a negative error. */
int kec_getchar(void);

#ifdef __cplusplus
}
#endif

#endif
