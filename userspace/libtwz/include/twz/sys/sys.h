// SPDX-License-Identifier: BSD-3-Clause
/* The machine as a program sees it. */
#ifndef TWZ_SYS_SYS_H
#define TWZ_SYS_SYS_H

#include <abi/bootinfo.h>
#include <abi/clock.h>
#include <abi/sysinfo.h>
#include <twz/sys/syscall.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What sysinfo said when the program started; never NULL. Free-memory figures are from then. */
const struct twz_sysinfo *twz_sysinfo(void);

/* The architecture's name, for people. */
const char *twz_machine_name(void);

/* What the kernel told the first thread of the machine; NULL in every program but init. */
const struct twz_bootinfo *twz_bootinfo(void);

/* The machine's free-running counter, timer_hz ticks a second. */
uint64_t twz_cpu_counter(void);

/*
 * Nanoseconds of the monotonic clock, and of the real clock since 1970; no system call is made. The
 * source of the real clock is one of TWZ_REAL_* (abi/clock.h): from TWZ_REAL_RTC up it can be
 * relied on.
 */
uint64_t twz_clock_ns(void);
uint64_t twz_clock_real_ns(void);
uint32_t twz_clock_real_source(void);

/* A number of ticks of the machine's counter as nanoseconds. */
uint64_t twz_ns_from_ticks(uint64_t ticks);

/* Any of the clocks TWZ_CLOCK_*, the first two of them without a system call. 0, -EINVAL. */
int twz_clock_get(int clock, struct timespec *ts);

/* Sleep; returns 0 or -EINTR. */
int twz_sleep_ns(uint64_t ns);

/* One action on the machine's root (KACTION_CMD_ROOT_*); its result or a negative error. */
long twz_root_action(int cmd, uint64_t arg);

#ifdef __cplusplus
}
#endif

#endif
