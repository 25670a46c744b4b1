// SPDX-License-Identifier: BSD-3-Clause
/* Names of kernel addresses, from the table that the build links in (tools/build/mksyms). */
#include <panic.h>
#include <sections.h>

/* Sorted by offset from __kernel_start; the names stand in the same order, one after the other. */
extern const uint32_t kernel_symbol_count;
extern const uint32_t kernel_symbol_offsets[];
extern const char kernel_symbol_names[];

/* How many symbols start at or below an offset. */
static uint32_t count_below(uint32_t offset)
{
	uint32_t low = 0, high = kernel_symbol_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (kernel_symbol_offsets[middle] <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *symbol_name(uintptr_t address, uintptr_t *offset)
{
	const char *name = kernel_symbol_names;
	uint32_t below;

	*offset = 0;
	if (address < (uintptr_t)__text_start || address >= (uintptr_t)__text_end)
		return "?";
	below = count_below((uint32_t)(address - (uintptr_t)__kernel_start));
	if (below == 0)
		return "?";
	for (uint32_t i = 1; i < below; i++) {
		while (*name++ != '\0')
			;
	}
	*offset = address - (uintptr_t)__kernel_start - kernel_symbol_offsets[below - 1];
	return name;
}
