// SPDX-License-Identifier: BSD-3-Clause
/*
 * The store's port to a host process.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hosted.h"

#define LOG_BYTES 16384u
#define REGION_ALIGN (2ul << 20)

static char log_text[LOG_BYTES];
static size_t log_used;
static unsigned log_lines;
static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;

unsigned long hosted_flushes, hosted_fences;

static void count_flush(const void *addr, size_t len)
{
	(void)addr;
	(void)len;
	__atomic_fetch_add(&hosted_flushes, 1, __ATOMIC_RELAXED);
}

static void count_fence(void)
{
	__atomic_fetch_add(&hosted_fences, 1, __ATOMIC_RELAXED);
}

const struct pm_ops hosted_ops = { .flush = count_flush, .fence = count_fence };

void store_log(enum store_log_level level, const char *format, ...)
{
	static const char *const names[] = { "error", "warning", "info" };
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (getenv("STORE_LOG"))
		fprintf(stderr, "store: %s: %s\n", names[level], line);
	pthread_mutex_lock(&log_mutex);
	log_lines++;
	if (log_used + strlen(line) + 2 < LOG_BYTES)
		log_used += (size_t)sprintf(log_text + log_used, "%s\n", line);
	pthread_mutex_unlock(&log_mutex);
}

void hosted_log_clear(void)
{
	log_used = 0;
	log_lines = 0;
	log_text[0] = 0;
}

bool hosted_log_has(const char *text)
{
	return strstr(log_text, text) != NULL;
}

unsigned hosted_log_lines(void)
{
	return log_lines;
}

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(struct store_lock), "a mutex fits");

void store_lock_init(struct store_lock *lock)
{
	pthread_mutex_init((pthread_mutex_t *)(void *)lock->opaque, NULL);
}

void store_lock_acquire(struct store_lock *lock)
{
	pthread_mutex_lock((pthread_mutex_t *)(void *)lock->opaque);
}

void store_lock_release(struct store_lock *lock)
{
	pthread_mutex_unlock((pthread_mutex_t *)(void *)lock->opaque);
}

void *hosted_region(size_t len)
{
	size_t whole = len + STORE_PAGE_SIZE;
	char *start = mmap(NULL, whole + REGION_ALIGN, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t skip = REGION_ALIGN - (uintptr_t)start % REGION_ALIGN;

	if (start == MAP_FAILED || munmap(start, skip) ||
	    (skip < REGION_ALIGN && munmap(start + skip + whole, REGION_ALIGN - skip)) ||
	    mprotect(start + skip + len, STORE_PAGE_SIZE, PROT_NONE)) {
		perror("region");
		exit(2);
	}
	return start + skip;
}

void hosted_region_free(void *base, size_t len)
{
	munmap(base, len + STORE_PAGE_SIZE);
}

unsigned long hosted_check(struct store *st)
{
	void *scratch = malloc(store_check_scratch(st));
	unsigned long faults = scratch ? (unsigned long)store_check(st, scratch) : 1;

	free(scratch);
	return faults;
}
