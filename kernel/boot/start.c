// SPDX-License-Identifier: BSD-3-Clause
/* Starting the CPUs that discovery found, all at once. */
#include <arch/time.h>
#include <arch/upcall.h>
#include <cpu.h>
#include <dev/irqchip.h>
#include <log.h>
#include <mm/phys.h>
#include <sched/sched.h>
#include <sched/time.h>

#define LOG_PREFIX "cpu"

#define STACK_ORDER 2
_Static_assert(PAGE_SIZE << STACK_ORDER == KERNEL_STACK_SIZE, "a kernel stack is one block");

/* How long all CPUs together have to come up; generous, for emulators on busy hosts. */
#define START_SECONDS 10

static void set_online(struct cpu *cpu)
{
	atomic_fetch_add(&cpu_online_count, 1);
	atomic_store_explicit(&cpu->online, 1, memory_order_release);
}

/* Hand one CPU to the firmware; it goes on in upcall_secondary(). */
static void start_cpu(struct cpu *cpu)
{
	void *stack = pages_alloc(STACK_ORDER);
	int error;

	if (stack == NULL) {
		log_error("no memory for the stack of CPU %u", cpu->id);
		return;
	}
	cpu->stack_top = (char *)stack + KERNEL_STACK_SIZE;
	error = arch_cpu_start(cpu);
	if (error != 0) {
		log_error("CPU %u (number %#lx) cannot be started: error %d", cpu->id, cpu->hwid,
			  -error);
		cpu->stack_top = NULL;
		pages_free(stack, STACK_ORDER);
	}
}

static bool all_arrived(void)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		if (cpus[i].stack_top != NULL && !atomic_load(&cpus[i].online))
			return false;
	}
	return true;
}

void cpus_start(void)
{
	set_online(&cpus[0]);
	for (unsigned int i = 1; i < cpu_count; i++)
		start_cpu(&cpus[i]);

	uint64_t deadline = arch_counter() + START_SECONDS * time_hz();
	while (!all_arrived() && arch_counter() < deadline)
		arch_pause();
	for (unsigned int i = 1; i < cpu_count; i++) {
		if (cpus[i].stack_top != NULL && !atomic_load(&cpus[i].online))
			log_error("CPU %u (number %#lx) did not come up", i, cpus[i].hwid);
	}
	log_info("%u online", atomic_load(&cpu_online_count));
}

/* A CPU that comes late is as good as the others: nothing was freed that it uses. */
void upcall_secondary(struct cpu *cpu)
{
	arch_cpu_init();
	if (irqchip() != NULL && irqchip()->cpu_init != NULL && irqchip()->cpu_init() != 0)
		log_error("CPU %u cannot take interrupts", cpu->id);
	set_online(cpu);
	sched_start();
}
