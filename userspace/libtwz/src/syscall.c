// SPDX-License-Identifier: BSD-3-Clause
/* The system calls: arguments into registers, low half of an ID first. */
#include <twz/sys/syscall.h>

#define CALL(n, a, b, c, d, e, f) \
	__twz_syscall6((long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f), (n))
#define LO(id) ID_LO(id)
#define HI(id) ID_HI(id)

long sys_null(void)
{
	return CALL(SYS_NULL, 0, 0, 0, 0, 0, 0);
}

long __sys_debug_print(const char *str, size_t len)
{
	return CALL(SYS_DEBUG_PRINT, str, len, 0, 0, 0, 0);
}

long(sys_thrd_spawn)(objid_t tid, struct thrd_spawn_args *args, int flags)
{
	return CALL(SYS_THRD_SPAWN, LO(tid), HI(tid), args, flags, 0, 0);
}

long __sys_thrd_spawn_ctrl(objid_t tid, struct thrd_spawn_args *args, int flags, objid_t *ctrl)
{
	long r = (sys_thrd_spawn)(tid, args, flags);

	if (r >= 0 && ctrl)
		*ctrl = tid;
	return r;
}

long sys_invalidate(struct sys_invalidate_op *ops, size_t count)
{
	return CALL(SYS_INVL_KSO, ops, count, 0, 0, 0, 0);
}

long sys_attach(objid_t parent, objid_t child, uint32_t flags, uint32_t type)
{
	return CALL(SYS_ATTACH, LO(parent), HI(parent), LO(child), HI(child),
	    (uint64_t)flags << 32 | type, 0);
}

long sys_detach(objid_t parent, objid_t child, uint32_t flags, uint32_t type)
{
	/* flags: TWZ_DETACH_ON* in the low half, the call's number above bit 16 */
	uint64_t packed = type | (flags & 0xffff0000ull) | (uint64_t)(flags & 0xffff) << 32;

	return CALL(SYS_DETACH, LO(parent), HI(parent), LO(child), HI(child), packed, 0);
}

long sys_fault_return(struct twz_fault_frame *frame)
{
	return CALL(SYS_FAULT_RETURN, frame, 0, 0, 0, 0, 0);
}

long(sys_become)(struct sys_become_args *args, long a0, long a1)
{
	return CALL(SYS_BECOME, args, a0, a1, 0, 0, 0);
}

long sys_become_return(long result, long v1, long v2, long v3, long v4)
{
	return CALL(SYS_BECOME, 0, result, v1, v2, v3, v4);
}

long sys_thread_sync(size_t count, struct sys_thread_sync_args *ops, struct timespec *timeout)
{
	return CALL(SYS_THRD_SYNC, count, ops, timeout, 0, 0, 0);
}

long sys_thread_sync_abs(size_t count, struct sys_thread_sync_args *ops, struct timespec *until)
{
	return CALL(SYS_THRD_SYNC, count, ops, until, THREAD_SYNC_ABSOLUTE, 0, 0);
}

long sys_ocreate(uint64_t flags, objid_t kuid, objid_t src, objid_t *id)
{
	return CALL(SYS_OCREATE, LO(kuid), HI(kuid), LO(src), HI(src), flags, id);
}

long sys_ocreate2(struct twz_ocreate_spec *spec)
{
	return CALL(SYS_OCREATE2, spec, 0, 0, 0, 0, 0);
}

long sys_odelete(objid_t id, uint64_t flags)
{
	return CALL(SYS_ODELETE, LO(id), HI(id), flags, 0, 0, 0);
}

long sys_otie(objid_t parent, objid_t child, uint64_t flags)
{
	return CALL(SYS_OTIE, LO(parent), HI(parent), LO(child), HI(child), flags, 0);
}

long sys_ocopy(const objid_t *dest, const objid_t *src, uint64_t doff, uint64_t soff, uint64_t len,
    uint64_t flags)
{
	return CALL(SYS_OCOPY, dest, src, doff, soff, len, flags);
}

long sys_opin(objid_t id, uint64_t *addr, uint64_t flags)
{
	return CALL(SYS_OPIN, LO(id), HI(id), addr, flags, 0, 0);
}

long sys_octl(objid_t id, int op, long a1, long a2, long a3)
{
	return CALL(SYS_OCTL, LO(id), HI(id), op, a1, a2, a3);
}

long sys_ostat(int type, objid_t id, uint64_t arg, void *out)
{
	return CALL(SYS_OSTAT, type, LO(id), HI(id), arg, out, 0);
}

long sys_osync(objid_t id, uint64_t off, uint64_t len, uint64_t flags)
{
	return CALL(SYS_OSYNC, LO(id), HI(id), off, len, flags, 0);
}

long sys_thrd_ctl(int op, long arg)
{
	return CALL(SYS_THRD_CTL, op, arg, 0, 0, 0, 0);
}

long sys_thrd_ctl2(objid_t tid, int op, long arg)
{
	return CALL(SYS_THRD_CTL2, LO(tid), HI(tid), op, arg, 0, 0);
}

long sys_signal(objid_t tid, long a0, long a1, long a2, long a3)
{
	return CALL(SYS_SIGNAL, LO(tid), HI(tid), a0, a1, a2, a3);
}

long sys_kaction(size_t count, struct sys_kaction_args *args)
{
	return CALL(SYS_KACTION, count, args, 0, 0, 0, 0);
}

long sys_kconf(int cmd, long arg)
{
	return CALL(SYS_KCONF, cmd, arg, 0, 0, 0, 0);
}

long sys_kqueue(objid_t id, int kq, int flags)
{
	return CALL(SYS_KQUEUE, LO(id), HI(id), kq, flags, 0, 0);
}

long sys_kec_read(void *buf, size_t len, uint64_t flags)
{
	return CALL(SYS_KEC_READ, buf, len, flags, 0, 0, 0);
}

long sys_kec_write(const void *buf, size_t len, uint64_t flags)
{
	return CALL(SYS_KEC_WRITE, buf, len, flags, 0, 0, 0);
}

long sys_sysinfo(struct twz_sysinfo *out, size_t size)
{
	return CALL(SYS_SYSINFO, out, size, 0, 0, 0, 0);
}

long sys_random(void *buf, size_t len, uint64_t flags)
{
	return CALL(SYS_RANDOM, buf, len, flags, 0, 0, 0);
}

long sys_clock(int clk, int op, struct timespec *ts)
{
	return CALL(SYS_CLOCK, clk, op, ts, 0, 0, 0);
}
