// SPDX-License-Identifier: BSD-3-Clause
/* What a thread has cost, for others to know. */
#ifndef SCHED_STAT_H
#define SCHED_STAT_H

#include <abi/sysinfo.h>

struct object;

/* Of the thread whose object this is. -ESRCH: none runs. No lock held. */
int thread_stat(struct object *repr, struct kernel_ostat_thread *stat);

#endif
