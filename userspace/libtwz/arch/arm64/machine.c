// SPDX-License-Identifier: BSD-3-Clause
/* What libtwz must know about arm64: the TLS layout, and how stores are made durable. */
#include "../../src/runtime.h"

#include <twz/sys/sys.h>

const char *twz_machine_name(void)
{
	return "arm64";
}

/* Two words belong to the C library between the thread pointer and the TLS block. */
size_t __twz_tls_gap(size_t align)
{
	return align > 16 ? align : 16;
}

void __twz_clean_line(uint32_t mode, const void *p)
{
	if (mode == TWZ_FLUSH_CVAC)
		__asm__ volatile("dc cvac, %0" : : "r"(p) : "memory");
	else if (mode == TWZ_FLUSH_CVAP) /* dc cvap: its name needs a newer architecture level */
		__asm__ volatile("sys #3, c7, c12, #1, %0" : : "r"(p) : "memory");
	else
		__asm__ volatile("" : : : "memory");
}

void __twz_persist_barrier(uint32_t mode)
{
	if (mode == TWZ_FLUSH_CVAC || mode == TWZ_FLUSH_CVAP)
		__asm__ volatile("dsb sy" : : : "memory");
	else
		__asm__ volatile("dmb ish" : : : "memory");
}
