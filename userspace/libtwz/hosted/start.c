// SPDX-License-Identifier: BSD-3-Clause
/*
 * How a hosted program begins: before main() is called, the machine is there, with a view of this
 * process and a thread object for its first thread.
 */
#define _GNU_SOURCE
#include "hosted.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <twz/obj/hier.h>
#include <twz/sys/program.h>
#include <twz/sys/sys.h>
#include <unistd.h>

#define ROOT_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

struct twz_runtime __twz_rt;

/* TWZ_FLUSH says how stores are made durable; without it, as the CPU can. */
static void choose_flush(struct twz_sysinfo *si)
{
	const char *how = getenv("TWZ_FLUSH");

	si->flush_mode = __twz_flush_probe(&si->cacheline);
	if (how && strcmp(how, "none") == 0)
		si->flush_mode = TWZ_FLUSH_NONE;
	else if (how && strcmp(how, "msync") == 0)
		si->flush_mode = TWZ_FLUSH_SYSCALL;
	else if (how && *how && strcmp(how, "cpu") != 0)
		libtwz_refuse("TWZ_FLUSH=%s: is cpu, msync or none", how);
}

static void fill_sysinfo(struct twz_sysinfo *si)
{
	uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES);

	si->size = sizeof(*si);
	si->arch = HOSTED_MACHINE;
	si->nslots = HOSTED_NSLOTS;
	si->page_size = TWZ_PAGE_SIZE;
	si->ncpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	si->timer_hz = 1000000000;
	si->mem_total = pages * TWZ_PAGE_SIZE;
	si->features = TWZ_FEATURE_RTC | TWZ_FEATURE_HWRANDOM;
}

long sys_sysinfo(struct twz_sysinfo *out, size_t size)
{
	struct twz_sysinfo si = __twz_rt.sysinfo;

	si.mem_free = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * TWZ_PAGE_SIZE;
	__twz_places_statfs(&si.pm_total, &si.pm_free);
	si.nameroot = __twz_places_nameroot();
	memcpy(out, &si, size < sizeof(si) ? size : sizeof(si));
	return 0;
}

/* An object that goes when the process does; the file is kept open until it is mapped. */
static objid_t make_own(struct hosted_file *f)
{
	objid_t id;

	if (__twz_own_object(&id, f) < 0)
		libtwz_refuse("no volatile object can be made: is there memory?");
	return id;
}

static objid_t make_root(enum object_backing_type type)
{
	objid_t id = 0;
	twzobj root;

	if (twz_object_new(&root, NULL, NULL, type, ROOT_FLAGS) < 0)
		libtwz_refuse("no root of names can be made: is there room?");
	if (twz_hier_namespace_init(&root, 0) == 0)
		id = twz_object_guid(&root);
	twz_object_release(&root);
	return id;
}

/* A new store gets its root of names; a machine without store has one of its own. */
static void set_nameroot(void)
{
	if (!__twz_have_store()) {
		__twz_rt.nameroot = make_root(OBJ_VOLATILE);
		return;
	}
	__twz_places_lock_root();
	if (!__twz_places_nameroot() && __twz_places_set_nameroot(make_root(OBJ_PERSISTENT)) < 0)
		libtwz_refuse("the store takes no root of names: is there room?");
	__twz_places_unlock_root();
	__twz_rt.sysinfo.nameroot = __twz_places_nameroot();
}

static void allow_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/*
 * A child of fork() is a process of its own: it gets a copy of the view, under which all that is
 * mapped stays where it is, and a thread object.
 */
static void begin_child(void)
{
	struct hosted_file view, thread;

	__twz_places_forked();
	__twz_map_forked(make_own(&view));
	__twz_thread_forked(make_own(&thread));
	__twz_file_close(&view);
	__twz_file_close(&thread);
}

/* Before constructors of programs, which may use objects. */
__attribute__((constructor(101))) static void start(void)
{
	struct hosted_file view, thread;

	allow_many_files();
	choose_flush(&__twz_rt.sysinfo);
	__twz_places_open();
	fill_sysinfo(&__twz_rt.sysinfo);
	__twz_rt.sysinfo.boot_code = __twz_places_boot_code();
	if (__twz_place_dir(PLACE_STORE) >= 0)
		__twz_rt.sysinfo.features |= TWZ_FEATURE_STORE;
	__twz_futex_setup();
	__twz_map_setup(make_own(&view));
	__twz_trap_setup();
	__twz_signal_setup();
	__twz_thread_setup(make_own(&thread));
	__twz_file_close(&view);
	__twz_file_close(&thread);
	__twz_fault_install(NULL);
	set_nameroot();
	pthread_atfork(NULL, NULL, begin_child);
}

size_t twz_nslots(void)
{
	return HOSTED_NSLOTS;
}

const struct twz_sysinfo *twz_sysinfo(void)
{
	return &__twz_rt.sysinfo;
}

const struct twz_bootinfo *twz_bootinfo(void)
{
	return NULL;
}

objid_t twz_program_packroot(void)
{
	return 0;
}
