// SPDX-License-Identifier: BSD-3-Clause
/*
 * Address space numbers (ASIDs): any number of spaces shares the few that a machine has.
 *
 * A space's tag is a generation and a number. Numbers are handed out until none is left; then a new
 * generation begins: every number is free again but those that some CPU is running on at that
 * moment, which are reserved for their spaces. Each CPU drops all of its translations before it
 * enters a space for the first time in the new generation; until then it goes on with what it had.
 * A space whose tag is of an old generation gets a number when it is entered next.
 *
 * So a number means one space at a time on every CPU, a space that has gone needs no flush at all,
 * and entering a space whose tag is current takes no lock. The number 0 stands for no user space.
 *
 * On a machine without numbers, or with too few for each CPU to have one and one to be left, all
 * spaces use 0, and what it tags is dropped whenever a CPU enters or leaves a space.
 */
#include <base/bits.h>
#include <base/string.h>
#include <boot/machine.h>
#include <cpu.h>
#include <log.h>
#include <mm/phys.h>
#include <mm/space_private.h>
#include <panic.h>

#define LOG_PREFIX "mm"

#define ASID_MAX 65536u
#define ASID_MASK (ASID_MAX - 1ull)
#define FIRST_GENERATION ASID_MAX /* what is left of a tag without its number */
#define ASID_MAP_ORDER 1u /* pages of the bitmap, as a power of two */
_Static_assert(ASID_MAX / 8 == PAGE_SIZE << ASID_MAP_ORDER, "the bitmap fits");

/* Fixed at boot. 0: spaces have no numbers. */
static uint32_t asid_count;

static _Atomic uint64_t generation = FIRST_GENERATION; /* changed under the lock */

static struct spinlock lock = SPINLOCK_INIT;
/* Guarded by lock. */
static uint64_t *used;   /* one bit a number */
static uint32_t hint;    /* word to look at first */
static uint64_t behind;  /* CPUs that have not dropped the translations of earlier generations */

/* The tag a CPU runs on. It is taken away (0) when a generation begins, by whoever begins it. */
static struct cpu_tag {
	_Atomic uint64_t active;
	uint64_t reserved; /* what it ran on when this generation began; guarded by lock */
} __attribute__((aligned(64))) cpu_tags[CONFIG_MAX_CPUS];

void asids_init(void)
{
	uint64_t most = boot_option_number("asids", ASID_MAX);

	asid_count = MIN(arch_mmu.asid_count, (uint32_t)MIN(most, (uint64_t)ASID_MAX));
	/* Number 0, one reserved for each CPU, one to hand out. */
	if (asid_count < cpu_count + 2) {
		log_info("%u address space numbers are too few: spaces are flushed when they change",
			 asid_count);
		asid_count = 0;
		return;
	}
	used = pages_alloc(ASID_MAP_ORDER);
	if (!used)
		panic("no memory for the address space numbers");
	memset(used, 0, ASID_MAX / 8);
	used[0] = 1;
}

static bool take(uint32_t asid)
{
	uint64_t bit = 1ull << (asid % 64);
	bool free = !(used[asid / 64] & bit);

	used[asid / 64] |= bit;
	return free;
}

/* A free number, or 0. */
static uint32_t find_free(void)
{
	uint32_t words = div_round_up(asid_count, 64);

	for (uint32_t i = 0; i < words; i++) {
		uint32_t word = (hint + i) % words;
		if (used[word] == ~0ull)
			continue;
		uint32_t asid = word * 64 + bit_lowest(~used[word]);
		if (asid >= asid_count)
			continue;
		hint = word;
		take(asid);
		return asid;
	}
	return 0;
}

/*
 * A CPU whose tag was taken away before, and which has not entered a space since, still runs on the
 * one that was reserved then.
 */
static void begin_generation(void)
{
	atomic_fetch_add_explicit(&generation, ASID_MAX, memory_order_relaxed);
	memset(used, 0, ASID_MAX / 8);
	used[0] = 1;
	for (unsigned int i = 0; i < cpu_count; i++) {
		uint64_t tag = atomic_exchange_explicit(&cpu_tags[i].active, 0, memory_order_relaxed);
		if (tag)
			cpu_tags[i].reserved = tag;
		take(cpu_tags[i].reserved & ASID_MASK);
	}
	behind = ~0ull;
	hint = 0;
}

/* Whether the tag was reserved; if so it is `fresh` from now on, for every CPU that runs on it. */
static bool keep_reserved(uint64_t tag, uint64_t fresh)
{
	bool found = false;

	for (unsigned int i = 0; i < cpu_count; i++) {
		if (cpu_tags[i].reserved == tag) {
			cpu_tags[i].reserved = fresh;
			found = true;
		}
	}
	return found;
}

/* A tag of this generation for a space with an old one, or with none (0). */
static uint64_t renew(uint64_t tag)
{
	uint32_t asid = tag & ASID_MASK;
	uint64_t now = atomic_load_explicit(&generation, memory_order_relaxed);

	if (asid && (keep_reserved(tag, now | asid) || take(asid)))
		return now | asid;
	asid = find_free();
	if (!asid) {
		begin_generation();
		asid = find_free();
	}
	return atomic_load_explicit(&generation, memory_order_relaxed) | asid;
}

static bool is_current(uint64_t tag)
{
	return (tag ^ atomic_load_explicit(&generation, memory_order_relaxed)) < ASID_MAX;
}

static uint64_t enter_slowly(struct addrspace *space, struct cpu_tag *mine, uint64_t self)
{
	spin_lock(&lock);
	uint64_t tag = atomic_load_explicit(&space->tag, memory_order_relaxed);
	if (!is_current(tag)) {
		tag = renew(tag);
		atomic_store_explicit(&space->tag, tag, memory_order_relaxed);
	}
	if (behind & self) {
		behind &= ~self;
		arch_tlb_drop_all();
	}
	atomic_store_explicit(&mine->active, tag, memory_order_relaxed);
	spin_unlock(&lock);
	return tag;
}

bool asids_used(void)
{
	return asid_count != 0;
}

/*
 * The exchange fails if a generation began since the look at the tag: then this CPU's active tag is
 * 0. It is 0 too before the first space.
 */
uint32_t asid_enter(struct addrspace *space)
{
	unsigned int id = this_cpu()->id;
	struct cpu_tag *mine = &cpu_tags[id];

	if (!asid_count)
		return 0;
	uint64_t active = atomic_load_explicit(&mine->active, memory_order_relaxed);
	uint64_t tag = atomic_load_explicit(&space->tag, memory_order_relaxed);
	if (!active || !is_current(tag) ||
	    !atomic_compare_exchange_strong_explicit(&mine->active, &active, tag, memory_order_relaxed,
						     memory_order_relaxed))
		tag = enter_slowly(space, mine, 1ull << id);
	return tag & ASID_MASK;
}

uint32_t asid_of(struct addrspace *space)
{
	return atomic_load(&space->tag) & ASID_MASK;
}
