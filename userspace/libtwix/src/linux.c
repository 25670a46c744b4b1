// SPDX-License-Identifier: BSD-3-Clause
/*
 * Programs that were linked for Linux, unchanged. Such a one has the first slot, all of it, with
 * protection by pages; a program of libtwix stands beside it, in slots that it does not know, and
 * gets its system calls as faults. Each thread then has two thread pointers: the program's, which is
 * in the register while it runs, and libtwix's, with which the kernel enters the fault handler
 * (fault_tp of the thread object).
 */
#include "twix.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <twz/env.h>
#include <twz/sys/fault.h>
#include <twz/sys/slots.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>
#include <twz/sys/thread.h>
#include <twz/sys/view.h>

#define STACK_SIZE (8ul << 20)
#define HELPER_STACK 0x4000ul   /* of a thread of the program, before it is in the program */
#define HELPER_FAULTS 0x20000ul /* on which its calls are done */
#define AUXV_WORDS 40
#define NAMED_VERSION "6.1.0"   /* of the Linux whose calls these are; C libraries ask for it */

static const struct twix_linux *linux_program; /* NULL: this is none */

const struct twix_linux *twix_linux_program(void)
{
	return linux_program;
}

/* --- beginning */

static size_t *put(size_t *at, size_t type, size_t value)
{
	at[0] = type;
	at[1] = value;
	return at + 2;
}

static void put_auxv(size_t *at, const struct twix_linux *p, const char *name, const uint64_t *randomness)
{
	const struct twix_users *users = twix_users();

	at = put(at, AT_PHDR, p->header);
	at = put(at, AT_PHENT, sizeof(Elf64_Phdr));
	at = put(at, AT_PHNUM, p->header_count);
	at = put(at, AT_PAGESZ, TWIX_PAGE);
	at = put(at, AT_ENTRY, p->entry);
	at = put(at, AT_BASE, 0);
	at = put(at, AT_FLAGS, 0);
	at = put(at, AT_CLKTCK, 100);
	at = put(at, AT_UID, users->user.real);
	at = put(at, AT_EUID, users->user.effective);
	at = put(at, AT_GID, users->group.real);
	at = put(at, AT_EGID, users->group.effective);
	at = put(at, AT_SECURE, 0);
	at = put(at, AT_HWCAP, 0);
	at = put(at, AT_RANDOM, (size_t)randomness);
	at = put(at, AT_EXECFN, (size_t)name);
	put(at, AT_NULL, 0);
}

/* As Linux lays it out: from the stack pointer on argc, argv, NULL, environment, NULL, auxiliary vector. */
static size_t *lay_out(const struct twix_linux *p, int argc, char **argv, size_t *top)
{
	static uint64_t randomness[2];
	size_t words = 1 + (size_t)argc + 1 + 1 + AUXV_WORDS, *sp;

	for (const char *e = twz_env_next(NULL); e; e = twz_env_next(e))
		words++;
	sp = top - ((words + 1) & ~1ul);
	top = sp;
	*top++ = (size_t)argc;
	memcpy(top, argv, (size_t)argc * sizeof(*top));
	top += argc + 1;
	for (const char *e = twz_env_next(NULL); e; e = twz_env_next(e))
		*top++ = (size_t)e;
	sys_random(randomness, sizeof(randomness), 0);
	put_auxv(top + 1, p, argv[0], randomness);
	return sp;
}

int twix_linux_run(int argc, char **argv)
{
	const struct twix_linux *p = (const void *)TWIX_LINUX_AT;
	uint32_t flags;
	char *stack;

	twz_view_get(NULL, 0, NULL, &flags);
	if (!(flags & VE_VALID) || p->magic != TWIX_LINUX_MAGIC || argc < 2)
		return 1;
	twix_signal_enter();
	stack = twix_pages(STACK_SIZE);
	twix_signal_leave(false);
	if (!stack)
		return 1;
	linux_program = p;
	twz_thread_repr_base()->fault_tp = (uintptr_t)__builtin_thread_pointer();
	__twix_enter(p->entry, lay_out(p, argc - 1, argv + 1, (size_t *)(stack + STACK_SIZE)));
}

/* --- what is done otherwise than for programs of libtwix */

/* The kernel of a Linux that has these calls, to programs that ask whether it is one. */
static long name(const long a[6])
{
	struct utsname *u = (void *)a[0];
	long r = __twix_syscall(SYS_uname, a[0], 0, 0, 0, 0, 0);

	if (r < 0)
		return r;
	strcpy(u->sysname, "Linux");
	strcpy(u->release, NAMED_VERSION);
	return 0;
}

struct beginning {
	struct twz_fault_frame frame; /* the registers that the thread begins with */
	int *tid;                     /* where to put its number, or NULL */
	char *stacks;
};

/* The first function of a thread of the program, on a stack of libtwix's. */
static int begin_thread(void *arg)
{
	struct beginning *b = arg;
	struct twzthread_repr *repr = twz_thread_repr_base();

	repr->fault_stack = (uintptr_t)b->stacks;
	repr->fault_stack_size = HELPER_FAULTS;
	repr->fault_tp = (uintptr_t)__builtin_thread_pointer();
	twix_thread_keep(b->stacks, HELPER_FAULTS + HELPER_STACK);
	if (b->tid)
		*b->tid = (int)twix_gettid(NULL);
	twix_signal_begin(&b->frame);
	sys_fault_return(&b->frame);
	return 1;
}

/* clone() of a thread: flags, stack, parent_tid, tls, child_tid. */
static long make_thread(const struct twz_fault_frame *f, const long a[6])
{
	char *stacks = twix_pages(HELPER_FAULTS + HELPER_STACK), *top;
	struct beginning *b;
	long r;

	if (!stacks)
		return -ENOMEM;
	top = stacks + HELPER_FAULTS + HELPER_STACK;
	b = (struct beginning *)(top - ROUND_UP(sizeof(*b), 64));
	*b = (struct beginning){ .frame = *f, .stacks = stacks };
	b->tid = a[0] & CLONE_CHILD_SETTID ? (int *)a[4] : NULL;
	twz_frame_set_arg(&b->frame, 0, 0);
	if (a[1])
		twz_frame_set_sp(&b->frame, (uintptr_t)a[1]);
	if (a[0] & CLONE_SETTLS)
		twz_frame_set_tp(&b->frame, (uintptr_t)a[3]);
	r = __twix_clone(begin_thread, b, (int)a[0], b, (int *)a[2], NULL, (int *)a[4]);
	if (r < 0)
		twix_munmap((const long[6]){ (long)stacks, (long)(HELPER_FAULTS + HELPER_STACK) });
	return r;
}

/* A process: its memory is a copy, whatever was asked for, in which it may go on on another stack. */
static long make_process(struct twz_fault_frame *f, const long a[6])
{
	long pid;

	twix_signal_enter();
	pid = twix_fork();
	twix_signal_leave(false);
	if (pid > 0 && a[0] & CLONE_PARENT_SETTID)
		*(int *)a[2] = (int)pid;
	if (pid)
		return pid;
	if (a[1])
		twz_frame_set_sp(f, (uintptr_t)a[1]);
	if (a[0] & CLONE_SETTLS)
		twz_frame_set_tp(f, (uintptr_t)a[3]);
	if (a[0] & CLONE_CHILD_SETTID)
		*(int *)a[4] = (int)twix_gettid(NULL);
	return 0;
}

/* As the machine's Linux lays it out, which may be without what it has no use for. */
struct short_action {
	void (*handler)(int);
	unsigned long flags;
	uint64_t mask;
};

static long action(const long a[6])
{
	const struct short_action *new = (const void *)a[1];
	struct short_action *old = (void *)a[2];
	struct twix_action full, was;
	long r;

	if (twix_linux_restorer)
		return __twix_syscall(SYS_rt_sigaction, a[0], a[1], a[2], a[3], 0, 0);
	if (new)
		full = (struct twix_action){ .handler = new->handler, .flags = new->flags, .mask = new->mask };
	r = __twix_syscall(SYS_rt_sigaction, a[0], new ? (long)&full : 0, old ? (long)&was : 0, a[3], 0, 0);
	if (r == 0 && old)
		*old = (struct short_action){ was.handler, was.flags, was.mask };
	return r;
}

static long call(struct twz_fault_frame *f, long n, const long a[6])
{
	switch (n) {
	case SYS_rt_sigaction:
		return action(a);
	case SYS_clone:
		return a[0] & CLONE_THREAD ? make_thread(f, a) : make_process(f, a);
	case SYS_uname:
		return name(a);
#ifdef SYS_riscv_flush_icache
	case SYS_riscv_flush_icache: /* what was written and is executed is coherent */
		return 0;
#endif
	default:
		return __twix_syscall(n, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
}

bool twix_linux_call(struct twz_fault_frame *f, long n)
{
	long a[6], r;

	for (unsigned i = 0; i < 6; i++)
		a[i] = (long)twz_frame_arg(f, i);
	r = linux_program ? call(f, n, a) : __twix_syscall(n, a[0], a[1], a[2], a[3], a[4], a[5]);
	twz_frame_set_arg(f, 0, (uint64_t)r);
	if (twix_me)
		twix_me->again = a[0];
	return r == -EINTR && twix_restarts(n, a);
}
