// SPDX-License-Identifier: BSD-3-Clause
/*
 * System-call numbers. Registers: the number in a7 / x8, arguments in a0–a5 / x0–x5, the result
 * in a0 / x0, everything else preserved. An ID takes two registers, low half first.
 * 0 … 0xfff stay free for foreign call interfaces.
 */
#ifndef ABI_SYSCALL_H
#define ABI_SYSCALL_H

#include <abi/types.h>

#define SYS_BASE 0x1000

#define SYS_NULL 0x1000         /* - */
#define SYS_THRD_SPAWN 0x1001   /* tid lo hi, struct thrd_spawn_args *, flags, objid_t *ctrl */
#define SYS_DEBUG_PRINT 0x1002  /* str, len */
#define SYS_INVL_KSO 0x1003     /* struct sys_invalidate_op *, count */
#define SYS_ATTACH 0x1004       /* parent lo hi, child lo hi, type | flags << 32 */
#define SYS_DETACH 0x1005       /* parent lo hi, child lo hi, type | n << 16 | flags << 32 */
#define SYS_BECOME 0x1006       /* args or 0, a0 … a4 */
#define SYS_THRD_SYNC 0x1007    /* count, struct sys_thread_sync_args *, timespec *, flags */
#define SYS_OCREATE 0x1008      /* ku lo hi, src lo hi, flags, objid_t *id */
#define SYS_ODELETE 0x1009      /* id lo hi, flags */
#define SYS_THRD_CTL 0x100a     /* op, arg */
#define SYS_KACTION 0x100b      /* count, struct sys_kaction_args * */
#define SYS_OPIN 0x100c         /* id lo hi, u64 *addr, flags */
#define SYS_OCTL 0x100d         /* id lo hi, op, a1, a2, a3 */
#define SYS_KCONF 0x100e        /* cmd, arg */
#define SYS_VMAP 0x100f         /* retired: -ENOSYS */
#define SYS_OTIE 0x1010         /* parent lo hi, child lo hi, flags */
#define SYS_OCOPY 0x1011        /* objid_t *dest, objid_t *src, dest off, src off, len, flags */
#define SYS_KQUEUE 0x1012       /* id lo hi, kq, flags */
#define SYS_OSTAT 0x1013        /* type, id lo hi, arg, out * */
#define SYS_SIGNAL 0x1014       /* tid lo hi, a0, a1, a2, a3 */
#define SYS_OCREATE2 0x1015     /* struct twz_ocreate_spec * */
#define SYS_KEC_READ 0x1016     /* buf, len, flags */
#define SYS_KEC_WRITE 0x1017    /* buf, len, flags */
#define SYS_OSYNC 0x1018        /* id lo hi, off, len, flags */
#define SYS_SYSINFO 0x1019      /* out *, size */
#define SYS_RANDOM 0x101a       /* buf, len, flags */
#define SYS_CLOCK 0x101b        /* clock, op, timespec * */
#define SYS_FAULT_RETURN 0x101c /* frame * */
#define SYS_THRD_CTL2 0x101d    /* tid lo hi, op, arg */

#define NUM_SYSCALLS 30

/* Limits and flags. */
#define SYS_DEBUG_PRINT_MAX 1024u
#define SYS_KEC_WRITE_MAX 2048u
#define KEC_READ_NONBLOCK 1u
#define KEC_WRITE_DISCARD_ON_FULL 1u
#define SYS_RANDOM_MAX (1ul << 20)
#define SYS_RANDOM_NONBLOCK 1u
#define KQ_PAGER 0u

_Static_assert(SYS_THRD_CTL2 - SYS_BASE + 1 == NUM_SYSCALLS, "system-call numbers are dense");

#endif
