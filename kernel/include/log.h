// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel log. Each source file that logs defines LOG_PREFIX, its subsystem, first.
 *
 * log_info("%u pages free", n) prints "mm: 1234 pages free\n". Messages above the log level (boot
 * option loglevel=0…4, default CONFIG_LOG_LEVEL) are kept out of the console; what is for debugging
 * is then not kept at all. Programs read the log in an object (abi/klog.h). Context: any. Nothing
 * printed before there is a console is lost.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

void log_print(enum log_level level, const char *prefix, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_vprint(enum log_level level, const char *prefix, const char *format, va_list args);

#define log_error(...) log_print(LOG_ERROR, LOG_PREFIX, __VA_ARGS__)
#define log_warn(...) log_print(LOG_WARN, LOG_PREFIX, __VA_ARGS__)
#define log_notice(...) log_print(LOG_NOTICE, LOG_PREFIX, __VA_ARGS__)
#define log_info(...) log_print(LOG_INFO, LOG_PREFIX, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, LOG_PREFIX, __VA_ARGS__)

void log_set_level(int level); /* 0…4; others are ignored */

/* Let programs read the log. Boot CPU, once there are objects. */
void log_object_init(void);

/*
 * On the way back to user mode, with no lock held: if log_wake_wanted is set, there are records
 * that those who wait for them do not know of. Logging sets the CPU's resched too.
 */
extern _Atomic uint32_t log_wake_wanted;
void log_wake(void);

/*
 * Raw bytes to the console (user output). One call's bytes are never interleaved with another's.
 * Before a console exists they are kept with the log.
 */
void console_write(const char *text, size_t length);

#endif
