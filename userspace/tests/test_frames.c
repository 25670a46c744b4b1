// SPDX-License-Identifier: BSD-3-Clause
/*
 * SYS_FAULT_RETURN with frames of every kind of nonsense: it reports an error, or the thread runs
 * with what a program may have in its registers, and nothing more.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define KERNEL_ADDRESS 0xffffffff80000000ul
#define ROUNDS 4000

/* Not an instruction on any machine we know. Stands in the text. */
__attribute__((section(".text.nothing"), aligned(8), used))
static const uint32_t nothing[4] = { 0 };

static _Alignas(16) char landing_stack[8192];

/* --- a good frame, to change */

static struct twz_fault_frame good;

static void keep_frame(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	(void)userdata;
	good = *twz_fault_frame();
	twz_frame_skip(twz_fault_frame());
}

static void load_null(void)
{
	uintptr_t p = 8;

	__asm__("" : "+r"(p));
	*(volatile uint8_t *)p;
}

static void make_good_frame(void)
{
	twz_fault_set(FAULT_NULL, keep_frame, NULL);
	load_null();
	twz_fault_set(FAULT_NULL, NULL, NULL);
}

/* --- refusals, one field at a time */

static long with(void (*change)(struct twz_fault_frame *f))
{
	struct twz_fault_frame f = good;

	change(&f);
	return sys_fault_return(&f);
}

static void bad_size(struct twz_fault_frame *f)
{
	f->size += 16;
}

static void no_size(struct twz_fault_frame *f)
{
	f->size = 0;
}

static void bad_arch(struct twz_fault_frame *f)
{
	f->arch ^= 3;
}

static void bad_version(struct twz_fault_frame *f)
{
	f->version++;
}

static void bad_flags(struct twz_fault_frame *f)
{
	f->flags |= 4;
}

static void kernel_pc(struct twz_fault_frame *f)
{
	twz_frame_set_pc(f, KERNEL_ADDRESS);
}

static void outer_pc(struct twz_fault_frame *f)
{
	twz_frame_set_pc(f, SLOT_TO_VADDR(twz_nslots()));
}

static void wild_pc(struct twz_fault_frame *f)
{
	twz_frame_set_pc(f, 1ul << 62);
}

static void odd_pc(struct twz_fault_frame *f)
{
	twz_frame_set_pc(f, (uintptr_t)nothing + 1);
}

static void refusals(void)
{
	CHECK_EQ(with(bad_size), -EINVAL);
	CHECK_EQ(with(no_size), -EINVAL);
	CHECK_EQ(with(bad_arch), -EINVAL);
	CHECK_EQ(with(bad_version), -EINVAL);
	CHECK_EQ(with(bad_flags), -EINVAL);
	CHECK_EQ(with(odd_pc), -EINVAL);
	CHECK_EQ(with(kernel_pc), -EFAULT);
	CHECK_EQ(with(outer_pc), -EFAULT);
	CHECK_EQ(with(wild_pc), -EFAULT);
}

static void unreadable(void)
{
	static _Alignas(4096) char page[4096];
	twzobj o;
	char *end;

	CHECK_EQ(sys_fault_return(NULL), -EFAULT);
	CHECK_EQ(sys_fault_return((void *)8), -EFAULT);
	CHECK_EQ(sys_fault_return((void *)KERNEL_ADDRESS), -EFAULT);
	CHECK_EQ(sys_fault_return((void *)(~0ul - 100)), -EFAULT);
	CHECK_EQ(sys_fault_return((void *)(SLOT_TO_VADDR(TWZSLOT_MAX_SLOT) + 0x1000)), -EFAULT);
	/* The last bytes of a slot: what follows is not there. */
	NEED(new_object(&o) == 0);
	end = (char *)twz_object_base(&o) - OBJ_NULLPAGE_SIZE + OBJ_MAXSIZE;
	CHECK_EQ(sys_fault_return((void *)(end - 64)), -EFAULT);
	drop_object(&o);
	memset(page, 0xff, sizeof(page));
	CHECK_EQ(sys_fault_return((void *)page), -EINVAL);
	memset(page, 0, sizeof(page));
	CHECK_EQ(sys_fault_return((void *)page), -EINVAL);
}

/* --- random frames */

/* The state of the thread that tries them. Its fault handler finds it without any register. */
static struct trial {
	uint64_t random;
	uint64_t left;
	uint64_t refused, landed, faulted;
	volatile int landing; /* the landing function runs */
	volatile int privileged;
	struct twz_fault_frame home; /* where to go on */
	uintptr_t repr;
} trial;

static uint64_t draw(void)
{
	trial.random ^= trial.random << 13;
	trial.random ^= trial.random >> 7;
	trial.random ^= trial.random << 17;
	return trial.random;
}

static uint64_t draw_word(void)
{
	static const uint64_t special[] = { 0, 1, ~0ull, KERNEL_ADDRESS, 1ull << 63, 1ull << 62, 8,
		0xffff000000000000ull, 0x7fffffffffffffffull, 0x3c5 };

	switch (draw() % 4) {
	case 0:
		return special[draw() % (sizeof(special) / sizeof(*special))];
	case 1:
		return SLOT_TO_VADDR(draw() % (twz_nslots() + 16)) + draw() % OBJ_MAXSIZE;
	case 2:
		return 1ull << draw() % 64;
	default:
		return draw();
	}
}

/* Where an accepted frame may lead: reads what only the kernel may, then runs no instruction. */
static void landing(void)
{
	uintptr_t p = KERNEL_ADDRESS;

	trial.landing = 1;
	__asm__("" : "+r"(p));
	*(volatile uint8_t *)p;
	trial.privileged = 1;
	((void (*)(void))nothing)();
}

/* An address that is no part of the program's own code, or its landing place. */
static uintptr_t draw_pc(void)
{
	uintptr_t pc = draw_word();

	if (draw() % 2)
		return (uintptr_t)landing;
	return VADDR_TO_SLOT(pc) == 0 ? (uintptr_t)nothing : pc;
}

static void scramble(struct twz_fault_frame *f)
{
	uint64_t *words = (uint64_t *)f;
	size_t first = TWZ_FRAME_HEAD_SIZE / 8, count = sizeof(*f) / 8 - first;
	uint64_t changes = draw() % 40;

	if (draw() % 4 == 0)
		changes = 400;
	for (uint64_t i = 0; i < changes; i++)
		words[first + draw() % count] = draw_word();
	f->flags = draw() % 8 ? draw() % 4 : draw_word();
	twz_frame_set_pc(f, draw_pc());
	if (draw() % 2)
		twz_frame_set_sp(f, (uintptr_t)landing_stack + sizeof(landing_stack));
	if (draw() % 8 == 0)
		words[draw() % first] = draw_word();
	if (draw() % 8 == 0)
		((uint8_t *)f)[draw() % 24] = (uint8_t)draw();
}

static _Noreturn void finish(void)
{
	struct twzthread_repr *repr = (void *)trial.repr;

	repr->syncinfos[THRD_SYNC_EXIT] = 42;
	for (;;)
		sys_thrd_ctl(THRD_CTL_EXIT, 0);
}

/* One frame after the other; those that are accepted come back here through a fault. */
static _Noreturn void try_frames(void)
{
	static struct twz_fault_frame f;

	while (trial.left) {
		trial.left--;
		f = good;
		scramble(&f);
		trial.landing = 0;
		sys_fault_return(&f);
		trial.refused++;
	}
	finish();
}

/* Runs on the fault stack; no register is to be trusted. */
static void come_home(int fault, void *info, struct twz_fault_frame *f)
{
	struct fault_exception_info *e = info;

	if (trial.landing) {
		trial.landed++;
		/* The read of the kernel was refused, wherever the stack was. */
		if (fault == FAULT_EXCEPTION && e->code == FAULT_EXCEPTION_ILLEGAL &&
		    twz_frame_pc(f) == (uintptr_t)nothing)
			trial.privileged = 1;
	} else {
		trial.faulted++;
	}
	sys_fault_return(&trial.home);
	finish();
}

static void fuzz(void *arg)
{
	struct twzthread_repr *repr = twz_thread_repr_base();
	static _Alignas(16) char stack[16384];

	(void)arg;
	for (int i = 0; i < NUM_FAULTS; i++)
		repr->faults[i] = (struct faultinfo){
			.addr = (uintptr_t)come_home, .flags = FAULT_ON_STACK,
		};
	trial.repr = (uintptr_t)repr;
	trial.home = good;
	trial.home.flags = 0;
	twz_frame_set_pc(&trial.home, (uintptr_t)try_frames);
	twz_frame_set_sp(&trial.home, (uintptr_t)stack + sizeof(stack));
	sys_fault_return(&trial.home);
}

static void random_frames(void)
{
	memset(&trial, 0, sizeof(trial));
	sys_random(&trial.random, sizeof(trial.random), 0);
	trial.random |= 1;
	trial.left = ROUNDS;
	ktap_note("seed %lx", trial.random);
	CHECK_EQ(exit_code_of(fuzz, NULL), 42);
	CHECK_EQ(trial.privileged, 0);
	CHECK_EQ(trial.left, 0);
	CHECK_EQ(trial.refused + trial.landed + trial.faulted, ROUNDS);
	CHECK(trial.refused > ROUNDS / 20);
	CHECK(trial.landed > ROUNDS / 20);
	CHECK(trial.faulted > ROUNDS / 20);
	ktap_note("%lu refused, %lu landed, %lu faulted", trial.refused, trial.landed,
	    trial.faulted);
}

static const struct ktap_case cases[] = {
	{ "a frame with one bad field", refusals },
	{ "frames that cannot be read", unreadable },
	{ "random frames never raise privilege", random_frames },
};

int main(void)
{
	make_good_frame();
	return KTAP_RUN(cases);
}
