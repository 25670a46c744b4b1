// SPDX-License-Identifier: BSD-3-Clause
/* What libtwz must know about riscv64: the TLS layout, and how stores are made durable. */
#include "../../src/runtime.h"

#include <twz/sys/sys.h>

const char *twz_machine_name(void)
{
	return "riscv64";
}

/* The thread pointer points at the first byte of the TLS block. */
size_t __twz_tls_gap(size_t align)
{
	(void)align;
	return 0;
}

/* cbo.clean, spelled as bytes so that any assembler takes it. */
void __twz_clean_line(uint32_t mode, const void *p)
{
	if (mode == TWZ_FLUSH_CBO)
		__asm__ volatile(".insn i 0x0f, 2, x0, %0, 1" : : "r"(p) : "memory");
	else
		__asm__ volatile("" : : : "memory");
}

/* The fence orders cleans before whatever comes later; without cleans only order is needed. */
void __twz_persist_barrier(uint32_t mode)
{
	if (mode == TWZ_FLUSH_CBO)
		__asm__ volatile("fence iorw, iorw" : : : "memory");
	else
		__asm__ volatile("fence rw, rw" : : : "memory");
}
