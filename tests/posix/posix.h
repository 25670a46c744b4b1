// SPDX-License-Identifier: BSD-3-Clause
/*
 * Programs whose output must be the same here and on Linux: nothing that differs from machine to
 * machine is printed, no numbers of processes, no addresses, no times.
 */
#ifndef TESTS_POSIX_H
#define TESTS_POSIX_H

#include <errno.h>
#include <stdio.h>

/* A call, what it gave, and errno if it failed. */
#define SAY(call)                                                              \
	do {                                                                   \
		errno = 0;                                                     \
		long say_result = (long)(call);                                \
		printf("%d: %s = %ld", __LINE__, #call, say_result);           \
		printf(say_result == -1 ? " (errno %d)\n" : "\n", errno);      \
		fflush(stdout);                                                \
	} while (0)

#define TELL(what, value)                                                      \
	do {                                                                   \
		printf("%d: %s: %ld\n", __LINE__, what, (long)(value));        \
		fflush(stdout);                                                \
	} while (0)

#endif
