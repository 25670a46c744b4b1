// SPDX-License-Identifier: BSD-3-Clause
/* Scheduling parameters, between what programs give and what the scheduler uses. */
#include <abi/errno.h>
#include <abi/thread.h>
#include <base/bits.h>
#include <cpu.h>
#include <sched/sched.h>
#include <sched/thread.h>

int sched_values_check(const struct twz_sched *from, struct sched_values *to)
{
	uint64_t existing = cpu_count == 64 ? UINT64_MAX : (1ull << cpu_count) - 1;
	uint64_t any = 0;

	if (from->klass > TWZ_SCHED_IDLE)
		return -EINVAL;
	if (from->klass == TWZ_SCHED_RT ? from->prio < 1 || from->prio > TWZ_SCHED_RT_PRIO_MAX
					: from->prio > TWZ_SCHED_PRIO_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < ARRAY_SIZE(from->affinity); i++)
		any |= from->affinity[i];
	if (any && !(from->affinity[0] & existing))
		return -EINVAL;
	*to = (struct sched_values){
		.klass = from->klass,
		.prio = from->prio,
		.slice_ns = from->slice_ns,
		.affinity = any ? from->affinity[0] & existing : AFFINITY_ALL,
	};
	return 0;
}

void sched_values_tell(const struct sched_values *from, struct twz_sched *to)
{
	*to = (struct twz_sched){
		.klass = from->klass,
		.prio = from->prio,
		.slice_ns = from->slice_ns,
		.affinity = { from->affinity == AFFINITY_ALL ? 0 : from->affinity },
	};
}
