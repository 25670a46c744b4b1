// SPDX-License-Identifier: BSD-3-Clause
/*
 * The store in a host process: the port's log, made visible to tests, and memory that stands for
 * a region.
 */
#ifndef TESTS_STORE_HOSTED_H
#define TESTS_STORE_HOSTED_H

#include <stdbool.h>
#include <stddef.h>

#include <store/store.h>

extern const struct pm_ops hosted_ops; /* counts, does nothing else */
extern unsigned long hosted_flushes, hosted_fences;

/* Zeroed, 2 MiB-aligned, with an inaccessible page behind it. */
void *hosted_region(size_t len);
void hosted_region_free(void *base, size_t len);

/* Log lines since the last hosted_log_clear(). STORE_LOG=1 in the environment prints them, too. */
void hosted_log_clear(void);
bool hosted_log_has(const char *text);
unsigned hosted_log_lines(void);

/* store_check() with scratch from the heap. */
unsigned long hosted_check(struct store *st);

#endif
