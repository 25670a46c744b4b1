// SPDX-License-Identifier: BSD-3-Clause
/* What the hosted libtwz must know about 64-bit x86: how stores are made durable. */
#include "../../hosted.h"

#include <cpuid.h>
#include <twz/sys/sys.h>

#define LEAF_FEATURES 7
#define EBX_CLFLUSHOPT (1u << 23)
#define EBX_CLWB (1u << 24)

const char *twz_machine_name(void)
{
	return "x86_64";
}

uint32_t __twz_flush_probe(uint32_t *line)
{
	unsigned a, b, c, d;

	*line = 64;
	if (!__get_cpuid_count(LEAF_FEATURES, 0, &a, &b, &c, &d))
		return HOSTED_FLUSH_CLFLUSH;
	if (b & EBX_CLWB)
		return HOSTED_FLUSH_CLWB;
	return b & EBX_CLFLUSHOPT ? HOSTED_FLUSH_CLFLUSHOPT : HOSTED_FLUSH_CLFLUSH;
}

/* The instructions by their bytes: the compiler need not have been told of them. */
void __twz_clean_line(uint32_t mode, const void *p)
{
	volatile char *line = (volatile char *)(uintptr_t)p;

	if (mode == HOSTED_FLUSH_CLWB)
		__asm__ volatile(".byte 0x66; xsaveopt %0" : "+m"(*line) : : "memory");
	else if (mode == HOSTED_FLUSH_CLFLUSHOPT)
		__asm__ volatile(".byte 0x66; clflush %0" : "+m"(*line) : : "memory");
	else if (mode == HOSTED_FLUSH_CLFLUSH)
		__asm__ volatile("clflush %0" : "+m"(*line) : : "memory");
	else
		__asm__ volatile("" : : : "memory");
}

/* Without flushes the machine's own order of stores is enough. */
void __twz_persist_barrier(uint32_t mode)
{
	if (mode == TWZ_FLUSH_NONE)
		__asm__ volatile("" : : : "memory");
	else
		__asm__ volatile("sfence" : : : "memory");
}
