// SPDX-License-Identifier: BSD-3-Clause
/*
 * How a program begins. The first thread of the machine (init) gets the address of the bootinfo
 * object's base; every other program the address of a struct twz_program_args.
 */
#include "runtime.h"

#include <twz/debug.h>
#include <twz/sys/sys.h>

extern char __tls_image[], __tls_main[];
extern const struct twz_program __twz_program; /* as whoever loaded it completed it */

struct twz_runtime __twz_rt;

static size_t tls_align(void)
{
	return __twz_program.tls_align ? __twz_program.tls_align : 1;
}

size_t __twz_tls_size(void)
{
	return __twz_tls_gap(tls_align()) + __twz_program.tls_memsz + tls_align();
}

void *__twz_tls_init(void *p)
{
	size_t align = tls_align();
	char *tp = (char *)(((uintptr_t)p + align - 1) & ~(align - 1));

	memcpy(tp + __twz_tls_gap(align), __tls_image, __twz_program.tls_filesz);
	return tp;
}

/* The thread's object stands in a fixed slot of the view: no reference to drop. */
static void first_thread_init(objid_t tid)
{
	__twz_self.tid = tid;
	__twz_self.repr = (void *)(SLOT_TO_VADDR(TWZSLOT_THRD) + OBJ_NULLPAGE_SIZE);
	twz_object_init_ptr(&__twz_self.obj, __twz_self.repr);
}

static bool is_bootinfo(uintptr_t arg)
{
	return VADDR_TO_SLOT(arg) == BOOT_SLOT_BOOTINFO(twz_nslots());
}

/* Whether a string begins at the address p and ends within the block. */
static bool string_in_block(const struct twz_program_args *args, uint64_t p, uint64_t size)
{
	uint64_t off = p - (uintptr_t)args;

	return off < size && memchr((const char *)args + off, 0, size - off);
}

/* Whoever wrote the block is not to be trusted: all it leads to is in it. */
static bool args_are_sound(const struct twz_program_args *args)
{
	uint64_t size = args->size, at = args->argv - (uintptr_t)args;
	const uint64_t *argv = (const uint64_t *)args->argv;

	if (size > TWZ_ARGS_MAX || at % sizeof(*argv) || at > size ||
	    (size - at) / sizeof(*argv) <= args->argc)
		return false;
	for (uint32_t i = 0; i < args->argc; i++)
		if (!string_in_block(args, argv[i], size))
			return false;
	return argv[args->argc] == 0;
}

static int run_with_args(const struct twz_program_args *args)
{
	if (args->magic != TWZ_ARGS_MAGIC || args->version != TWZ_ARGS_VERSION)
		libtwz_panic("started with an argument block this program does not know\n");
	if (!args_are_sound(args))
		libtwz_panic("started with arguments that lead out of their block\n");
	__twz_rt.nameroot = args->nameroot;
	__twz_rt.packroot = args->packroot;
	return __twz_run((int)args->argc, (char **)args->argv);
}

static int run_as_init(const struct twz_bootinfo *info)
{
	static char name[] = "init";
	static char *argv[] = { name, NULL };

	if (info->version != BOOTINFO_VERSION)
		libtwz_panic("bootinfo has version %u, this program knows %u\n", info->version,
		    BOOTINFO_VERSION);
	__twz_rt.bootinfo = info;
	__twz_rt.packroot = info->pack_nameroot;
	return __twz_run(1, argv);
}

_Noreturn void __twz_start(uintptr_t arg, uint64_t tid_lo, uint64_t tid_hi)
{
	int status;

	__twz_set_thread_pointer(__twz_tls_init(__tls_main));
	sys_sysinfo(&__twz_rt.sysinfo, sizeof(__twz_rt.sysinfo));
	first_thread_init(MKID(tid_hi, tid_lo));
	__twz_thread_set_fault_stack(__twz_self.repr, TWZSLOT_STACK);
	__twz_fault_install(NULL);
	if (is_bootinfo(arg))
		status = run_as_init((const void *)arg);
	else
		status = run_with_args((const void *)arg);
	twz_thread_exit((uint64_t)(uint32_t)status);
}

size_t twz_nslots(void)
{
	return __twz_rt.sysinfo.nslots;
}

const struct twz_sysinfo *twz_sysinfo(void)
{
	return &__twz_rt.sysinfo;
}

const struct twz_bootinfo *twz_bootinfo(void)
{
	return __twz_rt.bootinfo;
}

objid_t twz_program_packroot(void)
{
	return __twz_rt.packroot;
}
