// SPDX-License-Identifier: BSD-3-Clause
/* Tests of mm/phys.h and mm/slab.h over a few megabytes that play the machine's memory. */
#include "unit.h"

#include <sys/mman.h>

#include <boot/machine.h>
#include <cpu.h>
#include <mm/bootmem.h>
#include <mm/phys.h>
#include <mm/slab.h>

#include "host.h"

#define RAM 0x80000000ull
#define RAM_PAGES 8192u
#define HOLE 3000u /* a reserved page, between two banks */
#define BLOCK_MAX (1u << PAGE_MAX_ORDER)

struct machine machine;
struct cpu cpus[CONFIG_MAX_CPUS];
unsigned int cpu_count = 1;
_Atomic unsigned int cpu_online_count = 1;

/* Bookkeeping comes from elsewhere, so that all pages are the test's. */
void *boot_pages_alloc(size_t pages)
{
	return calloc(pages, PAGE_SIZE);
}

struct range bootmem_close(void)
{
	return (struct range){ 0, 0 };
}

const char *symbol_name(uintptr_t address, uintptr_t *offset)
{
	(void)address;
	*offset = 0;
	return "?";
}

static int set_up(void **state)
{
	char *memory = mmap(NULL, RAM_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	host_cpu = &cpus[0];
	arch_mmu.direct_base = (uintptr_t)memory - RAM;
	machine.memory[0] = (struct range){ RAM, RAM_PAGES * PAGE_SIZE };
	machine.memory_count = 1;
	machine.banks[0] = (struct range){ RAM, HOLE * PAGE_SIZE };
	machine.banks[1] = (struct range){ RAM + (HOLE + 1) * PAGE_SIZE,
					   (RAM_PAGES - HOLE - 1) * PAGE_SIZE };
	machine.bank_count = 2;
	phys_init();
	return memory == MAP_FAILED;
}

static uint64_t free_count(void)
{
	return phys_stats().free;
}

static void all_pages_but_the_reserved_are_free(void **state)
{
	(void)state;
	assert_int_equal(phys_stats().total, RAM_PAGES - 1);
	assert_int_equal(free_count(), RAM_PAGES - 1);
}

static void every_page_is_given_once_and_comes_back(void **state)
{
	static void *pages[RAM_PAGES];
	unsigned int count = 0;
	bool seen[RAM_PAGES] = { false };

	(void)state;
	while ((pages[count] = page_alloc()) != NULL) {
		uint64_t number = (virt_to_phys(pages[count]) - RAM) / PAGE_SIZE;

		assert_true(number < RAM_PAGES && number != HOLE && !seen[number]);
		seen[number] = true;
		memset(pages[count++], 0xa5, PAGE_SIZE);
	}
	assert_int_equal(count, RAM_PAGES - 1);
	assert_null(pages_alloc(0));
	while (count > 0)
		page_free(pages[--count]);
	assert_int_equal(free_count(), RAM_PAGES - 1);
}

/* After everything was freed, the largest blocks are whole again. */
static void expect_merged(void)
{
	void *blocks[RAM_PAGES / BLOCK_MAX];
	unsigned int count = 0;

	while (count < RAM_PAGES / BLOCK_MAX &&
	       (blocks[count] = pages_alloc(PAGE_MAX_ORDER)) != NULL)
		count++;
	/* Pages in this CPU's cache went back for it. */
	assert_int_equal(count, RAM_PAGES / BLOCK_MAX - 1);
	while (count > 0)
		pages_free(blocks[--count], PAGE_MAX_ORDER);
}

struct held {
	unsigned char *block;
	unsigned int order;
	unsigned char fill;
};

static void give_back(struct held *h)
{
	size_t bytes = PAGE_SIZE << h->order;

	assert_int_equal(h->block[0], h->fill);
	assert_int_equal(h->block[bytes / 2], h->fill);
	assert_int_equal(h->block[bytes - 1], h->fill);
	if (h->order == 0)
		page_free(h->block);
	else
		pages_free(h->block, h->order);
	h->block = NULL;
}

static void blocks_never_overlap_and_merge_again(void **state)
{
	static struct held held[512];
	uint64_t random = 3;

	(void)state;
	for (int step = 0; step < 50000; step++) {
		struct held *h = &held[next_random(&random) % 512];

		if (h->block != NULL) {
			give_back(h);
			continue;
		}
		h->order = next_random(&random) % 6;
		h->fill = (unsigned char)step;
		h->block = h->order == 0 ? page_alloc() : pages_alloc(h->order);
		if (h->block == NULL)
			continue;
		assert_int_equal(virt_to_phys(h->block) % (PAGE_SIZE << h->order), 0);
		memset(h->block, h->fill, PAGE_SIZE << h->order);
	}
	for (int i = 0; i < 512; i++) {
		if (held[i].block != NULL)
			give_back(&held[i]);
	}
	assert_int_equal(free_count(), RAM_PAGES - 1);
	expect_merged();
}

static void wrong_frees_panic(void **state)
{
	void *page = page_alloc(), *block = pages_alloc(2);

	(void)state;
	page_free(page);
	assert_true(PANICS(page_free(page)));
	assert_true(PANICS(pages_free(block, 1)));
	assert_true(PANICS(pages_free((char *)block + PAGE_SIZE, 0)));
	assert_true(PANICS(page_free(phys_to_virt(RAM + HOLE * PAGE_SIZE))));
	assert_true(PANICS(page_free(phys_to_virt(RAM - PAGE_SIZE))));
	assert_true(PANICS(page_free((char *)page + 8)));
	pages_free(block, 2);
	assert_true(PANICS(pages_free(block, 2)));
	assert_null(pages_alloc(PAGE_MAX_ORDER + 1));
}

static void reserved_memory_can_be_released(void **state)
{
	(void)state;
	phys_release(RAM + HOLE * PAGE_SIZE - 100, 50);       /* no whole page */
	phys_release(RAM + RAM_PAGES * PAGE_SIZE, PAGE_SIZE); /* not in memory */
	assert_int_equal(phys_stats().total, RAM_PAGES - 1);
	phys_release(RAM + HOLE * PAGE_SIZE - 100, PAGE_SIZE + 200);
	assert_int_equal(phys_stats().total, RAM_PAGES);
	assert_int_equal(free_count(), RAM_PAGES);
}

/* ---- Slabs ---- */

struct item {
	uint64_t word[7];
};

struct bulky {
	char bytes[3000];
};

#define ITEMS 1000

static void objects_are_apart_and_pages_come_back(void **state)
{
	static struct slab_cache cache = SLAB_CACHE("item", struct item);
	static struct item *items[ITEMS];
	uint64_t before = free_count();

	(void)state;
	for (int i = 0; i < ITEMS; i++) {
		items[i] = slab_alloc(&cache);
		assert_non_null(items[i]);
		memset(items[i], i & 0xff, sizeof(struct item));
	}
	assert_int_equal(cache.used, ITEMS);
	for (int i = 0; i < ITEMS; i++) {
		for (int w = 0; w < 7; w++)
			assert_int_equal(items[i]->word[w], 0x0101010101010101ull * (i & 0xff));
	}
	for (int i = 0; i < ITEMS; i++)
		slab_free(&cache, items[(i * 7) % ITEMS]);
	assert_int_equal(cache.used, 0);
	assert_int_equal(cache.pages, 1);
	assert_int_equal(free_count(), before - 1);
}

static void large_objects_get_large_slabs(void **state)
{
	static struct slab_cache cache = SLAB_CACHE("bulky", struct bulky);
	struct bulky *bulky = slab_alloc_zero(&cache);

	(void)state;
	assert_non_null(bulky);
	assert_int_equal(bulky->bytes[2999], 0);
	assert_int_equal(cache.order, 3);
	slab_free(&cache, bulky);
}

/* Locks stay held when a panic is caught, so each cache is used once. */
static void wrong_slab_frees_panic(void **state)
{
	static struct slab_cache twice = SLAB_CACHE("twice", struct item);
	static struct slab_cache inside = SLAB_CACHE("inside", struct item);
	static struct slab_cache other = SLAB_CACHE("other", struct bulky);
	struct item *item = slab_alloc(&twice);

	(void)state;
	slab_alloc(&twice);
	slab_free(&twice, item);
	assert_true(PANICS(slab_free(&twice, item)));
	item = slab_alloc(&inside);
	assert_true(PANICS(slab_free(&inside, &item->word[1])));
	slab_free(&other, slab_alloc(&other));
	item = slab_alloc(&(struct slab_cache)SLAB_CACHE("gone", struct item));
	assert_true(PANICS(slab_free(&other, item)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_pages_but_the_reserved_are_free),
		cmocka_unit_test(every_page_is_given_once_and_comes_back),
		cmocka_unit_test(blocks_never_overlap_and_merge_again),
		cmocka_unit_test(wrong_frees_panic),
		cmocka_unit_test(reserved_memory_can_be_released),
		cmocka_unit_test(objects_are_apart_and_pages_come_back),
		cmocka_unit_test(large_objects_get_large_slabs),
		cmocka_unit_test(wrong_slab_frees_panic),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
