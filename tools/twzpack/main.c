// SPDX-License-Identifier: BSD-3-Clause
/* twzpack: makes, lists and checks object packs; see docs/format-pack.md. */
#include "names.h"
#include "show.h"
#include "split.h"
#include "write.h"

#include <base/bits.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
	"usage: twzpack create -o FILE [--init NAME] [--data NAME=FILE]... NAME=PROGRAM...\n"
	"       twzpack list FILE\n"
	"       twzpack check FILE\n"
	"\n"
	"create  put programs (static ELF64, linked for slots 0 and 1) and data into a pack;\n"
	"        --init says which program the kernel starts\n"
	"list    print what a pack holds\n"
	"check   verify a pack and every object in it\n"
	"\n"
	"exit status: 0 done, 1 an error or a fault found, 2 wrong usage\n";

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	fputs("twzpack: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void __attribute__((noreturn)) die_usage(const char *what, const char *arg)
{
	fprintf(stderr, "twzpack: %s%s (twzpack --help tells more)\n", what, arg);
	exit(2);
}

struct file {
	const void *bytes;
	size_t len;
};

/* The whole of a file. It stays mapped until the program ends. */
static struct file read_whole(const char *path)
{
	struct stat st;
	struct file f = { "", 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		die("%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		die("%s: not a regular file", path);
	if (st.st_size != 0) {
		f.len = (size_t)st.st_size;
		f.bytes = mmap(NULL, f.len, PROT_READ, MAP_PRIVATE, fd, 0);
		if (f.bytes == MAP_FAILED)
			die("%s: %s", path, strerror(errno));
	}
	close(fd);
	return f;
}

/* What is being put together. */
struct job {
	const char *output, *init_name;
	struct image *images;
	size_t image_count;
	struct name *names;
	size_t name_count;
	objid_t init;
	uint32_t machine; /* 0 = no program yet */
};

/* Add a finished image, or drop it if there is an equal one; returns its ID. */
static objid_t add_image(struct job *j, struct image *img)
{
	objid_t id = img->id;

	if (objid_is_reserved(id))
		die("an object got a reserved ID");
	for (size_t i = 0; i < j->image_count; i++) {
		if (j->images[i].id == id) {
			image_free(img);
			return id;
		}
	}
	j->images = grow(j->images, j->image_count + 1, sizeof(*j->images));
	j->images[j->image_count++] = *img;
	return id;
}

static void add_name(struct job *j, const char *name, objid_t id)
{
	if (!name_valid(name))
		die("%s: not a valid name: 1 to 255 bytes, no slash, not . or ..", name);
	for (size_t i = 0; i < j->name_count; i++) {
		if (strcmp(j->names[i].name, name) == 0)
			die("%s: two objects are given this name", name);
	}
	j->names = grow(j->names, j->name_count + 1, sizeof(*j->names));
	j->names[j->name_count++] = (struct name){ name, id };
}

/* Split NAME=FILE in place; returns FILE. */
static char *split_argument(char *arg)
{
	char *equals = strchr(arg, '=');

	if (equals == NULL || equals == arg || equals[1] == '\0')
		die_usage("expected NAME=FILE, not ", arg);
	*equals = '\0';
	return equals + 1;
}

static void add_program(struct job *j, char *arg)
{
	const char *path = split_argument(arg);
	struct file f = read_whole(path);
	char why[SPLIT_WHY];
	struct split s;
	objid_t id;

	if (!split_elf(f.bytes, f.len, &s, why))
		die("%s: %s", path, why);
	if (j->machine != 0 && j->machine != s.header.machine)
		die("%s: for another machine than the programs before it", path);
	j->machine = s.header.machine;
	if (s.has_data)
		add_image(j, &s.data);
	id = add_image(j, &s.text);
	add_name(j, arg, id);
	if (j->init_name != NULL && strcmp(arg, j->init_name) == 0)
		j->init = id;
}

static void add_data(struct job *j, char *arg)
{
	const char *path = split_argument(arg);
	struct file f = read_whole(path);
	struct image img;

	if (f.len > OBJ_MAXDATA)
		die("%s: too large for an object (at most %lu bytes)", path, OBJ_MAXDATA);
	image_init(&img, MIP_DFL_READ);
	img.mi->flags = MIF_SZ;
	img.mi->sz = f.len;
	image_write(&img, OBJ_NULLPAGE_SIZE, f.bytes, f.len);
	image_finish(&img);
	add_name(j, arg, add_image(j, &img));
}

static bool is_option(const char *arg, const char *name)
{
	return strcmp(arg, name) == 0;
}

/* The options, wherever they stand; the objects are left to add_all. */
static void read_options(struct job *j, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *arg = argv[i];

		if (arg[0] != '-')
			continue;
		if (!is_option(arg, "-o") && !is_option(arg, "--init") && !is_option(arg, "--data"))
			die_usage("unknown option ", arg);
		if (++i == argc)
			die_usage("no value for ", arg);
		if (is_option(arg, "-o"))
			j->output = argv[i];
		else if (is_option(arg, "--init"))
			j->init_name = argv[i];
	}
	if (j->output == NULL)
		die_usage("create needs -o FILE", "");
}

static void add_all(struct job *j, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (argv[i][0] != '-')
			add_program(j, argv[i]);
		else if (is_option(argv[i++], "--data"))
			add_data(j, argv[i]);
	}
	if (j->init_name != NULL && j->init == 0)
		die("--init %s: there is no such program in the pack", j->init_name);
}

/* Not a device, not a folder: the pack replaces what is there. */
static void check_output(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		die("%s: not a regular file", path);
}

static void free_job(struct job *j)
{
	for (size_t i = 0; i < j->image_count; i++)
		image_free(&j->images[i]);
	free(j->images);
	free(j->names);
}

static int create(int argc, char **argv)
{
	struct job j = { .output = NULL };
	struct image root;
	const char *why;
	objid_t nameroot;
	size_t size;
	void *mem;
	int error;

	read_options(&j, argc, argv);
	check_output(j.output);
	add_all(&j, argc, argv);
	if (j.name_count == 0)
		die_usage("create needs at least one object", "");
	names_build(j.names, j.name_count, &root);
	nameroot = add_image(&j, &root);
	mem = pack_build(j.images, j.image_count, j.init, nameroot, &size, &why);
	if (mem == NULL)
		die("%s: %s", j.output, why);
	error = write_file(j.output, mem, size) ? 0 : errno;
	free(mem);
	free_job(&j);
	if (error != 0)
		die("%s: %s", j.output, strerror(error));
	return 0;
}

static struct pack open_pack(int argc, char **argv)
{
	struct pack p;
	struct file f;
	const char *why;

	if (argc != 1)
		die_usage("expected one pack file", "");
	f = read_whole(argv[0]);
	if (pack_open(f.bytes, f.len, &p, &why) < 0)
		die("%s: %s", argv[0], why);
	return p;
}

static int finish_output(int status)
{
	if (fflush(stdout) != 0)
		die("standard output: %s", strerror(errno));
	return status;
}

static int list(int argc, char **argv)
{
	struct pack p = open_pack(argc, argv);

	show_pack(&p);
	return finish_output(0);
}

static int check(int argc, char **argv)
{
	struct pack p = open_pack(argc, argv);

	if (!check_pack(&p, argv[0]))
		return 1;
	printf("%s: %u objects, no faults\n", argv[0], p.header->object_count);
	return finish_output(0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = { { "create", create }, { "list", list }, { "check", check } };

	if (argc < 2)
		die_usage("expected create, list or check", "");
	if (is_option(argv[1], "--help") || is_option(argv[1], "-h")) {
		fputs(usage, stdout);
		return finish_output(0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	}
	die_usage("unknown command ", argv[1]);
}
