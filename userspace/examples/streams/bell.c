// SPDX-License-Identifier: BSD-3-Clause
/* Two threads and an event: one works, the other waits for what happens, a second at most. */
#include <twz/obj.h>
#include <twz/obj/event.h>
#include <twz/sys/kec.h>
#include <twz/sys/thread.h>

#define HALF_DONE 1
#define DONE 2

static struct evhdr progress;

static void work(void *arg)
{
	(void)arg;
	event_wake(&progress, HALF_DONE, -1);
	event_wake(&progress, DONE, -1);
}

int main(void)
{
	struct thrd_spawn_args args = { .start_func = (uintptr_t)work };
	struct timespec second = { 1, 0 };
	uint64_t seen = 0;
	struct thread worker;
	struct event e;

	if (twz_thread_spawn(&worker, &args) < 0)
		return 1;
	while (!(seen & DONE)) {
		event_init(&e, &progress, HALF_DONE | DONE);
		if (event_wait(1, &e, &second) == 0)
			kec_printf("bell: still waiting\n");
		seen |= event_clear(&progress, e.result);
	}
	kec_printf("bell: half done %s, done %s\n", seen & HALF_DONE ? "yes" : "no",
	    seen & DONE ? "yes" : "no");
	return 0;
}
