// SPDX-License-Identifier: BSD-3-Clause
/* Signals of the host as faults of libtwz, and libtwz beside the C library. */
#define _GNU_SOURCE
#include "hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <twz/mutex.h>
#include <twz/name.h>
#include <twz/twztry.h>

/* The fault that fn(arg) raises, or -1. */
static int fault_in(void (*fn)(void *), void *arg)
{
	volatile int fault = -1;

	twztry {
		fn(arg);
	} twzcatch_all {
		fault = twzcatch_fnum();
	} twztry_end;
	return fault;
}

/* A null pointer is what they are for. */
__attribute__((no_sanitize("undefined"))) static void load(void *p)
{
	*(volatile char *)p;
}

__attribute__((no_sanitize("undefined"))) static void store(void *p)
{
	*(volatile char *)p = 1;
}

static void null_pages(void)
{
	twzobj o;

	NEED(new_object(&o) == 0);
	CHECK_EQ(fault_in(load, (char *)twz_object_base(&o) - 1), FAULT_NULL);
	CHECK_EQ(fault_in(store, (char *)twz_object_base(&o) - OBJ_NULLPAGE_SIZE), FAULT_NULL);
	CHECK_EQ(fault_in(load, NULL), FAULT_NULL);
	CHECK_EQ(fault_in(store, (void *)8), FAULT_NULL);
	CHECK_EQ(fault_in(store, twz_object_base(&o)), -1);
	drop_object(&o);
}

static void missing_objects(void)
{
	struct fault_object_info *info;
	twzobj o;

	NEED(twz_object_init_guid(&o, missing_id(), ACCESS_RW) == 0);
	CHECK_EQ(fault_in(load, twz_object_base(&o)), FAULT_OBJECT);
	info = twzcatch_data();
	CHECK_EQ(info->flags, FAULT_OBJECT_READ | FAULT_OBJECT_EXIST);
	CHECK(info->objid == missing_id());
	CHECK_EQ(info->addr, (uintptr_t)twz_object_base(&o));
	CHECK_EQ(fault_in(store, twz_object_base(&o)), FAULT_OBJECT);
	CHECK_EQ(info->flags, FAULT_OBJECT_WRITE | FAULT_OBJECT_EXIST);
	twz_object_release(&o);
	CHECK_EQ(fault_in(load, (void *)SLOT_TO_VADDR(TWZSLOT_ALLOC_MAX)), FAULT_NULL);
	CHECK_EQ(fault_in(load, (void *)(SLOT_TO_VADDR(TWZSLOT_ALLOC_MAX) + 0x1000)), FAULT_OBJECT);
}

static void read_only(void)
{
	twzobj o, ro;

	NEED(new_object(&o) == 0);
	NEED(twz_object_init_guid(&ro, twz_object_guid(&o), FE_READ) == 0);
	*(int *)twz_object_base(&o) = 42;
	CHECK_EQ(*(int *)twz_object_base(&ro), 42);
	CHECK_EQ(fault_in(store, twz_object_base(&ro)), FAULT_OBJECT);
	CHECK_EQ(((struct fault_object_info *)twzcatch_data())->flags, FAULT_OBJECT_WRITE);
	twz_object_release(&ro);
	drop_object(&o);
}

/* A handler that makes what was missing: the instruction is executed again. */
static twzobj handled;

static void open_again(int fault, void *info, void *userdata)
{
	objid_t *id = userdata;

	CHECK_EQ(fault, FAULT_OBJECT);
	CHECK(((struct fault_object_info *)info)->addr != 0);
	twz_view_set(NULL, VADDR_TO_SLOT(twz_object_base(&handled)), *id, ACCESS_RW);
}

static void a_handler_repairs(void)
{
	objid_t id;
	twzobj o;
	char *at;

	NEED(new_object(&o) == 0);
	id = twz_object_guid(&o);
	strcpy(twz_object_base(&o), "found");
	NEED(twz_object_init_guid(&handled, missing_id(), ACCESS_RW) == 0);
	at = twz_object_base(&handled);
	twz_fault_set(FAULT_OBJECT, open_again, &id);
	CHECK_EQ(*(volatile char *)at, 'f');
	twz_fault_set(FAULT_OBJECT, NULL, NULL);
	CHECK(strcmp(at, "found") == 0);
	twz_view_set(NULL, VADDR_TO_SLOT(at), missing_id(), ACCESS_RW);
	twz_object_release(&handled);
	drop_object(&o);
}

static void nested(void *arg)
{
	volatile int inner = fault_in(load, NULL);

	CHECK_EQ(inner, FAULT_NULL);
	store(arg);
}

static void blocks_nest(void)
{
	twzobj o;

	NEED(twz_object_init_guid(&o, missing_id(), ACCESS_RW) == 0);
	for (int i = 0; i < 1000; i++)
		if (fault_in(nested, twz_object_base(&o)) != FAULT_OBJECT)
			CHECK(!"the outer fault is caught each time");
	twz_object_release(&o);
}

static void fault_alone(void *arg)
{
	store(arg);
}

static void a_thread_ends_alone(void)
{
	CHECK_EQ(exit_code_of(fault_alone, (void *)16), THRD_EXIT_FAULT(FAULT_NULL));
	CHECK_EQ(exit_code_of(fault_alone, (char *)SLOT_TO_VADDR(TWZSLOT_ALLOC_MAX) + 0x1000),
	    THRD_EXIT_FAULT(FAULT_OBJECT));
}

/* What nobody takes ends the process as the host does it. */
static void a_process_ends(void)
{
	CHECK_EQ(run_role("fault", "", NULL), 256 + SIGSEGV);
	CHECK_EQ(run_role("exit", "", NULL), 7);
}

/* --- beside the C library */

static void files_into_objects(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char first[64];
	twzobj o;

	NEED(fd >= 0 && new_object(&o) == 0);
	CHECK_EQ(read(fd, twz_object_base(&o), 1 << 16), 1 << 16);
	CHECK_EQ(pread(fd, first, sizeof(first), 0), sizeof(first));
	CHECK(memcmp(first, twz_object_base(&o), sizeof(first)) == 0);
	close(fd);
	drop_object(&o);
}

static struct mutex lock;
static unsigned long counted;

static void *count(void *arg)
{
	twzobj o;

	if (new_object(&o) < 0)
		return arg;
	for (int i = 0; i < 20000; i++) {
		mutex_acquire(&lock);
		counted++;
		mutex_release(&lock);
	}
	drop_object(&o);
	return NULL;
}

static void threads_of_the_host(void)
{
	pthread_t threads[4];
	void *failed;

	for (int i = 0; i < 4; i++)
		NEED(pthread_create(&threads[i], NULL, count, &lock) == 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &failed);
		CHECK(failed == NULL);
	}
	CHECK_EQ(counted, 80000);
}

/* Slots come back: far more objects than there are slots, one after the other. */
static void slots_come_back(void)
{
	twzobj o;

	for (int i = 0; i < 12000; i++) {
		NEED(new_object(&o) == 0);
		*(int *)twz_object_base(&o) = i;
		drop_object(&o);
	}
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "null pages", null_pages },
		{ "missing objects", missing_objects },
		{ "read-only objects", read_only },
		{ "a handler repairs", a_handler_repairs },
		{ "blocks nest, a thousand times", blocks_nest },
		{ "a thread that faults ends alone", a_thread_ends_alone },
		{ "a fault that nobody takes", a_process_ends },
		{ "files are read into objects", files_into_objects },
		{ "threads of the host", threads_of_the_host },
		{ "slots come back", slots_come_back },
	};

	if (argc > 1 && strcmp(argv[1], "fault") == 0)
		store((char *)SLOT_TO_VADDR(TWZSLOT_ALLOC_MAX) + 0x1000);
	return argc > 1 ? 7 : KTAP_RUN(cases);
}
