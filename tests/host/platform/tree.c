// SPDX-License-Identifier: BSD-3-Clause
/* Device trees for tests, see tree.h. */
#include <assert.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include <boot/machine.h>
#include <cpu.h>

#include "tree.h"

#define ROOM 65536

/* An image of TREE_IMAGE_SIZE, for those who ask the linker. */
__asm__(".pushsection .bss\n"
	".globl __kernel_start, __kernel_end\n"
	"__kernel_start: .zero 0x100000\n"
	"__kernel_end:\n"
	".popsection");

static _Alignas(8) char tree[ROOM];
static unsigned int depth;

unsigned int arch_fdt_mmu_limit(const void *fdt)
{
	(void)fdt;
	return 0;
}

static void ok(int error)
{
	assert(error == 0);
	(void)error;
}

void tree_begin(void)
{
	memset(tree, 0, sizeof(tree));
	depth = 0;
	ok(fdt_create(tree, sizeof(tree)));
	ok(fdt_finish_reservemap(tree));
	tree_node("");
	tree_cell("#address-cells", 2);
	tree_cell("#size-cells", 2);
	tree_text("model", "tested");
}

void tree_node(const char *name)
{
	ok(fdt_begin_node(tree, name));
	depth++;
}

void tree_close(void)
{
	ok(fdt_end_node(tree));
	depth--;
}

void tree_text(const char *property, const char *text)
{
	ok(fdt_property_string(tree, property, text));
}

void tree_cell(const char *property, uint32_t value)
{
	ok(fdt_property_u32(tree, property, value));
}

void tree_flag(const char *property)
{
	ok(fdt_property(tree, property, "", 0));
}

void tree_wide(const char *property, unsigned int count, const uint64_t *values)
{
	uint64_t big[32];

	assert(count <= 32);
	for (unsigned int i = 0; i < count; i++)
		big[i] = cpu_to_fdt64(values[i]);
	ok(fdt_property(tree, property, big, (int)(count * sizeof(big[0]))));
}

const void *tree_end(void)
{
	while (depth > 0)
		tree_close();
	ok(fdt_finish(tree));
	return tree;
}

void tree_cpu(uint32_t number, const char *status)
{
	char name[32];

	snprintf(name, sizeof(name), "cpu@%x", number);
	tree_node(name);
	tree_text("device_type", "cpu");
	tree_cell("reg", number);
	if (status != NULL)
		tree_text("status", status);
	tree_close();
}

void tree_memory(uint64_t base, uint64_t size)
{
	char name[40];

	snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)base);
	tree_node(name);
	tree_text("device_type", "memory");
	tree_wide("reg", 2, (const uint64_t[]){ base, size });
	tree_close();
}

void tree_range(const char *name, const char *compatible, uint64_t base, uint64_t size)
{
	tree_node(name);
	tree_text("compatible", compatible);
	tree_wide("reg", 2, (const uint64_t[]){ base, size });
	tree_close();
}

void tree_discover(const void *fdt, uint64_t hwid)
{
	memset(&machine, 0, sizeof(machine));
	memset(cpus, 0, sizeof(cpus));
	machine_open(fdt, TREE_PHYS, TREE_IMAGE);
	machine_discover(hwid);
}
