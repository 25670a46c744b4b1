// SPDX-License-Identifier: BSD-3-Clause
/* Stores that are none, and files in stores that are damaged: told in one line, and nothing lost. */
#define _GNU_SOURCE
#include "hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <twz/name.h>
#include <twz/persist.h>
#include <twz/twztry.h>

static char folder[] = "/tmp/twizzler-wrong-XXXXXX";
static char path[256];

static const char *in_folder(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_folder(name), "w");

	NEED(f != NULL);
	fputs(text, f);
	fclose(f);
}

/* What a role prints, in `printed`, and its status. */
static char printed[4096];

static int run_and_read(const char *role, const char *arg, const char *store)
{
	int to[2], old = dup(2), status;
	ssize_t n;
	pid_t pid;

	if (pipe(to) < 0)
		return -1;
	dup2(to[1], 2);
	pid = start_role(role, arg, store);
	dup2(old, 2);
	close(old);
	close(to[1]);
	for (size_t at = 0; at < sizeof(printed) - 1 &&
	     (n = read(to[0], printed + at, sizeof(printed) - 1 - at)) > 0; at += (size_t)n)
		printed[at + (size_t)n] = 0;
	close(to[0]);
	status = finish_role(pid);
	return status;
}

static void is_refused(const char *store, const char *why)
{
	printed[0] = 0;
	CHECK_EQ(run_and_read("nothing", "", store), 1);
	if (!strstr(printed, store) || !strstr(printed, why)) {
		ktap_note("%s", printed);
		CHECK(!"the message names the folder and says why");
	}
}

static void missing(void)
{
	is_refused(in_folder("not there"), "No such file");
	CHECK(access(in_folder("not there"), F_OK) < 0);
}

static void a_file(void)
{
	write_file("file", "text");
	is_refused(in_folder("file"), "Not a directory");
}

static void other_things(void)
{
	mkdir(in_folder("other"), 0700);
	write_file("other/letter", "dear");
	is_refused(in_folder("other"), "holds other things");
	CHECK(access(in_folder("other/lock"), F_OK) < 0);
	CHECK(access(in_folder("other/objects"), F_OK) < 0);
}

static void another_version(void)
{
	mkdir(in_folder("version"), 0700);
	write_file("version/format", "twizzler hosted store 99\n");
	is_refused(in_folder("version"), "another version");
	CHECK(access(in_folder("version/objects"), F_OK) < 0);
}

static void not_writable(void)
{
	if (geteuid() == 0) {
		ktap_skip("root may write everywhere");
		return;
	}
	mkdir(in_folder("closed"), 0500);
	is_refused(in_folder("closed"), "Permission denied");
}

/* --- objects whose files are damaged */

struct content {
	uint64_t word;
};

static int make_object(objid_t *id)
{
	twzobj o;
	int r = twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS);

	if (r < 0)
		return r;
	((struct content *)twz_object_base(&o))->word = 0x600d;
	*id = twz_object_guid(&o);
	return twz_object_release(&o);
}

static const char *file_of(objid_t id)
{
	snprintf(path, sizeof(path), "%s/objects/%016lx%016lx", getenv("TWZ_STORE"), ID_HI(id),
	    ID_LO(id));
	return path;
}

/* The flags of the object fault that a read raises, or -1. */
static int fault_of(twzobj *o)
{
	volatile int flags = -1;

	twztry {
		if (((volatile struct content *)twz_object_base(o))->word != 0x600d)
			flags = -2;
	} twzcatch(FAULT_OBJECT) {
		flags = (int)((struct fault_object_info *)twzcatch_data())->flags;
	} twztry_end;
	return flags;
}

/* It is refused while it is damaged, and whole again when the damage is mended. */
static void check_damage(objid_t id, void (*damage)(void), void (*mend)(void))
{
	twzobj o;

	damage();
	NEED(twz_object_init_guid(&o, id, FE_READ) == 0);
	CHECK_EQ(fault_of(&o), FAULT_OBJECT_READ | FAULT_OBJECT_INVALID);
	mend();
	CHECK_EQ(fault_of(&o), -1);
	twz_object_release(&o);
}

static objid_t damaged;

static void make_longer(void)
{
	CHECK_EQ(truncate(file_of(damaged), OBJ_MAXSIZE + 1), 0);
}

static void make_right(void)
{
	CHECK_EQ(truncate(file_of(damaged), OBJ_MAXSIZE), 0);
}

static struct metainfo saved;

static void swap_meta(const struct metainfo *to)
{
	int fd = open(file_of(damaged), O_RDWR);

	NEED(fd >= 0);
	if (!saved.magic)
		CHECK_EQ(pread(fd, &saved, sizeof(saved), OBJ_METAPAGE), sizeof(saved));
	CHECK_EQ(pwrite(fd, to, sizeof(*to), OBJ_METAPAGE), sizeof(*to));
	close(fd);
}

static void write_noise(void)
{
	struct metainfo noise;

	memset(&noise, 0x5a, sizeof(noise));
	swap_meta(&noise);
}

static void write_other_nonce(void)
{
	struct metainfo other;
	int fd = open(file_of(damaged), O_RDONLY);

	NEED(fd >= 0);
	CHECK_EQ(pread(fd, &other, sizeof(other), OBJ_METAPAGE), sizeof(other));
	close(fd);
	other.nonce++;
	swap_meta(&other);
}

static void write_saved(void)
{
	swap_meta(&saved);
}

static void wrong_size(void)
{
	NEED(make_object(&damaged) == 0);
	check_damage(damaged, make_longer, make_right);
}

static void wrong_metadata(void)
{
	NEED(make_object(&damaged) == 0);
	check_damage(damaged, write_noise, write_saved);
	NEED(make_object(&damaged) == 0);
	saved.magic = 0;
	check_damage(damaged, write_other_nonce, write_saved);
}

/* A truncated file under a mapping: what is gone faults, the process goes on. */
static void truncated_while_mapped(void)
{
	volatile int pages = 0;
	twzobj o;

	NEED(make_object(&damaged) == 0);
	NEED(twz_object_init_guid(&o, damaged, FE_READ) == 0);
	CHECK_EQ(truncate(file_of(damaged), 5), 0);
	twztry {
		if (((volatile struct content *)twz_object_base(&o))->word)
			pages = -1;
	} twzcatch(FAULT_PAGE) {
		pages++;
	} twztry_end;
	CHECK_EQ(pages, 1);
	twz_object_release(&o);
}

/* --- a full store: a small file system, where the test may make one */

static int fill_up(void)
{
	volatile uint64_t room = 0;
	volatile bool full = false;
	twzobj o;

	if (twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS) < 0)
		return 2;
	twztry {
		for (; room < 4096; room++)
			((char *)twz_object_base(&o))[room * TWZ_PAGE_SIZE] = 1;
	} twzcatch(FAULT_PAGE) {
		struct fault_page_info *info = twzcatch_data();

		full = info->info == FAULT_PAGE_NOMEM && info->objid == twz_object_guid(&o);
	} twztry_end;
	return full ? 0 : 3;
}

static int full_role(const char *where)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", where, "tmpfs", 0, "size=1m") < 0)
		return 77;
	return run_role("fill", "", where);
}

static void full(void)
{
	int r;

	mkdir(in_folder("full"), 0700);
	r = run_role("full", in_folder("full"), NULL);
	if (r == 77)
		ktap_skip("no file system can be mounted here");
	else
		CHECK_EQ(r, 0);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "a store that is missing", missing },
		{ "a store that is a file", a_file },
		{ "a folder of other things", other_things },
		{ "a store of another version", another_version },
		{ "a store that cannot be written", not_writable },
		{ "an object's file has the wrong size", wrong_size },
		{ "an object's metadata is not its own", wrong_metadata },
		{ "a file is truncated while it is mapped", truncated_while_mapped },
		{ "a store that is full", full },
	};
	char command[64];
	int r;

	if (argc > 2 && strcmp(argv[1], "full") == 0)
		return full_role(argv[2]);
	if (argc > 1)
		return strcmp(argv[1], "fill") == 0 ? fill_up() : 0;
	if (!mkdtemp(folder))
		return 2;
	r = KTAP_RUN(cases);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? r : 2;
}
