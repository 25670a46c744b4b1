// SPDX-License-Identifier: BSD-3-Clause
/*
 * Exporting, see transfer.h. Files and folders are made under another name beside their place and
 * renamed when they are complete. Nothing in a store can make this write anywhere else.
 */
#define _XOPEN_SOURCE 700 /* nftw */
#define _DEFAULT_SOURCE
#include "transfer.h"

#include <errno.h> /* before abi/errno.h, which then only adds to it */

#include <abi/errno.h>
#include <base/bits.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "idset.h"

#define DEPTH 200u /* of folders; each holds a descriptor */

/* ---- Signals ---- */

static volatile sig_atomic_t signal_came;

static void note_signal(int signal)
{
	signal_came = signal;
}

void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], note_signal);
}

bool stopped(void)
{
	return signal_came != 0;
}

/* ---- One object ---- */

static bool is_zero(const uint8_t *bytes, size_t len)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, bytes, len, (off_t)at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
			at += (uint64_t)n;
		}
	}
	return 0;
}

/* Zeroes become holes. */
static int write_pages(const struct object *o, int fd, uint64_t size)
{
	int error = ftruncate(fd, (off_t)size) ? -errno : 0;

	for (uint64_t at = 0; at < size && !error; at += TWZ_PAGE_SIZE) {
		size_t len = MIN(size - at, TWZ_PAGE_SIZE);
		void *page = NULL;

		error = stopped() ? -EINTR :
				    store_page_get(o->st, &o->h,
						   (OBJ_NULLPAGE_SIZE + at) / TWZ_PAGE_SIZE, &page);
		if (!error && page != NULL && !is_zero(page, len))
			error = write_all(fd, page, len, at);
	}
	return error;
}

static int write_object(const struct object *o, int fd)
{
	uint64_t size;
	int error = object_size(o, &size);

	return error ? error : write_pages(o, fd, size);
}

static const char *export_error(int error)
{
	return error == -EINVLOBJ ? "its metadata is damaged" : error_text(error);
}

static mode_t usual_mode(mode_t all)
{
	mode_t mask = umask(0);

	umask(mask);
	return all & ~mask;
}

/* A name beside `path` that nothing has yet: a template for mkstemp and mkdtemp. */
static char *beside(const char *path)
{
	size_t len = strlen(path);
	char *name = grow(NULL, len + sizeof(".XXXXXX"), 1);

	while (len > 1 && path[len - 1] == '/')
		len--;
	memcpy(name, path, len);
	strcpy(name + len, ".XXXXXX");
	return name;
}

static bool export_as(const struct object *o, char *temporary, const char *path)
{
	int fd = mkstemp(temporary);
	int error;

	if (fd < 0)
		return complain("%s: %s", path, strerror(errno));
	error = write_object(o, fd);
	if (!error && (fchmod(fd, usual_mode(0666)) != 0 || fsync(fd) != 0))
		error = -errno;
	close(fd);
	if (!error && rename(temporary, path) != 0)
		error = -errno;
	if (!error)
		return true;
	unlink(temporary);
	return complain("%s: not exported: %s", path, export_error(error));
}

bool export_object(const struct object *o, const char *path)
{
	struct stat st;
	char *temporary;
	bool ok;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return complain("%s: exists, and is not a regular file", path);
	temporary = beside(path);
	ok = export_as(o, temporary, path);
	free(temporary);
	return ok;
}

/* ---- Trees ---- */

struct walk {
	struct store *st;
	struct idset seen;
	unsigned int depth;
	bool keep_going, failed;
};

/* Something was left out. False: stop here. */
static bool leave_out(struct walk *w, const struct entry *e, const char *why)
{
	fputs("twzstore: ", complaints());
	print_name(complaints(), e->name);
	fprintf(complaints(), ": not exported: %s\n", why);
	w->failed = true;
	return w->keep_going && !stopped();
}

static bool export_namespace(struct walk *w, const struct object *ns, const struct entry *self,
			     int dir);

static bool export_folder(struct walk *w, int dir, const struct entry *e, const struct object *ns)
{
	bool ok;
	int sub;

	if (mkdirat(dir, e->name, 0777) != 0)
		return leave_out(w, e, strerror(errno));
	sub = openat(dir, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return leave_out(w, e, strerror(errno));
	ok = export_namespace(w, ns, e, sub);
	close(sub);
	return ok;
}

static bool export_file(struct walk *w, int dir, const struct entry *e, const struct object *o)
{
	int fd = openat(dir, e->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int error;

	if (fd < 0)
		return leave_out(w, e, strerror(errno));
	error = write_object(o, fd);
	if (close(fd) != 0 && !error)
		error = -errno;
	if (!error)
		return true;
	unlinkat(dir, e->name, 0);
	return leave_out(w, e, export_error(error));
}

static bool export_entry(struct walk *w, int dir, const struct entry *e)
{
	struct object o;
	int error;

	if (stopped())
		return leave_out(w, e, "interrupted");
	if (e->type == NAME_ENT_SYMLINK)
		return symlinkat(e->target, dir, e->name) == 0 || leave_out(w, e, strerror(errno));
	error = object_open(w->st, e->id, &o);
	if (error)
		return leave_out(w, e, error == -ENOENT ? "there is no such object any more" :
							  error_text(error));
	if (e->type == NAME_ENT_NAMESPACE)
		return export_folder(w, dir, e, &o);
	if (e->type == NAME_ENT_REGULAR)
		return export_file(w, dir, e, &o);
	return leave_out(w, e, "of a kind that this tool does not know");
}

static const char *list_fault(int error)
{
	return error == -ENOTDIR ? "not a namespace" :
	       error == -EINVLOBJ ? "its list of names is malformed" : error_text(error);
}

static bool export_entries(struct walk *w, const struct object *ns, const struct entry *self,
			   int dir)
{
	struct entries entries;
	int error = entries_read(ns, &entries);
	bool ok = !error || leave_out(w, self, list_fault(error));

	if (ok && entries.improper != 0)
		ok = leave_out(w, self, "it lists things without a proper name");
	for (size_t i = 0; i < entries.count && ok; i++)
		ok = export_entry(w, dir, &entries.list[i]);
	entries_free(&entries);
	return ok;
}

/* A tree has each folder once: this also ends circles. */
static bool export_namespace(struct walk *w, const struct object *ns, const struct entry *self,
			     int dir)
{
	bool ok;

	if (!idset_add(&w->seen, ns->h.id))
		return leave_out(w, self, "a namespace that stands in the tree twice");
	if (w->depth == DEPTH)
		return leave_out(w, self, "too many namespaces in each other");
	w->depth++;
	ok = export_entries(w, ns, self, dir);
	w->depth--;
	return ok;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* The folder as it is called until it is complete. False: incomplete. */
static bool fill_folder(struct walk *w, const struct object *ns, const char *folder,
			const char *path)
{
	char name[] = "/";
	struct entry self = { .type = NAME_ENT_NAMESPACE, .id = ns->h.id, .name = name };
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool ok;

	if (dir < 0)
		return complain("%s: %s", path, strerror(errno));
	ok = export_namespace(w, ns, &self, dir);
	if (ok && fchmod(dir, usual_mode(0777)) != 0)
		ok = complain("%s: %s", path, strerror(errno));
	close(dir);
	return ok;
}

bool export_tree(const struct object *ns, const char *path, bool keep_going)
{
	struct walk w = { .st = ns->st, .keep_going = keep_going };
	struct stat st;
	char *folder;
	bool ok;

	if (lstat(path, &st) == 0)
		return complain("%s: exists already", path);
	folder = beside(path);
	ok = mkdtemp(folder) != NULL || complain("%s: %s", path, strerror(errno));
	if (ok) {
		ok = fill_folder(&w, ns, folder, path);
		if (ok && rename(folder, path) != 0)
			ok = complain("%s: %s", path, strerror(errno));
		if (!ok)
			nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	free(folder);
	idset_free(&w.seen);
	return ok && !w.failed;
}
