// SPDX-License-Identifier: BSD-3-Clause
/* What the hosted libtwz must know about 64-bit ARM: how stores are made durable, and contexts. */
#define _GNU_SOURCE
#include "../../hosted.h"

#include <sys/auxv.h>
#include <twz/sys/sys.h>
#include <ucontext.h>

#define HWCAP_DC_POP (1ul << 16)
#define CONDITION_FLAGS 0xf0000000ul

/* The exception syndrome: what was done to the address. */
#define ESR_CLASS(esr) ((esr) >> 26 & 0x3f)
#define ESR_CLASS_FETCH 0x20
#define ESR_WRITE 0x40

const char *twz_machine_name(void)
{
	return "aarch64";
}

/* The line size is the smallest of the data caches. */
uint32_t __twz_flush_probe(uint32_t *line)
{
	uint64_t ctr;

	__asm__("mrs %0, ctr_el0" : "=r"(ctr));
	*line = 4u << (ctr >> 16 & 15);
	return getauxval(AT_HWCAP) & HWCAP_DC_POP ? TWZ_FLUSH_CVAP : TWZ_FLUSH_CVAC;
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

/* --- contexts of signals */

/* The floating-point registers stay in the context. */
void __twz_frame_load(struct twz_fault_frame *f, const void *context)
{
	const mcontext_t *mc = &((const ucontext_t *)context)->uc_mcontext;

	for (int i = 0; i < 31; i++)
		f->x[i] = mc->regs[i];
	f->sp = mc->sp;
	f->pc = mc->pc;
	f->nzcv = mc->pstate & CONDITION_FLAGS;
	f->tpidr_el0 = (uintptr_t)__builtin_thread_pointer();
}

void __twz_frame_store(const struct twz_fault_frame *f, void *context)
{
	mcontext_t *mc = &((ucontext_t *)context)->uc_mcontext;

	for (int i = 0; i < 31; i++)
		mc->regs[i] = f->x[i];
	mc->sp = f->sp;
	mc->pc = f->pc;
	mc->pstate = (mc->pstate & ~CONDITION_FLAGS) | (f->nzcv & CONDITION_FLAGS);
}

uintptr_t __twz_context_pc(const void *context)
{
	return ((const ucontext_t *)context)->uc_mcontext.pc;
}

/* Linux lists more registers behind a context: records that follow one another, to one of size 0. */
struct record {
	uint32_t magic, size;
	uint64_t value;
};

#define RECORD_SYNDROME 0x45535201u

static uint64_t syndrome(const mcontext_t *mc)
{
	const char *at = (const char *)mc->__reserved, *end = at + sizeof(mc->__reserved);

	while (at + sizeof(struct record) <= end) {
		const struct record *r = (const void *)at;

		if (r->magic == RECORD_SYNDROME)
			return r->value;
		if (r->size < sizeof(*r))
			break;
		at += r->size;
	}
	return 0;
}

uint64_t __twz_context_access(const void *context)
{
	uint64_t esr = syndrome(&((const ucontext_t *)context)->uc_mcontext);

	if (ESR_CLASS(esr) == ESR_CLASS_FETCH)
		return FAULT_OBJECT_EXEC;
	return esr & ESR_WRITE ? FAULT_OBJECT_WRITE : FAULT_OBJECT_READ;
}
