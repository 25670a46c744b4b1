// SPDX-License-Identifier: BSD-3-Clause
/*
 * Between the log, which keeps and orders text, and the console, which shows it. Private to them.
 */
#ifndef LOG_SINK_H
#define LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Show text, \n as \r\n, on the console device or, before there is one, through firmware. False:
 * there is nowhere to show it. Log lock held, or the machine is down to one CPU.
 */
bool console_show(const char *text, size_t length);

/* Whether the last thing shown ended a line. */
bool console_at_line_start(void);

/* Show what the log kept while there was no console. */
void log_flush(void);

#endif
