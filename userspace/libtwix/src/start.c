// SPDX-License-Identifier: BSD-3-Clause
/*
 * From libtwz's beginning of a program to the C library's: arguments, environment and the auxiliary
 * vector as Linux lays them out.
 *
 * The C library makes new thread-local storage for the first thread, and copies its initial content
 * from where the program headers say. What is said here is the storage that libtwz uses already, so
 * that its variables, and libtwix's, are carried over.
 */
#include "twix.h"

#include <abi/program.h>
#include <elf.h>
#include <signal.h>
#include <string.h>
#include <twz/debug.h>
#include <twz/env.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>

#define AUXV_WORDS 40

size_t __twz_tls_gap(size_t align);

int main(int argc, char **argv, char **envp);
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*unused)(void));
int __twz_run(int argc, char **argv);

/* In the program's header (libtwz's program_header.h). */
__asm__(".globl __twz_program_flags\n.set __twz_program_flags, 2");
_Static_assert(PROGRAM_PROCESS == 2, "the same");

static Elf64_Phdr tls_header;
static uint64_t randomness[2];

static void describe_tls(void)
{
	size_t align = __twz_program.tls_align ? __twz_program.tls_align : 1;

	tls_header = (Elf64_Phdr){
		.p_type = PT_TLS,
		.p_vaddr = (uintptr_t)__builtin_thread_pointer() + __twz_tls_gap(align),
		.p_filesz = __twz_program.tls_memsz,
		.p_memsz = __twz_program.tls_memsz,
		.p_align = align,
	};
}

static size_t *put(size_t *at, size_t type, size_t value)
{
	at[0] = type;
	at[1] = value;
	return at + 2;
}

static void put_auxv(size_t *at, char **argv)
{
	const struct twix_users *users = twix_users();

	at = put(at, AT_PHDR, (size_t)&tls_header);
	at = put(at, AT_PHENT, sizeof(tls_header));
	at = put(at, AT_PHNUM, 1);
	at = put(at, AT_PAGESZ, TWIX_PAGE);
	at = put(at, AT_CLKTCK, 100);
	at = put(at, AT_UID, users->user.real);
	at = put(at, AT_EUID, users->user.effective);
	at = put(at, AT_GID, users->group.real);
	at = put(at, AT_EGID, users->group.effective);
	at = put(at, AT_SECURE, 0);
	at = put(at, AT_RANDOM, (size_t)randomness);
	at = put(at, AT_EXECFN, (size_t)argv[0]);
	put(at, AT_NULL, 0);
}

static size_t count_environment(void)
{
	size_t n = 0;

	for (const char *e = twz_env_next(NULL); e; e = twz_env_next(e))
		n++;
	return n;
}

/* argv, NULL, environment, NULL, auxiliary vector. */
static char **lay_out(int argc, char **argv)
{
	size_t words = (size_t)argc + 1 + count_environment() + 1 + AUXV_WORDS;
	char **block = twix_pages(words * sizeof(*block)), **at = block;

	if (!block)
		libtwz_panic("no memory to start a program\n");
	memcpy(at, argv, (size_t)argc * sizeof(*at));
	at += argc + 1;
	for (const char *e = twz_env_next(NULL); e; e = twz_env_next(e))
		*at++ = (char *)e;
	put_auxv((size_t *)(at + 1), argv);
	return block;
}

/* All of this is as a call: a signal that comes meanwhile is looked for at its end. */
int __twz_run(int argc, char **argv)
{
	char **block;

	if (twix_shared_init() < 0)
		libtwz_panic("no memory for open files\n");
	twix_threads_init();
	twix_signal_enter();
	twix_signals_init();
	if (!twix_shared_taken())
		twz_thread_exit(128 + SIGKILL);
	twix_sleep_init();
	twix_trace_init();
	twix_timers_init();
	sys_random(randomness, sizeof(randomness), 0);
	describe_tls();
	twix_describe(NULL, argc, argv);
	block = lay_out(argc, argv);
	twix_signal_leave(false);
	return __libc_start_main(main, argc, block, NULL, NULL, NULL);
}
