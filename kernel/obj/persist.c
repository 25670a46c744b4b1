// SPDX-License-Identifier: BSD-3-Clause
/*
 * The machine's persistent memory: look at each region the device tree names, say what stands in
 * it, format it if it is blank, mount it. What holds anything else is left alone, and stops none of
 * the others.
 */
#define LOG_PREFIX "store"

#include <abi/errno.h>
#include <arch/persist.h>
#include <arch/time.h>
#include <base/string.h>
#include <boot/machine.h>
#include <log.h>
#include <mm/phys.h>
#include <obj/persist.h>
#include <sched/time.h>
#include <sec/random.h>

_Static_assert(MACHINE_MAX_PMEM <= PERSIST_MAX_STORES, "a store for each region");

struct mount {
	struct store store;
	uint8_t uuid[16];
	paddr_t base;
	bool readonly;
	uint64_t took; /* to mount, ns */
};

static struct mount mounts[PERSIST_MAX_STORES];
static struct mount *by_uuid[PERSIST_MAX_STORES];
static unsigned int mount_count;
static struct arch_pm pm;

unsigned int persist_store_count(void)
{
	return mount_count;
}

struct store *persist_store_at(unsigned int index)
{
	return &by_uuid[index]->store;
}

bool persist_readonly(const struct store *store)
{
	return ((const struct mount *)store)->readonly;
}
_Static_assert(offsetof(struct mount, store) == 0, "a store's mount is where the store is");

const struct arch_pm *persist_hardware(void)
{
	return &pm;
}

void persist_flush(const void *address, size_t length)
{
	pm.ops->flush(address, length);
}

void persist_fence(void)
{
	pm.ops->fence();
}

static void read_uuid(struct mount *mount)
{
	struct store_stats stats;

	store_stats(&mount->store, &stats);
	memcpy(mount->uuid, stats.uuid, sizeof(mount->uuid));
}

static struct mount *find_uuid(const uint8_t uuid[16])
{
	for (unsigned int i = 0; i < mount_count; i++)
		if (memcmp(mounts[i].uuid, uuid, sizeof(mounts[i].uuid)) == 0)
			return &mounts[i];
	return NULL;
}

/*
 * The mounted store that this region's is a copy of, or NULL. Two stores of one name hold the same
 * objects, so which of them changes must not depend on chance. Looking writes nothing.
 */
static struct mount *find_original(struct mount *mount, void *base, uint64_t size)
{
	if (mount_count == 0 || store_mount(&mount->store, base, size, STORE_RDONLY, pm.ops) != 0)
		return NULL;
	read_uuid(mount);
	store_unmount(&mount->store);
	return find_uuid(mount->uuid);
}

static int mount_region(struct mount *mount, void *base, uint64_t size)
{
	const struct mount *original = find_original(mount, base, size);

	if (original) {
		log_error("it holds a copy of the store at 0x%lx, which is in use",
			  (unsigned long)original->base);
		return -EEXIST;
	}
	uint64_t from = arch_counter();
	int error = store_mount(&mount->store, base, size, 0, pm.ops);
	mount->took = time_ns_from_ticks(arch_counter() - from);
	if (error == -EROFS || error == -EUCLEAN) {
		log_warn("trying to mount it read-only");
		error = store_mount(&mount->store, base, size, STORE_RDONLY, pm.ops);
		mount->readonly = error == 0;
	}
	return error;
}

static int format_region(void *base, uint64_t size)
{
	uint8_t uuid[16];

	random_bytes(uuid, sizeof(uuid));
	int error = store_format(base, size, uuid, pm.ops);
	if (!error)
		log_notice("formatted a blank region of %lu MiB", (unsigned long)(size >> 20));
	return error;
}

static int refuse(const struct range *region, enum store_content content)
{
	if (content == STORE_FOREIGN)
		log_error("refusing the region at 0x%lx: it holds something that is not ours; left untouched",
			  (unsigned long)region->base);
	else
		log_error("refusing the region at 0x%lx: %lu KiB is not a size a store can have",
			  (unsigned long)region->base, (unsigned long)(region->size >> 10));
	return -EINVAL;
}

static int open_region(struct mount *mount, const struct range *region)
{
	void *base = phys_to_virt(region->base);
	enum store_content content = store_probe(base, region->size);
	int error = 0;

	log_info("region at 0x%lx, %lu KiB", (unsigned long)region->base,
		 (unsigned long)(region->size >> 10));
	if (content == STORE_FOREIGN || content == STORE_TOO_SMALL)
		return refuse(region, content);
	if (content == STORE_BLANK || content == STORE_UNFINISHED)
		error = format_region(base, region->size);
	if (!error)
		error = mount_region(mount, base, region->size);
	if (error)
		log_error("refusing the region at 0x%lx: it cannot be mounted (%d); left untouched",
			  (unsigned long)region->base, error);
	return error;
}

static void report(struct mount *mount)
{
	struct store_stats stats;

	store_stats(&mount->store, &stats);
	log_notice("mounted%s: %lu objects, %lu of %lu KiB free, boot %lu, in %lu ns",
		   mount->readonly ? " read-only" : "", (unsigned long)stats.objects,
		   (unsigned long)stats.free_pages * 4, (unsigned long)stats.total_pages * 4,
		   (unsigned long)stats.boots, (unsigned long)mount->took);
}

static void insert_by_uuid(struct mount *mount)
{
	unsigned int at = mount_count++;

	for (; at > 0 && memcmp(by_uuid[at - 1]->uuid, mount->uuid, sizeof(mount->uuid)) > 0; at--)
		by_uuid[at] = by_uuid[at - 1];
	by_uuid[at] = mount;
}

static void try_region(const struct range *region)
{
	struct mount *mount = &mounts[mount_count];

	if (open_region(mount, region) != 0) {
		memset(mount, 0, sizeof(*mount));
		return;
	}
	mount->base = region->base;
	read_uuid(mount);
	report(mount);
	insert_by_uuid(mount);
}

void persist_init(void)
{
	pm = arch_pm_probe(machine.fdt);
	for (unsigned int i = 0; i < machine.pmem_count; i++)
		try_region(&machine.pmem[i]);
	if (mount_count > 0)
		log_info("durability: %s", pm.describe);
	else if (machine.pmem_count == 0)
		log_notice("no persistent memory: everything is volatile");
	else
		log_error("no usable persistent memory: everything is volatile");
}
