// SPDX-License-Identifier: BSD-3-Clause
/*
 * The system calls, one function each, as the table names them. Arguments are raw registers; every
 * function checks all of them before it changes anything. See docs/system-calls.md for what they
 * do.
 */
#ifndef SYS_CALLS_H
#define SYS_CALLS_H

#define SYS_ARGS unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3, \
		 unsigned long a4, unsigned long a5
#define SYS_UNUSED(...) ((void)(a0), (void)(a1), (void)(a2), (void)(a3), (void)(a4), (void)(a5))

/* sys/create.c */
long sys_ocreate(SYS_ARGS);
long sys_ocreate2(SYS_ARGS);

/* sys/object.c */
long sys_odelete(SYS_ARGS);
long sys_otie(SYS_ARGS);
long sys_ostat(SYS_ARGS);
long sys_osync(SYS_ARGS);
long sys_ocopy(SYS_ARGS);
long sys_opin(SYS_ARGS);
long sys_octl(SYS_ARGS);

/* sys/thread.c */
long sys_thrd_spawn(SYS_ARGS);
long sys_thrd_ctl(SYS_ARGS);
long sys_thrd_ctl2(SYS_ARGS);
long sys_signal(SYS_ARGS);
long sys_thrd_sync(SYS_ARGS);

/* sys/fault.c, sys/become.c */
long sys_fault_return(SYS_ARGS);
long sys_become(SYS_ARGS);

/* sys/kso.c */
long sys_attach(SYS_ARGS);
long sys_detach(SYS_ARGS);

/* sys/invalidate.c */
long sys_invl_kso(SYS_ARGS);

/* sys/machine.c */
long sys_null(SYS_ARGS);
long sys_kaction(SYS_ARGS);
long sys_kconf(SYS_ARGS);
long sys_sysinfo(SYS_ARGS);
long sys_random(SYS_ARGS);

/* sys/clock.c */
long sys_clock(SYS_ARGS);

/* sys/console.c */
long sys_debug_print(SYS_ARGS);
long sys_kec_read(SYS_ARGS);
long sys_kec_write(SYS_ARGS);

#endif
