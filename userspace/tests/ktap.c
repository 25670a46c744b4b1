// SPDX-License-Identifier: BSD-3-Clause
/* KTAP output. Cases run one at a time, but threads of one case may report at the same time. */
#include "ktap.h"

#include <base/printf.h>
#include <stdatomic.h>
#include <twz/sys/kec.h>

static atomic_int failures;
static const char *skipped;

void ktap_fail(const char *file, int line, const char *what)
{
	atomic_fetch_add(&failures, 1);
	kec_printf("# %s:%d: %s\n", file, line, what);
}

void ktap_fail_values(const char *file, int line, const char *what, int64_t got, int64_t want)
{
	atomic_fetch_add(&failures, 1);
	kec_printf("# %s:%d: %s is %ld (0x%lx), not %ld\n", file, line, what, (long)got,
	    (unsigned long)got, (long)want);
}

void ktap_note(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	kec_printf("# %s\n", text);
}

void ktap_skip(const char *why)
{
	skipped = why;
}

int ktap_run(const struct ktap_case *cases, size_t count)
{
	int failed = 0;

	kec_printf("KTAP version 1\n1..%lu\n", (unsigned long)count);
	for (size_t i = 0; i < count; i++) {
		atomic_store(&failures, 0);
		skipped = NULL;
		cases[i].run();
		kec_printf("%sok %lu - %s%s%s\n", atomic_load(&failures) ? "not " : "",
		    (unsigned long)i + 1, cases[i].name, skipped ? " # SKIP " : "",
		    skipped ? skipped : "");
		failed += atomic_load(&failures) != 0;
	}
	return failed ? 1 : 0;
}
