// SPDX-License-Identifier: BSD-3-Clause
/*
 * Architecture contract: making stores to persistent memory durable.
 *
 * arch_pm_probe() picks the best instructions the CPU has and returns the operations (store/pm.h)
 * with the flush mode that sysinfo reports to userspace (api: flush_mode 0…4). A CPU with no usable
 * instruction gets mode 4: the operations do what can be done from the kernel and the boot log says
 * what that is worth.
 */
#ifndef ARCH_PERSIST_H
#define ARCH_PERSIST_H

#include <stdint.h>

struct pm_ops;

struct arch_pm {
	const struct pm_ops *ops;
	uint32_t flush_mode;  /* 0 none needed, 1 cbo.clean-like, 2 clean to coherency, 3 clean to persistence, 4 system call */
	uint32_t line_size;   /* bytes, smallest line of the machine */
	const char *describe; /* for the boot log */
};

/* Boot CPU, once, after the device tree is known. `fdt` tells ISA extensions. */
struct arch_pm arch_pm_probe(const void *fdt);

#endif
