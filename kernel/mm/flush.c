// SPDX-License-Identifier: BSD-3-Clause
/*
 * Which CPUs have to forget a translation, and the order in which that is found out.
 *
 * A space knows the CPUs that have it installed (`cpus`), and those that must drop its translations
 * before they install it again (`stale`). A CPU that installs it sets its bit in `cpus`, then looks
 * at `stale`. Whoever flushes has changed the tables, sets all bits of `stale`, then looks at
 * `cpus`. Both are sequentially consistent: either the flusher sees the CPU and has it flush now,
 * or the CPU sees that it is stale and flushes before it runs a single instruction in the space.
 * Where both see each other the CPU flushes once too often.
 *
 * The number is read last. A space gets another number only while a CPU installs it, between those
 * two steps; a flusher that reads the old one has therefore set `stale` before that CPU looks.
 *
 * This CPU, if it has the space installed, is never stale: it flushes itself now.
 */
#include <cpu.h>
#include <mm/phys.h>
#include <mm/space_private.h>

/*
 * Above so many mappings, every CPU drops everything: cheaper than one call to the others for each.
 */
#define MAPPINGS_MAX 8u

static void enter(struct addrspace *space, uint64_t self)
{
	atomic_fetch_or(&space->cpus, self);
	uint32_t asid = asid_enter(space);
	if (atomic_load(&space->stale) & self) {
		atomic_fetch_and(&space->stale, ~self);
		arch_tlb_drop_asid(asid);
	}
	arch_mmu_switch(virt_to_phys(space->root), asid);
}

void space_switch(struct addrspace *old, struct addrspace *space)
{
	uint64_t self = 1ull << this_cpu()->id;

	/*
	 * With one number for all, another's translations go first, when no walk can bring in new
	 * ones.
	 */
	if (!space || !asids_used()) {
		arch_mmu_switch(0, 0);
		if (!asids_used())
			arch_tlb_drop_asid(0);
	}
	if (space)
		enter(space, self);
	if (old)
		atomic_fetch_and(&old->cpus, ~self);
}

void space_flush(struct addrspace *space, uintptr_t va, size_t length)
{
	const struct cpu *cpu = this_cpu();
	uint64_t here = cpu->space == space ? 1ull << cpu->id : 0;

	arch_pte_sync();
	atomic_fetch_or(&space->stale, ~here);
	uint64_t cpus = atomic_load(&space->cpus);
	if (cpus)
		arch_tlb_flush_asid(asid_of(space), va, length, cpus);
}

/*
 * A mapping stands in the object's list from before its link is made until the space has been
 * flushed after its link was taken out: so nobody uses a translation to the object through a space
 * that is not found here.
 */
void object_flush(struct object *object, uint64_t pgnr, uint64_t count)
{
	if (object->map_count > MAPPINGS_MAX) {
		arch_tlb_flush_all();
		return;
	}
	list_for_each_entry(struct mapping, mapping, &object->mappings, object_link) {
		uintptr_t base = (uintptr_t)mapping->slot << OBJ_SHIFT;
		space_flush(mapping->space, base + pgnr * PAGE_SIZE, count * PAGE_SIZE);
	}
}
