// SPDX-License-Identifier: BSD-3-Clause
/* The register frame on 64-bit x86, and how it comes from a signal's context. */
#define _GNU_SOURCE
#include "../../hosted.h"
#include "../../../src/fault.h"

#include <twz/debug.h>
#include <ucontext.h>

#define ERR_WRITE 2
#define ERR_FETCH 16

static uint64_t *arg_of(struct twz_fault_frame *f, unsigned int n)
{
	uint64_t *const args[6] = { &f->rdi, &f->rsi, &f->rdx, &f->rcx, &f->r8, &f->r9 };

	return n < 6 ? args[n] : NULL;
}

uintptr_t twz_frame_pc(const struct twz_fault_frame *f)
{
	return f->rip;
}

uintptr_t twz_frame_sp(const struct twz_fault_frame *f)
{
	return f->rsp;
}

/* Not part of the frame: a thread of the host always has one. */
uintptr_t twz_frame_tp(const struct twz_fault_frame *f)
{
	(void)f;
	return (uintptr_t)__builtin_thread_pointer();
}

uint64_t twz_frame_arg(const struct twz_fault_frame *f, unsigned int n)
{
	uint64_t *arg = arg_of((struct twz_fault_frame *)f, n);

	return arg ? *arg : 0;
}

void twz_frame_set_pc(struct twz_fault_frame *f, uintptr_t pc)
{
	f->rip = pc;
}

void twz_frame_set_sp(struct twz_fault_frame *f, uintptr_t sp)
{
	f->rsp = sp;
}

void twz_frame_set_tp(struct twz_fault_frame *f, uintptr_t tp)
{
	(void)f;
	(void)tp;
}

void twz_frame_set_arg(struct twz_fault_frame *f, unsigned int n, uint64_t value)
{
	uint64_t *arg = arg_of(f, n);

	if (arg)
		*arg = value;
}

/* Instructions have no length that could be told without decoding them. */
void twz_frame_skip(struct twz_fault_frame *f)
{
	(void)f;
	libtwz_panic("twz_frame_skip() is not there on x86\n");
}

void __twz_frame_print(const struct twz_fault_frame *f)
{
	debug_printf("  rip %016lx rsp %016lx rbp %016lx flags %08lx\n", f->rip, f->rsp, f->rbp,
	    f->rflags);
	debug_printf("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx,
	    f->rdx);
	debug_printf("  rsi %016lx rdi %016lx r8  %016lx r9  %016lx\n", f->rsi, f->rdi, f->r8,
	    f->r9);
	debug_printf("  r10 %016lx r11 %016lx r12 %016lx r13 %016lx\n", f->r10, f->r11, f->r12,
	    f->r13);
	debug_printf("  r14 %016lx r15 %016lx\n", f->r14, f->r15);
}

/* The frame's registers from rax on, and where the host has them. */
static const int places[] = { REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP,
	REG_RSP, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
	REG_EFL };

#define REGISTERS (sizeof(places) / sizeof(*places))

void __twz_frame_load(struct twz_fault_frame *f, const void *context)
{
	const ucontext_t *uc = context;
	uint64_t *to = (uint64_t *)((char *)f + TWZ_FRAME_HEAD_SIZE);

	for (size_t i = 0; i < REGISTERS; i++)
		to[i] = (uint64_t)uc->uc_mcontext.gregs[places[i]];
}

void __twz_frame_store(const struct twz_fault_frame *f, void *context)
{
	ucontext_t *uc = context;
	const uint64_t *from = (const uint64_t *)((const char *)f + TWZ_FRAME_HEAD_SIZE);

	for (size_t i = 0; i < REGISTERS; i++)
		uc->uc_mcontext.gregs[places[i]] = (long long)from[i];
}

uintptr_t __twz_context_pc(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

uint64_t __twz_context_access(const void *context)
{
	const ucontext_t *uc = context;
	long long error = uc->uc_mcontext.gregs[REG_ERR];

	if (error & ERR_FETCH)
		return FAULT_OBJECT_EXEC;
	return error & ERR_WRITE ? FAULT_OBJECT_WRITE : FAULT_OBJECT_READ;
}
