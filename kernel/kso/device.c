// SPDX-License-Identifier: BSD-3-Clause
/*
 * Devices. A node of the device tree that names what it is, is in use, and has registers or
 * interrupts, becomes a device object, with a child for each range of registers and one that holds
 * the node itself.
 *
 * An interrupt: the handler masks the line, writes 1 to the word of the device object and wakes its
 * sleepers; the driver acknowledges it, which writes 0 and unmasks the line.
 */
#define LOG_PREFIX "device"

#include <libfdt.h>

#include <abi/errno.h>
#include <abi/kaction.h>
#include <base/bits.h>
#include <base/string.h>
#include <boot/fdt.h>
#include <dev/irqchip.h>
#include <kso/device.h>
#include <kso/directory.h>
#include <log.h>
#include <mm/phys.h>
#include <mm/slab.h>
#include <obj/data.h>
#include <obj/object.h>
#include <sched/sync.h>

#define ID_FIRST 0x100000000ull /* of devices: this, and 64 more for each */
#define ID_STEP 64u
#define MAX_REGISTER_RANGES 16u

struct device;

struct device_line {
	struct device *device;
	unsigned int index; /* among the device's interrupts */
	unsigned int line;
	bool level;
	bool attached;
};

struct device {
	struct list link;
	struct object *object; /* holds a reference */
	struct kso_device_hdr *page; /* the object's base */
	struct directory parts;
	const void *fdt;
	int node;
	struct spinlock lock;
	/* Guarded by lock, once attached constant. */
	struct device_line lines[DEVICE_MAX_INTERRUPTS];
};

static struct slab_cache device_cache = SLAB_CACHE("device", struct device);
static struct list devices = LIST_INIT(devices); /* made at boot, then constant */

/* ---- Interrupts ---- */

static uint64_t word_offset(unsigned int index)
{
	return OBJ_NULLPAGE_SIZE + offsetof(struct kso_device_hdr, interrupts) +
	       index * sizeof(struct interrupt) + offsetof(struct interrupt, sp);
}

static void set_word(struct device *device, unsigned int index, uint64_t value)
{
	atomic_store_explicit((_Atomic uint64_t *)&device->page->interrupts[index].sp, value,
			      memory_order_release);
}

/* Interrupt level. */
static void interrupt(void *data)
{
	struct device_line *line = data;

	irqchip()->disable(line->line);
	set_word(line->device, line->index, 1);
	sync_wake(line->device->object, word_offset(line->index), -1);
}

/* Lock held. */
static int attach_line(struct device *device, unsigned int index)
{
	struct device_line *line = &device->lines[index];

	if (line->attached)
		return 0;
	int number = irq_node_line(device->fdt, device->node, index, &line->level);
	if (number < 0)
		return number;
	line->device = device;
	line->index = index;
	line->line = (unsigned int)number;
	struct interrupt *entry = &device->page->interrupts[index];
	entry->local = (uint16_t)index;
	entry->vector = (uint16_t)number;
	int error = irq_attach(line->line, line->level, interrupt, line);
	if (error)
		return error;
	line->attached = true;
	atomic_store_explicit((_Atomic uint32_t *)&entry->flags, INTERRUPT_VALID, memory_order_release);
	return 0;
}

/* The first `count`; those that were set up stay so. How many there are now. */
static long set_up_interrupts(struct device *device, uint64_t count)
{
	long done = 0;

	if (count > DEVICE_MAX_INTERRUPTS)
		return -EINVAL;
	spin_lock(&device->lock);
	for (unsigned int i = 0; i < count; i++) {
		int error = attach_line(device, i);
		if (error && i == 0)
			done = error;
		if (error)
			break;
		done = i + 1;
	}
	spin_unlock(&device->lock);
	return done;
}

static long acknowledge(struct device *device, uint64_t index)
{
	if (index >= DEVICE_MAX_INTERRUPTS || !device->lines[index].attached)
		return -EINVAL;
	/* First the word: what comes as soon as the line is open is seen. */
	set_word(device, (unsigned int)index, 0);
	return irqchip()->enable(device->lines[index].line, device->lines[index].level);
}

static struct device *find(const struct object *object)
{
	list_for_each_entry(struct device, device, &devices, link)
		if (device->object == object)
			return device;
	return NULL;
}

long device_action(struct object *object, int64_t command, uint64_t argument)
{
	struct device *device = find(object);

	if (!device)
		return -EINVAL;
	switch (command) {
	case KACTION_CMD_DEVICE_SETUP_INTERRUPTS:
		return set_up_interrupts(device, argument);
	case KACTION_CMD_DEVICE_ACK_INTERRUPT:
		return acknowledge(device, argument);
	default:
		return -EINVAL;
	}
}

/* ---- The objects ---- */

/* A kernel-owned object with a header and a name; NULL: no memory. */
static struct object *make_object(objid_t id, uint32_t type, const char *name, void **page)
{
	struct object *object = object_create_kernel(id);

	*page = object ? data_object_page(object, 1) : NULL;
	if (!*page) {
		if (object)
			object_delete(object, true);
		object_put(object);
		return NULL;
	}
	object->kso_type = type;
	strlcpy(*page, name, KSO_NAME_MAXLEN);
	return object;
}

/* Registers are for who was given the right to them, and for nobody else. */
static bool add_registers(struct device *device, objid_t id, const struct range *range, const char *name)
{
	uint64_t before = range->base % PAGE_SIZE;
	uint64_t pages = div_round_up(before + range->size, PAGE_SIZE);
	struct device_mmio_hdr *header;

	if (range->size == 0 || pages > OBJ_META_PGNR - OBJ_MMIO_PGNR)
		return true; /* a window larger than an object is left out */
	struct object *object = make_object(id, KSO_DATA, name, (void **)&header);
	if (!object)
		return false;
	header->info = before;
	header->length = range->size;
	object->p_flags = 0;
	object->mmio_base = range->base - before;
	object->mmio_pages = pages;
	object_put(object);
	return directory_enter(&device->parts, id, KSO_DATA, DEVICE_CHILD_MMIO) != 0;
}

/* A tree with one node: what the node says, whole. */
static int flatten(const void *fdt, int node, void *to, int size)
{
	int property;
	int error = fdt_create(to, size);

	error = error ? error : fdt_finish_reservemap(to);
	error = error ? error : fdt_begin_node(to, "");
	fdt_for_each_property_offset(property, fdt, node) {
		const char *name;
		int length;
		const void *value = fdt_getprop_by_offset(fdt, property, &name, &length);
		if (value && !error)
			error = fdt_property(to, name, value, length);
	}
	error = error ? error : fdt_end_node(to);
	return error ? error : fdt_finish(to);
}

/* Nodes that do not fit a page are rare, and are left out. */
static bool add_info(struct device *device, objid_t id, const char *name)
{
	struct device_info_hdr *header;
	struct object *object = make_object(id, KSO_DATA, name, (void **)&header);
	void *tree = object ? data_object_page(object, DEVICE_INFO_OFFSET / PAGE_SIZE) : NULL;

	if (tree && flatten(device->fdt, device->node, tree, PAGE_SIZE) == 0)
		header->length = fdt_totalsize(tree);
	object_put(object);
	return tree && directory_enter(&device->parts, id, KSO_DATA, DEVICE_CHILD_INFO) != 0;
}

static bool add_parts(struct device *device, objid_t id, const char *name)
{
	unsigned int count = MIN(fdt_node_range_count(device->fdt, device->node), MAX_REGISTER_RANGES);
	struct range range;

	if (!add_info(device, id + 1, name))
		return false;
	for (unsigned int i = 0; i < count; i++)
		if (fdt_node_range(device->fdt, device->node, i, &range) &&
		    !add_registers(device, id + 2 + i, &range, name))
			return false;
	return true;
}

static bool add_device(const void *fdt, int node, objid_t id)
{
	const char *name = fdt_get_name(fdt, node, NULL);
	struct device *device = slab_alloc_zero(&device_cache);

	if (!device)
		return false;
	device->fdt = fdt;
	device->node = node;
	device->object = make_object(id, KSO_DEVICE, name, (void **)&device->page);
	if (!device->object) {
		slab_free(&device_cache, device);
		return false;
	}
	device->page->device_bustype = DEVICE_BT_DEVICETREE;
	device->page->device_id = fdt_get_phandle(fdt, node);
	directory_open(&device->parts, device->object, offsetof(struct kso_device_hdr, dir));
	list_push_back(&devices, &device->link);
	return add_parts(device, id, name) && directory_enter(&kso_devices, id, KSO_DEVICE, 0);
}

/* ---- What is a device ---- */

static bool has_type(const void *fdt, int node, const char *type)
{
	const char *value = fdt_getprop(fdt, node, "device_type", NULL);

	return value && strcmp(value, type) == 0;
}

/*
 * Memory, persistent or not, is what objects are made of; CPUs run them; interrupt controllers are
 * the kernel's.
 */
static bool is_device(const void *fdt, int node)
{
	if (!fdt_getprop(fdt, node, "compatible", NULL) || !fdt_node_enabled(fdt, node))
		return false;
	if (has_type(fdt, node, "memory") || has_type(fdt, node, "cpu") ||
	    fdt_node_check_compatible(fdt, node, "pmem-region") == 0 ||
	    fdt_getprop(fdt, node, "interrupt-controller", NULL))
		return false;
	return fdt_node_range_count(fdt, node) > 0 || fdt_getprop(fdt, node, "interrupts", NULL) ||
	       fdt_getprop(fdt, node, "interrupts-extended", NULL);
}

void devices_init(const void *fdt)
{
	unsigned int count = 0;

	for (int node = fdt_next_node(fdt, -1, NULL); node >= 0; node = fdt_next_node(fdt, node, NULL)) {
		if (!is_device(fdt, node))
			continue;
		if (add_device(fdt, node, ID_FIRST + (objid_t)count * ID_STEP))
			count++;
		else
			log_error("no memory to describe %s", fdt_get_name(fdt, node, NULL));
	}
	log_info("%u in the device tree", count);
}
