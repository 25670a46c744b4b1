// SPDX-License-Identifier: BSD-3-Clause
/*
 * Interrupts: the timer, calls from other CPUs, and whatever the interrupt controller has.
 */
#include <arch/cpu.h>
#include <arch/upcall.h>

#include <cpu.h>
#include <dev/irqchip.h>
#include <machine/csr.h>

#include "cpu.h"
#include "sbi.h"

static void send(unsigned long mask, unsigned long base, const void *argument)
{
	(void)argument;
	sbi_call(SBI_IPI, 0, mask, base, 0, 0, 0);
}

void arch_ipi_send(struct cpu *target)
{
	/* Memory before the message: it may travel as a store to a device, or as none at all. */
	__asm__ volatile("fence rw, iorw" : : : "memory");
	sbi_for_harts(1ull << target->id, send, NULL);
}

/*
 * Each source is quieted before its handler, so that what comes up meanwhile is seen again. The
 * timer has no acknowledgement: it stays pending until it is set anew, so it is kept masked
 * until then (time.c).
 */
void arch_irq_poll(void)
{
	unsigned long pending = csr_read(sip) & csr_read(sie);

	if (pending & INT_SOFTWARE) {
		csr_clear(sip, INT_SOFTWARE);
		/* What the sender stored is read after its message was taken. */
		__asm__ volatile("fence iorw, rw" : : : "memory");
		upcall_ipi();
	}
	if (pending & INT_TIMER) {
		csr_clear(sie, INT_TIMER);
		upcall_timer();
	}
	if (pending & INT_EXTERNAL) {
		/* With nobody to quiet it, it would come for ever. */
		if (irqchip() == NULL)
			csr_clear(sie, INT_EXTERNAL);
		irqchip_handle();
	}
}
