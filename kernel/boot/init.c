// SPDX-License-Identifier: BSD-3-Clause
/*
 * The way into user mode: the pack's objects, the kernel's own objects, and the first thread, which
 * runs the pack's init program in a view of its own.
 */
#define LOG_PREFIX "boot"

#include <abi/bootinfo.h>
#include <abi/kso.h>
#include <abi/program.h>
#include <abi/view.h>
#include <base/bits.h>
#include <base/string.h>
#include <boot/init.h>
#include <boot/machine.h>
#include <boot/pack.h>
#include <kso/resume.h>
#include <log.h>
#include <mm/phys.h>
#include <obj/object.h>
#include <obj/persist.h>
#include <panic.h>
#include <sched/thread.h>
#include <sched/time.h>
#include <sec/context.h>

#define INIT_STACK_SIZE 0x200000ul

static objid_t pack_nameroot;
static objid_t first_thread; /* ID of its object */

objid_t boot_pack_nameroot(void)
{
	return pack_nameroot;
}

/* Running out of memory this early ends the boot, with one message. */
static void *must(void *pointer, const char *what)
{
	if (!pointer)
		panic("out of memory for %s: %lu KiB of RAM are too little", what,
		      (unsigned long)(machine.ram_size >> 10));
	return pointer;
}

static void must_succeed(int error, const char *what)
{
	if (error)
		panic("%s failed (%d) with %lu KiB of RAM", what, error,
		      (unsigned long)(machine.ram_size >> 10));
}

/* ---- The pack ---- */

static void load_object(const struct pack *pack, const struct pack_object *from)
{
	struct object *object = must(object_create_given(from->id), "the packed objects");

	for (uint32_t i = 0; i < from->page_count; i++) {
		uint32_t number;
		const void *data = pack_page(pack, from, i, &number);
		void *page = must(page_alloc(), "the packed objects");
		memcpy(page, data, PAGE_SIZE);
		must_succeed(object_page_insert(object, number, page), "loading the pack");
	}
	object_put(object);
}

static void open_pack(struct pack *pack)
{
	const char *why;

	if (machine.initrd.size == 0)
		panic("no initrd: the boot loader gave no object pack to start from");
	if (pack_open(phys_to_virt(machine.initrd.base), machine.initrd.size, pack, &why) != 0)
		panic("the initrd is no usable object pack: %s", why);
}

/* The program to start, completely checked. */
static struct twz_program init_program(const struct pack *pack)
{
	const struct pack_object *object = pack_find(pack, pack->header->init);
	struct twz_program program;
	const char *why;

	if (!object)
		panic("the object pack names no init program");
	if (pack_verify(pack, object, &why) != 0)
		panic("the init program is unusable: %s", why);
	if (pack_program(pack, object, &program) != 0)
		panic("the init object is not a program");
	if (program.machine != arch_machine)
		panic("the object pack is for another machine (%u, not %u)", program.machine, arch_machine);
	return program;
}

static struct twz_program load_pack(objid_t *init)
{
	struct pack pack;

	open_pack(&pack);
	struct twz_program program = init_program(&pack);
	for (uint32_t i = 0; i < pack.header->object_count; i++)
		load_object(&pack, pack_object(&pack, i));
	*init = pack.header->init;
	pack_nameroot = pack.header->nameroot;
	log_info("%u objects from the pack", pack.header->object_count);
	/* Everything was copied out: its memory is ordinary from now on. */
	phys_release(machine.initrd.base, machine.initrd.size);
	return program;
}

/* ---- The kernel's own objects ---- */

static struct object *make_kernel_object(objid_t id, uint32_t kso_type, const char *name)
{
	struct object *object = must(object_create_kernel(id), "the kernel's objects");

	object->kso_type = kso_type;
	if (name)
		must_succeed(object_write(object, OBJ_NULLPAGE_SIZE, name, strlen(name) + 1), name);
	return object;
}

static void make_bootinfo(objid_t init)
{
	struct object *object = make_kernel_object(BOOTINFO_ID, KSO_DATA, NULL);
	struct twz_bootinfo *info = must(page_alloc_zero(), "the boot information");

	info->version = BOOTINFO_VERSION;
	info->pack_nameroot = pack_nameroot;
	info->init = init;
	info->boot_ns = time_now_ns();
	info->cmdline_length = strlcpy(info->cmdline, machine.bootargs, sizeof(info->cmdline));
	info->cmdline_length = MIN(info->cmdline_length, sizeof(info->cmdline) - 1);
	must_succeed(object_page_insert(object, 1, info), "the boot information");
	object_put(object);
}

/* ---- The first thread ---- */

static struct object *make_object(struct object *source, const char *name)
{
	const struct object_source whole = {
		.object = source, .first = 1, .count = OBJ_MAXPAGES - 1, .dest = 1, .whole = true,
	};
	const struct object_spec spec = {
		.p_flags = MIP_DFL_READ | MIP_DFL_WRITE | MIP_DFL_DEL,
		.sources = &whole,
		.source_count = source != NULL,
	};
	struct object *object;

	must_succeed(object_create(&spec, &object), "making init's objects");
	if (!source)
		must_succeed(object_write(object, OBJ_NULLPAGE_SIZE, name, strlen(name) + 1), name);
	return object;
}

static void set_view_entry(struct object *view, uint32_t slot, objid_t id, uint32_t flags)
{
	const struct viewentry entry = { .id = id, .flags = flags | VE_VALID };
	uint64_t offset = OBJ_NULLPAGE_SIZE + __VE_OFFSET + (uint64_t)slot * sizeof(entry);

	must_succeed(object_write(view, offset, &entry, sizeof(entry)), "init's view");
}

static struct object *make_data(const struct twz_program *program)
{
	struct object *source = program->data ? object_get(program->data) : NULL;
	struct object *data = make_object(source, "");

	object_put(source);
	return data;
}

static void start_init(objid_t init, const struct twz_program *program)
{
	uint32_t slots = arch_mmu.user_slots;
	struct object *view = make_object(NULL, "init");
	struct object *repr = make_object(NULL, "init");
	struct object *stack = make_object(NULL, "");
	struct object *data = make_data(program);
	const struct thrd_spawn_args args = {
		.start_func = program->entry,
		.arg = SLOT_TO_VADDR(BOOT_SLOT_BOOTINFO(slots)) + OBJ_NULLPAGE_SIZE,
		.stack_base = SLOT_TO_VADDR(BOOT_SLOT_STACK(slots)) + OBJ_NULLPAGE_SIZE,
		.stack_size = INIT_STACK_SIZE,
	};

	set_view_entry(view, PROGRAM_TEXT_SLOT, init, VE_READ | VE_EXEC);
	set_view_entry(view, PROGRAM_DATA_SLOT, data->id, VE_READ | VE_WRITE);
	set_view_entry(view, BOOT_SLOT_THREAD(slots), repr->id, VE_READ | VE_WRITE);
	set_view_entry(view, BOOT_SLOT_STACK(slots), stack->id, VE_READ | VE_WRITE);
	set_view_entry(view, BOOT_SLOT_VIEW(slots), view->id, VE_READ | VE_WRITE);
	set_view_entry(view, BOOT_SLOT_BOOTINFO(slots), BOOTINFO_ID, VE_READ);
	first_thread = repr->id;
	must_succeed(thread_spawn(repr, view, &sec_bootstrap, &args), "starting init");
	object_put(data);
	object_put(stack);
	object_put(repr);
	object_put(view);
}

void boot_thread_ended(objid_t id)
{
	if (id != first_thread)
		return;
	log_error("init has ended");
	if (!boot_option_is("panic", "poweroff"))
		return;
	persist_fence();
	log_print(LOG_ERROR, "power", "off (status 1)");
	arch_power_off(1);
}

void boot_init_start(void)
{
	objid_t init;
	struct twz_program program = load_pack(&init);

	make_bootinfo(init);
	struct phys_stats memory = phys_stats();
	log_notice("%lu KiB of memory in use, entering user mode after %lu us",
		   (unsigned long)((memory.total - memory.free) * (PAGE_SIZE >> 10)),
		   (unsigned long)(time_now_ns() / 1000));
	start_init(init, &program);
	resume_boot();
}
