// SPDX-License-Identifier: BSD-3-Clause
/*
 * Another program in this process. It gets a view and a first thread of its own, and what the process
 * has; then the threads of the old one end.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <twz/obj/hier.h>
#include <twz/sys/program.h>
#include <twz/sys/slots.h>
#include <twz/sys/sync.h>
#include <twz/sys/view.h>

#define INTERPRETER_MAX 255
#define ARGS_MAX 4096

static int count(char *const *list)
{
	int n = 0;

	while (list[n])
		n++;
	return n;
}

/* The new program finds the process by its thread, in the object that all share. */
static void hand_over(twzobj *view, objid_t thread, void *arg)
{
	objid_t shared;

	(void)arg;
	twz_view_get(NULL, TWZSLOT_UNIX, &shared, NULL);
	twz_view_set(view, TWZSLOT_UNIX, shared, VE_READ | VE_WRITE);
	twix_self()->thread = thread;
	__atomic_store_n(&twix_self()->taken, 0, __ATOMIC_RELEASE);
}

/* Wait until the new program has taken the process over, or has ended. */
static bool is_taken(struct thread *t)
{
	struct twzthread_repr *repr = twz_object_base(&t->obj);
	atomic_ulong *taken = (atomic_ulong *)&twix_self()->taken;
	atomic_ulong *ended = (atomic_ulong *)&repr->syncs[THRD_SYNC_EXIT];
	struct sys_thread_sync_args ops[2];

	while (!atomic_load(taken) && !atomic_load(ended)) {
		twz_thread_sync_init(&ops[0], THREAD_SYNC_SLEEP, taken, 0);
		twz_thread_sync_init(&ops[1], THREAD_SYNC_SLEEP, ended, 0);
		twz_thread_sync_multiple(2, ops, NULL);
	}
	return atomic_load(taken);
}

/*
 * A program that is not of this kind does not know that it is a process: its end has to be told for
 * it. And who started the first program waits for its thread, which stays until the new one ends.
 */
static _Noreturn void leave(struct thread *t)
{
	struct twix_process *p = twix_self();
	uint64_t status = 0;
	bool taken = is_taken(t);

	if (taken && !p->first) {
		twz_thread_release(t);
		twz_thread_exit(0);
	}
	twz_program_wait(t, &status);
	if (p->first)
		twix_terminal_end();
	if (!taken)
		twix_process_end(p, (int)(status & 0xff) << 8);
	twz_thread_exit(status);
}

static int run(objid_t program, char *const *argv, char *const *envp)
{
	struct twz_program_opts opts = {
		.env = (const char *const *)envp,
		.only_env = true,
		.prepare = hand_over,
	};
	objid_t old = twix_self()->thread;
	struct thread t;
	int r;

	twix_descriptors_drop(twix_self(), true);
	twix_signals_hand_over();
	twix_timers_hand_over();
	r = twz_program_spawn(program, count(argv), argv, &opts, &t);
	if (r < 0) {
		twix_self()->thread = old;
		twix_timers_init();
		return r;
	}
	twix_end_other_threads();
	leave(&t);
}

/* "#! interpreter argument": 0 and the two, or -ENOEXEC. */
static int read_interpreter(objid_t id, char *line, char **argument)
{
	twzobj o;
	char *end;
	int r = twz_object_init_guid(&o, id, FE_READ);

	if (r < 0)
		return r;
	memcpy(line, twz_object_base(&o), INTERPRETER_MAX);
	twz_object_release(&o);
	line[INTERPRETER_MAX] = 0;
	end = strchr(line, '\n');
	if (line[0] != '#' || line[1] != '!' || !end)
		return -ENOEXEC;
	*end = 0;
	memmove(line, line + 2, strlen(line + 2) + 1);
	memmove(line, line + strspn(line, " \t"), strlen(line + strspn(line, " \t")) + 1);
	*argument = line + strcspn(line, " \t");
	if (**argument) {
		*(*argument)++ = 0;
		*argument += strspn(*argument, " \t");
	}
	return line[0] ? 0 : -ENOEXEC;
}

static int find(const char *path, objid_t *id)
{
	struct twix_where w;
	int r = twix_resolve(AT_FDCWD, path, true, &w);

	if (r < 0)
		return r;
	if (!w.id)
		return -ENOENT;
	if (w.type == NAME_ENT_NAMESPACE)
		return -EACCES;
	*id = w.id;
	return 0;
}

static int run_script(objid_t id, const char *path, char *const *argv, char *const *envp)
{
	char line[INTERPRETER_MAX + 1], *argument, *args[ARGS_MAX];
	int n = 0, argc = count(argv);
	objid_t interpreter;
	int r = read_interpreter(id, line, &argument);

	if (r == 0)
		r = find(line, &interpreter);
	if (r < 0)
		return r;
	if (argc + 4 > ARGS_MAX)
		return -E2BIG;
	args[n++] = line;
	if (*argument)
		args[n++] = argument;
	args[n++] = (char *)path;
	for (int i = 1; i < argc; i++)
		args[n++] = argv[i];
	args[n] = NULL;
	return run(interpreter, args, envp);
}

long twix_execve(const long a[6])
{
	const char *path = (const char *)a[0];
	char *const *argv = (char *const *)a[1], *const *envp = (char *const *)a[2];
	objid_t id;
	int r = find(path, &id);

	if (r < 0)
		return r;
	r = run(id, argv, envp);
	return r == -ENOEXEC ? run_script(id, path, argv, envp) : r;
}
