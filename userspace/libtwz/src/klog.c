// SPDX-License-Identifier: BSD-3-Clause
/*
 * Reading the kernel's log. The kernel writes on meanwhile: see abi/klog.h for how a copy is known
 * to be whole.
 */
#include "runtime.h"

#include <twz/sys/klog.h>
#include <twz/sys/sync.h>

#define NS_PER_SEC 1000000000ull

static atomic_ulong *next_word(const struct twz_klog_reader *r)
{
	return (atomic_ulong *)&r->log->next;
}

static uint64_t written(const struct twz_klog_reader *r)
{
	return atomic_load_explicit(next_word(r), memory_order_acquire);
}

int twz_klog_open(struct twz_klog_reader *r)
{
	int error = twz_object_init_guid(&r->obj, TWZ_KLOG_ID, FE_READ);

	if (error < 0)
		return error;
	r->log = (const void *)((const char *)twz_object_base(&r->obj) + TWZ_KLOG_OFFSET);
	if (r->log->version != TWZ_KLOG_VERSION ||
	    r->log->record_size != sizeof(struct twz_klog_record)) {
		twz_object_release(&r->obj);
		return -ENOTSUP;
	}
	uint64_t n = written(r);
	r->next = n > r->log->capacity ? n - r->log->capacity : 0;
	r->lost = 0;
	return 0;
}

void twz_klog_close(struct twz_klog_reader *r)
{
	twz_object_release(&r->obj);
}

/* Whether the copy is record number n, and whole. */
static bool copy_record(const struct twz_klog_reader *r, uint64_t n, struct twz_klog_record *to)
{
	const struct twz_klog_record *records =
	    (const void *)((const char *)twz_object_base((twzobj *)&r->obj) + TWZ_KLOG_RECORDS);
	const struct twz_klog_record *from = &records[n % r->log->capacity];
	const _Atomic uint64_t *number = (const _Atomic uint64_t *)&from->number;

	if (atomic_load_explicit(number, memory_order_acquire) != n + 1)
		return false;
	memcpy(to, from, sizeof(*to));
	atomic_thread_fence(memory_order_acquire);
	to->number = n + 1;
	return atomic_load_explicit(number, memory_order_relaxed) == n + 1;
}

bool twz_klog_read(struct twz_klog_reader *r, struct twz_klog_record *record)
{
	while (r->next < written(r)) {
		bool whole = copy_record(r, r->next++, record);

		if (whole)
			return true;
		r->lost++;
	}
	return false;
}

int twz_klog_wait(struct twz_klog_reader *r, uint64_t ns)
{
	struct timespec ts = { (long)(ns / NS_PER_SEC), (long)(ns % NS_PER_SEC) };
	uint64_t n = written(r);

	if (r->next < n)
		return 0;
	return twz_thread_sync(THREAD_SYNC_SLEEP, next_word(r), n, ns ? &ts : NULL);
}
