// SPDX-License-Identifier: BSD-3-Clause
/* The machine as a program sees it. */
#ifndef TWZ_SYS_SYS_H
#define TWZ_SYS_SYS_H

#include <abi/bootinfo.h>
#include <abi/sysinfo.h>
#include <twz/sys/syscall.h>

/* What sysinfo said when the program started; never NULL. Free-memory figures are from then. */
const struct twz_sysinfo *twz_sysinfo(void);

/* The architecture's name, for people. */
const char *twz_machine_name(void);

/* What the kernel told the first thread of the machine; NULL in every program but init. */
const struct twz_bootinfo *twz_bootinfo(void);

/* The machine's free-running counter, timer_hz ticks a second. */
uint64_t twz_cpu_counter(void);

/* Nanoseconds of the monotonic clock; 0 if the kernel has none. */
uint64_t twz_clock_ns(void);

/* Sleep; returns 0 or -EINTR. */
int twz_sleep_ns(uint64_t ns);

/* One action on the machine's root (KACTION_CMD_ROOT_*); its result or a negative error. */
long twz_root_action(int cmd, uint64_t arg);

#endif
