// SPDX-License-Identifier: BSD-3-Clause
/* twzstore: makes, shows, checks, fills and empties store images; see docs/twzstore.md. */
#include "check.h"
#include "inside.h"
#include "show.h"
#include "transfer.h"

#include <base/bits.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static const char usage[] =
	"usage: twzstore create [--uuid UUID] FILE SIZE\n"
	"       twzstore info FILE\n"
	"       twzstore list FILE\n"
	"       twzstore names FILE\n"
	"       twzstore check [--objects] FILE\n"
	"       twzstore dump FILE [OBJECT]\n"
	"       twzstore export FILE OBJECT OUT\n"
	"       twzstore export-tree [--keep-going] FILE NAME FOLDER\n"
	"       twzstore import [--sync] FILE NAME=PATH...\n"
	"       twzstore import-tree [--sync] FILE FOLDER [NAME]\n"
	"       twzstore put [--sync] FILE PATH [NAME]\n"
	"\n"
	"create       make a store in a new file of SIZE (64M, 1G; a multiple of 2M)\n"
	"info         the store as a whole\n"
	"list         all objects: ID, size in bytes, pages, permissions, names\n"
	"names        all names\n"
	"check        find and explain every fault; --objects: also of objects and names\n"
	"dump         superblocks and log, or an object's inode and tree\n"
	"export       an object's data to a file\n"
	"export-tree  a namespace and all below it to a new folder (NAME / is the root);\n"
	"             --keep-going: leave out what cannot be read\n"
	"import       files as objects with names\n"
	"import-tree  a folder as a namespace, called NAME or like the folder, and all below it\n"
	"put          a file with its mode, such as a program to be run there; NAME is its own in\n"
	"             the root, or behind what ends in a slash, unless it is given\n"
	"\n"
	"OBJECT is a name (with slashes between namespaces) or an ID as list prints it.\n"
	"Only create and the imports write to FILE. --sync waits for the disk at each step.\n"
	"\n"
	"exit status: 0 done, 1 an error, or faults found, 2 wrong usage, 3 FILE is no store\n";

/* What the command line says. */
struct request {
	char **argv; /* behind the command, without options */
	int count;
	bool objects, keep_going, sync;
	const char *uuid;
};

static enum status bad_usage(const char *what, const char *arg)
{
	complain("%s%s (twzstore --help tells more)", what, arg);
	return WRONG_USAGE;
}

static enum status finish_output(enum status status)
{
	if (fflush(stdout) == 0)
		return status;
	complain("standard output: %s", strerror(errno));
	return FAILED;
}

/* ---- create ---- */

/* "64M": a number and K, M, G or T; plain numbers are MiB, as for the emulator. False: neither. */
static bool parse_size(const char *text, size_t *size)
{
	static const char units[] = "KMGT";
	char *end;
	unsigned long long number;
	const char *unit;
	unsigned int shift = 20;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || errno != 0)
		return false;
	if (*end != '\0') {
		unit = strchr(units, *end & ~0x20);
		if (unit == NULL || end[1] != '\0')
			return false;
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	*size = (size_t)number << shift;
	return *size >> shift == number;
}

/* 32 hex digits, with hyphens anywhere; NULL: random ones. */
static bool make_uuid(const char *text, uint8_t uuid[16])
{
	static const char digits[] = "0123456789abcdef";
	unsigned int n = 0;

	if (text == NULL)
		return getrandom(uuid, 16, 0) == 16;
	memset(uuid, 0, 16);
	for (; *text != '\0'; text++) {
		const char *digit = strchr(digits, *text | 0x20);

		if (*text == '-')
			continue;
		if (digit == NULL || n == 32)
			return false;
		uuid[n / 2] = (uint8_t)(uuid[n / 2] << 4 | (digit - digits));
		n++;
	}
	return n == 32;
}

static enum status format(struct region *r, const uint8_t uuid[16])
{
	int error = store_format(r->base, r->len, uuid, &region_ops);

	if (error == 0)
		return DONE;
	complain("%s: %s", r->path, error == -EEXIST ? "holds something already: left alone" :
						       error_text(error));
	return FAILED;
}

static enum status create(const struct request *q)
{
	enum status status;
	struct region r;
	uint8_t uuid[16];
	size_t size;
	bool made;

	if (!parse_size(q->argv[1], &size) || size < STORE_MIN_REGION || size > STORE_MAX_REGION ||
	    size % REGION_UNIT != 0)
		return bad_usage("a size is a multiple of 2M, at least 4M, not ", q->argv[1]);
	if (!make_uuid(q->uuid, uuid))
		return bad_usage("a UUID has 32 hex digits", "");
	region_strict();
	if (!region_create(&r, q->argv[0], size, &made))
		return FAILED;
	if (made)
		inside_begin_format(r.base);
	status = format(&r, uuid);
	if (!region_close(&r))
		status = FAILED;
	if (status != DONE && made)
		unlink(q->argv[0]);
	return status;
}

/* ---- Reading ---- */

/* Open and mount for reading, do something, close. */
typedef enum status (*reader)(const struct request *q, struct store *st);

static enum status with_store(const struct request *q, reader read)
{
	enum status status = FAILED;
	struct region r;
	struct store st;

	if (!region_open(&r, q->argv[0], false))
		return FAILED;
	if (region_mount(&r, &st, &status)) {
		status = read(q, &st);
		store_unmount(&st);
	}
	if (!region_close(&r))
		status = FAILED;
	return finish_output(status);
}

static enum status read_info(const struct request *q, struct store *st)
{
	printf("file       %s\n", q->argv[0]);
	show_info(st, stdout);
	return DONE;
}

static enum status read_list(const struct request *q, struct store *st)
{
	(void)q;
	return show_list(st, stdout);
}

static enum status read_names(const struct request *q, struct store *st)
{
	(void)q;
	return show_names(st, stdout);
}

static enum status read_dump(const struct request *q, struct store *st)
{
	struct object o;

	if (q->count == 1) {
		inside_dump_store(st, stdout);
		return DONE;
	}
	if (!object_named(st, q->argv[1], &o))
		return FAILED;
	inside_dump_object(st, &o.h, stdout);
	return DONE;
}

static enum status read_export(const struct request *q, struct store *st)
{
	struct object o;

	return object_named(st, q->argv[1], &o) && export_object(&o, q->argv[2]) ? DONE : FAILED;
}

static enum status read_export_tree(const struct request *q, struct store *st)
{
	struct object ns;

	if (!object_named(st, q->argv[1], &ns) || !export_tree(&ns, q->argv[2], q->keep_going))
		return FAILED;
	return DONE;
}

static enum status info(const struct request *q)
{
	return with_store(q, read_info);
}

static enum status list(const struct request *q)
{
	return with_store(q, read_list);
}

static enum status names(const struct request *q)
{
	return with_store(q, read_names);
}

static enum status dump(const struct request *q)
{
	return with_store(q, read_dump);
}

static enum status export(const struct request *q)
{
	catch_signals();
	return with_store(q, read_export);
}

static enum status export_folder(const struct request *q)
{
	catch_signals();
	return with_store(q, read_export_tree);
}

static enum status check(const struct request *q)
{
	enum status status;
	struct region r;

	if (!region_open(&r, q->argv[0], false))
		return FAILED;
	status = check_region(&r, q->objects, stdout);
	if (!region_close(&r))
		status = FAILED;
	return finish_output(status);
}

/* ---- Importing ---- */

/* Everything is decided on a store that is not written yet. */
static enum status place(struct region *r, struct plan *p)
{
	enum status status;
	struct store st;

	if (!check_before_writing(r, &st, &status))
		return status;
	status = import_place(&st, p) ? DONE : FAILED;
	store_unmount(&st);
	return status;
}

static enum status run(struct region *r, struct plan *p)
{
	enum status status = place(r, p);
	struct store st;

	if (status != DONE || !region_mount(r, &st, &status))
		return status;
	status = import_run(&st, p) ? DONE : FAILED;
	store_unmount(&st);
	return status;
}

static enum status import_planned(const struct request *q, struct plan *p)
{
	enum status status;
	struct region r;

	if (q->sync)
		region_strict();
	catch_signals();
	if (!region_open(&r, q->argv[0], true))
		return FAILED;
	status = run(&r, p);
	if (!region_close(&r))
		status = FAILED;
	return status;
}

static enum status import(const struct request *q)
{
	enum status status = DONE;
	struct plan p = { .items = NULL };

	for (int i = 1; i < q->count && status == DONE; i++) {
		char *equals = strchr(q->argv[i], '=');

		if (equals == NULL || equals == q->argv[i] || equals[1] == '\0') {
			status = bad_usage("expected NAME=PATH, not ", q->argv[i]);
			break;
		}
		*equals = '\0';
		status = plan_file(&p, equals + 1, q->argv[i]) ? DONE : FAILED;
	}
	if (status == DONE)
		status = import_planned(q, &p);
	plan_free(&p);
	return status;
}

/* The last component of a path, in place. */
static const char *base_name(char *path)
{
	size_t len = strlen(path);
	const char *slash;

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	slash = strrchr(path, '/');
	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static enum status import_folder(const struct request *q)
{
	struct plan p = { .items = NULL };
	const char *name = q->count == 3 ? q->argv[2] : base_name(q->argv[1]);
	enum status status;

	if (q->count == 2 && !name_fits(name, strlen(name)))
		return bad_usage("say what it is to be called: the folder itself has no name: ",
				 q->argv[1]);
	status = plan_folder(&p, q->argv[1], name) ? import_planned(q, &p) : FAILED;
	plan_free(&p);
	return status;
}

/* What a file is to be called: `name`, or its own name behind it. To be freed. */
static char *name_for(char *path, const char *name)
{
	size_t len = strlen(name);
	const char *last = len == 0 || name[len - 1] == '/' ? base_name(path) : "";
	char *whole = malloc(len + strlen(last) + 1);

	if (whole != NULL) {
		memcpy(whole, name, len);
		memcpy(whole + len, last, strlen(last) + 1);
	}
	return whole;
}

static enum status put(const struct request *q)
{
	struct plan p = { .items = NULL };
	char *name = name_for(q->argv[1], q->count == 3 ? q->argv[2] : "");
	enum status status = FAILED;

	if (name == NULL)
		complain("%s", strerror(ENOMEM));
	else if (plan_file(&p, q->argv[1], name) && plan_mode(&p))
		status = import_planned(q, &p);
	plan_free(&p);
	free(name);
	return status;
}

/* ---- The command line ---- */

static const struct command {
	const char *name;
	int min, max; /* arguments */
	enum status (*run)(const struct request *q);
	const char *option;
} commands[] = {
	{ "create", 2, 2, create, "--uuid" },
	{ "info", 1, 1, info, "" },
	{ "list", 1, 1, list, "" },
	{ "names", 1, 1, names, "" },
	{ "check", 1, 1, check, "--objects" },
	{ "dump", 1, 2, dump, "" },
	{ "export", 3, 3, export, "" },
	{ "export-tree", 3, 3, export_folder, "--keep-going" },
	{ "import", 2, 0x7fffffff, import, "--sync" },
	{ "import-tree", 2, 3, import_folder, "--sync" },
	{ "put", 2, 3, put, "--sync" },
};

/* Take the options out of argv, wherever they stand before "--". False: reported. */
static bool read_options(const struct command *c, struct request *q, int argc, char **argv)
{
	bool rest = false;

	q->argv = argv;
	for (int i = 0; i < argc; i++) {
		char *arg = argv[i];

		if (rest || strncmp(arg, "--", 2) != 0) {
			q->argv[q->count++] = arg;
			continue;
		}
		if (arg[2] == '\0') {
			rest = true;
			continue;
		}
		if (strcmp(arg, c->option) != 0) {
			bad_usage("unknown option ", arg);
			return false;
		}
		q->objects = q->keep_going = q->sync = true;
		if (c->run != create)
			continue;
		if (++i == argc) {
			bad_usage("no value for ", arg);
			return false;
		}
		q->uuid = argv[i];
	}
	return true;
}

static enum status run_command(const struct command *c, int argc, char **argv)
{
	struct request q = { .count = 0 };

	if (!read_options(c, &q, argc, argv))
		return WRONG_USAGE;
	if (q.count < c->min || q.count > c->max)
		return bad_usage("wrong number of arguments for ", c->name);
	return c->run(&q);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return bad_usage("expected a command", "");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		fputs(usage, stdout);
		return finish_output(DONE);
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return run_command(&commands[i], argc - 2, argv + 2);
	}
	return bad_usage("unknown command ", argv[1]);
}
