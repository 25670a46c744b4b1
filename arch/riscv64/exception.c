// SPDX-License-Identifier: BSD-3-Clause
/*
 * Exceptions, told apart for the portable kernel.
 */
#include <arch/thread.h>
#include <arch/upcall.h>

#include <abi/errno.h>
#include <abi/fault.h>
#include <cpu.h>
#include <log.h>
#include <machine/csr.h>
#include <panic.h>
#include <sched/thread.h>

#include "cpu.h"

#define LOG_PREFIX "trap"

_Static_assert(SYSCALL_BASE == LAYOUT_SYSCALL_BASE, "trap.S");
_Static_assert(SYSCALL_COUNT == 1 << LAYOUT_SYSCALL_SHIFT, "trap.S");
_Static_assert(SYSCALL_BASE % SYSCALL_COUNT == 0, "trap.S");
_Static_assert(SYSCALL_PARKED == LAYOUT_SYSCALL_PARKED, "trap.S");
_Static_assert(EFAULT == LAYOUT_EFAULT, "usercopy.S");
_Static_assert(offsetof(struct kernel_frame, sstatus) == FRAME_SSTATUS, "trap.S");
_Static_assert(sizeof(struct kernel_frame) <= FRAME_SIZE && FRAME_SIZE % 16 == 0, "trap.S");

#define CAUSE_INTERRUPT (1ul << 63)

static const char *const cause_names[] = {
	[CAUSE_MISALIGNED_FETCH] = "misaligned instruction",
	[CAUSE_FETCH_ACCESS] = "instruction access error",
	[CAUSE_ILLEGAL] = "illegal instruction",
	[CAUSE_BREAKPOINT] = "breakpoint",
	[CAUSE_MISALIGNED_LOAD] = "misaligned load",
	[CAUSE_LOAD_ACCESS] = "load access error",
	[CAUSE_MISALIGNED_STORE] = "misaligned store",
	[CAUSE_STORE_ACCESS] = "store access error",
	[CAUSE_FETCH_PAGE] = "instruction page fault",
	[CAUSE_LOAD_PAGE] = "load page fault",
	[CAUSE_STORE_PAGE] = "store page fault",
};

/* What each cause tried, or 0. */
static unsigned int access_of(unsigned long cause)
{
	switch (cause) {
	case CAUSE_MISALIGNED_FETCH:
	case CAUSE_FETCH_ACCESS:
	case CAUSE_FETCH_PAGE:
		return ACCESS_EXEC;
	case CAUSE_MISALIGNED_LOAD:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_LOAD_PAGE:
		return ACCESS_READ;
	case CAUSE_MISALIGNED_STORE:
	case CAUSE_STORE_ACCESS:
	case CAUSE_STORE_PAGE:
		return ACCESS_WRITE;
	default:
		return 0;
	}
}

/* The tables say no. */
static bool is_page_fault(unsigned long cause)
{
	return cause == CAUSE_FETCH_PAGE || cause == CAUSE_LOAD_PAGE || cause == CAUSE_STORE_PAGE;
}

/*
 * The same instruction faulting at the same address as last time on this CPU: the entry may be
 * there, and the CPU remember an invalid one above it. See arch_tlb_fresh().
 */
static void forget_if_repeated(uintptr_t pc, uintptr_t va)
{
	struct cpu *cpu = this_cpu();
	uint64_t here = pc ^ (va << 1 | va >> 63);

	if (cpu->scratch[3] == here)
		__asm__ volatile("sfence.vma" : : : "memory");
	cpu->scratch[3] = here;
}

static unsigned int exception_code(unsigned long cause)
{
	switch (cause) {
	case CAUSE_ILLEGAL:
		return FAULT_EXCEPTION_ILLEGAL;
	case CAUSE_BREAKPOINT:
		return FAULT_EXCEPTION_BREAKPOINT;
	case CAUSE_MISALIGNED_FETCH:
	case CAUSE_MISALIGNED_LOAD:
	case CAUSE_MISALIGNED_STORE:
		return FAULT_EXCEPTION_MISALIGNED;
	case CAUSE_FETCH_ACCESS:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
		return FAULT_EXCEPTION_MACHINE;
	default:
		return FAULT_EXCEPTION_OTHER;
	}
}

/* Everything from user mode but system calls. */
void user_trap(unsigned long cause, unsigned long value)
{
	if (csr_read(sstatus) & SSTATUS_SPP)
		panic("trap 0x%lx at 0x%lx while returning to user mode, address 0x%lx", cause,
		      (unsigned long)csr_read(sepc), value);
	if (cause & CAUSE_INTERRUPT) {
		arch_irq_poll();
	} else if (is_page_fault(cause)) {
		forget_if_repeated(this_cpu()->current->regs.pc, value);
		upcall_user_fault(value, access_of(cause));
	} else {
		upcall_user_exception(exception_code(cause), cause, access_of(cause));
	}
}

static bool between(uintptr_t pc, const char *begin, const char *end)
{
	return pc >= (uintptr_t)begin && pc < (uintptr_t)end;
}

/* Upper half addresses are the kernel's: a fault there is no fault of the user's. */
static bool user_address(uintptr_t va)
{
	return !(va >> 63);
}

static bool copy_fault_resolved(uintptr_t pc, uintptr_t va, unsigned long cause)
{
	if (!is_page_fault(cause))
		return false;
	forget_if_repeated(pc, va);
	return upcall_copy_fault(va, access_of(cause));
}

static _Noreturn void die(const struct kernel_frame *frame, unsigned long cause,
			  unsigned long value)
{
	const char *name = "trap";

	if (cause < sizeof cause_names / sizeof *cause_names && cause_names[cause])
		name = cause_names[cause];
	arch_regs_print(&frame->regs);
	panic_trap(REG_X(&frame->regs, REG_FP), frame->regs.pc,
		   "%s in the kernel (cause 0x%lx) at 0x%lx, address 0x%lx, sp 0x%lx", name, cause,
		   frame->regs.pc, value, REG_X(&frame->regs, REG_SP));
}

/* The kernel's own traps. SUM was open if this is the user copy; the frame brings it back. */
void kernel_trap(struct kernel_frame *frame, unsigned long cause, unsigned long value)
{
	uintptr_t pc = frame->regs.pc;

	csr_clear(sstatus, SSTATUS_SUM);
	if (between(pc, usercopy_begin, usercopy_end) && user_address(value) &&
	    cause != CAUSE_ILLEGAL) {
		if (!copy_fault_resolved(pc, value, cause))
			frame->regs.pc = (uintptr_t)usercopy_failed;
	} else if (cause == CAUSE_ILLEGAL && between(pc, probe_begin, probe_end)) {
		frame->regs.pc = (uintptr_t)probe_failed;
	} else {
		die(frame, cause, value);
	}
}
