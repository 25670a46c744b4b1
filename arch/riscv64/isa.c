// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the device tree says the harts can do: the list riscv,isa-extensions, or the string
 * riscv,isa ("rv64imafdc_zicsr_sstc") that came before it.
 */
#include "isa.h"

#include <arch/cpu.h>
#include <arch/mmu.h>
#include <base/bits.h>
#include <base/printf.h>
#include <base/string.h>
#include <boot/fdt.h>
#include <boot/machine.h>
#include <cpu.h>
#include <libfdt.h>
#include <log.h>

#define LOG_PREFIX "riscv64"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_word(const char *word, size_t length, const char *name)
{
	for (size_t i = 0; i < length; i++) {
		if (!name[i] || lower(word[i]) != name[i])
			return false;
	}
	return name[length] == '\0';
}

/* In "rv64imafdc_zicsr…": single letters up to the first '_', names after it. */
static bool string_has(const char *isa, size_t length, const char *extension)
{
	size_t at = 4; /* past "rv64" */
	size_t letters = strlen(extension) == 1;

	while (at < length && isa[at] != '_') {
		if (letters && lower(isa[at]) == extension[0])
			return true;
		at++;
	}
	while (at < length) {
		size_t end = ++at;

		while (end < length && isa[end] != '_')
			end++;
		if (same_word(isa + at, end - at, extension))
			return true;
		at = end;
	}
	return false;
}

static bool hart_has(const void *fdt, int node, const char *extension)
{
	int length;
	const char *isa = fdt_getprop(fdt, node, "riscv,isa", &length);

	if (fdt_getprop(fdt, node, "riscv,isa-extensions", NULL))
		return fdt_stringlist_search(fdt, node, "riscv,isa-extensions", extension) >= 0;
	return isa && string_has(isa, strnlen(isa, (size_t)length), extension);
}

/* The next enabled hart's node; start with -1, ends with a negative number. */
static int next_hart(const void *fdt, int node)
{
	int parent = fdt_path_offset(fdt, "/cpus");

	if (parent < 0)
		return parent;
	node = node < 0 ? fdt_first_subnode(fdt, parent) : fdt_next_subnode(fdt, node);
	while (node >= 0) {
		const char *type = fdt_getprop(fdt, node, "device_type", NULL);

		if (type && !strcmp(type, "cpu") && fdt_node_enabled(fdt, node))
			return node;
		node = fdt_next_subnode(fdt, node);
	}
	return node;
}

bool isa_everywhere(const void *fdt, const char *extension)
{
	int node = next_hart(fdt, -1);
	bool all = node >= 0;

	for (; node >= 0; node = next_hart(fdt, node))
		all &= hart_has(fdt, node, extension);
	return all;
}

unsigned int isa_largest_cell(const void *fdt, const char *property)
{
	uint64_t value, largest = 0;

	for (int node = next_hart(fdt, -1); node >= 0; node = next_hart(fdt, node)) {
		if (fdt_node_u64(fdt, node, property, &value) && value > largest)
			largest = value;
	}
	return largest <= UINT32_MAX ? (unsigned int)largest : 0;
}

/* ---- Translation modes ---- */

static const struct mode {
	const char *name; /* as in mmu=NAME; mmu-type says "riscv,NAME" */
	unsigned int levels;
} modes[] = { { "sv39", 3 }, { "sv48", 4 }, { "sv57", 5 } };

/* Levels of a mode by its name, 0 = none of ours. */
static unsigned int mode_levels(const char *name, size_t length)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++) {
		if (same_word(name, length, modes[i].name))
			return modes[i].levels;
	}
	return 0;
}

/* Levels that a hart's mmu-type states, 0 = it states nothing we know. */
static unsigned int hart_levels(const void *fdt, int node)
{
	static const char prefix[] = "riscv,";
	const size_t skip = sizeof(prefix) - 1;
	int length;
	const char *type = fdt_stringlist_get(fdt, node, "mmu-type", 0, &length);

	if (type == NULL || (size_t)length < skip || memcmp(type, prefix, skip) != 0)
		return 0;
	return mode_levels(type + skip, (size_t)length - skip);
}

static unsigned int lower_limit(unsigned int a, unsigned int b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

unsigned int arch_fdt_mmu_limit(const void *fdt)
{
	size_t length;
	const char *option = boot_option("mmu", &length);
	unsigned int limit = option != NULL ? mode_levels(option, length) : 0;

	if (option != NULL && limit == 0)
		log_warn("mmu=%.*s: must be sv39, sv48 or sv57", (int)length, option);
	for (int node = next_hart(fdt, -1); node >= 0; node = next_hart(fdt, node))
		limit = lower_limit(limit, hart_levels(fdt, node));
	return limit;
}

/* ---- For people ---- */

const char *arch_describe_cpu(void)
{
	static char text[160];
	int length;
	const char *isa = fdt_getprop(machine.fdt, cpus[0].fdt_node, "riscv,isa", &length);

	if (!isa)
		isa = fdt_getprop(machine.fdt, cpus[0].fdt_node, "riscv,isa-base", &length);
	if (!isa)
		return "rv64";
	snprintf(text, sizeof text, "%.*s", length, isa);
	return text;
}
