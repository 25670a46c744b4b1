// SPDX-License-Identifier: BSD-3-Clause
/*
 * Exceptions other than system calls and interrupts from user mode: sorted by syndrome (ESR_EL1).
 */
#define LOG_PREFIX "trap"

#include <abi/fault.h>
#include <arch/thread.h>
#include <arch/upcall.h>
#include <cpu.h>
#include <log.h>
#include <machine/sysreg.h>
#include <panic.h>

#include "fp.h"
#include "registers.h"

_Static_assert(SYSCALL_BASE == ENTRY_SYSCALL_BASE, "system calls");
_Static_assert(SYSCALL_COUNT == ENTRY_SYSCALL_COUNT, "system calls");
_Static_assert(SYSCALL_PARKED == -ENTRY_SYSCALL_UNPARKED, "system calls");

struct kernel_frame {
	uint64_t x[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate;
	uint64_t esr;
	uint64_t far;
};

_Static_assert(offsetof(struct kernel_frame, x[30]) == FRAME_X30, "frame layout");
_Static_assert(offsetof(struct kernel_frame, sp) == FRAME_SP, "frame layout");
_Static_assert(offsetof(struct kernel_frame, pc) == FRAME_PC, "frame layout");
_Static_assert(offsetof(struct kernel_frame, pstate) == FRAME_PSTATE, "frame layout");
_Static_assert(offsetof(struct kernel_frame, esr) == FRAME_ESR, "frame layout");
_Static_assert(offsetof(struct kernel_frame, far) == FRAME_FAR, "frame layout");
_Static_assert(sizeof(struct kernel_frame) == FRAME_SIZE, "frame layout");

/* Exception classes. */
enum {
	EC_UNKNOWN = 0x00,
	EC_FP_TRAP = 0x07,
	EC_FETCH_USER = 0x20,
	EC_FETCH_KERNEL = 0x21,
	EC_PC_ALIGNMENT = 0x22,
	EC_DATA_USER = 0x24,
	EC_DATA_KERNEL = 0x25,
	EC_SP_ALIGNMENT = 0x26,
	EC_FP_EXCEPTION = 0x2c,
	EC_BREAKPOINT = 0x30,
	EC_STEP = 0x32,
	EC_WATCHPOINT = 0x34,
	EC_BRK = 0x3c,
};

/* Fault status of an abort. */
#define FSC(esr) ((unsigned int)(esr) & 0x3fu)
#define FSC_ALIGNMENT 0x21u
#define FSC_TLB_CONFLICT 0x30u
#define ISS_WRITE (1ul << 6)
#define ISS_CACHE (1ul << 8) /* cache maintenance: WnR says write, yet it only needs to read */

/* Who wanted what, where the copy routines are: usercopy.S. */
extern const char usercopy_begin[], usercopy_end[], usercopy_failed[];

void exception_user_sync(struct arch_regs *regs, uint64_t esr);
void exception_user_other(unsigned int vector);
void exception_kernel(struct kernel_frame *frame, unsigned int vector);

static unsigned int exception_class(uint64_t esr)
{
	return (unsigned int)(esr >> 26) & 0x3fu;
}

/* Address size, translation, access flag and permission faults, at any level: the tables say no. */
static bool is_table_fault(uint64_t esr)
{
	return FSC(esr) < 0x10;
}

static unsigned int data_access(uint64_t esr)
{
	return (esr & ISS_WRITE) && !(esr & ISS_CACHE) ? ACCESS_WRITE : ACCESS_READ;
}

/* Two TLB entries for one address: drop all of this CPU's, and the access is done again. */
static void tlb_conflict(void)
{
	__asm__ volatile("tlbi vmalle1" : : : "memory");
	dsb(nsh);
	isb();
}

static void user_abort(uint64_t esr, uintptr_t va, unsigned int access)
{
	if (is_table_fault(esr))
		upcall_user_fault(va, access);
	else if (FSC(esr) == FSC_ALIGNMENT)
		upcall_user_exception(FAULT_EXCEPTION_MISALIGNED, esr, access);
	else if (FSC(esr) == FSC_TLB_CONFLICT)
		tlb_conflict();
	else
		upcall_user_exception(FAULT_EXCEPTION_MACHINE, esr, access);
}

static unsigned int exception_code(unsigned int class)
{
	switch (class) {
	case EC_BREAKPOINT:
	case EC_WATCHPOINT:
	case EC_BRK:
		return FAULT_EXCEPTION_BREAKPOINT;
	case EC_STEP:
		return FAULT_EXCEPTION_STEP;
	case EC_FP_EXCEPTION:
		return FAULT_EXCEPTION_FLOAT;
	case EC_SP_ALIGNMENT:
		return FAULT_EXCEPTION_MISALIGNED;
	default:
		/* Undefined, or trapped because the kernel keeps it off. */
		return FAULT_EXCEPTION_ILLEGAL;
	}
}

/* FAR_EL1 is read before anything can fault again. */
void exception_user_sync(struct arch_regs *regs, uint64_t esr)
{
	unsigned int class = exception_class(esr);
	uintptr_t far = sysreg_read(far_el1);

	switch (class) {
	case EC_DATA_USER:
		user_abort(esr, far, data_access(esr));
		return;
	case EC_FETCH_USER:
		user_abort(esr, far, ACCESS_EXEC);
		return;
	case EC_FP_TRAP:
		fp_first_use(regs);
		return;
	case EC_PC_ALIGNMENT:
		upcall_user_exception(FAULT_EXCEPTION_MISALIGNED, esr, ACCESS_EXEC);
		return;
	default:
		upcall_user_exception(exception_code(class), esr, 0);
	}
}

/* FIQ, SError and the AArch32 vectors: none is used; the thread that runs takes the blame. */
void exception_user_other(unsigned int vector)
{
	unsigned int code = vector == VECTOR_SERROR ? FAULT_EXCEPTION_MACHINE :
						      FAULT_EXCEPTION_OTHER;

	upcall_user_exception(code, sysreg_read(esr_el1), 0);
}

static bool in_usercopy(const struct kernel_frame *frame)
{
	return frame->pc >= (uintptr_t)usercopy_begin && frame->pc < (uintptr_t)usercopy_end &&
	       (frame->far >> 48) == 0;
}

static void usercopy_fault(struct kernel_frame *frame)
{
	if (FSC(frame->esr) == FSC_TLB_CONFLICT)
		tlb_conflict();
	else if (!is_table_fault(frame->esr) ||
		 !upcall_copy_fault(frame->far, data_access(frame->esr)))
		frame->pc = (uintptr_t)usercopy_failed;
}

/*
 * A kernel address that another CPU has just mapped may fault here once: nothing but a barrier
 * between its store and our walk would prevent it, and this CPU had no reason for one. Asks
 * the hardware whether the access would succeed now.
 */
static bool is_spurious(const struct kernel_frame *frame)
{
	unsigned int class = exception_class(frame->esr);

	if (class != EC_DATA_KERNEL || (FSC(frame->esr) & ~3u) != 4 || (frame->far >> 48) != 0xffff)
		return false;
	if (data_access(frame->esr) == ACCESS_WRITE)
		__asm__ volatile("at s1e1w, %0" : : "r"(frame->far) : "memory");
	else
		__asm__ volatile("at s1e1r, %0" : : "r"(frame->far) : "memory");
	isb();
	return !(sysreg_read(par_el1) & 1);
}

static void print_frame(const struct kernel_frame *frame)
{
	log_error("pc %016lx sp %016lx pstate %08lx esr %08lx far %016lx", frame->pc, frame->sp,
		  frame->pstate, frame->esr, frame->far);
	registers_print(frame->x);
}

static const char *describe(const struct kernel_frame *frame, unsigned int vector)
{
	static const char *const others[] = { "", "unexpected interrupt", "unexpected FIQ",
					      "SError: an access failed", "wrong stack selected" };
	uintptr_t stack_top = (uintptr_t)this_cpu()->stack_top;

	if (vector != VECTOR_SYNC)
		return others[vector];
	if (stack_top - frame->sp > KERNEL_STACK_SIZE - 2048)
		return "kernel stack exhausted";
	switch (exception_class(frame->esr)) {
	case EC_DATA_KERNEL:
		return "bad data access";
	case EC_FETCH_KERNEL:
		return "bad instruction fetch";
	case EC_BRK:
		return "trap instruction";
	case EC_UNKNOWN:
		return "undefined instruction";
	case EC_FP_TRAP:
		return "floating point in the kernel";
	default:
		return "unexpected exception";
	}
}

void exception_kernel(struct kernel_frame *frame, unsigned int vector)
{
	if (vector == VECTOR_SYNC) {
		if (exception_class(frame->esr) == EC_DATA_KERNEL && in_usercopy(frame)) {
			usercopy_fault(frame);
			return;
		}
		if (is_spurious(frame))
			return;
	}
	print_frame(frame);
	panic_trap(frame->x[29], frame->pc, "%s at %#lx, address %#lx", describe(frame, vector),
		   frame->pc, frame->far);
}
