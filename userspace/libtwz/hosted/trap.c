// SPDX-License-Identifier: BSD-3-Clause
/*
 * Signals as faults. What concerns slots goes to the dispatcher of faults; anything else is a fault
 * only if somebody takes it, and goes to whoever handled the signal before us (a sanitizer, or the
 * host, which ends the process) if not.
 */
#define _GNU_SOURCE
#include "hosted.h"
#include "../src/fault.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define STACK_SIZE (256ul * 1024)

/* One trap being handled. */
struct trap {
	struct twz_fault_frame frame; /* first: what handlers are given */
	uintptr_t mark;               /* tells it from a frame that somebody made up */
	uint64_t regs[26];
};

#define MARK 0x7477697a7a6c6572ul

static __thread void *stack;
static __thread stack_t stack_before;
static __thread uint64_t *probing; /* where a probe of this thread goes on when it faults */

static struct sigaction before[NSIG];

static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };

/* As if we were not there: the access is made again without us, unless the other handler returns. */
static void pass_on(int signal, siginfo_t *si, void *context)
{
	const struct sigaction *old = &before[signal];

	if (old->sa_flags & SA_SIGINFO)
		old->sa_sigaction(signal, si, context);
	else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN)
		old->sa_handler(signal);
	else
		sigaction(signal, old, NULL);
}

static uint64_t code_of(int signal)
{
	switch (signal) {
	case SIGILL:
		return FAULT_EXCEPTION_ILLEGAL;
	case SIGFPE:
		return FAULT_EXCEPTION_FLOAT;
	case SIGTRAP:
		return FAULT_EXCEPTION_BREAKPOINT;
	case SIGBUS:
		return FAULT_EXCEPTION_MACHINE;
	default:
		return FAULT_EXCEPTION_PAGEFAULT;
	}
}

static bool has_handler(int signal)
{
	const struct sigaction *old = &before[signal];

	return old->sa_flags & SA_SIGINFO || old->sa_handler != SIG_DFL;
}

/*
 * A fault outside all slots. Its number, or -1 to pass it on: when nobody takes it, and there is a
 * sanitizer or the like that tells more of it than we could.
 */
static int foreign_fault(int signal, uintptr_t addr, uint64_t access, uintptr_t ip, void *info)
{
	int fault = signal == SIGSEGV && addr < OBJ_NULLPAGE_SIZE ? FAULT_NULL : FAULT_EXCEPTION;

	if (!__twz_fault_is_taken(fault) && has_handler(signal))
		return -1;
	if (fault == FAULT_NULL)
		*(struct fault_null_info *)info =
		    twz_fault_build_null_info((void *)ip, (void *)addr);
	else
		*(struct fault_exception_info *)info =
		    twz_fault_build_exception_info((void *)ip, code_of(signal), addr, access);
	return fault;
}

void __twz_trap_deliver(int fault, void *info, void *context)
{
	struct trap trap = { .mark = (uintptr_t)&trap ^ MARK };

	__twz_frame_load(&trap.frame, context);
	trap.frame.size = sizeof(trap.frame);
	trap.frame.arch = TWZ_FRAME_ARCH;
	trap.frame.version = TWZ_FRAME_VERSION;
	trap.frame.fault = (uint32_t)fault;
	trap.frame.info_len = (uint32_t)__twz_fault_info_size(fault, info);
	trap.frame.info = (uintptr_t)info;
	if (!__twz_try_save(trap.regs))
		__twz_fault_begin(fault, info, &trap.frame);
	__twz_frame_store(&trap.frame, context);
}

static void handle(int signal, siginfo_t *si, void *context)
{
	_Alignas(16) char info[256];
	uintptr_t addr = (uintptr_t)si->si_addr, ip = __twz_context_pc(context);
	uint64_t access = __twz_context_access(context);
	bool owned = __twz_map_owns(addr) && (signal == SIGSEGV || signal == SIGBUS) &&
	    si->si_code > 0;
	int fault = owned ? __twz_map_fault(addr, access, ip, signal == SIGBUS, info)
			  : foreign_fault(signal, addr, access, ip, info);

	if (owned && fault == MAP_RETRY)
		return;
	if (probing)
		__twz_try_load(probing, 1);
	if (fault < 0 || (!owned && si->si_code <= 0))
		pass_on(signal, si, context);
	else
		__twz_trap_deliver(fault, info, context);
}

/* Handlers return through the signal they came by. */
long sys_fault_return(struct twz_fault_frame *frame)
{
	struct trap *t = (struct trap *)frame;

	if (frame->size != sizeof(*frame) || frame->arch != TWZ_FRAME_ARCH ||
	    frame->version != TWZ_FRAME_VERSION || t->mark != ((uintptr_t)t ^ MARK))
		return -EINVAL;
	__twz_try_load(t->regs, 1);
}

__attribute__((no_sanitize("address"))) int __twz_probe(void *p, size_t length, bool writing)
{
	uint64_t regs[26];
	volatile int r = -EFAULT;

	if (!__twz_try_save(regs)) {
		probing = regs;
		for (size_t i = 0; i < length; i += i + 1 < length && length - i <= TWZ_PAGE_SIZE ?
		    length - i - 1 : TWZ_PAGE_SIZE)
			if (writing)
				__atomic_fetch_or((char *)p + i, 0, __ATOMIC_RELAXED);
			else
				__atomic_load_n((char *)p + i, __ATOMIC_RELAXED);
		r = 0;
	}
	probing = NULL;
	return r;
}

/* The address of a view's handler, which nothing here calls. */
void __twz_fault_entry(void)
{
}

/* A sanitizer has given the thread a stack already, and wants it back. */
void __twz_trap_thread_begin(void)
{
	stack_t ss = { .ss_size = STACK_SIZE };

	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack == MAP_FAILED) {
		stack = NULL;
		return;
	}
	ss.ss_sp = stack;
	sigaltstack(&ss, &stack_before);
}

void __twz_trap_thread_end(void)
{
	if (!stack)
		return;
	sigaltstack(&stack_before, NULL);
	munmap(stack, STACK_SIZE);
	stack = NULL;
}

_Noreturn void __twz_trap_die(void)
{
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	_exit(255);
}

void __twz_trap_setup(void)
{
	struct sigaction sa = {
		.sa_sigaction = handle,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &sa, &before[signals[i]]);
}
