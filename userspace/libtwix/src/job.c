// SPDX-License-Identifier: BSD-3-Clause
/*
 * The states of a whole process: it runs, is stopped, or ends. Whoever changes the state tells every
 * thread to look; each stops when it is in the program's own code, leaves a call or sleeps in one, and
 * goes when it is in the program's own code or leaves a call, so that nothing is left behind. The
 * first thread is the last to go: it waits for the others and tells the parent.
 */
#include "twix.h"

#include <twz/sys/sync.h>
#include <twz/sys/syscall.h>

static void wake(struct twix_process *p)
{
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&p->job, (uint64_t)-1, NULL);
}

void twix_job_end(struct twix_process *p, int status)
{
	uint64_t job = __atomic_load_n(&p->job, __ATOMIC_ACQUIRE), ending;

	do {
		if (job & TWIX_ENDING)
			return;
		ending = (uint64_t)(uint32_t)status << 32 | TWIX_ENDING;
	} while (!__atomic_compare_exchange_n(&p->job, &job, ending, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	wake(p);
}

bool twix_job_stop(struct twix_process *p)
{
	uint64_t job = 0;

	return __atomic_compare_exchange_n(&p->job, &job, TWIX_STOPPED, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

bool twix_job_continue(struct twix_process *p)
{
	uint64_t job = TWIX_STOPPED;

	if (!__atomic_compare_exchange_n(&p->job, &job, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return false;
	wake(p);
	return true;
}

_Noreturn void twix_job_leave(void)
{
	struct twix_process *p = twix_self();
	int status = (int)(p->job >> 32);

	twix_me->depth++;
	if (twix_vfork_is_on()) {
		twix_process_end(p, status);
		twix_vfork_return();
	}
	if (twix_me->tid != p->pid)
		twix_thread_vanish();
	twix_robust_release();
	twix_end_other_threads();
	twix_process_end(p, status);
	twix_leave(status & 0x7f ? 128 + (status & 0x7f) : status >> 8);
}

bool twix_job_wait(void)
{
	struct twix_process *p = twix_self();
	uint64_t job;

	while ((job = __atomic_load_n(&p->job, __ATOMIC_ACQUIRE))) {
		if (job & TWIX_ENDING)
			return true;
		if (job & TWIX_ALONE)
			return (int)(job >> 32) != twix_me->tid;
		twz_thread_sync(THREAD_SYNC_SLEEP, (atomic_ulong *)&p->job, job, NULL);
	}
	return false;
}

void twix_job_look(void)
{
	if (!twix_job_wait())
		return;
	if (__atomic_load_n(&twix_self()->job, __ATOMIC_ACQUIRE) & TWIX_ENDING)
		twix_job_leave();
	twix_thread_vanish();
}

/* Only the calling thread is to go on. False: the process is to end. */
bool twix_job_alone(void)
{
	struct twix_process *p = twix_self();
	uint64_t job = 0, alone = (uint64_t)(uint32_t)twix_me->tid << 32 | TWIX_ALONE;

	while (!__atomic_compare_exchange_n(&p->job, &job, alone, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		twix_job_look();
		job = 0;
	}
	twix_threads_disturb();
	twix_end_other_threads();
	return __atomic_compare_exchange_n(&p->job, &alone, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
