// SPDX-License-Identifier: BSD-3-Clause
/* Tests of boot/machine.h and boot/fdt.h: what is read from device trees, good and odd. */
#include "unit.h"

#include <libfdt.h>

#include <boot/fdt.h>
#include <boot/machine.h>
#include <cpu.h>
#include <store/store.h>

#include "host.h"
#include "tree.h"

#define MIB (1ull << 20)
#define RAM 0x80000000ull

static uint64_t bank_total(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < machine.bank_count; i++)
		sum += machine.banks[i].size;
	return sum;
}

static bool usable(uint64_t address)
{
	for (unsigned int i = 0; i < machine.bank_count; i++) {
		if (address >= machine.banks[i].base &&
		    address - machine.banks[i].base < machine.banks[i].size)
			return true;
	}
	return false;
}

static void plain(void)
{
	tree_begin();
	tree_memory(RAM, 256 * MIB);
}

static void memory_less_image_and_tree_is_usable(void **state)
{
	(void)state;
	plain();
	tree_discover(tree_end(), 0);
	assert_string_equal(machine.model, "tested");
	assert_int_equal(machine.ram_size, 256 * MIB);
	assert_int_equal(machine.memory_count, 1);
	assert_true(usable(RAM));
	assert_false(usable(TREE_IMAGE));
	assert_false(usable(TREE_IMAGE + TREE_IMAGE_SIZE - 1));
	assert_true(usable(TREE_IMAGE + TREE_IMAGE_SIZE));
	assert_false(usable(TREE_PHYS));
	assert_int_equal(bank_total(), 256 * MIB - TREE_IMAGE_SIZE - PAGE_SIZE);
}

static void several_banks_in_any_order(void **state)
{
	(void)state;
	tree_begin();
	tree_node("memory@200000000");
	tree_text("device_type", "memory");
	tree_wide("reg", 6, (const uint64_t[]){ 0x200000000, 64 * MIB, RAM, 192 * MIB, 0x300000800,
						3 * MIB });
	tree_close();
	tree_memory(RAM + 128 * MIB, 128 * MIB); /* overlaps the one above */
	tree_memory(0x90000000, 0);
	tree_memory(UINT64_MAX - PAGE_SIZE, 2 * PAGE_SIZE); /* wraps */
	tree_node("memory@400000000");
	tree_text("device_type", "memory");
	tree_text("status", "disabled");
	tree_wide("reg", 2, (const uint64_t[]){ 0x400000000, MIB });
	tree_discover(tree_end(), 0);
	assert_int_equal(machine.memory_count, 3);
	assert_int_equal(machine.memory[0].size, 256 * MIB);
	assert_int_equal(machine.memory[1].base, 0x200000000);
	assert_int_equal(machine.memory[2].base, 0x300001000);
	assert_int_equal(machine.memory[2].size, 3 * MIB - PAGE_SIZE);
}

static void reservations_are_kept_out(void **state)
{
	(void)state;
	plain();
	tree_node("reserved-memory");
	tree_cell("#address-cells", 2);
	tree_cell("#size-cells", 2);
	tree_flag("ranges");
	tree_node("firmware@80000000");
	tree_wide("reg", 2, (const uint64_t[]){ RAM, 0x80000 });
	tree_flag("no-map");
	tree_close();
	tree_node("frame@84000100");
	tree_wide("reg", 2, (const uint64_t[]){ RAM + 64 * MIB + 0x100, 0x1000 });
	tree_close();
	tree_node("wants-some");
	tree_wide("size", 1, (const uint64_t[]){ MIB });
	tree_discover(tree_end(), 0);
	assert_false(usable(RAM));
	assert_int_equal(machine.memory[0].base, RAM + 0x80000);
	assert_false(usable(RAM + 64 * MIB));
	assert_false(usable(RAM + 64 * MIB + 0x1fff));
	assert_true(usable(RAM + 64 * MIB + 0x2000));
	/* Reserved, but mapped. */
	assert_int_equal(machine.memory_count, 1);
}

static void persistent_memory_is_never_ordinary(void **state)
{
	(void)state;
	plain();
	tree_range("pmem@8c000000", "pmem-region", RAM + 192 * MIB, 64 * MIB);
	tree_range("pmem@100000000", "pmem-region", 0x100000000, 16 * MIB);
	tree_discover(tree_end(), 0);
	assert_int_equal(machine.pmem_count, 2);
	assert_int_equal(machine.pmem[0].base, RAM + 192 * MIB);
	assert_int_equal(machine.pmem[1].base, 0x100000000);
	assert_int_equal(machine.ram_size, 192 * MIB);
	assert_false(usable(RAM + 192 * MIB));
	assert_true(usable(RAM + 192 * MIB - 1));
}

static void odd_regions_are_left_out_whole(void **state)
{
	(void)state;
	plain();
	tree_range("pmem@a0000800", "pmem-region", 0xa0000800, 4 * MIB); /* misaligned: cut */
	tree_range("pmem@a0200000", "pmem-region", 0xa0200000, 4 * MIB); /* overlaps */
	tree_range("pmem@b0000000", "pmem-region", 0xb0000000, 0);
	tree_range("pmem@c0000000", "pmem-region", 0xc0000000, 100); /* no whole page */
	tree_range("pmem@d0000000", "pmem-region", UINT64_MAX - MIB, 2 * MIB);
	tree_node("pmem@e0000000");
	tree_text("compatible", "pmem-region");
	tree_close();
	tree_node("pmem@f0000000");
	tree_text("compatible", "pmem-region");
	tree_wide("reg", 2, (const uint64_t[]){ 0xf0000000, 4 * MIB });
	tree_flag("volatile");
	tree_discover(tree_end(), 0);
	assert_int_equal(machine.pmem_count, 1);
	assert_int_equal(machine.pmem[0].base, 0xa0001000);
	assert_int_equal(machine.pmem[0].size, 4 * MIB - PAGE_SIZE);
}

static void each_range_of_a_node_is_a_region(void **state)
{
	(void)state;
	plain();
	tree_node("pmem@c0000000");
	tree_text("compatible", "pmem-region");
	tree_wide("reg", 4, (const uint64_t[]){ 0xe0000000, 8 * MIB, 0xc0000000, 4 * MIB });
	tree_close();
	tree_range("pmem@d0000000", "pmem-region", 0xd0000000, 16 * MIB);
	tree_discover(tree_end(), 0);
	assert_int_equal(machine.pmem_count, 3);
	assert_int_equal(machine.pmem[0].base, 0xc0000000);
	assert_int_equal(machine.pmem[0].size, 4 * MIB);
	assert_int_equal(machine.pmem[1].base, 0xd0000000);
	assert_int_equal(machine.pmem[2].base, 0xe0000000);
	assert_int_equal(machine.pmem[2].size, 8 * MIB);
}

static void a_region_half_in_memory_is_refused(void **state)
{
	(void)state;
	plain();
	tree_range("pmem@8f000000", "pmem-region", RAM + 240 * MIB, 32 * MIB); /* over the end */
	tree_range("pmem@7f000000", "pmem-region", RAM - 16 * MIB, 32 * MIB);  /* over the start */
	tree_range("pmem@88000000", "pmem-region", RAM + 192 * MIB, 16 * MIB); /* all inside */
	tree_range("pmem@90000000", "pmem-region", RAM + 272 * MIB, 16 * MIB); /* all outside */
	tree_discover(tree_end(), 0);
	assert_int_equal(machine.pmem_count, 2);
	assert_int_equal(machine.pmem[0].base, RAM + 192 * MIB);
	assert_int_equal(machine.pmem[1].base, RAM + 272 * MIB);
	/* Whoever is right: it is not handed out. */
	assert_false(usable(RAM + 240 * MIB));
	assert_false(usable(RAM + 15 * MIB));
	assert_true(usable(RAM + 240 * MIB - 1));
}

static void a_region_that_the_loader_wrote_to_is_refused(void **state)
{
	(void)state;
	plain();
	tree_range("pmem@86000000", "pmem-region", TREE_PHYS - 32 * MIB, 64 * MIB);
	tree_discover(tree_end(), 0);
	assert_int_equal(machine.pmem_count, 0);
	assert_false(usable(TREE_PHYS - 1));

	/* The end of a region is nobody's: the tree may stand there. */
	plain();
	tree_range("pmem@86000000", "pmem-region", TREE_PHYS - 30 * MIB,
		   30 * MIB + STORE_TAIL_RESERVE);
	tree_discover(tree_end(), 0);
	assert_int_equal(machine.pmem_count, 1);
}

static void initrd(uint64_t start, uint64_t end)
{
	plain();
	tree_node("chosen");
	tree_cell("linux,initrd-start", (uint32_t)start);
	tree_wide("linux,initrd-end", 1, &end);
	tree_discover(tree_end(), 0);
}

static void the_pack_must_have_memory_of_its_own(void **state)
{
	(void)state;
	initrd(0x84000000, 0x84000123);
	assert_int_equal(machine.initrd.base, 0x84000000);
	assert_int_equal(machine.initrd.size, 0x123);
	assert_false(usable(0x84000fff));
	assert_true(usable(0x84001000));

	initrd(0x84000000, 0x84000000);
	assert_int_equal(machine.initrd.size, 0);
	initrd(0x84000001, 0x84000000);
	assert_int_equal(machine.initrd.size, 0);
	initrd(0x10000000, 0x10001000); /* no memory there */
	assert_int_equal(machine.initrd.size, 0);
	initrd(TREE_IMAGE + 0x1000, TREE_IMAGE + 0x2000);
	assert_int_equal(machine.initrd.size, 0);
	initrd(0x84000000, UINT64_MAX);
	assert_int_equal(machine.initrd.size, 0);
}

static void cpus_are_counted(void **state)
{
	(void)state;
	plain();
	tree_node("cpus");
	tree_cell("#address-cells", 1);
	tree_cell("#size-cells", 0);
	tree_cpu(0, "disabled");
	tree_cpu(1, NULL);
	tree_cpu(4, "okay");
	tree_cpu(0x100, NULL);
	tree_node("cpu-map");
	tree_close();
	tree_discover(tree_end(), 4);
	assert_int_equal(cpu_count, 3);
	assert_int_equal(cpus[0].hwid, 4);
	assert_true(cpus[0].fdt_node > 0);
	assert_int_equal(cpus[1].hwid, 1);
	assert_int_equal(cpus[2].hwid, 0x100);
	assert_int_equal(cpus[2].id, 2);
}

static void too_many_cpus_are_told_and_left_alone(void **state)
{
	(void)state;
	plain();
	tree_node("cpus");
	tree_cell("#address-cells", 1);
	tree_cell("#size-cells", 0);
	for (uint32_t i = 0; i < 40; i++)
		tree_cpu(i, NULL);
	const void *tree = tree_end();
	host_log_lines = 0;
	tree_discover(tree, 39);
	assert_int_equal(cpu_count, CONFIG_MAX_CPUS);
	assert_int_equal(cpus[0].hwid, 39);
	assert_int_equal(cpus[7].hwid, 6);
	/* The number of CPUs, and the summary. */
	assert_in_range(host_log_lines, 2, 3);
}

static void a_machine_without_cpu_nodes_has_one(void **state)
{
	(void)state;
	plain();
	tree_discover(tree_end(), 3);
	assert_int_equal(cpu_count, 1);
	assert_int_equal(cpus[0].hwid, 3);
}

static void no_memory_is_a_clear_panic(void **state)
{
	(void)state;
	tree_begin();
	const void *tree = tree_end();
	assert_true(PANICS(tree_discover(tree, 0)));
	assert_non_null(strstr(host_panic_text, "memory"));
}

static void what_is_no_tree_is_a_clear_panic(void **state)
{
	static uint64_t zeroes[1024];

	(void)state;
	assert_true(PANICS(tree_discover(NULL, 0)));
	assert_true(PANICS(tree_discover(zeroes, 0)));
	plain();
	char *tree = (char *)(uintptr_t)tree_end();
	fdt_set_totalsize(tree, FDT_MAX + 8);
	assert_true(PANICS(tree_discover(tree, 0)));
	assert_non_null(strstr(host_panic_text, "device tree"));
}

static void addresses_are_translated_through_buses(void **state)
{
	struct range r;

	(void)state;
	plain();
	tree_node("bus@0");
	tree_cell("#address-cells", 2);
	tree_cell("#size-cells", 2);
	/* Child 0x1000 … 0x2fff is 0x10001000, and 0x100000 … is 0x20000000. */
	tree_wide("ranges", 6, (const uint64_t[]){ 0x1000, 0x10001000, 0x2000, 0x100000, 0x20000000,
						   0x1000 });
	tree_range("device@1800", "x", 0x1800, 0x100);
	tree_range("device@100000", "x", 0x100000, 0x1000);
	tree_range("device@2fff", "x", 0x2fff, 2);
	tree_close();
	tree_node("island");
	tree_cell("#address-cells", 2);
	tree_cell("#size-cells", 2);
	tree_range("device@0", "x", 0, 1);
	const void *tree = tree_end();
	int node = fdt_path_offset(tree, "/bus@0/device@1800");
	assert_true(fdt_node_range(tree, node, 0, &r));
	assert_int_equal(r.base, 0x10001800);
	assert_false(fdt_node_range(tree, node, 1, &r));
	assert_true(fdt_node_range(tree, fdt_path_offset(tree, "/bus@0/device@100000"), 0, &r));
	assert_int_equal(r.base, 0x20000000);
	assert_false(fdt_node_range(tree, fdt_path_offset(tree, "/bus@0/device@2fff"), 0, &r));
	assert_false(fdt_node_range(tree, fdt_path_offset(tree, "/island/device@0"), 0, &r));
}

static void interrupts_find_their_parent(void **state)
{
	uint32_t cells[4];
	int parent;

	(void)state;
	tree_begin();
	tree_cell("interrupt-parent", 7);
	tree_node("pic");
	tree_cell("phandle", 7);
	tree_cell("#interrupt-cells", 2);
	tree_close();
	tree_node("odd");
	tree_cell("phandle", 8);
	tree_cell("#interrupt-cells", 5);
	tree_close();
	tree_node("uart");
	tree_wide("interrupts", 2, (const uint64_t[]){ 0x500000004ull, 0x600000001ull });
	tree_close();
	tree_node("timer");
	tree_wide("interrupts-extended", 3,
		  (const uint64_t[]){ 0x700000001ull, 0x200000007ull, 0x300000004ull });
	tree_close();
	tree_node("bad");
	tree_cell("interrupts-extended", 8);
	tree_close();
	tree_node("short");
	tree_wide("interrupts-extended", 1, (const uint64_t[]){ 0x700000001ull });
	const void *tree = tree_end();
	int pic = fdt_path_offset(tree, "/pic"), uart = fdt_path_offset(tree, "/uart");

	assert_int_equal(fdt_node_interrupt(tree, uart, 1, &parent, cells), 2);
	assert_int_equal(parent, pic);
	assert_int_equal(cells[0], 6);
	assert_true(fdt_node_interrupt(tree, uart, 2, &parent, cells) < 0);
	int timer = fdt_path_offset(tree, "/timer");
	assert_int_equal(fdt_node_interrupt(tree, timer, 1, &parent, cells), 2);
	assert_int_equal(cells[0], 3);
	assert_int_equal(cells[1], 4);
	assert_true(fdt_node_interrupt(tree, timer, 2, &parent, cells) < 0);
	assert_true(fdt_node_interrupt(tree, fdt_path_offset(tree, "/bad"), 0, &parent, cells) < 0);
	int cut = fdt_path_offset(tree, "/short");
	assert_true(fdt_node_interrupt(tree, cut, 0, &parent, cells) < 0);
	assert_true(fdt_node_interrupt(tree, pic, 0, &parent, cells) < 0);
}

static int stdout_of(const char *path)
{
	plain();
	tree_node("aliases");
	tree_text("serial0", "/uart@1000");
	tree_close();
	tree_range("uart@1000", "x", 0x1000, 0x100);
	tree_node("chosen");
	tree_text("stdout-path", path);
	return fdt_stdout_node(tree_end());
}

static void stdout_is_a_path_or_an_alias(void **state)
{
	(void)state;
	assert_true(stdout_of("/uart@1000") > 0);
	assert_true(stdout_of("/uart@1000:115200n8") > 0);
	assert_true(stdout_of("serial0") > 0);
	assert_true(stdout_of("serial0:115200") > 0);
	assert_true(stdout_of("serial1") < 0);
	assert_true(stdout_of("") < 0);
	assert_true(stdout_of(":") < 0);
}

static void out_of_reach_is_dropped(void **state)
{
	(void)state;
	plain();
	tree_memory(0x1000000000, 64 * MIB);
	tree_range("pmem@2000000000", "pmem-region", 0x2000000000, 16 * MIB);
	tree_discover(tree_end(), 0);
	arch_mmu.name = "test";
	machine_limit(0x1002000000);
	assert_int_equal(machine.memory_count, 2);
	assert_int_equal(machine.memory[1].size, 32 * MIB);
	assert_int_equal(machine.pmem_count, 0);
	machine_limit(0x1000000000);
	assert_int_equal(machine.memory_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_less_image_and_tree_is_usable),
		cmocka_unit_test(several_banks_in_any_order),
		cmocka_unit_test(reservations_are_kept_out),
		cmocka_unit_test(persistent_memory_is_never_ordinary),
		cmocka_unit_test(odd_regions_are_left_out_whole),
		cmocka_unit_test(each_range_of_a_node_is_a_region),
		cmocka_unit_test(a_region_half_in_memory_is_refused),
		cmocka_unit_test(a_region_that_the_loader_wrote_to_is_refused),
		cmocka_unit_test(the_pack_must_have_memory_of_its_own),
		cmocka_unit_test(cpus_are_counted),
		cmocka_unit_test(too_many_cpus_are_told_and_left_alone),
		cmocka_unit_test(a_machine_without_cpu_nodes_has_one),
		cmocka_unit_test(no_memory_is_a_clear_panic),
		cmocka_unit_test(what_is_no_tree_is_a_clear_panic),
		cmocka_unit_test(addresses_are_translated_through_buses),
		cmocka_unit_test(interrupts_find_their_parent),
		cmocka_unit_test(stdout_is_a_path_or_an_alias),
		cmocka_unit_test(out_of_reach_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
