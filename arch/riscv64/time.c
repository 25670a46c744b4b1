// SPDX-License-Identifier: BSD-3-Clause
/*
 * The timer: the compare register of Sstc where all harts have it, else the firmware's.
 */
#include <arch/time.h>

#include <boot/fdt.h>
#include <libfdt.h>
#include <log.h>
#include <machine/csr.h>

#include "cpu.h"
#include "isa.h"
#include "sbi.h"

#define LOG_PREFIX "time"

static bool has_stimecmp; /* written once, by the boot CPU before others start */

static void write_stimecmp(uint64_t deadline)
{
	__asm__ volatile("csrw %0, %1" : : "i"(CSR_STIMECMP), "r"(deadline) : "memory");
}

uint64_t arch_timer_probe(const void *fdt)
{
	int cpus_node = fdt_path_offset(fdt, "/cpus");
	uint64_t hz = 0;

	if (cpus_node < 0 || !fdt_node_u64(fdt, cpus_node, "timebase-frequency", &hz) || hz == 0)
		return 0;
	/* The tree may promise what the firmware did not switch on for us, so try. */
	has_stimecmp = isa_everywhere(fdt, "sstc") && probe_stimecmp();
	if (!has_stimecmp && !sbi_has(SBI_TIME)) {
		log_error("neither Sstc nor a timer in the firmware");
		return 0;
	}
	log_debug("timer: %s", has_stimecmp ? "Sstc" : "SBI");
	return hz;
}

/* A CPU that starts may have a deadline left from whoever ran before. */
void timer_init(void)
{
	csr_clear(sie, INT_TIMER);
	if (has_stimecmp)
		write_stimecmp(TIMER_NEVER);
}

/*
 * Masked while there is no deadline: that is free, while clearing the pending bit may take a call.
 * Both ways of setting clear it, for a deadline in the future, before the interrupt is unmasked.
 */
void arch_timer_set(uint64_t deadline)
{
	if (deadline == TIMER_NEVER) {
		csr_clear(sie, INT_TIMER);
		return;
	}
	if (has_stimecmp)
		write_stimecmp(deadline);
	else
		sbi_call(SBI_TIME, 0, deadline, 0, 0, 0, 0);
	csr_set(sie, INT_TIMER);
}
