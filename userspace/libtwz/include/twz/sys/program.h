// SPDX-License-Identifier: BSD-3-Clause
/*
 * Running programs. A program's view: text in slot 0, a private copy of the data template in
 * slot 1, its first thread's object in TWZSLOT_THRD, the stack object in TWZSLOT_STACK, the view
 * itself in TWZSLOT_CVIEW. The first thread's argument is the address of a struct
 * twz_program_args at object offset TWZ_ARGS_OFFSET of the stack object; strings follow it. The
 * environment (twz/env.h) stands at TWZ_ENV_OFFSET: strings NAME=value, each with its NUL, up to an
 * empty one.
 */
#ifndef TWZ_SYS_PROGRAM_H
#define TWZ_SYS_PROGRAM_H

#include <abi/program.h>
#include <twz/sys/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TWZ_ARGS_MAGIC 0x31534752415a5754ull /* "TWZARGS1" */
#define TWZ_ARGS_VERSION 1u
#define TWZ_ARGS_OFFSET (TWZ_STACK_OFFSET + TWZ_THREAD_STACK_SIZE)
#define TWZ_ARGS_MAX 0x210000ul /* bytes of structure, pointers and strings */
#define TWZ_ENV_OFFSET (TWZ_ARGS_OFFSET + TWZ_ARGS_MAX)
#define TWZ_ENV_MAX 0x210000ul /* bytes of the environment */

struct twz_program_args {
	uint64_t magic;
	uint32_t version;
	uint32_t argc;
	objid_t nameroot; /* default namespace; 0 = the store's */
	objid_t packroot; /* namespace of the boot pack; 0 = none */
	uint64_t argv;    /* address of char *[argc + 1] in the new view */
	uint64_t size;    /* bytes in use, this structure included */
	uint64_t reserved[2];
};

_Static_assert(sizeof(struct twz_program_args) == 80, "program arguments");
_Static_assert(TWZ_ENV_OFFSET + TWZ_ENV_MAX <= TWZ_FAULT_STACK_OFFSET, "environment in its place");

struct twz_program_opts {
	objid_t nameroot; /* 0 = inherit */
	objid_t packroot; /* 0 = inherit */
	const char *const *env; /* "NAME=value" … NULL: beside, or instead of, what is inherited */
	bool only_env;          /* nothing is inherited */
	bool env_as_is; /* with only_env: nothing is looked for twice; a string without a name is left out */
	size_t slot;    /* the text stands in this slot, the data in the next: of a program that can stand anywhere */
	/* Called, unless NULL, before the program starts, with its view and its first thread. */
	void (*prepare)(twzobj *view, objid_t thread, void *arg);
	void *prepare_arg;
};

/*
 * Start a program object in a view of its own. opts may be NULL. *t is to be given to
 * twz_program_wait. The environment is inherited. -ENOEXEC not a program of this machine, -E2BIG
 * arguments or environment too long, -EINVAL a string of opts->env has no name, and the errors of
 * creation and spawn. Nothing remains on error.
 */
int twz_program_spawn(objid_t program, int argc, char *const argv[],
    const struct twz_program_opts *opts, struct thread *t);

/* Wait for its first thread's end, store the exit code, and forget it: what was made for it goes
 * with the last of its threads. */
int twz_program_wait(struct thread *t, uint64_t *status);

/* The pack's namespace as this program was told, 0 = none. */
objid_t twz_program_packroot(void);

#ifdef __cplusplus
}
#endif

#endif
