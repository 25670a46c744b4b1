// SPDX-License-Identifier: BSD-3-Clause
/*
 * The records of the log, the latest of them, in the layout that programs read (abi/klog.h).
 * Private to the log, whose lock is held for everything here.
 */
#ifndef LOG_RING_H
#define LOG_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/klog.h>

/* A message being written: none of its records is open at first. */
struct log_writer {
	uint8_t level, flags;
	struct twz_klog_record *open; /* NULL: none */
};

/* Add text; each newline ends a record, and so does the room in one. */
void log_ring_put(struct log_writer *writer, const char *text, size_t length);

/* End the record that is open. `flags`: more of TWZ_KLOG_*. */
void log_ring_end(struct log_writer *writer, uint8_t flags);

uint64_t log_ring_next(void);  /* the number of the next record */
uint64_t log_ring_first(void); /* the earliest that is kept */

/* A record that is kept. */
const struct twz_klog_record *log_ring_record(uint64_t number);

/*
 * Let the records stand in the log object from now on; false: no memory, all stays as it is. No
 * lock.
 */
bool log_ring_make_object(void);
void log_ring_move(void); /* the second half; lock held */

/* Wake who waits for records. No lock held. */
void log_ring_wake(void);

#endif
