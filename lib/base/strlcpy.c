// SPDX-License-Identifier: BSD-3-Clause
/* strlcpy, see base/string.h; alone in its file because host tools need it where libc has none. */
#include <base/string.h>

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size > 0) {
		size_t n = len < size ? len : size - 1;

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}
