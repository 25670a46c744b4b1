// SPDX-License-Identifier: BSD-3-Clause
/* Writing packs, see write.h. */
#include "write.h"

#include <abi/pack.h>
#include <base/bits.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_id(const void *a, const void *b)
{
	objid_t x = ((const struct image *)a)->id, y = ((const struct image *)b)->id;

	return (x > y) - (x < y);
}

static void fill_header(struct pack_header *h, const struct image *images, size_t count)
{
	memset(h, 0, sizeof(*h));
	h->magic = PACK_MAGIC;
	h->version = PACK_VERSION;
	h->object_count = (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		h->page_count += images[i].count;
	h->pages_offset = sizeof(*h) + count * sizeof(struct pack_object);
	h->data_offset = align_up(h->pages_offset + h->page_count * sizeof(struct pack_page),
				  TWZ_PAGE_SIZE);
	h->total_size = h->data_offset + h->page_count * TWZ_PAGE_SIZE;
}

static void fill_tables(uint8_t *mem, const struct pack_header *h, const struct image *images)
{
	struct pack_object *objects = (struct pack_object *)(mem + sizeof(*h));
	struct pack_page *pages = (struct pack_page *)(mem + h->pages_offset);
	uint32_t next = 0;

	for (uint32_t i = 0; i < h->object_count; i++) {
		const struct image *img = &images[i];

		objects[i] = (struct pack_object){ img->id, next, (uint32_t)img->count,
						   img->flags };
		for (size_t k = 0; k < img->count; k++, next++) {
			pages[next] = (struct pack_page){ img->pages[k].number, next };
			memcpy(mem + h->data_offset + next * TWZ_PAGE_SIZE, img->pages[k].bytes,
			       TWZ_PAGE_SIZE);
		}
	}
}

void *pack_build(struct image *images, size_t count, objid_t init, objid_t nameroot, size_t *size,
		 const char **why)
{
	struct pack_header h;
	uint8_t *mem;

	if (count > PACK_MAX_OBJECTS) {
		*why = "too many objects for a pack";
		return NULL;
	}
	if (count > 0)
		qsort(images, count, sizeof(*images), by_id);
	fill_header(&h, images, count);
	if (h.page_count > UINT32_MAX) {
		*why = "too many pages for a pack";
		return NULL;
	}
	h.init = init;
	h.nameroot = nameroot;
	mem = grow(NULL, h.total_size, 1);
	memset(mem, 0, h.data_offset);
	fill_tables(mem, &h, images);
	crypto_generichash_blake2b(h.table_hash, sizeof(h.table_hash), mem + sizeof(h),
				   h.data_offset - sizeof(h), NULL, 0);
	memcpy(mem, &h, sizeof(h));
	*size = h.total_size;
	return mem;
}

/* The name under which a file is being written; empty = none. */
static char begun[PATH_MAX];

static void remove_begun(int signal)
{
	if (begun[0] != '\0')
		unlink(begun);
	_exit(128 + signal);
}

static void catch_signals(void (*handler)(int))
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], handler);
}

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
	}
	return true;
}

static bool write_begun(const char *path, const void *bytes, size_t size)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	fd = mkstemp(begun);
	if (fd < 0)
		return false;
	if (!write_all(fd, bytes, size) || fchmod(fd, 0666 & ~mask) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return false;
	}
	return close(fd) == 0 && rename(begun, path) == 0;
}

bool write_file(const char *path, const void *bytes, size_t size)
{
	bool ok;
	int error;

	if ((size_t)snprintf(begun, sizeof(begun), "%s.XXXXXX", path) >= sizeof(begun)) {
		begun[0] = '\0';
		errno = ENAMETOOLONG;
		return false;
	}
	catch_signals(remove_begun);
	ok = write_begun(path, bytes, size);
	error = errno;
	if (!ok)
		unlink(begun);
	begun[0] = '\0';
	catch_signals(SIG_DFL);
	errno = error;
	return ok;
}
