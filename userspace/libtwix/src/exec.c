// SPDX-License-Identifier: BSD-3-Clause
/*
 * Another program in this process. It gets a view and a first thread of its own, and what the process
 * has; then the threads of the old one end.
 */
#include "twix.h"

#include <abi/program.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <twz/obj/hier.h>
#include <twz/sys/program.h>
#include <twz/sys/slots.h>
#include <twz/sys/sync.h>
#include <twz/sys/view.h>
#include <unistd.h>

/* Linux's limits. */
#define STRING_MAX 131072ul  /* with its NUL */
#define STRINGS_MAX 2097152ul /* all of them, and the pointers to them */
#define SCRIPTS 5             /* that may be each other's interpreters */

#define IS_SCRIPT 2 /* beside 0, TWIX_EXEC_FATAL and errors */

/* A program that is to be run. */
struct plan {
	objid_t program; /* the object with the code */
	struct twix_where where; /* the file that it is of */
	objid_t made;    /* what was made for this, a child of this view: it, or its memory; 0: nothing */
	bool is_linux;
	const char *path;
	char *const *argv, *const *envp;
	/* Of each script that led here: its line, and the arguments that came of it. */
	struct script {
		char line[TWIX_SCRIPT_LINE];
		char *argv[];
	} *scripts[SCRIPTS];
	size_t script_bytes[SCRIPTS];
	char **host_argv; /* or NULL */
	size_t host_bytes;
	unsigned depth;
};

static int count(char *const *list)
{
	int n = 0;

	while (list[n])
		n++;
	return n;
}

static void drop(struct plan *p)
{
	for (unsigned i = 0; i < p->depth; i++)
		twix_munmap((const long[6]){ (long)p->scripts[i], (long)p->script_bytes[i] });
	if (p->host_argv)
		twix_munmap((const long[6]){ (long)p->host_argv, (long)p->host_bytes });
	if (p->made)
		twz_object_tie_guid(twix_view_id(), p->made, TIE_UNTIE);
}

/* --- running */

/* For /proc/PID/exe: of a script that is its interpreter. */
static void note_path(const struct twix_where *w)
{
	char path[PATH_MAX];
	size_t at = sizeof(path) - 1;

	path[at] = 0;
	if (twix_path_prepend(path, &at, w->name) == 0 && twix_path_of(w->parent, path, &at) == 0)
		twix_describe(path + at, 0, NULL);
}

/* The new program finds the process by its thread, in the object that all share. */
static void hand_over(twzobj *view, objid_t thread, void *arg)
{
	const struct plan *p = arg;
	objid_t shared;

	twix_job_alone();
	note_path(&p->where);
	if (p->made)
		twz_object_tie_guid(twz_object_guid(view), p->made, 0);
	if (p->is_linux)
		twz_view_set(view, TWIX_LINUX_SLOT, p->made, VE_READ | VE_WRITE | VE_EXEC | VE_EITHER);
	twz_view_get(NULL, TWZSLOT_UNIX, &shared, NULL);
	twz_view_set(view, TWZSLOT_UNIX, shared, VE_READ | VE_WRITE);
	twix_descriptors_drop(twix_self(), true);
	twix_signals_hand_over();
	twix_timers_hand_over();
	twix_usage_hand_over();
	__atomic_fetch_or(&twix_self()->attributes, TWIX_ANOTHER_PROGRAM, __ATOMIC_ACQ_REL);
	twix_self()->thread = thread;
	__atomic_store_n(&twix_self()->taken, TWIX_NOT_TAKEN, __ATOMIC_RELEASE);
}

/*
 * Wait until the new program has taken the process over, or has ended. The process may have ended by
 * then, and its place be another's.
 */
static bool is_taken(struct thread *t, int pid)
{
	struct twzthread_repr *repr = twz_object_base(&t->obj);
	atomic_ulong *taken = (atomic_ulong *)&twix_self()->taken;
	atomic_ulong *ended = (atomic_ulong *)&repr->syncs[THRD_SYNC_EXIT];
	struct sys_thread_sync_args ops[2];

	while (atomic_load(taken) != TWIX_TAKEN && !atomic_load(ended)) {
		twz_thread_sync_init(&ops[0], THREAD_SYNC_SLEEP, taken, atomic_load(taken));
		twz_thread_sync_init(&ops[1], THREAD_SYNC_SLEEP, ended, 0);
		twz_thread_sync_multiple(2, ops, NULL);
	}
	return atomic_load(taken) == TWIX_TAKEN || __atomic_load_n(&twix_self()->pid, __ATOMIC_ACQUIRE) != pid;
}

/*
 * A program that is not of this kind does not know that it is a process: its end has to be told for
 * it. And who started the first program waits for its thread, which stays until the new one ends.
 */
static _Noreturn void leave(struct thread *t, int pid, bool first)
{
	struct twix_process *p = twix_self();
	uint64_t status = 0;
	bool taken = is_taken(t, pid);

	if (taken && !first) {
		twz_thread_release(t);
		twz_thread_exit(0);
	}
	twz_program_wait(t, &status);
	if (first)
		twix_terminal_end();
	if (!taken)
		twix_process_end(p, p->taken == TWIX_KILLED ? SIGKILL : (int)(status & 0xff) << 8);
	twz_thread_exit(status);
}

/*
 * The parent goes on when the new program has taken the child over, as of one with a copy. One that
 * ended before is told of here.
 */
static _Noreturn void go_back(struct plan *p, struct thread *t, int pid)
{
	struct twix_process *child = twix_self();
	uint64_t status = 0;

	if (is_taken(t, pid)) {
		twz_thread_release(t);
	} else {
		twz_program_wait(t, &status);
		twix_process_end(child, child->taken == TWIX_KILLED ? SIGKILL : (int)(status & 0xff) << 8);
	}
	drop(p);
	twix_vfork_return();
}

/* Whether what is run will say that it has taken the process over, and tell its end. */
static bool knows_processes(const struct plan *p)
{
	twzobj o;
	uint64_t flags;

	if (p->is_linux)
		return true;
	if (twz_object_init_guid(&o, p->program, FE_READ) < 0)
		return false;
	flags = ((const struct twz_program *)twz_object_base(&o))->flags;
	twz_object_release(&o);
	return flags & PROGRAM_PROCESS;
}

static int run(struct plan *p)
{
	struct twz_program_opts opts = {
		.env = (const char *const *)p->envp,
		.only_env = true,
		.env_as_is = true,
		.slot = p->is_linux ? TWIX_HOST_SLOT : 0,
		.prepare = hand_over,
		.prepare_arg = p,
	};
	objid_t old = twix_self()->thread;
	bool first = twix_self()->first;
	int pid = twix_self()->pid;
	struct thread t;
	int r = twz_program_spawn(p->program, count(p->argv), p->argv, &opts, &t);

	if (r < 0) {
		if (twix_self()->thread == old)
			return r;
		twix_timers_init();
		twix_usage_take_back();
		twix_self()->thread = old;
		if (twix_shared_taken())
			return r;
		twix_process_end(twix_self(), SIGKILL);
		twix_leave(128 + SIGKILL);
	}
	if (twix_vfork_is_on())
		go_back(p, &t, pid);
	twix_robust_release();
	leave(&t, pid, first);
}

/* --- finding out what a file is */

static int find(const char *path, struct twix_where *w)
{
	int r = twix_resolve(AT_FDCWD, path, true, w);

	if (r < 0)
		return r;
	if (!w->id)
		return -ENOENT;
	return w->type == NAME_ENT_NAMESPACE || twix_is_node(w->id) ? -EACCES : 0;
}

/* An object that nobody writes to by default is run where it is. */
static bool is_program_object(twzobj *o)
{
	const struct twz_program *h = twz_object_base(o);
	uint16_t flags = twz_object_meta(o)->p_flags & (MIP_DFL_EXEC | MIP_DFL_WRITE);

	return flags == MIP_DFL_EXEC && h->magic == PROGRAM_MAGIC;
}

/* One that needs an interpreter: Linux's error where there is none, or nothing that can be one. */
static int check_interpreter(const char *path)
{
	struct twix_where w;
	int r = find(path, &w);

	return r < 0 ? r : -ELIBBAD;
}

/* One that was linked for Linux: another program stands by it, which gets its name as an argument more. */
static int plan_linux(struct plan *p, objid_t file, const struct twix_elf *e)
{
	struct twix_where host;
	int r = find(TWIX_HOST_PATH, &host);

	if (r == 0)
		r = twix_image_make_linux(file, e, &p->made);
	p->program = host.id;
	p->is_linux = r == 0;
	return r == 0 ? 0 : r == -ENOENT ? -ENOEXEC : r;
}

static int plan_elf(struct plan *p, objid_t file, const char *base, uint64_t size)
{
	struct twix_elf e;
	int r = twix_elf_read(&e, base, size);

	if (e.interpreter[0] && r != -ENOEXEC)
		return check_interpreter(e.interpreter);
	if (r)
		return r;
	r = twix_image_make(file, base, size, &e, &p->program);
	return r == -ENOEXEC ? plan_linux(p, file, &e) : r;
}

static int plan_file(struct plan *p, twzobj *o)
{
	struct metainfo *mi = twz_object_meta(o);
	uint64_t size = mi->flags & MIF_SZ ? __atomic_load_n(&mi->sz, __ATOMIC_ACQUIRE) : 0;
	const char *base = twz_object_base(o);
	int r = -ENOEXEC;

	if (!S_ISREG(twix_inode_mode(o)) || !(twix_inode_mode(o) & 0111) || !twix_inode_may(o, X_OK))
		return -EACCES;
	if (size > OBJ_MAXDATA)
		return -ENOEXEC;
	if (size >= 2 && memcmp(base, "#!", 2) == 0)
		return IS_SCRIPT;
	if (size >= SELFMAG && memcmp(base, ELFMAG, SELFMAG) == 0)
		r = plan_elf(p, twz_object_guid(o), base, size);
	else
		r = twix_image_make(twz_object_guid(o), base, size, NULL, &p->program);
	if (r == 0 && !p->is_linux)
		p->made = p->program;
	return r;
}

/* One argument more at most, the script's path, and its arguments; they are freed with the plan. */
static int plan_script(struct plan *p, const char *base, uint64_t size)
{
	int argc = count(p->argv), n = 0, r;
	size_t bytes = sizeof(struct script) + ((size_t)argc + 4) * sizeof(char *);
	struct script *s;
	char *interpreter, *argument;

	if (p->depth == SCRIPTS)
		return -ELOOP;
	s = twix_pages(bytes);
	if (!s)
		return -ENOMEM;
	p->script_bytes[p->depth] = bytes;
	p->scripts[p->depth++] = s;
	memcpy(s->line, base, size < sizeof(s->line) ? size : sizeof(s->line));
	r = twix_script_read(s->line, &interpreter, &argument);
	if (r < 0)
		return r;
	s->argv[n++] = interpreter;
	if (argument)
		s->argv[n++] = argument;
	s->argv[n++] = (char *)p->path;
	for (int i = 1; i < argc; i++)
		s->argv[n++] = p->argv[i];
	p->path = interpreter;
	p->argv = s->argv;
	return IS_SCRIPT;
}

/* The arguments again, behind the name of the program that stands by. */
static int add_host_name(struct plan *p)
{
	int argc = count(p->argv);

	p->host_bytes = ((size_t)argc + 2) * sizeof(char *);
	p->host_argv = twix_pages(p->host_bytes);
	if (!p->host_argv)
		return -ENOMEM;
	p->host_argv[0] = (char *)TWIX_HOST_PATH;
	memcpy(p->host_argv + 1, p->argv, (size_t)argc * sizeof(char *));
	p->argv = p->host_argv;
	return 0;
}

static int plan_once(struct plan *p)
{
	twzobj o;
	int r = twz_object_init_guid(&o, p->where.id, FE_READ);

	if (r < 0)
		return r;
	p->program = p->where.id;
	if (!is_program_object(&o)) {
		r = plan_file(p, &o);
		if (r == IS_SCRIPT)
			r = plan_script(p, twz_object_base(&o), twz_object_meta(&o)->sz);
	}
	twz_object_release(&o);
	return r;
}

/* --- the call */

/* Whether what list leads to is there and not too much, *room being what is left. */
static int check_list(char *const *list, size_t *room)
{
	for (;; list++) {
		size_t n;

		if (!twix_can_read(list, sizeof(*list)))
			return -EFAULT;
		if (!*list)
			return 0;
		if (!twix_can_read_string(*list))
			return -EFAULT;
		n = strnlen(*list, STRING_MAX) + 1;
		if (n > STRING_MAX || n + sizeof(*list) > *room)
			return -E2BIG;
		*room -= n + sizeof(*list);
	}
}

/* Linux has no program any more to return to. */
static _Noreturn void end_fatally(void)
{
	twix_job_end(twix_self(), SIGSEGV);
	twix_threads_disturb();
	twix_job_leave();
}

long twix_execve(const long a[6])
{
	static char *const none[] = { NULL };
	char *const unnamed[] = { (char *)"", NULL };
	struct plan p = {
		.path = (const char *)a[0],
		.argv = a[1] ? (char *const *)a[1] : none,
		.envp = a[2] ? (char *const *)a[2] : none,
	};
	size_t room = STRINGS_MAX;
	int r = find(p.path, &p.where);

	if (r == 0)
		r = check_list(p.argv, &room);
	if (r == 0)
		r = check_list(p.envp, &room);
	if (r == 0 && !p.argv[0])
		p.argv = unnamed;
	if (r == 0)
		r = plan_once(&p);
	while (r == IS_SCRIPT) {
		r = find(p.path, &p.where);
		if (r == 0)
			r = plan_once(&p);
	}
	if (r == 0 && twix_vfork_is_on() && !knows_processes(&p)) {
		drop(&p);
		r = twix_vfork_settle();
		return r < 0 ? r : twix_execve(a);
	}
	if (r == 0 && p.is_linux)
		r = add_host_name(&p);
	if (r == 0)
		r = run(&p);
	if (r == TWIX_EXEC_FATAL)
		end_fatally();
	drop(&p);
	return r;
}
