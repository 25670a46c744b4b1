// SPDX-License-Identifier: BSD-3-Clause
/* KTAP for programs in the guest: a plan line first, then one line for every case. */
#ifndef TESTS_KTAP_H
#define TESTS_KTAP_H

#include <stddef.h>
#include <stdint.h>

struct ktap_case {
	const char *name;
	void (*run)(void);
};

/* Run all cases in order; returns the program's exit status: 0 if all passed or were skipped. */
int ktap_run(const struct ktap_case *cases, size_t count);

/* What a case may say; a case that failed goes on. */
void ktap_fail(const char *file, int line, const char *what);
void ktap_fail_values(const char *file, int line, const char *what, int64_t got, int64_t want);
void ktap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ktap_skip(const char *why);

#define KTAP_RUN(cases) ktap_run(cases, sizeof(cases) / sizeof(*(cases)))

#define CHECK(cond)                                                   \
	do {                                                          \
		if (!(cond))                                          \
			ktap_fail(__FILE__, __LINE__, #cond);         \
	} while (0)

#define CHECK_EQ(got, want)                                                              \
	do {                                                                             \
		int64_t __got = (int64_t)(got), __want = (int64_t)(want);                \
		if (__got != __want)                                                     \
			ktap_fail_values(__FILE__, __LINE__, #got, __got, __want);       \
	} while (0)

/* As CHECK, and leave the case: what follows needs it. */
#define NEED(cond)                                                    \
	do {                                                          \
		if (!(cond)) {                                        \
			ktap_fail(__FILE__, __LINE__, #cond);         \
			return;                                       \
		}                                                     \
	} while (0)

#endif
