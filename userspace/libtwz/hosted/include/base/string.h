// SPDX-License-Identifier: BSD-3-Clause
/* Hosted, the memory and string functions are those of the C library. */
#ifndef BASE_STRING_H
#define BASE_STRING_H

#include <string.h>

/* Not every C library has it; lib/base/string.h tells what it does. */
size_t strlcpy(char *dst, const char *src, size_t size);

#endif
