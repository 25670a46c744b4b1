// SPDX-License-Identifier: BSD-3-Clause
/* What the device tree says about the machine: the order of discovery, and /chosen. */
#include <libfdt.h>

#include <base/bits.h>
#include <base/string.h>
#include <boot/discover.h>
#include <boot/fdt.h>
#include <boot/machine.h>
#include <cpu.h>
#include <log.h>
#include <panic.h>
#include <sections.h>

#define LOG_PREFIX "machine"

struct machine machine;

/* The whole tree is checked once, so that later walks through it need no bounds of their own. */
static void check_tree(const void *fdt)
{
	int error;

	if (fdt == NULL || ((uintptr_t)fdt & 7) != 0)
		panic("the boot loader passed no device tree, or a misaligned one");
	error = fdt_check_header(fdt);
	if (error == 0 && fdt_totalsize(fdt) > FDT_MAX)
		panic("the device tree is too large: %u bytes, at most %lu",
		      fdt_totalsize(fdt), FDT_MAX);
	/* libfdt takes for granted what the format demands of its blocks. */
	if (error == 0 && (fdt_off_dt_struct(fdt) % 4 != 0 || fdt_off_mem_rsvmap(fdt) % 8 != 0))
		error = -FDT_ERR_BADLAYOUT;
	if (error == 0)
		error = fdt_check_full(fdt, fdt_totalsize(fdt));
	if (error != 0)
		panic("the device tree is damaged: %s", fdt_strerror(error));
}

uint64_t fdt_used_size(const void *fdt)
{
	uint64_t structure = (uint64_t)fdt_off_dt_struct(fdt) + fdt_size_dt_struct(fdt);
	uint64_t strings = (uint64_t)fdt_off_dt_strings(fdt) + fdt_size_dt_strings(fdt);
	uint64_t reserved = (uint64_t)fdt_off_mem_rsvmap(fdt) +
			    16 * ((uint64_t)fdt_num_mem_rsv(fdt) + 1);
	uint64_t end = MAX(MAX(structure, strings), reserved);

	/* Version 16 does not state the size of the structure block: keep everything then. */
	return fdt_version(fdt) < 17 ? fdt_totalsize(fdt) : MIN(end, (uint64_t)fdt_totalsize(fdt));
}

/* A string property into a buffer, NUL-terminated, cut to fit. False: absent. Sets *cut. */
static bool copy_string(int node, const char *property, char *to, size_t size, bool *cut)
{
	int length;
	const char *text = fdt_getprop(machine.fdt, node, property, &length);

	if (text == NULL)
		return false;
	size_t n = strnlen(text, (size_t)length);
	*cut = n >= size;
	n = MIN(n, size - 1);
	memcpy(to, text, n);
	to[n] = '\0';
	return true;
}

static void read_model(void)
{
	bool cut;

	if (!copy_string(0, "model", machine.model, sizeof(machine.model), &cut) &&
	    !copy_string(0, "compatible", machine.model, sizeof(machine.model), &cut))
		strlcpy(machine.model, "a machine without a name", sizeof(machine.model));
}

static void read_seed(int chosen)
{
	int length;
	const void *seed = fdt_getprop(machine.fdt, chosen, "rng-seed", &length);

	if (seed == NULL)
		return;
	machine.rng_seed_length = MIN((unsigned int)length, (unsigned int)sizeof(machine.rng_seed));
	memcpy(machine.rng_seed, seed, machine.rng_seed_length);
}

static void apply_options(void)
{
	uint64_t level = boot_option_number("loglevel", CONFIG_LOG_LEVEL);

	log_set_level((int)MIN(level, (uint64_t)LOG_DEBUG));
	panic_set_poweroff(boot_option_is("panic", "poweroff"));
}

void machine_open(const void *fdt, paddr_t fdt_phys, paddr_t image_phys)
{
	bool cut = false;
	int chosen;

	machine.image_phys = image_phys;
	machine.fdt_phys = fdt_phys;
	check_tree(fdt);
	machine.fdt = fdt;
	read_model();
	chosen = fdt_path_offset(fdt, "/chosen");
	if (chosen >= 0) {
		copy_string(chosen, "bootargs", machine.bootargs, sizeof(machine.bootargs), &cut);
		read_seed(chosen);
	}
	apply_options();
	if (cut)
		log_warn("the boot options are cut after %zu bytes", sizeof(machine.bootargs) - 1);
}

static void report(void)
{
	if (machine.bootargs[0] != '\0')
		log_info("options: %s", machine.bootargs);
	for (unsigned int i = 0; i < machine.memory_count; i++)
		log_debug("memory %#lx to %#lx", machine.memory[i].base,
			  machine.memory[i].base + machine.memory[i].size - 1);
	log_info("%lu MiB of memory, %u CPU(s)", machine.ram_size >> 20, cpu_count);
	for (unsigned int i = 0; i < machine.pmem_count; i++)
		log_info("%lu MiB of persistent memory at %#lx", machine.pmem[i].size >> 20,
			 machine.pmem[i].base);
}

void machine_discover(uint64_t boot_hwid)
{
	cpus_discover(machine.fdt, boot_hwid);
	memory_discover(machine.fdt, (uint64_t)(__kernel_end - __kernel_start));
	if (machine.ram_size == 0)
		panic("no memory: the device tree states none that the kernel may use");
	if (machine.bank_count == 0)
		panic("no usable memory: the device tree states %lu KiB, all of it is reserved",
		      machine.ram_size >> 10);
	machine.mmu_limit = arch_fdt_mmu_limit(machine.fdt);
	report();
}
