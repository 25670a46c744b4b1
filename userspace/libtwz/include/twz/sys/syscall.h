// SPDX-License-Identifier: BSD-3-Clause
/*
 * The system calls as they are: arguments, permissions and errors in docs/system-calls.md and
 * abi/syscall.h. All return a negative error or a non-negative value.
 */
#ifndef TWZ_SYS_SYSCALL_H
#define TWZ_SYS_SYSCALL_H

#include <abi/become.h>
#include <abi/errno.h>
#include <abi/frame.h>
#include <abi/kaction.h>
#include <abi/kso.h>
#include <abi/object.h>
#include <abi/syscall.h>
#include <abi/sysinfo.h>
#include <abi/thread.h>
#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Any call, raw: the six argument registers, then the number. */
long __twz_syscall6(long a0, long a1, long a2, long a3, long a4, long a5, long number);

long sys_null(void);
long __sys_debug_print(const char *str, size_t len);
long(sys_thrd_spawn)(objid_t tid, struct thrd_spawn_args *args, int flags);
long __sys_thrd_spawn_ctrl(objid_t tid, struct thrd_spawn_args *args, int flags, objid_t *ctrl);
long sys_invalidate(struct sys_invalidate_op *ops, size_t count);
long sys_attach(objid_t parent, objid_t child, uint32_t flags, uint32_t type);
long sys_detach(objid_t parent, objid_t child, uint32_t flags, uint32_t type);
long sys_thread_sync(size_t count, struct sys_thread_sync_args *ops, struct timespec *timeout);
long sys_thread_sync_abs(size_t count, struct sys_thread_sync_args *ops, struct timespec *until);
long sys_ocreate(uint64_t flags, objid_t kuid, objid_t src, objid_t *id);
long sys_ocreate2(struct twz_ocreate_spec *spec);
long sys_odelete(objid_t id, uint64_t flags);
long sys_otie(objid_t parent, objid_t child, uint64_t flags);
long sys_ocopy(const objid_t *dest, const objid_t *src, uint64_t doff, uint64_t soff, uint64_t len,
    uint64_t flags);
long sys_opin(objid_t id, uint64_t *addr, uint64_t flags);
long sys_octl(objid_t id, int op, long a1, long a2, long a3);
long sys_ostat(int type, objid_t id, uint64_t arg, void *out);
long sys_osync(objid_t id, uint64_t off, uint64_t len, uint64_t flags);
long sys_thrd_ctl(int op, long arg);
long sys_thrd_ctl2(objid_t tid, int op, long arg);
long sys_signal(objid_t tid, long a0, long a1, long a2, long a3);
long sys_kaction(size_t count, struct sys_kaction_args *args);
long sys_kconf(int cmd, long arg);
long sys_kqueue(objid_t id, int kq, int flags);
long sys_kec_read(void *buf, size_t len, uint64_t flags);
long sys_kec_write(const void *buf, size_t len, uint64_t flags);
long sys_sysinfo(struct twz_sysinfo *out, size_t size);
long sys_random(void *buf, size_t len, uint64_t flags);
long sys_clock(int clk, int op, struct timespec *ts);

/* Go on with the state in a frame; returns only to say what is wrong with it. */
long sys_fault_return(struct twz_fault_frame *frame);

/*
 * Go on elsewhere: registers, view and active context change together. With one argument there is
 * no way back, and the call returns only on failure; with three a frame is pushed, and what the
 * callee gives to sys_become_return(), or sys_become(NULL, result, v1), is the result. -EREMOTEIO:
 * the callee faulted, and nobody took it. a0 is ignored; a1: SYS_BECOME_INPLACE,
 * SYS_BECOME_NOFRAME.
 */
long(sys_become)(struct sys_become_args *args, long a0, long a1);
long sys_become_return(long result, long v1, long v2, long v3, long v4);

#define __TWZ_BECOME1(args) (sys_become)(args, 0, SYS_BECOME_NOFRAME)
#define __TWZ_BECOME3(args, a0, a1) (sys_become)(args, (long)(a0), (long)(a1))
#define __TWZ_BECOME_PICK(a, b, c, name, ...) name
#define sys_become(...) \
	__TWZ_BECOME_PICK(__VA_ARGS__, __TWZ_BECOME3, , __TWZ_BECOME1, )(__VA_ARGS__)

/* The four-argument form also stores the ID at ctrl. */
#define __TWZ_SPAWN3(t, a, f) (sys_thrd_spawn)(t, a, f)
#define __TWZ_SPAWN4(t, a, f, c) __sys_thrd_spawn_ctrl(t, a, f, c)
#define __TWZ_SPAWN_PICK(a, b, c, d, name, ...) name
#define sys_thrd_spawn(...) \
	__TWZ_SPAWN_PICK(__VA_ARGS__, __TWZ_SPAWN4, __TWZ_SPAWN3, )(__VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
