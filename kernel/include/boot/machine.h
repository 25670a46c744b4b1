// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the device tree says about the machine. Read once at boot with libfdt; nothing is trusted:
 * a malformed tree gives one clear message and a panic, a missing optional part a message.
 */
#ifndef BOOT_MACHINE_H
#define BOOT_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arch/mmu.h>

#define MACHINE_MAX_BANKS 16
#define MACHINE_MAX_RESERVED 32
#define MACHINE_MAX_PMEM 8
#define FDT_MAX (2ul << 20) /* largest device tree accepted, bytes */

struct range {
	paddr_t base;
	uint64_t size; /* base + size never wraps */
};

struct machine {
	const void *fdt; /* the tree, mapped for the kernel's lifetime */
	paddr_t fdt_phys;
	paddr_t image_phys;
	char model[64];

	/* Usable RAM: /memory minus reservations and pmem, page-aligned, sorted, disjoint. */
	struct range banks[MACHINE_MAX_RESERVED];
	unsigned int bank_count;
	uint64_t ram_size; /* as the tree states it, pmem subtracted, before reservations */

	/*
	 * RAM that the direct map covers: /memory minus pmem and no-map reservations. Likewise
	 * sorted.
	 */
	struct range memory[MACHINE_MAX_BANKS];
	unsigned int memory_count;

	/* Persistent memory regions, page-aligned, sorted, disjoint. */
	struct range pmem[MACHINE_MAX_PMEM];
	unsigned int pmem_count;

	struct range initrd; /* size 0 = none */

	char bootargs[3072]; /* /chosen/bootargs, NUL-terminated */
	unsigned int mmu_limit; /* levels that cpu nodes and mmu= allow; 0 = no limit */
	uint8_t rng_seed[64];   /* /chosen/rng-seed; wiped after use */
	unsigned int rng_seed_length;
};
extern struct machine machine;

/*
 * Stage one, on the early tables: check the tree from end to end and read what is needed before a
 * console can be: machine.fdt, image_phys, model, bootargs (with loglevel= and panic=), the seed.
 * Panics on a malformed tree.
 */
void machine_open(const void *fdt, paddr_t fdt_phys, paddr_t image_phys);

/*
 * Stage two, with a console: memory and CPUs. Fills cpus[] with hwid and fdt_node (boot CPU
 * first); CPUs beyond CONFIG_MAX_CPUS are reported and left alone. Panics with a clear message when
 * there is no memory.
 */
void machine_discover(uint64_t boot_hwid);

/* Stage three, by kmap_init(): drop, with a message, all memory at or above `limit`. */
void machine_limit(uint64_t limit);

/*
 * Boot options: NAME or NAME=VALUE words of bootargs; a value may be in double quotes.
 * Returns the value's start and *length, or NULL when absent. A bare NAME has an empty value.
 */
const char *boot_option(const char *name, size_t *length);
bool boot_option_is(const char *name, const char *value);
/* Unsigned decimal value of an option, or `otherwise` when absent or malformed (reported). */
uint64_t boot_option_number(const char *name, uint64_t otherwise);

#endif
