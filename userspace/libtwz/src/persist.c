// SPDX-License-Identifier: BSD-3-Clause
/*
 * Write-back and fences. Where the CPU has no instruction for it, ranges are remembered per
 * thread and the kernel is asked at the fence.
 */
#include "runtime.h"

#include <twz/persist.h>

#define RANGES 16

struct dirty_range {
	uintptr_t start, end;
};

static __thread struct dirty_range ranges[RANGES];
static __thread unsigned range_count;

static void sync_range(const struct dirty_range *r)
{
	objid_t id;
	uint64_t off = r->start & (OBJ_MAXSIZE - 1);

	if (twz_vaddr_to_obj((void *)r->start, &id, NULL) == 0)
		sys_osync(id, off, r->end - r->start, 0);
}

static void sync_ranges(void)
{
	for (unsigned i = 0; i < range_count; i++)
		sync_range(&ranges[i]);
	range_count = 0;
}

static void remember(uintptr_t start, uintptr_t end)
{
	struct dirty_range *last = range_count ? &ranges[range_count - 1] : NULL;

	if (last && start <= last->end && end >= last->start &&
	    VADDR_TO_SLOT(start) == VADDR_TO_SLOT(last->start)) {
		last->start = start < last->start ? start : last->start;
		last->end = end > last->end ? end : last->end;
		return;
	}
	if (range_count == RANGES)
		sync_ranges();
	ranges[range_count++] = (struct dirty_range){ start, end };
}

void _clwb_len(const void *p, size_t len)
{
	uint32_t mode = __twz_rt.sysinfo.flush_mode;
	uintptr_t line = __twz_rt.sysinfo.cacheline ? __twz_rt.sysinfo.cacheline : 16;
	uintptr_t end = (uintptr_t)p + len;

	if (!len || mode == TWZ_FLUSH_NONE) {
		atomic_signal_fence(memory_order_seq_cst);
		return;
	}
	if (mode == TWZ_FLUSH_SYSCALL) {
		remember((uintptr_t)p, end);
		return;
	}
	for (uintptr_t a = (uintptr_t)p & ~(line - 1); a < end; a += line)
		__twz_clean_line(mode, (const void *)a);
}

void _clwb(const void *p)
{
	_clwb_len(p, 1);
}

void _pfence(void)
{
	uint32_t mode = __twz_rt.sysinfo.flush_mode;

	__twz_persist_barrier(mode);
	if (mode == TWZ_FLUSH_SYSCALL)
		sync_ranges();
}
