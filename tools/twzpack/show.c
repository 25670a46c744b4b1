// SPDX-License-Identifier: BSD-3-Clause
/* Listing and checking packs, see show.h. */
#include "show.h"
#include "names.h"

#include <base/bits.h>
#include <stdio.h>
#include <string.h>

struct object_in_pack {
	const struct pack *pack;
	const struct pack_object *object;
};

static void read_object(const void *object, uint64_t offset, void *bytes, size_t len)
{
	const struct object_in_pack *in = object;
	uint8_t *to = bytes;

	while (len > 0) {
		size_t start = offset % TWZ_PAGE_SIZE, n = MIN(len, TWZ_PAGE_SIZE - start);
		const uint8_t *page = pack_page_numbered(in->pack, in->object,
							 (uint32_t)(offset / TWZ_PAGE_SIZE));

		if (page != NULL)
			memcpy(to, page + start, n);
		else
			memset(to, 0, n);
		offset += n;
		to += n;
		len -= n;
	}
}

/* Start walking the pack's name root; false = it has none, or that is no namespace. */
static bool begin_names(const struct pack *p, struct object_in_pack *root, struct names_walk *w)
{
	*root = (struct object_in_pack){ p, pack_find(p, p->header->nameroot) };
	*w = (struct names_walk){ .read = read_object, .object = root };
	return root->object != NULL && names_begin(w);
}

static void print_names(const struct pack *p, objid_t id)
{
	struct object_in_pack root;
	struct names_walk w;

	if (!begin_names(p, &root, &w))
		return;
	while (names_next(&w) == 1) {
		if (w.id == id && w.name[0] != '.')
			printf(" %s", w.name);
	}
}

static void print_permissions(unsigned int p_flags)
{
	static const struct {
		unsigned int flag;
		char letter;
	} letters[] = { { MIP_DFL_READ, 'r' }, { MIP_DFL_WRITE, 'w' }, { MIP_DFL_EXEC, 'x' },
			{ MIP_DFL_USE, 'u' }, { MIP_DFL_DEL, 'd' } };

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		putchar(p_flags & letters[i].flag ? letters[i].letter : '-');
}

static void show_object(const struct pack *p, const struct pack_object *o)
{
	static const char *const machines[] = { "", " riscv64", " arm64" };
	struct object_in_pack in = { p, o };
	struct twz_program prog;
	struct metainfo mi;

	read_object(&in, OBJ_METAPAGE, &mi, sizeof(mi));
	printf(IDFMT "  ", IDPR(o->id));
	print_permissions(mi.p_flags);
	printf("  %6u pages ", o->page_count);
	print_names(p, o->id);
	if (pack_program(p, o, &prog) == 0)
		printf(" (program%s%s)",
		       prog.machine < ARRAY_SIZE(machines) ? machines[prog.machine] : "",
		       o->id == p->header->init ? ", init" : "");
	if (o->id == p->header->nameroot)
		printf(" (name root)");
	putchar('\n');
}

void show_pack(const struct pack *p)
{
	printf("%u objects, %lu pages, %lu bytes\n", p->header->object_count,
	       (unsigned long)p->header->page_count, (unsigned long)p->header->total_size);
	for (uint32_t i = 0; i < p->header->object_count; i++)
		show_object(p, pack_object(p, i));
}

static bool check_names(const struct pack *p, const char *path)
{
	struct object_in_pack root;
	struct names_walk w;
	bool ok = true;
	int rc;

	if (p->header->nameroot == 0)
		return true;
	if (!begin_names(p, &root, &w)) {
		fprintf(stderr, "twzpack: %s: the name root is not a namespace\n", path);
		return false;
	}
	while ((rc = names_next(&w)) == 1) {
		if (pack_find(p, w.id) != NULL)
			continue;
		fprintf(stderr, "twzpack: %s: %s names an object that is not there\n", path,
			w.name);
		ok = false;
	}
	if (rc < 0)
		fprintf(stderr, "twzpack: %s: the list of names is malformed\n", path);
	return ok && rc == 0;
}

bool check_pack(const struct pack *p, const char *path)
{
	bool ok = check_names(p, path);

	for (uint32_t i = 0; i < p->header->object_count; i++) {
		const struct pack_object *o = pack_object(p, i);
		const char *why;

		if (pack_verify(p, o, &why) == 0)
			continue;
		fprintf(stderr, "twzpack: %s: object " IDFMT ": %s\n", path, IDPR(o->id), why);
		ok = false;
	}
	return ok;
}
