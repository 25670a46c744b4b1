// SPDX-License-Identifier: BSD-3-Clause
/*
 * Tests of mm/asid.c and mm/flush.c with CPUs whose translation caches forget nothing by
 * themselves.
 *
 * A CPU here remembers per number which space it walked, and how new that space's tables were then.
 * What it uses must be of the space it has installed, and no older than the last flush that has
 * returned. At every call to the machine other CPUs may do something first, as they may on a real
 * one.
 */
#include "unit.h"

#include <boot/machine.h>
#include <cpu.h>
#include <mm/phys.h>
#include <mm/space_private.h>

#include "host.h"

#define CPUS 4u
#define SPACES 24u
#define NUMBERS 64u
#define DEPTH 3u

struct cpu cpus[CONFIG_MAX_CPUS];
unsigned int cpu_count = CPUS;

struct entry {
	unsigned int space; /* plus 1; 0: nothing */
	uint64_t version;
};

static struct addrspace spaces[SPACES];
static pte_t roots[SPACES][1];
static uint64_t version[SPACES]; /* of the tables now */
static uint64_t flushed[SPACES]; /* of the tables when the last flush that has returned began */

static struct entry held[CPUS][NUMBERS];
static uint32_t number[CPUS];
static unsigned int installed[CPUS]; /* plus 1 */
static bool busy[CPUS];              /* in the middle of something */

static uint64_t seed, option;
static unsigned int depth, drops, messages;

/* ---- The machine ---- */

uint64_t boot_option_number(const char *name, uint64_t otherwise)
{
	assert_string_equal(name, "asids");
	return option ? option : otherwise;
}

static uint64_t bitmap[8192 / 8];

void *pages_alloc(unsigned int order)
{
	assert_int_equal(order, 1);
	return bitmap;
}

const char *symbol_name(uintptr_t address, uintptr_t *offset)
{
	(void)address;
	*offset = 0;
	return "?";
}

static void forget(unsigned int cpu, uint32_t asid)
{
	held[cpu][asid] = (struct entry){ 0 };
}

void arch_tlb_flush_asid(uint32_t asid, uintptr_t va, size_t length, uint64_t mask)
{
	(void)va;
	(void)length;
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		if (!(mask >> cpu & 1))
			continue;
		messages += cpu != host_cpu->id;
		forget(cpu, asid);
		host_step();
	}
}

void arch_tlb_flush_all(void)
{
	memset(held, 0, sizeof(held));
}

void arch_tlb_drop_asid(uint32_t asid)
{
	host_step();
	forget(host_cpu->id, asid);
	drops++;
}

/* Called with the lock of the numbers held: nobody else comes in between. */
void arch_tlb_drop_all(void)
{
	for (uint32_t asid = 0; asid < NUMBERS; asid++)
		forget(host_cpu->id, asid);
	drops++;
}

void arch_mmu_switch(paddr_t root, uint32_t asid)
{
	unsigned int cpu = host_cpu->id;

	host_step();
	assert_in_range(asid, 0, NUMBERS - 1);
	installed[cpu] = 0;
	for (unsigned int i = 0; root && i < SPACES; i++)
		if (virt_to_phys(spaces[i].root) == root)
			installed[cpu] = i + 1;
	assert_true(root == 0 || installed[cpu]);
	number[cpu] = asid;
}

/* ---- What CPUs do ---- */

/* Walk, or use what a walk left. */
static void use(unsigned int cpu)
{
	unsigned int space = installed[cpu];
	struct entry *entry = &held[cpu][number[cpu]];

	if (!space)
		return;
	if (!entry->space)
		*entry = (struct entry){ space, version[space - 1] };
}

/* The same, where the CPU is not in the kernel: it must get what is right. */
static void use_checked(unsigned int cpu)
{
	const struct entry *entry = &held[cpu][number[cpu]];

	use(cpu);
	if (!installed[cpu])
		return;
	assert_int_equal(entry->space, installed[cpu]);
	assert_true(entry->version >= flushed[entry->space - 1]);
}

static void change(unsigned int space)
{
	uint64_t mine = ++version[space];

	space_flush(&spaces[space], 0, 0);
	if (flushed[space] < mine)
		flushed[space] = mine;
}

static void install(struct addrspace *space)
{
	struct addrspace *old = host_cpu->space;

	if (space == old)
		return;
	space_switch(old, space);
	host_cpu->space = space;
}

/* A space nobody has installed goes, and another comes in its place. */
static void replace(unsigned int space)
{
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		if (busy[cpu] || cpus[cpu].space == &spaces[space])
			return;
	atomic_store(&spaces[space].tag, 0);
	atomic_store(&spaces[space].stale, ~0ull);
	flushed[space] = ++version[space];
}

static void act(unsigned int cpu)
{
	struct cpu *before = host_cpu;

	host_cpu = &cpus[cpu];
	busy[cpu] = true;
	unsigned int space = next_random(&seed) % SPACES;
	switch (next_random(&seed) % 8) {
	case 0:
		change(space);
		break;
	case 1:
		if (depth == 0)
			busy[cpu] = false, replace(space);
		break;
	case 2:
		install(NULL);
		break;
	default:
		install(&spaces[space]);
	}
	busy[cpu] = false;
	use_checked(cpu);
	host_cpu = before;
}

void host_step(void)
{
	unsigned int cpu = next_random(&seed) % CPUS;

	if (depth >= DEPTH || busy[cpu] || next_random(&seed) % 2)
		return;
	depth++;
	use_checked(cpu);
	act(cpu);
	depth--;
}

static void run(uint32_t numbers, uint64_t limit, unsigned int steps)
{
	seed = 4711;
	option = limit;
	arch_mmu.asid_count = numbers;
	memset(held, 0, sizeof(held));
	for (unsigned int i = 0; i < CPUS; i++) {
		cpus[i] = (struct cpu){ .id = i };
		installed[i] = 0;
	}
	for (unsigned int i = 0; i < SPACES; i++) {
		memset(&spaces[i], 0, sizeof(spaces[i]));
		spaces[i].root = roots[i];
		atomic_init(&spaces[i].stale, ~0ull);
	}
	asids_init();
	drops = messages = 0;
	for (unsigned int i = 0; i < steps; i++) {
		unsigned int cpu = next_random(&seed) % CPUS;
		use_checked(cpu);
		act(cpu);
	}
}

static void scarce_numbers(void **state)
{
	(void)state;
	run(65536, CPUS + 2, 200000);
	assert_true(asids_used());
	run(8, 0, 200000);
	assert_true(asids_used());
	run(NUMBERS, 0, 200000);
}

static void no_numbers(void **state)
{
	(void)state;
	run(1, 0, 100000);
	assert_false(asids_used());
	run(CPUS + 1, 0, 100000);
	assert_false(asids_used());
}

/* With numbers enough, going to and fro costs nothing once everybody was everywhere. */
static void plenty_costs_nothing(void **state)
{
	(void)state;
	run(NUMBERS, 0, 1000);
	for (unsigned int round = 0; round < 3; round++) {
		if (round == 1)
			drops = 0;
		for (unsigned int i = 0; i < CPUS * SPACES; i++) {
			host_cpu = &cpus[i % CPUS];
			depth = DEPTH;
			install(&spaces[i / CPUS]);
		}
	}
	depth = 0;
	assert_int_equal(drops, 0);
}

/* Only who has it installed is told. */
static void others_are_not_troubled(void **state)
{
	(void)state;
	run(NUMBERS, 0, 1000);
	depth = DEPTH;
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		host_cpu = &cpus[cpu];
		install(&spaces[cpu]);
	}
	messages = 0;
	change(CPUS - 1);
	change(SPACES - 1);
	assert_int_equal(messages, 0);
	change(0);
	assert_int_equal(messages, 1);
	depth = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scarce_numbers),
		cmocka_unit_test(no_numbers),
		cmocka_unit_test(plenty_costs_nothing),
		cmocka_unit_test(others_are_not_troubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
