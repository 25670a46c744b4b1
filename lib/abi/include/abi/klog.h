// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel's log as programs see it: a kernel-owned data object that everybody may map read-only.
 *
 * At TWZ_KLOG_OFFSET from its base stands a struct twz_klog; from TWZ_KLOG_RECORDS on, `capacity`
 * records. Record n, counted from 0 since boot, stands in place n % capacity, for as long as no
 * later one is put there. To read it without a lock: its `number` (acquire) is n + 1, or it is not
 * there (being written, or lost); copy it; if `number` is still n + 1, the copy is whole.
 *
 * A message that is longer than a record takes several in a row; all but the last have
 * TWZ_KLOG_CONTINUES.
 *
 * Who wants to wait for more sleeps on the 64-bit word `next` (SYS_THRD_SYNC).
 */
#ifndef ABI_KLOG_H
#define ABI_KLOG_H

#include <abi/types.h>

#define TWZ_KLOG_ID ((objid_t)4)
#define TWZ_KLOG_OFFSET 1088u
#define TWZ_KLOG_RECORDS 4096u
#define TWZ_KLOG_VERSION 1u
#define TWZ_KLOG_TEXT 104u

struct twz_klog {
	uint32_t version;     /* TWZ_KLOG_VERSION */
	uint32_t record_size; /* sizeof(struct twz_klog_record) */
	uint64_t capacity;    /* records that are kept */
	uint64_t next;        /* atomic: number of the next record, so how many there ever were */
};

struct twz_klog_record {
	uint64_t number;  /* atomic: the record's number + 1; 0 while it is written */
	uint64_t ns;      /* monotonic time; 0 before there was a clock */
	uint8_t level;    /* TWZ_KLOG_* */
	uint8_t flags;    /* TWZ_KLOG_CONTINUES, _QUIET */
	uint16_t length;  /* bytes of text, at most TWZ_KLOG_TEXT */
	uint32_t cpu;     /* that wrote it */
	char text[TWZ_KLOG_TEXT]; /* not ended by anything */
};

#define TWZ_KLOG_ERROR 0u
#define TWZ_KLOG_WARN 1u
#define TWZ_KLOG_NOTICE 2u
#define TWZ_KLOG_INFO 3u
#define TWZ_KLOG_DEBUG 4u
#define TWZ_KLOG_PROGRAM 5u /* what a program printed while there was no console */

#define TWZ_KLOG_CONTINUES 1u /* the next record goes on in the same line */
#define TWZ_KLOG_QUIET 2u     /* was not shown on the console */

_Static_assert(offsetof(struct twz_klog, next) == 16, "klog next");
_Static_assert(offsetof(struct twz_klog_record, level) == 16, "klog level");
_Static_assert(offsetof(struct twz_klog_record, text) == 24, "klog text");
_Static_assert(sizeof(struct twz_klog_record) == 128, "klog record");

#endif
