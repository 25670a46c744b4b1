// SPDX-License-Identifier: BSD-3-Clause
/*
 * Files and directories that no object holds: /dev, /proc, and the names that the root directory has
 * beside those of its own. One table says what there is. Such a file is known by an ID that is made of
 * its place in the table, of a process and of a descriptor, where it is of one.
 */
#include "node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <twz/name.h>
#include <twz/obj/hier.h>
#include <twz/sys/program.h>
#include <twz/sys/sys.h>
#include <unistd.h>

#define NODE_TAG 0x65646f6e78697774ull /* the upper half of an ID */

/* Directories. */
enum { NOWHERE, ROOT, DEV, PROC, PROCESS, FDS, SYS, KERNEL, SYS_FS, PTS, ELSEWHERE };

#define READABLE (S_IFREG | 0444)
#define DIRECTORY (S_IFDIR | 0555)
#define LINK (S_IFLNK | 0777)
#define DEVICE (S_IFCHR | 0666)

static const struct node {
	const char *name;
	uint8_t in;   /* the directory that has it */
	uint8_t is;   /* the directory that it is */
	uint8_t kind; /* enum twix_kind, of a device */
	unsigned major, minor;
	mode_t mode;
	twix_text_fn *text; /* what a file says, or where a link leads to */
	objid_t (*real)(void); /* the object that stands in its place; 0: there is none */
} nodes[] = {
#define DIR(in_, name_, is_, mode_) { .name = name_, .in = in_, .is = is_, .mode = mode_ }
#define TEXT(in_, name_, mode_, text_) { .name = name_, .in = in_, .mode = mode_, .text = text_ }
#define CHAR(name_, kind_, major_, minor_, mode_) \
	{ .name = name_, .in = DEV, .kind = kind_, .major = major_, .minor = minor_, .mode = mode_ }
#define ELSE(in_, name_, real_) { .name = name_, .in = in_, .is = ELSEWHERE, .mode = DIRECTORY, .real = real_ }

	DIR(ROOT, "", ROOT, DIRECTORY),
	ELSE(ROOT, "bin", twz_program_packroot),
	DIR(ROOT, "dev", DEV, DIRECTORY | 0200),
	DIR(ROOT, "proc", PROC, DIRECTORY),

	CHAR("null", TWIX_NULL, 1, 3, DEVICE),
	CHAR("zero", TWIX_ZERO, 1, 5, DEVICE),
	CHAR("full", TWIX_FULL, 1, 7, DEVICE),
	CHAR("random", TWIX_RANDOM, 1, 8, DEVICE),
	CHAR("urandom", TWIX_RANDOM, 1, 9, DEVICE),
	CHAR("tty", TWIX_TERMINAL, 5, 0, DEVICE),
	CHAR("console", TWIX_TERMINAL, 5, 1, S_IFCHR | 0620),
	CHAR("ptmx", TWIX_PTMX, 5, 2, DEVICE),
	DIR(DEV, "pts", PTS, DIRECTORY),
	ELSE(DEV, "shm", twix_shared_memory),
	TEXT(DEV, "fd", LINK, twix_text_self_fd),
	TEXT(DEV, "stdin", LINK, twix_text_stdin),
	TEXT(DEV, "stdout", LINK, twix_text_stdout),
	TEXT(DEV, "stderr", LINK, twix_text_stderr),

	TEXT(PROC, "self", LINK, twix_text_self),
	TEXT(PROC, "mounts", LINK, twix_text_self_mounts),
	TEXT(PROC, "cmdline", READABLE, twix_text_boot),
	TEXT(PROC, "cpuinfo", READABLE, twix_text_cpuinfo),
	TEXT(PROC, "filesystems", READABLE, twix_text_filesystems),
	TEXT(PROC, "loadavg", READABLE, twix_text_loadavg),
	TEXT(PROC, "meminfo", READABLE, twix_text_meminfo),
	TEXT(PROC, "stat", READABLE, twix_text_machine_stat),
	TEXT(PROC, "uptime", READABLE, twix_text_uptime),
	TEXT(PROC, "version", READABLE, twix_text_version),
	DIR(PROC, "sys", SYS, DIRECTORY),
	DIR(SYS, "kernel", KERNEL, DIRECTORY),
	DIR(SYS, "fs", SYS_FS, DIRECTORY),
	TEXT(KERNEL, "hostname", READABLE, twix_text_hostname),
	TEXT(KERNEL, "osrelease", READABLE, twix_text_osrelease),
	TEXT(KERNEL, "ostype", READABLE, twix_text_ostype),
	TEXT(KERNEL, "version", READABLE, twix_text_osversion),
	TEXT(KERNEL, "pid_max", READABLE, twix_text_pid_max),
	TEXT(KERNEL, "threads-max", READABLE, twix_text_threads_max),
	TEXT(KERNEL, "ngroups_max", READABLE, twix_text_ngroups_max),
	TEXT(SYS_FS, "file-max", READABLE, twix_text_file_max),
	TEXT(SYS_FS, "file-nr", READABLE, twix_text_file_nr),
	TEXT(SYS_FS, "nr_open", READABLE, twix_text_nr_open),

	/* Of each process; PROCESS itself has its number as its name. */
	DIR(PROC, "", PROCESS, DIRECTORY),
	TEXT(PROCESS, "cmdline", READABLE, twix_text_command),
	TEXT(PROCESS, "comm", READABLE, twix_text_comm),
	TEXT(PROCESS, "cwd", LINK, twix_text_cwd),
	TEXT(PROCESS, "environ", S_IFREG | 0400, twix_text_environ),
	TEXT(PROCESS, "exe", LINK, twix_text_exe),
	DIR(PROCESS, "fd", FDS, S_IFDIR | 0500),
	TEXT(PROCESS, "limits", READABLE, twix_text_limits),
	TEXT(PROCESS, "maps", READABLE, twix_text_maps),
	TEXT(PROCESS, "mounts", READABLE, twix_text_mounts),
	TEXT(PROCESS, "root", LINK, twix_text_root),
	TEXT(PROCESS, "stat", READABLE, twix_text_stat),
	TEXT(PROCESS, "statm", READABLE, twix_text_statm),
	TEXT(PROCESS, "status", READABLE, twix_text_status),

	/* Of each terminal, and of each descriptor, with its number as its name. */
	{ .name = "", .in = PTS, .kind = TWIX_TERMINAL, .major = 136, .mode = S_IFCHR | 0620 },
	TEXT(FDS, "", S_IFLNK | 0700, twix_text_descriptor),
};

#define NODES (sizeof(nodes) / sizeof(nodes[0]))
#define TERMINAL (&nodes[NODES - 2])
#define DESCRIPTOR (&nodes[NODES - 1])
#define NUMBERS 1000l /* in the list of a directory, behind those of the table */

/* An ID: which node, of which process, of which descriptor. */
static objid_t id_of(const struct node *n, int pid, int fd)
{
	if (n->real)
		return n->real();
	return MKID(NODE_TAG, (uint64_t)(n - nodes) | (uint64_t)fd << 16 | (uint64_t)pid << 40);
}

static const struct node *node_of(objid_t id)
{
	return &nodes[(ID_LO(id) & 0xffff) % NODES];
}

static int pid_of(objid_t id)
{
	return (int)(ID_LO(id) >> 40);
}

static int fd_of(objid_t id)
{
	return (int)(ID_LO(id) >> 16 & 0xffffff);
}

bool twix_is_node(objid_t id)
{
	return ID_HI(id) == NODE_TAG;
}

/* Which node is a directory. */
static const struct node *directory(unsigned is)
{
	const struct node *n = nodes;

	while (n->is != is)
		n++;
	return n;
}

static unsigned type_of(mode_t mode)
{
	return S_ISDIR(mode) ? NAME_ENT_NAMESPACE : S_ISLNK(mode) ? NAME_ENT_SYMLINK : NAME_ENT_REGULAR;
}

/* --- looking up */

/* A decimal number without zeroes before it; or -1. */
static int number(const char *name)
{
	int n = 0;

	if (name[0] < '1' && strcmp(name, "0") != 0)
		return -1;
	for (; *name >= '0' && *name <= '9' && n < 1000000; name++)
		n = n * 10 + *name - '0';
	return *name ? -1 : n;
}

/* The descriptor of a process; 0: there is none. */
static unsigned file_number(int pid, int fd)
{
	const struct twix_process *p = twix_process_of(pid);

	if (!p || fd < 0 || fd >= TWIX_DESCRIPTORS)
		return 0;
	return TWIX_FILE_OF(__atomic_load_n(&twix_descriptors(p)[fd], __ATOMIC_ACQUIRE));
}

static objid_t numbered(unsigned in, int pid, int n)
{
	if (in == PROC && twix_process_of(n))
		return id_of(directory(PROCESS), n, 0);
	if (in == PTS && twix_terminal_next((unsigned)n) == (unsigned)n && n < TWIX_TERMINALS)
		return id_of(TERMINAL, 0, n);
	return in == FDS && file_number(pid, n) ? id_of(DESCRIPTOR, pid, n) : 0;
}

/* Where ".." leads to. */
static objid_t parent_of(objid_t dir)
{
	const struct node *up = directory(node_of(dir)->in);

	return up->is == ROOT ? twix_root_id() : id_of(up, up->is == PROCESS ? pid_of(dir) : 0, 0);
}

static objid_t find(objid_t dir, const char *name)
{
	const struct node *d = node_of(dir);
	int pid = pid_of(dir), n = number(name);

	if (strcmp(name, ".") == 0)
		return dir;
	if (strcmp(name, "..") == 0)
		return parent_of(dir);
	if (d->is == PROCESS && !twix_process_of(pid))
		return 0;
	if (n >= 0)
		return numbered(d->is, pid, n);
	for (const struct node *c = nodes + 1; name[0] && c < nodes + NODES; c++)
		if (c->in == d->is && strcmp(c->name, name) == 0)
			return id_of(c, pid, 0);
	return 0;
}

int twix_node_find(objid_t dir, const char *name, objid_t *id, int *type)
{
	objid_t found = find(dir, name);

	if (!found)
		return -ENOENT;
	*id = found;
	*type = (int)(twix_is_node(found) ? type_of(node_of(found)->mode) : NAME_ENT_NAMESPACE);
	return 0;
}

objid_t twix_node_root(void)
{
	return id_of(nodes, 0, 0);
}

objid_t twix_node_of_path(const char *path)
{
	struct twix_where w;

	return twix_resolve(AT_FDCWD, path, false, &w) == 0 ? w.id : 0;
}

/* --- listing */

static bool entry(objid_t id, const char *name, int number, struct twix_node_entry *e)
{
	if (name)
		strcpy(e->name, name);
	else
		sprintf(e->name, "%d", number);
	e->id = id;
	e->type = (int)(twix_is_node(id) ? type_of(node_of(id)->mode) : NAME_ENT_NAMESPACE);
	return true;
}

static bool next_process(long *at, struct twix_node_entry *e)
{
	unsigned n = (unsigned)(*at - NUMBERS);
	const struct twix_process *p = twix_process_next(&n);

	*at = NUMBERS + n;
	return p && entry(id_of(directory(PROCESS), p->pid, 0), NULL, p->pid, e);
}

static bool next_descriptor(int pid, long *at, struct twix_node_entry *e)
{
	const struct twix_process *p = twix_process_of(pid);

	for (long n = *at - NUMBERS; p && n < p->fd_end; n++) {
		*at = NUMBERS + n + 1;
		if (file_number(pid, (int)n))
			return entry(id_of(DESCRIPTOR, pid, (int)n), NULL, (int)n, e);
	}
	return false;
}

static bool next_terminal(long *at, struct twix_node_entry *e)
{
	unsigned n = twix_terminal_next((unsigned)(*at - NUMBERS));

	*at = NUMBERS + n + 1;
	return n < TWIX_TERMINALS && entry(id_of(TERMINAL, 0, (int)n), NULL, (int)n, e);
}

static bool next_numbered(unsigned is, int pid, long *at, struct twix_node_entry *e)
{
	switch (is) {
	case PROC:
		return next_process(at, e);
	case FDS:
		return next_descriptor(pid, at, e);
	case PTS:
		return next_terminal(at, e);
	default:
		return false;
	}
}

bool twix_node_next(objid_t dir, long *at, struct twix_node_entry *e)
{
	const struct node *d = node_of(dir);
	objid_t id;

	if (*at < 2 && d->is != ROOT) {
		bool self = (*at)++ == 0;

		return entry(self ? dir : parent_of(dir), self ? "." : "..", 0, e);
	}
	for (long n = *at < 2 ? 1 : *at - 1; n < (long)NODES; n++) {
		*at = n + 2;
		id = nodes[n].in == d->is && nodes[n].name[0] ? id_of(&nodes[n], pid_of(dir), 0) : 0;
		if (id)
			return entry(id, nodes[n].name, 0, e);
	}
	if (*at < NUMBERS)
		*at = NUMBERS;
	return next_numbered(d->is, pid_of(dir), at, e);
}

/* --- using one */

void twix_node_stat(objid_t id, struct stat *st)
{
	const struct node *n = node_of(id);
	uint64_t now = twz_clock_real_ns();

	*st = (struct stat){ .st_dev = n->in == DEV ? 5 : 6, .st_ino = ID_LO(id) + 1, .st_nlink = n->is ? 2 : 1 };
	st->st_mode = n->mode;
	st->st_blksize = 4096;
	if (n->kind)
		st->st_rdev = makedev(n->major, n->minor + (unsigned)fd_of(id));
	st->st_atim = st->st_mtim = st->st_ctim = twix_time_of(now);
}

bool twix_node_is_device(objid_t id)
{
	return node_of(id)->kind;
}

struct twix_file *twix_node_descriptor(objid_t id)
{
	if (!twix_is_node(id) || node_of(id) != DESCRIPTOR)
		return NULL;
	struct twix_file *f = twix_file_number(file_number(pid_of(id), fd_of(id)));

	return f && twix_file_get_open(f) ? f : NULL;
}

ssize_t twix_node_text(objid_t id, char *buf, size_t n, off_t at)
{
	struct twix_text t = { .buf = buf, .room = n, .skip = (size_t)at, .pid = pid_of(id), .fd = fd_of(id) };
	const struct node *node = node_of(id);

	t.process = t.pid ? twix_process_of(t.pid) : twix_self();
	if (!node->text)
		return -EINVAL;
	if (!t.process)
		return S_ISLNK(node->mode) ? -ENOENT : -ESRCH;
	node->text(&t);
	return t.error ? t.error : (ssize_t)t.used;
}

static ssize_t text_pread(struct twix_file *f, void *buf, size_t n, off_t at)
{
	return twix_node_text(f->id, buf, n, at);
}

static off_t text_size(struct twix_file *f)
{
	(void)f;
	return 0;
}

const struct twix_ops twix_text_ops = { .pread = text_pread, .size = text_size };

static struct twix_file *open_terminal(objid_t id, unsigned flags, int *error)
{
	const struct node *n = node_of(id);
	char name[16];

	if (n == TERMINAL)
		sprintf(name, "pts/%d", fd_of(id));
	return twix_terminal_open(n == TERMINAL ? name : n->name, flags, error);
}

int twix_node_open(objid_t id, unsigned flags, struct twix_file **f)
{
	const struct node *n = node_of(id);
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	enum twix_kind kind = n->is ? TWIX_DIRECTORY : n->kind ? (enum twix_kind)n->kind : TWIX_TEXT;
	int r = -ENFILE;

	*f = twix_node_descriptor(id);
	if (*f)
		return 0;
	if (n->is && (writes || flags & O_CREAT))
		return -EISDIR;
	if (kind == TWIX_TEXT && writes)
		return -EACCES;
	*f = n->kind == TWIX_TERMINAL || n->kind == TWIX_PTMX ? open_terminal(id, flags, &r) : twix_file_new(kind, id, flags);
	if (*f)
		(*f)->parent = id;
	return *f ? 0 : r;
}

void twix_text(struct twix_text *t, const char *format, ...)
{
	char line[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	twix_text_bytes(t, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

void twix_text_bytes(struct twix_text *t, const char *bytes, size_t n)
{
	size_t skip = n < t->skip ? n : t->skip;

	t->skip -= skip;
	bytes += skip;
	n -= skip;
	if (n > t->room - t->used)
		n = t->room - t->used;
	memcpy(t->buf + t->used, bytes, n);
	t->used += n;
}

/* The path that leads to it; the root's names stand at once below it. */
int twix_node_path(objid_t id, char *path, size_t *at)
{
	const struct node *n = node_of(id);
	char name[16];
	int r = 0;

	for (; r == 0 && n->is != ROOT; n = directory(n->in)) {
		sprintf(name, "%d", n->is == PROCESS ? pid_of(id) : fd_of(id));
		r = twix_path_prepend(path, at, n->name[0] ? n->name : name);
	}
	return r;
}
