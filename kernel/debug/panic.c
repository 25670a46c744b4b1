// SPDX-License-Identifier: BSD-3-Clause
/*
 * The end of the kernel. The first CPU to panic prints its message and backtrace, then gives every
 * other online CPU its turn to print a backtrace, for a bounded time, then stops the machine.
 * No lock is taken: turns keep the output apart.
 */
#include <stdarg.h>
#include <stdatomic.h>

#include <arch/cpu.h>
#include <arch/time.h>
#include <base/bits.h>
#include <cpu.h>
#include <log.h>
#include <panic.h>
#include <panic_turn.h>
#include <sched/thread.h>
#include <sched/time.h>

#define LOG_PREFIX "panic"

#define MAX_FRAMES 32
#define ANSWERS_PER_SECOND 4 /* a CPU has a quarter of a second to begin its turn */

#define NOBODY UINT32_MAX

static _Atomic uint32_t owner = NOBODY; /* id of the CPU that panicked first */
static _Atomic uint32_t turn = NOBODY;  /* id of the CPU that may print */
static _Atomic uint64_t finished;       /* bit per CPU: has printed, or its turn has passed */
static bool poweroff;                   /* set at boot */

bool panic_active(void)
{
	return atomic_load_explicit(&owner, memory_order_acquire) != NOBODY;
}

void panic_set_poweroff(bool on)
{
	poweroff = on;
}

/* ---- Backtrace ---- */

/*
 * A return address may be the first of the next function, where a call does not return: `back` 1
 * looks the call up.
 */
static void print_frame(unsigned int number, uintptr_t pc, uintptr_t back)
{
	uintptr_t offset;
	const char *name = symbol_name(pc - back, &offset);

	if (name[0] == '?')
		log_print(LOG_ERROR, "trace", "#%u %#lx", number, pc);
	else
		log_print(LOG_ERROR, "trace", "#%u %#lx %s+%#lx", number, pc, name, offset + back);
}

/* What the CPU's thread had in its registers when it entered the kernel. */
static void print_thread(const struct thread *thread)
{
	if (thread == NULL)
		return;
	log_print(LOG_ERROR, "trace", "for thread " IDFMT, IDPR(thread->id));
	arch_regs_print(&thread->regs);
}

/* `pc` 0: start at the caller of the frame. */
static void backtrace(uintptr_t fp, uintptr_t pc)
{
	struct cpu *cpu = this_cpu();
	uintptr_t stack = (uintptr_t)cpu->stack_top - KERNEL_STACK_SIZE;
	unsigned int number = 0;

	log_print(LOG_ERROR, "trace", "CPU %u", cpu->id);
	if (pc != 0)
		print_frame(number++, pc, 0);
	while (number < MAX_FRAMES && arch_frame_step(stack, KERNEL_STACK_SIZE, &fp, &pc))
		print_frame(number++, pc, 1);
	print_thread(cpu->current);
}

/* ---- The end ---- */

static _Noreturn void finish(void)
{
	if (poweroff) {
		log_print(LOG_ERROR, "power", "off (status 1)");
		arch_power_off(1);
	}
	log_error("stopped; with the boot option panic=poweroff it would power off");
	arch_cpu_stop();
}

/* ---- Turns ---- */

static uint64_t cpu_bit(uint32_t id)
{
	return 1ull << id;
}

void panic_await_turn(void)
{
	if (atomic_load(&turn) != this_cpu()->id)
		panic_park();
}

void panic_park(void)
{
	uint32_t me = this_cpu()->id;

	/* The panicking CPU met a lock that is held: go on without what it wanted to do. */
	if (atomic_load(&owner) == me)
		finish();
	while (atomic_load(&turn) != me) {
		if (atomic_load(&finished) & cpu_bit(me))
			arch_cpu_stop();
		arch_pause();
	}
	backtrace(arch_frame_pointer(), 0);
	atomic_fetch_or(&finished, cpu_bit(me));
	arch_cpu_stop();
}

/* Give one CPU its turn; it may be past help. */
static void give_turn(struct cpu *cpu)
{
	uint64_t deadline = arch_counter() + time_hz() / ANSWERS_PER_SECOND;

	atomic_store(&turn, cpu->id);
	arch_ipi_send(cpu);
	while (!(atomic_load(&finished) & cpu_bit(cpu->id)) && arch_counter() < deadline)
		arch_pause();
	atomic_store(&turn, this_cpu()->id);
	if (!(atomic_fetch_or(&finished, cpu_bit(cpu->id)) & cpu_bit(cpu->id)))
		log_error("CPU %u does not answer", cpu->id);
}

static void stop_others(void)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		if (&cpus[i] != this_cpu() && atomic_load(&cpus[i].online))
			arch_ipi_send(&cpus[i]);
	}
	for (unsigned int i = 0; i < cpu_count; i++) {
		if (&cpus[i] != this_cpu() && atomic_load(&cpus[i].online))
			give_turn(&cpus[i]);
	}
}

/* ---- The beginning ---- */

/* A panic while panicking: say what can be said without trusting anything, and stop. */
static _Noreturn void finish_nested(const char *format, va_list args)
{
	static _Atomic uint32_t depth;

	switch (atomic_fetch_add(&depth, 1)) {
	case 0:
		log_vprint(LOG_ERROR, "panic again", format, args);
		finish();
	case 1:
		if (poweroff)
			arch_power_off(1);
		arch_cpu_stop();
	default:
		arch_cpu_stop();
	}
}

static _Noreturn void panic_with(uintptr_t fp, uintptr_t pc, const char *format, va_list args)
{
	uint32_t me = this_cpu()->id, nobody = NOBODY;

	if (!atomic_compare_exchange_strong(&owner, &nobody, me)) {
		if (nobody == me || atomic_load(&turn) == me)
			finish_nested(format, args);
		panic_park();
	}
	atomic_store(&turn, me);
	log_vprint(LOG_ERROR, LOG_PREFIX, format, args);
	backtrace(fp, pc);
	stop_others();
	finish();
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	panic_with(arch_frame_pointer(), 0, format, args);
}

void panic_trap(uintptr_t fp, uintptr_t pc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	panic_with(fp, pc, format, args);
}
