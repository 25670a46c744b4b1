// SPDX-License-Identifier: BSD-3-Clause
/*
 * PSCI: firmware that starts and stops CPUs and the machine.
 */
#ifndef ARM64_PSCI_H
#define ARM64_PSCI_H

#include <stdint.h>

#include <arch/mmu.h>

/* Start a CPU at a physical address. 0, -ENODEV without PSCI, or what its status means. */
int psci_cpu_on(uint64_t hwid, paddr_t entry);

/* Power off or reset; return where the firmware cannot. */
void psci_system_off(void);
void psci_system_reset(void);

/* Read the tree's PSCI node, once; later calls do nothing. Without one all of the above fail. */
void psci_probe(void);

#endif
