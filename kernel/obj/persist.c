// SPDX-License-Identifier: BSD-3-Clause
/*
 * The machine's persistent memory: find the region the device tree names, say what stands in it,
 * format it if it is blank, mount it. What holds anything else is left alone.
 */
#define LOG_PREFIX "store"

#include <abi/errno.h>
#include <arch/persist.h>
#include <base/string.h>
#include <boot/machine.h>
#include <log.h>
#include <mm/phys.h>
#include <obj/object.h>
#include <obj/persist.h>
#include <sec/random.h>

static struct store the_store;
static bool mounted;
static bool readonly;
static struct arch_pm pm;

struct store *persist_store(void)
{
	return mounted ? &the_store : NULL;
}

bool persist_readonly(void)
{
	return readonly;
}

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

static int mount_region(void *base, uint64_t size)
{
	int error = store_mount(&the_store, base, size, 0, pm.ops);

	if (error == -EROFS || error == -EUCLEAN) {
		log_warn("trying to mount it read-only");
		error = store_mount(&the_store, base, size, STORE_RDONLY, pm.ops);
		readonly = error == 0;
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

static bool try_region(const struct range *region)
{
	void *base = phys_to_virt(region->base);
	enum store_content content = store_probe(base, region->size);
	int error = 0;

	log_info("region at 0x%lx, %lu KiB", (unsigned long)region->base,
		 (unsigned long)(region->size >> 10));
	if (content == STORE_FOREIGN) {
		log_error("refusing the region at 0x%lx: it holds something that is not ours; left untouched",
			  (unsigned long)region->base);
		return false;
	}
	if (content == STORE_TOO_SMALL) {
		log_error("refusing the region at 0x%lx: %lu KiB is not a size a store can have",
			  (unsigned long)region->base, (unsigned long)(region->size >> 10));
		return false;
	}
	if (content == STORE_BLANK || content == STORE_UNFINISHED)
		error = format_region(base, region->size);
	if (!error)
		error = mount_region(base, region->size);
	if (error)
		log_error("refusing the region at 0x%lx: it cannot be mounted (%d); left untouched",
			  (unsigned long)region->base, error);
	return error == 0;
}

static void report(void)
{
	struct store_stats stats;

	store_stats(&the_store, &stats);
	log_notice("mounted%s: %lu objects, %lu of %lu KiB free, boot %lu", readonly ? " read-only" : "",
		   (unsigned long)stats.objects, (unsigned long)stats.free_pages * 4,
		   (unsigned long)stats.total_pages * 4, (unsigned long)stats.boots);
}

void persist_init(void)
{
	pm = arch_pm_probe(machine.fdt);
	for (unsigned int i = 0; i < machine.pmem_count && !mounted; i++)
		mounted = try_region(&machine.pmem[i]);
	if (mounted) {
		log_info("durability: %s", pm.describe);
		report();
	} else if (machine.pmem_count == 0) {
		log_notice("no persistent memory: everything is volatile");
	} else {
		log_error("no usable persistent memory: everything is volatile");
	}
}
