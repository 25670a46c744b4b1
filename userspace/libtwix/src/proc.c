// SPDX-License-Identifier: BSD-3-Clause
/* What the files of /proc say about a process. */
#include "node.h"

#include "shared.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <twz/env.h>
#include <twz/sys/program.h>
#include <twz/sys/slots.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>
#include <twz/sys/view.h>

#define TICKS 100u
#define RUN_OF_SLOTS 64u /* so many empty ones end a list of slots */
#define TERMINAL_NUMBER 0x501 /* of /dev/console */

/* --- a program's own */

void twix_describe(const char *exe, int argc, char *const *argv)
{
	struct twix_about *a = twix_about(twix_self());
	size_t at = 0;

	if (exe)
		strlcpy(a->exe, exe, sizeof(a->exe));
	if (!argc)
		return;
	a->name[0] = 0;
	if (!a->exe[0]) /* the machine started it */
		snprintf(a->exe, sizeof(a->exe), "%s%s", argv[0][0] == '/' ? "" : "/bin/", argv[0]);

	for (int i = 0; i < argc && at < sizeof(a->command); i++) {
		size_t n = strlen(argv[i]) + 1;

		if (n > sizeof(a->command) - at)
			n = sizeof(a->command) - at;
		memcpy(a->command + at, argv[i], n);
		at += n;
	}
	if (at)
		a->command[at - 1] = 0;
	a->length = (uint32_t)at;
}

/* --- what is known about the process */

/* The name of its program, of at most 15 bytes. */
void twix_process_name(const struct twix_process *p, char name[16])
{
	const struct twix_about *a = twix_about(p);
	const char *path = a->exe[0] ? a->exe : a->length ? a->command : "?", *slash = strrchr(path, '/');

	strlcpy(name, a->name[0] ? a->name : slash ? slash + 1 : path, 16);
}

static struct kernel_ostat_thread thread_of(const struct twix_process *p)
{
	struct kernel_ostat_thread st = { 0 };

	if (p->state == TWIX_RUNNING)
		sys_ostat(TWZ_OSTAT_THREAD, p->thread, 0, &st);
	return st;
}

static uint64_t cpu_of(const struct twix_process *p)
{
	return p == twix_self() ? twix_cpu_used() : p->cpu + thread_of(p).cpu_ns;
}

uint64_t twix_cpu_of_all(void)
{
	struct twix_process *p;
	uint64_t all = 0;

	for (unsigned n = 0; (p = twix_process_next(&n));)
		if (p->state == TWIX_RUNNING)
			all += cpu_of(p);
	return all;
}

static char state_of(const struct twix_process *p)
{
	uint32_t state;

	if (p->state == TWIX_ENDED)
		return 'Z';
	state = p == twix_self() ? TWZ_THREAD_RUNNING : thread_of(p).state;
	return state == TWZ_THREAD_SUSPENDED ? 'T' : state == TWZ_THREAD_SLEEPING ? 'S' : 'R';
}

/* --- what its view has */

typedef void slot_fn(struct twix_text *t, size_t slot, objid_t id, uint32_t flags);

static void walk_slots(struct twix_text *t, twzobj *view, size_t from, size_t to, slot_fn *fn)
{
	unsigned empty = 0;
	uint32_t flags;
	objid_t id;

	for (size_t slot = from; slot < to && empty < RUN_OF_SLOTS; slot++) {
		twz_view_get(view, slot, &id, &flags);
		empty = flags & VE_VALID ? 0 : empty + 1;
		if (flags & VE_VALID)
			fn(t, slot, id, flags);
	}
}

static void walk_view(struct twix_text *t, slot_fn *fn)
{
	objid_t id = t->process->state == TWIX_RUNNING ? thread_of(t->process).view : 0;
	twzobj view;

	if (!id || twz_object_init_guid(&view, id, FE_READ | FE_WRITE) < 0)
		return;
	walk_slots(t, &view, 0, TWZSLOT_THRD, fn);
	walk_slots(t, &view, TWZSLOT_THRD, TWZSLOT_MMAP_BASE, fn);
	walk_slots(t, &view, TWZSLOT_MMAP_BASE, TWZSLOT_CVIEW, fn);
	twz_object_release(&view);
}

static void tell_slot(struct twix_text *t, size_t slot, objid_t id, uint32_t flags)
{
	unsigned long at = SLOT_TO_VADDR(slot);

	twix_text(t, "%08lx-%08lx %c%c%c%c 00000000 00:00 %lu [%016lx:%016lx]\n", at + OBJ_NULLPAGE_SIZE, at + OBJ_MAXSIZE,
	    flags & VE_READ ? 'r' : '-', flags & VE_WRITE ? 'w' : '-',
	    flags & VE_EXEC && !(flags & VE_WRITE) ? 'x' : '-', flags & VE_WRITE ? 's' : 'p',
	    (unsigned long)(ID_LO(id) ^ ID_HI(id)), IDPR(id));
}

/* Pages of what may be written and is not shared by all; in the text's place for an error. */
static void count_slot(struct twix_text *t, size_t slot, objid_t id, uint32_t flags)
{
	struct kernel_ostat st;

	(void)slot;
	if (flags & VE_WRITE && id != twix_shared_id() && sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st) == 0)
		t->used += st.pages;
}

static unsigned long pages_of(struct twix_process *p)
{
	struct twix_text count = { .process = p };

	walk_view(&count, count_slot);
	return count.used;
}

/* --- /proc and its links */

void twix_text_self(struct twix_text *t)
{
	twix_text(t, "%d", twix_self()->pid);
}

void twix_text_self_mounts(struct twix_text *t)
{
	twix_text(t, "self/mounts");
}

void twix_text_self_fd(struct twix_text *t)
{
	twix_text(t, "/proc/self/fd");
}

void twix_text_stdin(struct twix_text *t)
{
	twix_text(t, "/proc/self/fd/0");
}

void twix_text_stdout(struct twix_text *t)
{
	twix_text(t, "/proc/self/fd/1");
}

void twix_text_stderr(struct twix_text *t)
{
	twix_text(t, "/proc/self/fd/2");
}

void twix_text_root(struct twix_text *t)
{
	twix_text(t, "/");
}

static void tell_path(struct twix_text *t, int r, const char *path, size_t at)
{
	if (r < 0)
		t->error = r;
	else
		twix_text_bytes(t, path + at, strlen(path + at));
}

void twix_text_cwd(struct twix_text *t)
{
	char path[PATH_MAX];
	size_t at = sizeof(path) - 1;
	objid_t cwd = t->process->cwd;

	path[at] = 0;
	tell_path(t, twix_path_of(cwd ? cwd : twix_root_id(), path, &at), path, at);
}

void twix_text_descriptor(struct twix_text *t)
{
	twix_descriptor d = twix_descriptors(t->process)[t->fd % TWIX_DESCRIPTORS];
	struct twix_file *f = twix_file_number(TWIX_FILE_OF(d));
	char path[PATH_MAX];
	size_t at = sizeof(path) - 1;

	path[at] = 0;
	if (!f || !twix_file_get_open(f)) {
		t->error = -ENOENT;
		return;
	}
	tell_path(t, twix_path_of_file(f, path, &at), path, at);
	twix_file_put(f);
}

void twix_text_exe(struct twix_text *t)
{
	const char *exe = twix_about(t->process)->exe;

	if (exe[0])
		twix_text_bytes(t, exe, strnlen(exe, sizeof(twix_about(t->process)->exe)));
	else
		t->error = -ENOENT;
}

/* --- /proc/PID */

void twix_text_command(struct twix_text *t)
{
	const struct twix_about *a = twix_about(t->process);

	if (t->process->state != TWIX_ENDED)
		twix_text_bytes(t, a->command, a->length < sizeof(a->command) ? a->length : sizeof(a->command));
}

void twix_text_comm(struct twix_text *t)
{
	char name[16];

	twix_process_name(t->process, name);
	twix_text(t, "%s\n", name);
}

/* It stands in the memory of the program: only it can read that. */
void twix_text_environ(struct twix_text *t)
{
	if (t->process != twix_self())
		t->error = -EACCES;
	for (const char *e = twz_env_next(NULL); e && !t->error; e = twz_env_next(e))
		twix_text_bytes(t, e, strlen(e) + 1);
}

static void tell_limit(char text[24], uint64_t limit)
{
	if (limit == UINT64_MAX)
		strcpy(text, "unlimited");
	else
		snprintf(text, 24, "%lu", (unsigned long)limit);
}

void twix_text_limits(struct twix_text *t)
{
	static const struct {
		unsigned what;
		const char *name, *unit;
	} known[] = {
		{ RLIMIT_CPU, "Max cpu time", "seconds" }, { RLIMIT_FSIZE, "Max file size", "bytes" },
		{ RLIMIT_DATA, "Max data size", "bytes" }, { RLIMIT_STACK, "Max stack size", "bytes" },
		{ RLIMIT_CORE, "Max core file size", "bytes" }, { RLIMIT_NPROC, "Max processes", "processes" },
		{ RLIMIT_NOFILE, "Max open files", "files" }, { RLIMIT_AS, "Max address space", "bytes" },
	};
	const uint64_t (*limit)[2] = (const void *)twix_about(t->process)->limits;
	char soft[24], hard[24];

	twix_text(t, "%-26s%-21s%-21s%-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		tell_limit(soft, limit[known[i].what][0]);
		tell_limit(hard, limit[known[i].what][1]);
		twix_text(t, "%-26s%-21s%-21s%-10s\n", known[i].name, soft, hard, known[i].unit);
	}
}

void twix_text_maps(struct twix_text *t)
{
	walk_view(t, tell_slot);
}

void twix_text_stat(struct twix_text *t)
{
	struct twix_process *p = t->process;
	unsigned long cpu = cpu_of(p) / (TWIX_NS / TICKS), started = p->started / (TWIX_NS / TICKS), pages = pages_of(p);
	bool on_terminal = twix_terminal()->session == p->session;
	char name[16];

	twix_process_name(p, name);
	twix_text(t, "%d (%s) %c %d %d %d %d %d 0 ", p->pid, name, state_of(p), p->parent, p->group, p->session,
	    on_terminal ? TERMINAL_NUMBER : 0, on_terminal ? twix_terminal()->foreground : -1);
	twix_text(t, "%lu 0 0 0 %lu 0 0 0 20 0 1 0 %lu %lu %lu ", (unsigned long)thread_of(p).faults, cpu, started,
	    pages * TWIX_PAGE, pages);
	twix_text(t, "18446744073709551615 0 0 0 0 0 %lu %lu %lu %lu 0 0 0 17 %u 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
	    (unsigned long)p->pending, (unsigned long)p->blocked, (unsigned long)p->ignored,
	    (unsigned long)p->caught, thread_of(p).cpu);
}

void twix_text_statm(struct twix_text *t)
{
	unsigned long pages = pages_of(t->process);

	twix_text(t, "%lu %lu 0 0 0 %lu 0\n", pages, pages, pages);
}

static const char *state_name(char state)
{
	return state == 'Z' ? "zombie" : state == 'T' ? "stopped" : state == 'R' ? "running" : "sleeping";
}

static void tell_users(struct twix_text *t, const struct twix_users *u, unsigned descriptors)
{
	twix_text(t, "Uid:\t%u\t%u\t%u\t%u\n", u->user.real, u->user.effective, u->user.saved, u->user.effective);
	twix_text(t, "Gid:\t%u\t%u\t%u\t%u\n", u->group.real, u->group.effective, u->group.saved, u->group.effective);
	twix_text(t, "FDSize:\t%u\nGroups:\t", descriptors);
	for (uint32_t i = 0; i < u->count && i < TWIX_GROUPS; i++)
		twix_text(t, "%u ", u->groups[i]);
	twix_text(t, "\n");
}

void twix_text_status(struct twix_text *t)
{
	struct twix_process *p = t->process;
	unsigned long size = pages_of(p) * (TWIX_PAGE / 1024);
	char name[16], state = state_of(p);

	twix_process_name(p, name);
	twix_text(t, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
	    name, p->umask, state, state_name(state), p->pid, p->pid, p->parent);
	tell_users(t, &twix_about(p)->users, p->fd_end);
	if (state != 'Z')
		twix_text(t, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\nVmData:\t%8lu kB\n", size, size, size);
	twix_text(t, "Threads:\t1\nSigPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
	    (unsigned long)p->pending, (unsigned long)p->blocked, (unsigned long)p->ignored, (unsigned long)p->caught);
}
