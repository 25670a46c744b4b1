// SPDX-License-Identifier: BSD-3-Clause
/* What twzstore tells people: errors, names of any bytes, and what the store itself logs. */
#ifndef TWZSTORE_REPORT_H
#define TWZSTORE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <store/port.h>

/* Exit statuses, and results of the functions that do a command. */
enum status { DONE = 0, FAILED = 1, WRONG_USAGE = 2, NOT_A_STORE = 3 };

/* Where complaints go: standard error, if this was not set. */
void complain_to(FILE *out);
FILE *complaints(void);

/* One line among the complaints: "twzstore: …". Returns false. */
bool complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The text for an error of the store or of the system (negative or positive errno). */
const char *error_text(int error);

/* A name as it stands, but backslashes, control characters and spaces at an end as \xNN. */
void print_name(FILE *out, const char *name);

/* realloc that ends the program when there is no memory. */
void *grow(void *old, size_t count, size_t size);

/*
 * Where the store's log lines go; NULL: nowhere. At first errors and warnings go to standard error.
 * The line is valid during the call.
 */
typedef void (*log_sink)(enum store_log_level level, const char *line);
log_sink redirect_log(log_sink sink); /* returns the one before */

#endif
