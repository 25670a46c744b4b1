// SPDX-License-Identifier: BSD-3-Clause
/*
 * Threads: the thread object's layout at base, arguments of spawn, synchronisation and control.
 */
#ifndef ABI_THREAD_H
#define ABI_THREAD_H

#include <abi/kso.h>
#include <abi/types.h>

#define THRD_SYNCPOINTS 128
#define TWZ_THRD_MAX_SCS 32
#define THRD_MAX_FAULT_HANDLERS 16

/* Sync points; 3 … 127 are the program's. */
#define THRD_SYNC_SPAWNED 0
#define THRD_SYNC_STATE 0
#define THRD_SYNC_READY 1
#define THRD_SYNC_EXIT 2

/* Values of syncs[THRD_SYNC_STATE]. */
#define THRD_STATE_NEVER 0u
#define THRD_STATE_STARTED 1u
#define THRD_STATE_SUSPENDED 2u
#define THRD_STATE_ENDED 3u
#define THRD_STATE_RESUME 4u

/* syncinfos[THRD_SYNC_EXIT] of a thread that fault f ended. */
#define THRD_EXIT_FAULT(f) (256u + (f))

struct faultinfo {
	objid_t view; /* 0 = any */
	uint64_t addr;
	uint64_t flags; /* bit 0: run on the fault stack */
};

struct twzthread_repr {
	struct kso_hdr hdr;
	objid_t reprid;                      /* kernel, at start */
	uint64_t syncs[THRD_SYNCPOINTS];     /* atomic; kernel and user */
	uint64_t syncinfos[THRD_SYNCPOINTS]; /* kernel and user */
	struct kso_attachment attached[TWZ_THRD_MAX_SCS]; /* kernel, never read back */
	struct faultinfo faults[THRD_MAX_FAULT_HANDLERS]; /* user */
	objid_t view;   /* kernel while it runs */
	objid_t active; /* kernel */
	uint64_t fault_stack;
	uint64_t fault_stack_size;
	uint64_t flags;      /* kernel: THRD_FLAG_RESUMABLE */
	uint64_t exit_fault; /* kernel: 0, or 1 + number of the fault that ended it */
	uint64_t open;       /* user: 1 while the thread keeps this mapped for itself */
	uint64_t fault_tp;   /* user: thread pointer of handlers; 0: as it is. The frame has the thread's */
	uint64_t reserved[2];
};

#define THRD_FLAG_RESUMABLE 1u

/* SYS_THRD_SPAWN. The new thread's registers: pc = start_func, sp = stack_base + stack_size
 * rounded down to 16, first argument arg, second and third the low and high half of its ID,
 * thread pointer = tls_base, all else 0. */
struct thrd_spawn_args {
	objid_t target_view; /* 0 = the caller's */
	uint64_t start_func;
	uint64_t arg;
	uint64_t stack_base;
	uint64_t stack_size;
	uint64_t tls_base;
	uint64_t thrd_ctrl; /* ignored */
};

/* One operation of SYS_THRD_SYNC. */
struct sys_thread_sync_args {
	uint64_t addr; /* of the word */
	uint64_t arg;  /* SLEEP: sleep while the word has this value; WAKE: how many, < 0 = all */
	uint64_t res;  /* out */
	uint64_t reserved;
	uint32_t op;    /* THREAD_SYNC_SLEEP, _WAKE */
	uint32_t flags; /* THREAD_SYNC_32BIT, _OWNED */
};

#define THREAD_SYNC_SLEEP 0u
#define THREAD_SYNC_WAKE 1u
#define THREAD_SYNC_32BIT 2u
#define THREAD_SYNC_OWNED 4u /* a SLEEP, alone in its call: arg names the thread that holds what is waited for */
#define THREAD_SYNC_MAX_OPS 1024u

/*
 * With THREAD_SYNC_OWNED: what a word that a thread holds has in these bits: those of the low half of
 * its ID, exclusive-or the boot code shifted up by two.
 */
#define THREAD_SYNC_OWNER_MASK (~3ull)

/* Results of a SLEEP op. */
#define THREAD_SYNC_RES_WAKEUP 1u
#define THREAD_SYNC_RES_DIFFER 2u
#define THREAD_SYNC_RES_TIMEOUT 3u

/* Flags of the call (fourth argument). */
#define THREAD_SYNC_ABSOLUTE 1u

/* Operations of SYS_THRD_CTL; those from SET_SCHED on (except GET_STATS) also of SYS_THRD_CTL2. */
#define THRD_CTL_SET_TLS 1
#define THRD_CTL_SET_FS 1
#define THRD_CTL_SET_GS 2
#define THRD_CTL_SET_IOPL 3
#define THRD_CTL_EXIT 0x100
#define THRD_CTL_YIELD 0x101
#define THRD_CTL_GET_ID 0x102
#define THRD_CTL_GET_CALLER 0x103
#define THRD_CTL_GET_ACTIVE 0x104
#define THRD_CTL_SET_ACTIVE 0x105
#define THRD_CTL_SET_SCHED 0x106
#define THRD_CTL_GET_SCHED 0x107
#define THRD_CTL_SUSPEND 0x108
#define THRD_CTL_RESUME 0x109
#define THRD_CTL_READ_REGS 0x10a
#define THRD_CTL_WRITE_REGS 0x10b
#define THRD_CTL_KILL 0x10c
#define THRD_CTL_GET_STATS 0x10d /* struct twz_thread_stats *: the caller's own counts */

/* What a thread has cost since it started. */
struct twz_thread_stats {
	uint64_t faults;   /* page and mapping faults the kernel took on its behalf */
	uint64_t switches; /* times it was put on a CPU */
	uint64_t cpu_ns;   /* CPU time, nanoseconds */
	uint64_t reserved; /* 0 */
};

#define TWZ_SCHED_NORMAL 0u /* prio 0 … 39, default 20, lower runs more */
#define TWZ_SCHED_RT 1u     /* prio 1 … 99, higher first */
#define TWZ_SCHED_IDLE 2u
#define TWZ_SCHED_DEFAULT_PRIO 20u
#define TWZ_SCHED_PRIO_MAX 39u
#define TWZ_SCHED_RT_PRIO_MAX 99u

struct twz_sched {
	uint32_t klass;
	uint32_t prio;
	uint64_t slice_ns;
	uint64_t affinity[16]; /* bit c = CPU c; all 0 = every CPU */
};

_Static_assert(sizeof(struct faultinfo) == 32, "faultinfo");
_Static_assert(offsetof(struct twzthread_repr, reprid) == 1040, "repr reprid");
_Static_assert(offsetof(struct twzthread_repr, syncs) == 1056, "repr syncs");
_Static_assert(offsetof(struct twzthread_repr, syncinfos) == 2080, "repr syncinfos");
_Static_assert(offsetof(struct twzthread_repr, attached) == 3104, "repr attached");
_Static_assert(offsetof(struct twzthread_repr, faults) == 4128, "repr faults");
_Static_assert(offsetof(struct twzthread_repr, view) == 4640, "repr view");
_Static_assert(offsetof(struct twzthread_repr, active) == 4656, "repr active");
_Static_assert(offsetof(struct twzthread_repr, fault_stack) == 4672, "repr fault_stack");
_Static_assert(offsetof(struct twzthread_repr, flags) == 4688, "repr flags");
_Static_assert(offsetof(struct twzthread_repr, exit_fault) == 4696, "repr exit_fault");
_Static_assert(offsetof(struct twzthread_repr, fault_tp) == 4712, "repr fault_tp");
_Static_assert(sizeof(struct twzthread_repr) == 4736, "repr");
_Static_assert(sizeof(struct thrd_spawn_args) == 64, "spawn args");
_Static_assert(offsetof(struct thrd_spawn_args, start_func) == 16, "spawn args start_func");
_Static_assert(sizeof(struct sys_thread_sync_args) == 40, "sync args");
_Static_assert(offsetof(struct sys_thread_sync_args, op) == 32, "sync args op");
_Static_assert(sizeof(struct twz_thread_stats) == 32, "thread stats");
_Static_assert(sizeof(struct twz_sched) == 144, "sched");

#endif
