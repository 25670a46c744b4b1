// SPDX-License-Identifier: BSD-3-Clause
/*
 * The store's port to a program of one thread (store/port.h): its log goes to whoever asked for it,
 * and its lock only notices when it is taken twice.
 */
#include "report.h"

#include <stdarg.h>
#include <stdlib.h>

static void log_to_stderr(enum store_log_level level, const char *line)
{
	if (level != STORE_LOG_INFO)
		complain("store: %s", line);
}

static log_sink current_sink = log_to_stderr;

log_sink redirect_log(log_sink sink)
{
	log_sink before = current_sink;

	current_sink = sink;
	return before;
}

void store_log(enum store_log_level level, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (current_sink != NULL)
		current_sink(level, line);
}

void store_lock_init(struct store_lock *lock)
{
	lock->opaque[0] = 0;
}

void store_lock_acquire(struct store_lock *lock)
{
	if (lock->opaque[0]++ != 0)
		abort();
}

void store_lock_release(struct store_lock *lock)
{
	if (--lock->opaque[0] != 0)
		abort();
}
