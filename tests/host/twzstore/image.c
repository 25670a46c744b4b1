// SPDX-License-Identifier: BSD-3-Clause
/* A store to test twzstore with, see image.h. */
#include "image.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../tools/twzstore/transfer.h"

static char folder[64];

static void must(bool ok)
{
	if (!ok)
		abort();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_folder(void)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_folder(void)
{
	if (folder[0] != '\0')
		return folder;
	strcpy(folder, "/tmp/twzstore-test.XXXXXX");
	must(mkdtemp(folder) != NULL);
	atexit(remove_folder);
	return folder;
}

const char *scratch_path(const char *name)
{
	static char paths[4][512];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch_folder(), name);
	return path;
}

void write_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

static void write_numbers(const char *path, size_t count)
{
	uint32_t *numbers = malloc(count * sizeof(*numbers) + 1);

	for (size_t i = 0; i < count; i++)
		numbers[i] = (uint32_t)i * 2654435761u;
	write_file(path, numbers, count * sizeof(*numbers));
	free(numbers);
}

void make_sample_tree(const char *path)
{
	int here = open(".", O_RDONLY | O_DIRECTORY);

	must(mkdir(path, 0755) == 0 && chdir(path) == 0);
	write_file("empty", "", 0);
	write_file("one", "1", 1);
	write_file(" odd\nname\\", "odd", 3);
	write_file("\xff\x01*?", "\0\0\0", 3);
	write_file("-o", "", 0);
	write_numbers("page", 1024);
	write_numbers("page and a bit", 1025);
	write_numbers("tree", 70 * 1024);
	must(truncate("empty", 0) == 0 && truncate("one", 1 << 20) == 0);
	must(mkdir("sub", 0755) == 0 && mkdir("sub/deep", 0755) == 0 && mkdir("none", 0755) == 0);
	write_numbers("sub/deep/file", 100);
	must(symlink("../one", "sub/link") == 0 && symlink("/nowhere", "sub/lost") == 0);
	must(fchdir(here) == 0);
	close(here);
}

void make_region(struct region *r, size_t len)
{
	static const uint8_t uuid[16] = "twzstore tests!";

	*r = (struct region){ .path = "image", .fd = -1, .len = len, .writable = true };
	r->base = mmap(NULL, len + STORE_PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(r->base != MAP_FAILED && mprotect(r->base + len, STORE_PAGE_SIZE, PROT_NONE) == 0);
	must(store_format(r->base, len, uuid, &region_ops) == 0);
}

void import_tree(struct region *r, const char *path, const char *name)
{
	struct plan p = { .items = NULL };
	enum status status;
	struct store st;

	must(plan_folder(&p, path, name) && region_mount(r, &st, &status));
	must(import_place(&st, &p) && import_run(&st, &p));
	store_unmount(&st);
	plan_free(&p);
}

static struct store_handle add_object(struct store *st, uint64_t number, unsigned int flags)
{
	struct store_handle h;
	void *page;

	must(store_create(st, MKID(number, number), NULL, flags, &h) == 0);
	must(store_page_alloc(st, &h, 1, NULL, &page) == 0);
	memset(page, (int)number, STORE_PAGE_SIZE);
	return h;
}

void add_rare_things(struct region *r)
{
	struct store_handle parent, child, lasting;
	enum status status;
	struct store st;
	void *page;

	must(region_mount(r, &st, &status));
	parent = add_object(&st, 1, 0);
	child = add_object(&st, 2, 0);
	must(store_run_alloc(&st, &parent, 1024, &page) == 0);
	must(store_page_share(&st, &child, 2, &parent, 1, &page) == 0);
	must(store_page_share(&st, &child, 5000, &parent, 1, &page) == 0);
	must(store_side_alloc(&st, &child, 0, NULL, &page) == 0);
	must(store_side_alloc(&st, &child, 700, NULL, &page) == 0);
	lasting = add_object(&st, 3, 0);
	must(store_tie(&st, &parent, &child) == 0 && store_tie(&st, &parent, &child) == 0);
	must(store_tie(&st, &parent, &lasting) == 0 && store_tie(&st, &child, &lasting) == 0);
	must(store_mark_deleted(&st, &lasting) == 0);
	add_object(&st, 4, STORE_CREATE_DELETED);
	add_object(&st, 5, STORE_CREATE_HIDDEN);
	store_unmount(&st);
}

FILE *nowhere(void)
{
	static FILE *file;

	if (file == NULL)
		file = fopen("/dev/null", "w");
	must(file != NULL);
	return file;
}
