// SPDX-License-Identifier: BSD-3-Clause
/*
 * Physical memory, see mm/phys.h: a buddy allocator. Free blocks are chained through their own
 * first bytes; beside them there is one state byte a page. A zone is one range of RAM; blocks are
 * aligned by physical address, so two halves of a block are found by address alone.
 *
 * Most memory is not touched at boot: it enters the free lists a block at a time, when they run
 * dry. So boot takes the same time with any amount of memory, and an emulator's host provides only
 * what is used.
 */
#include <base/bits.h>
#include <base/list.h>
#include <boot/machine.h>
#include <boot/ranges.h>
#include <cpu.h>
#include <log.h>
#include <mm/bootmem.h>
#include <mm/phys.h>
#include <panic.h>
#include <spinlock.h>

#define LOG_PREFIX "mm"

/* State of a block's first page; the other pages of a block, and what is reserved, have 0. */
#define STATE_FREE 0x80u   /* | order: in a free list */
#define STATE_USED 0x40u   /* | order: handed out */
#define STATE_CACHED 0x20u /* in a CPU's page cache */

#define BATCH_ORDER 4u
#define CACHE_BATCH (1u << BATCH_ORDER) /* a block */
_Static_assert(2 * CACHE_BATCH <= PAGE_CACHE_MAX, "nothing goes to and fro");

struct zone {
	paddr_t base;
	uint64_t pages;
	uint8_t *state;
	uint16_t *shares; /* owners of a page beyond the first; 0 for nearly all */
};

/* Set by phys_init(), constant afterwards. */
static struct zone zones[MACHINE_MAX_BANKS];
static unsigned int zone_count;

static struct spinlock lock = SPINLOCK_INIT; /* the page lock */
/* Guarded by lock. A state byte is written by the block's owner, or under the lock by the buddy. */
static struct list free_lists[PAGE_MAX_ORDER + 1];
static uint64_t free_pages, total_pages;
/* Free, but not in the lists yet; counted in free_pages. */
static struct range fresh[MACHINE_MAX_RESERVED];
static unsigned int fresh_count;

/* ---- States ---- */

static uint8_t *find_state(paddr_t pa)
{
	for (unsigned int i = 0; i < zone_count; i++) {
		uint64_t page = (pa - zones[i].base) >> PAGE_SHIFT;

		if (pa >= zones[i].base && page < zones[i].pages)
			return &zones[i].state[page];
	}
	return NULL;
}

/*
 * Neighbouring CPUs read a state to see whether it is a free buddy; any other value is alike to
 * them.
 */
static uint8_t get_state(const uint8_t *state)
{
	return __atomic_load_n(state, __ATOMIC_RELAXED);
}

static void set_state(uint8_t *state, unsigned int value)
{
	__atomic_store_n(state, (uint8_t)value, __ATOMIC_RELAXED);
}

/* The state of a page that is handed to a free function: it must be what it was given out as. */
static uint8_t *owned_state(const void *page, unsigned int order)
{
	paddr_t pa = virt_to_phys(page);
	uint8_t *state = find_state(pa);

	if (state == NULL || !is_aligned(pa, PAGE_SIZE << order))
		panic("freeing %p, which is no page of memory", page);
	if (get_state(state) != (STATE_USED | order))
		panic("freeing page %#lx as order %u, but its state is %#x", pa, order,
		      get_state(state));
	return state;
}

/* ---- The buddy; lock held ---- */

static void unlink_block(struct list *block)
{
	if (block->next->prev != block || block->prev->next != block)
		panic("free page %p was written to", (void *)block);
	list_remove(block);
}

static void push_block(paddr_t pa, unsigned int order)
{
	set_state(find_state(pa), STATE_FREE | order);
	list_push_front(&free_lists[order], phys_to_virt(pa));
}

/* The block's other half, if it is free as a whole and in memory. */
static uint8_t *free_buddy(paddr_t pa, unsigned int order)
{
	uint8_t *state = find_state(pa ^ (PAGE_SIZE << order));

	return state != NULL && get_state(state) == (STATE_FREE | order) ? state : NULL;
}

static void buddy_free(paddr_t pa, unsigned int order)
{
	uint8_t *buddy;

	free_pages += 1ull << order;
	set_state(find_state(pa), 0);
	while (order < PAGE_MAX_ORDER && (buddy = free_buddy(pa, order)) != NULL) {
		unlink_block(phys_to_virt(pa ^ (PAGE_SIZE << order)));
		set_state(buddy, 0);
		pa &= ~(PAGE_SIZE << order);
		order++;
	}
	push_block(pa, order);
}

static unsigned int largest_order(paddr_t base, uint64_t size)
{
	unsigned int order = PAGE_MAX_ORDER;

	while (order > 0 && (!is_aligned(base, PAGE_SIZE << order) || size < PAGE_SIZE << order))
		order--;
	return order;
}

/* Put the next block of fresh memory into the lists; false: there is none left. */
static bool take_fresh(void)
{
	if (fresh_count == 0)
		return false;
	struct range block = { fresh[0].base, 0 };
	unsigned int order = largest_order(fresh[0].base, fresh[0].size);

	block.size = PAGE_SIZE << order;
	ranges_subtract(fresh, &fresh_count, ARRAY_SIZE(fresh), block);
	free_pages -= 1ull << order;
	buddy_free(block.base, order);
	return true;
}

/* The smallest order from `order` on that has a free block; beyond PAGE_MAX_ORDER: none has. */
static unsigned int find_order(unsigned int order)
{
	unsigned int have = order;

	do {
		for (have = order; have <= PAGE_MAX_ORDER; have++) {
			if (!list_empty(&free_lists[have]))
				return have;
		}
	} while (take_fresh());
	return have;
}

static void *buddy_alloc(unsigned int order, unsigned int state)
{
	unsigned int have = find_order(order);
	struct list *block;

	if (have > PAGE_MAX_ORDER)
		return NULL;
	block = list_first(&free_lists[have]);
	unlink_block(block);
	free_pages -= 1ull << order;
	while (have > order) {
		have--;
		push_block(virt_to_phys(block) + (PAGE_SIZE << have), have);
	}
	set_state(find_state(virt_to_phys(block)), state);
	return block;
}

/* ---- Blocks ---- */

/* Pages that this CPU keeps may complete a block: give `count` of them back. */
static void drain_cache(struct page_cache *cache, unsigned int count)
{
	spin_lock(&lock);
	for (; count > 0 && cache->count > 0; count--)
		buddy_free(virt_to_phys(cache->pages[--cache->count]), 0);
	spin_unlock(&lock);
}

static void *try_pages_alloc(unsigned int order)
{
	void *block;

	spin_lock(&lock);
	block = buddy_alloc(order, STATE_USED | order);
	spin_unlock(&lock);
	return block;
}

void *pages_alloc(unsigned int order)
{
	void *block;

	if (order > PAGE_MAX_ORDER)
		return NULL;
	block = try_pages_alloc(order);
	if (block == NULL && this_cpu()->page_cache.count > 0) {
		drain_cache(&this_cpu()->page_cache, PAGE_CACHE_MAX);
		block = try_pages_alloc(order);
	}
	return block;
}

void pages_free(void *pages, unsigned int order)
{
	owned_state(pages, order);
	spin_lock(&lock);
	buddy_free(virt_to_phys(pages), order);
	spin_unlock(&lock);
}

/* ---- Single pages ---- */

/* A whole block at once. Lock held. */
static void fill_from_block(struct page_cache *cache)
{
	char *block = buddy_alloc(BATCH_ORDER, STATE_CACHED);

	if (block == NULL)
		return;
	uint8_t *state = find_state(virt_to_phys(block));
	for (unsigned int i = 0; i < CACHE_BATCH; i++) {
		set_state(state + i, STATE_CACHED);
		cache->pages[i] = block + (CACHE_BATCH - 1 - i) * PAGE_SIZE; /* handed out upwards */
	}
	cache->count = CACHE_BATCH;
}

/* The cache is empty. Smaller blocks are used up before one of a batch's size is taken. */
static void fill_cache(struct page_cache *cache)
{
	spin_lock(&lock);
	if (find_order(0) >= BATCH_ORDER)
		fill_from_block(cache);
	else
		while (cache->count < CACHE_BATCH && find_order(0) < BATCH_ORDER)
			cache->pages[cache->count++] = buddy_alloc(0, STATE_CACHED);
	spin_unlock(&lock);
}

void *page_alloc(void)
{
	struct page_cache *cache = &this_cpu()->page_cache;
	void *page;

	if (cache->count == 0)
		fill_cache(cache);
	if (cache->count == 0)
		return NULL;
	page = cache->pages[--cache->count];
	set_state(find_state(virt_to_phys(page)), STATE_USED);
	return page;
}

void *page_alloc_zero(void)
{
	void *page = page_alloc();

	if (page != NULL)
		page_zero(page);
	return page;
}

void page_free(void *page)
{
	struct page_cache *cache = &this_cpu()->page_cache;

	set_state(owned_state(page, 0), STATE_CACHED);
	if (cache->count == PAGE_CACHE_MAX)
		drain_cache(cache, CACHE_BATCH);
	cache->pages[cache->count++] = page;
}

/* ---- Sharing ---- */

static struct spinlock shares_lock = SPINLOCK_INIT; /* serialises changes of all share counts */

static uint16_t *find_shares(const void *page)
{
	paddr_t pa = virt_to_phys(page);

	for (unsigned int i = 0; i < zone_count; i++) {
		uint64_t index = (pa - zones[i].base) >> PAGE_SHIFT;

		if (pa >= zones[i].base && index < zones[i].pages)
			return &zones[i].shares[index];
	}
	panic("%p is no page of memory", page);
}

static uint16_t get_shares(const uint16_t *shares)
{
	return __atomic_load_n(shares, __ATOMIC_ACQUIRE);
}

/* Change a count unless it has the value that forbids it. */
static bool change_shares(void *page, uint16_t forbidden, int change)
{
	uint16_t *shares = find_shares(page);
	bool allowed;

	/* Nearly every page has one owner, and nobody else can change that: no lock to find out. */
	if (forbidden == 0 && get_shares(shares) == 0)
		return false;
	spin_lock(&shares_lock);
	allowed = *shares != forbidden;
	if (allowed)
		__atomic_store_n(shares, (uint16_t)(*shares + change), __ATOMIC_RELEASE);
	spin_unlock(&shares_lock);
	return allowed;
}

bool page_share(void *page)
{
	return change_shares(page, UINT16_MAX, 1);
}

bool page_unshare(void *page)
{
	return change_shares(page, 0, -1);
}

bool page_is_shared(const void *page)
{
	return get_shares(find_shares(page)) != 0;
}

/* ---- Boot ---- */

void phys_release(paddr_t base, uint64_t size)
{
	struct range r = range_inner_pages((struct range){ base, size });

	if (r.size == 0 || find_state(r.base) == NULL || find_state(r.base + r.size - 1) == NULL)
		return;
	spin_lock(&lock);
	total_pages += r.size >> PAGE_SHIFT;
	while (r.size > 0) {
		unsigned int order = largest_order(r.base, r.size);
		struct range page = { r.base, PAGE_SIZE };

		if (get_state(find_state(r.base)) != 0 || ranges_contain(fresh, fresh_count, page))
			panic("releasing page %#lx, which is not reserved", r.base);
		buddy_free(r.base, order);
		r.base += PAGE_SIZE << order;
		r.size -= PAGE_SIZE << order;
	}
	spin_unlock(&lock);
}

static void add_zone(struct range memory)
{
	uint64_t pages = memory.size >> PAGE_SHIFT;
	uint8_t *state = boot_pages_alloc(div_round_up(pages, PAGE_SIZE));
	void *shares = boot_pages_alloc(div_round_up(pages * sizeof(uint16_t), PAGE_SIZE));

	zones[zone_count++] = (struct zone){ memory.base, pages, state, shares };
}

void phys_init(void)
{
	for (unsigned int i = 0; i <= PAGE_MAX_ORDER; i++)
		list_init(&free_lists[i]);
	for (unsigned int i = 0; i < machine.memory_count; i++)
		add_zone(machine.memory[i]);

	struct range pool = bootmem_close();
	for (unsigned int i = 0; i < machine.bank_count; i++) {
		ranges_add(fresh, &fresh_count, ARRAY_SIZE(fresh), machine.banks[i]);
		free_pages += machine.banks[i].size >> PAGE_SHIFT;
	}
	total_pages = free_pages;
	phys_release(pool.base, pool.size);
	log_info("%lu KiB free", free_pages * (PAGE_SIZE / 1024));
}

struct phys_stats phys_stats(void)
{
	struct phys_stats stats;

	spin_lock(&lock);
	stats = (struct phys_stats){ total_pages, free_pages };
	spin_unlock(&lock);
	for (unsigned int i = 0; i < cpu_count; i++)
		stats.free += cpus[i].page_cache.count;
	return stats;
}
