// SPDX-License-Identifier: BSD-3-Clause
/*
 * Log: records appended at the end and dropped from the front, in a ring of bytes. A record carries
 * its position and a checksum over itself, so that it needs nothing else to be found: an append
 * writes the record, flushes its lines, and fences once. What an interrupted append left does not
 * pass for a record, and the next one overwrites it.
 *
 * Positions count bytes since the log was made and are never used again.
 *
 * Threads and views: any number may append (l->lock, crash-proof) and read at once. Readers take
 * no lock; a record that was dropped while it was read gives -ENOENT.
 */
#ifndef TWZ_DS_LOG_H
#define TWZ_DS_LOG_H

#include <twz/ds/ds.h>

#ifdef __cplusplus
extern "C" {
#endif

struct twz_log {
	struct twz_ds_head head;
	uint64_t area;     /* local p-ptr: the ring */
	uint64_t size;     /* its bytes, a multiple of 64 */
	uint64_t front;    /* position of the first record kept; durable */
	uint64_t end;      /* behind the last record, or earlier: what stands there tells */
	struct mutex lock; /* guards all of the log */
	uint64_t seed;     /* of the checksums */
};

/* Before each record's bytes. Records begin at multiples of 16. */
struct twz_log_record {
	uint64_t check; /* over position, len and bytes */
	uint32_t len;   /* bytes; TWZ_LOG_SKIP: nothing up to the end of the ring */
	uint32_t low;   /* position / 16, its low 32 bits */
};

#define TWZ_LOG_SKIP 0xffffffffu

_Static_assert(sizeof(struct twz_log) == 64, "log root");
_Static_assert(sizeof(struct twz_log_record) == 16, "log record");

/*
 * Give *l, which is zeroed, a ring of at least size bytes (rounded up to 64; 128 …
 * TWZ_DS_VALUE_MAX). Durable on return. -EEXIST it has one.
 */
int twz_log_init(twzobj *o, struct twz_log *l, size_t size);

/*
 * Append len bytes durably; *pos, unless pos is NULL, becomes the record's position. -ENOSPC the
 * ring is full until something is dropped; -EINVAL no log, or longer than half the ring.
 */
int twz_log_append(twzobj *o, struct twz_log *l, const void *bytes, size_t len, uint64_t *pos);

/* Where the log begins, and ends: positions. */
uint64_t twz_log_front(const struct twz_log *l);
uint64_t twz_log_end(twzobj *o, struct twz_log *l);

/*
 * Read the record at *pos, or the first one kept if that is later: copies up to size bytes of it to
 * buf, advances *pos behind it, and returns its length, which may be more than size. -ENOENT there
 * is no record (any more: *pos below the front is not an error, it skips).
 */
ssize_t twz_log_read(twzobj *o, struct twz_log *l, uint64_t *pos, void *buf, size_t size);

/* Drop the records before position pos, which is one that read or append gave. Durable on return.
 * -EINVAL pos is behind the end. One before the front changes nothing. */
int twz_log_truncate(twzobj *o, struct twz_log *l, uint64_t pos);

/* Check the whole log, as twz_ds_check. */
int twz_log_check(twzobj *o, const struct twz_log *l);

#ifdef __cplusplus
}
#endif

#endif
