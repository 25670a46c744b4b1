// SPDX-License-Identifier: BSD-3-Clause
/*
 * Lists the kernel state objects of the machine: the root, and what its directories hold, as a
 * tree.
 */
#include <base/string.h>
#include <twz/obj.h>
#include <twz/sys/kec.h>
#include <twz/sys/kso.h>
#include <twz/sys/syscall.h>
#include <twz/sys/thread.h>

#define NAME_SHOWN 48
#define MAX_DEPTH 4

static const char *kind_name(uint32_t type, uint64_t info, bool of_device)
{
	static const char *const kinds[KSO_MAX] = {
		"object", "view", "context", "thread", "root", "device", "directory", "data",
	};

	if (of_device && info == DEVICE_CHILD_MMIO)
		return "registers";
	if (of_device && info == DEVICE_CHILD_INFO)
		return "node";
	return type < KSO_MAX ? kinds[type] : "unknown";
}

static const char *thread_state(twzobj *o)
{
	static const char *const states[] = { "new", "started", "suspended", "ended", "to resume" };
	const struct twzthread_repr *repr = twz_object_base(o);
	uint64_t state = __atomic_load_n(&repr->syncs[THRD_SYNC_STATE], __ATOMIC_ACQUIRE);

	return state < sizeof(states) / sizeof(*states) ? states[state] : "?";
}

static void print_device(twzobj *o)
{
	const struct kso_device_hdr *h = twz_object_base(o);
	unsigned int lines = 0;

	for (unsigned int i = 0; i < DEVICE_MAX_INTERRUPTS; i++)
		lines += h->interrupts[i].flags & INTERRUPT_VALID;
	if (lines)
		kec_printf(", %u interrupts in use", lines);
}

/* What is known beside name and kind. */
static void print_state(twzobj *o, const struct kso_attachment *entry, bool of_device)
{
	const struct device_mmio_hdr *h = twz_object_base(o);

	if (entry->type == KSO_THREAD)
		kec_printf(", %s", thread_state(o));
	else if (entry->type == KSO_DEVICE)
		print_device(o);
	else if (of_device && entry->info == DEVICE_CHILD_MMIO)
		kec_printf(", 0x%lx bytes", (unsigned long)h->length);
}

static void list(twzobj *o, bool of_device, int depth);

static void print_entry(const struct kso_attachment *entry, bool of_device, int depth)
{
	char name[NAME_SHOWN] = "";
	struct kernel_ostat st;
	twzobj o;

	/*
	 * It may have gone since it was listed: asked first, because touching it would be a fault.
	 */
	if (sys_ostat(TWZ_OSTAT_OBJECT, entry->id, 0, &st) < 0 ||
	    twz_object_init_guid(&o, entry->id, FE_READ) < 0)
		return;
	twz_kso_name(&o, name, sizeof(name));
	kec_printf("%*s%-9s " IDFMT "  %s", 2 * depth, "", kind_name(entry->type, entry->info, of_device),
	    IDPR(entry->id), name);
	print_state(&o, entry, of_device);
	kec_printf("\n");
	if (depth < MAX_DEPTH && (entry->type == KSO_DIRECTORY || entry->type == KSO_DEVICE ||
	    entry->type == KSO_ROOT))
		list(&o, entry->type == KSO_DEVICE, depth + 1);
	twz_object_release(&o);
}

static void list(twzobj *o, bool of_device, int depth)
{
	struct kso_attachment entry;

	for (size_t i = 0; twz_kso_next(o, &i, &entry);)
		print_entry(&entry, of_device, depth);
}

int main(void)
{
	const struct kso_attachment root = { .id = KSO_ROOT_ID, .type = KSO_ROOT };

	print_entry(&root, false, 0);
	return 0;
}
