// SPDX-License-Identifier: BSD-3-Clause
/* The kernel's console. */
#include "runtime.h"

#include <base/printf.h>
#include <twz/sys/kec.h>

int kec_write(const char *buf, size_t len)
{
	while (len) {
		size_t part = len < SYS_KEC_WRITE_MAX ? len : SYS_KEC_WRITE_MAX;
		long n = sys_kec_write(buf, part, 0);

		if (n < 0)
			return (int)n;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

int kec_vprintf(const char *fmt, va_list ap)
{
	char buf[SYS_KEC_WRITE_MAX];
	int r, n = vsnprintf(buf, sizeof(buf), fmt, ap);

	if (n < 0)
		return n;
	if ((size_t)n >= sizeof(buf))
		n = sizeof(buf) - 1;
	r = kec_write(buf, (size_t)n);
	return r < 0 ? r : n;
}

int kec_printf(const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = kec_vprintf(fmt, ap);
	va_end(ap);
	return r;
}

int kec_getchar(void)
{
	unsigned char c;
	long n;

	do {
		n = sys_kec_read(&c, 1, 0);
	} while (n == 0 || n == -EINTR);
	return n < 0 ? (int)n : c;
}
