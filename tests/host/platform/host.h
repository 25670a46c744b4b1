// SPDX-License-Identifier: BSD-3-Clause
/*
 * The host as a machine: what the platform half of the kernel needs around it to run in a test. A
 * panic of the code under test can be caught; the log goes nowhere unless HOST_LOG is set in the
 * environment.
 */
#ifndef TESTS_HOST_PLATFORM_H
#define TESTS_HOST_PLATFORM_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

extern jmp_buf host_panic_jump;
extern bool host_panic_armed;
extern char host_panic_text[256];
extern unsigned int host_log_lines; /* lines logged since a test set it to 0 */

/* Whether `statement` panics; a panic outside this macro ends the program. */
#define PANICS(statement)                                              \
	({                                                             \
		bool panicked_ = true;                                 \
		host_panic_armed = true;                               \
		if (setjmp(host_panic_jump) == 0) {                    \
			statement;                                     \
			panicked_ = false;                             \
		}                                                      \
		host_panic_armed = false;                              \
		panicked_;                                             \
	})

#endif
