// SPDX-License-Identifier: BSD-3-Clause
/*
 * The system-call table. A number without a function is as unknown as one outside the table.
 */
#include <abi/errno.h>
#include <abi/syscall.h>
#include <arch/thread.h>
#include <arch/upcall.h>
#include <sched/thread.h>
#include <sys/calls.h>

static long sys_unknown(SYS_ARGS)
{
	SYS_UNUSED();
	return upcall_bad_syscall(arch_regs_syscall(&current_thread()->regs));
}

static long sys_retired(SYS_ARGS)
{
	SYS_UNUSED();
	return -ENOSYS;
}

#define SLOT(number) [(number) - SYSCALL_BASE]

_Static_assert(SYSCALL_BASE == SYS_BASE, "one base");
_Static_assert(NUM_SYSCALLS <= SYSCALL_COUNT, "the table holds every call");

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif
const syscall_fn syscall_table[SYSCALL_COUNT] = {
	[0 ... SYSCALL_COUNT - 1] = sys_unknown,
	SLOT(SYS_NULL) = sys_null,
	SLOT(SYS_THRD_SPAWN) = sys_thrd_spawn,
	SLOT(SYS_DEBUG_PRINT) = sys_debug_print,
	SLOT(SYS_INVL_KSO) = sys_invl_kso,
	SLOT(SYS_ATTACH) = sys_attach,
	SLOT(SYS_DETACH) = sys_detach,
	SLOT(SYS_BECOME) = sys_become,
	SLOT(SYS_THRD_SYNC) = sys_thrd_sync,
	SLOT(SYS_OCREATE) = sys_ocreate,
	SLOT(SYS_ODELETE) = sys_odelete,
	SLOT(SYS_THRD_CTL) = sys_thrd_ctl,
	SLOT(SYS_THRD_CTL2) = sys_thrd_ctl2,
	SLOT(SYS_SIGNAL) = sys_signal,
	SLOT(SYS_KACTION) = sys_kaction,
	SLOT(SYS_KCONF) = sys_kconf,
	SLOT(SYS_VMAP) = sys_retired,
	SLOT(SYS_OTIE) = sys_otie,
	SLOT(SYS_OSTAT) = sys_ostat,
	SLOT(SYS_OCREATE2) = sys_ocreate2,
	SLOT(SYS_OCOPY) = sys_ocopy,
	SLOT(SYS_OPIN) = sys_opin,
	SLOT(SYS_OCTL) = sys_octl,
	SLOT(SYS_KEC_READ) = sys_kec_read,
	SLOT(SYS_KEC_WRITE) = sys_kec_write,
	SLOT(SYS_OSYNC) = sys_osync,
	SLOT(SYS_SYSINFO) = sys_sysinfo,
	SLOT(SYS_RANDOM) = sys_random,
	SLOT(SYS_CLOCK) = sys_clock,
	SLOT(SYS_FAULT_RETURN) = sys_fault_return,
};
#pragma GCC diagnostic pop
