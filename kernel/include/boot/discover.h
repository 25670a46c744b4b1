// SPDX-License-Identifier: BSD-3-Clause
/*
 * The parts of discovery, called by boot/machine.c in this order. Boot CPU, early tables.
 */
#ifndef BOOT_DISCOVER_H
#define BOOT_DISCOVER_H

#include <stdint.h>

/*
 * Fill machine.memory, banks, ram_size, pmem and initrd from the tree, given machine.image_phys and
 * fdt_phys. `image_size` is that of the running kernel with its bss. What is odd is logged and
 * left out; finding no memory at all is left for the caller to see (bank_count 0).
 */
void memory_discover(const void *fdt, uint64_t image_size);

/* Fill cpus[] and cpu_count from /cpus; cpus[0] is the CPU with `boot_hwid`. */
void cpus_discover(const void *fdt, uint64_t boot_hwid);

/* Bytes from the start of a checked tree to the end of its last block: what must be kept. */
uint64_t fdt_used_size(const void *fdt);

#endif
