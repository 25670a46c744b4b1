// SPDX-License-Identifier: BSD-3-Clause
/*
 * The objects that are run of a file. A file can be written while its program runs, so that it is
 * never executed itself: pages are shared with it until it is. What comes of it is a program object
 * (abi/program.h) with its data template, whatever the file was.
 */
#include "twix.h"

#include <abi/program.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <twz/sys/slots.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>

#define IMAGE_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_EXEC | TWZ_OC_DFL_DEL)

struct image {
	objid_t file, id[2]; /* the objects of slot 0 and 1 */
	twzobj text, data;
	struct twz_program header;
};

static int make_object(objid_t parent, objid_t *id)
{
	struct twz_ocreate_spec spec = {
		.ties = (uintptr_t)&parent,
		.ties_len = 1,
		.flags = IMAGE_FLAGS,
		.backing_type = TWZ_BACKING_VOLATILE,
		.lifetime = 1,
	};
	int r = (int)sys_ocreate2(&spec);

	if (r == 0)
		*id = spec.result;
	return r;
}

/* The template goes with the text. */
static int open_image(struct image *m)
{
	int r = make_object(twix_view_id(), &m->id[PROGRAM_TEXT_SLOT]);

	if (r == 0)
		r = make_object(m->id[PROGRAM_TEXT_SLOT], &m->id[PROGRAM_DATA_SLOT]);
	if (r == 0)
		r = twz_object_init_guid(&m->text, m->id[PROGRAM_TEXT_SLOT], FE_READ | FE_WRITE);
	if (r == 0)
		r = twz_object_init_guid(&m->data, m->id[PROGRAM_DATA_SLOT], FE_READ | FE_WRITE);
	return r;
}

static void close_image(struct image *m)
{
	if (m->data.base)
		twz_object_release(&m->data);
	if (m->text.base)
		twz_object_release(&m->text);
}

static void drop_image(struct image *m)
{
	close_image(m);
	if (m->id[PROGRAM_TEXT_SLOT])
		twz_object_tie_guid(twix_view_id(), m->id[PROGRAM_TEXT_SLOT], TIE_UNTIE);
}

/* Bytes of the file to an offset of an object: whole pages are shared where both stand alike. */
static int put(twzobj *to, uint64_t at, objid_t file, const char *base, uint64_t offset, uint64_t bytes)
{
	char *object = (char *)twz_object_base(to) - OBJ_NULLPAGE_SIZE;
	uint64_t before = -at % TWIX_PAGE, whole;
	objid_t id = twz_object_guid(to);

	if (at % TWIX_PAGE != offset % TWIX_PAGE || bytes < before + TWIX_PAGE) {
		memcpy(object + at, base + offset, bytes);
		return 0;
	}
	whole = (bytes - before) & ~(TWIX_PAGE - 1);
	memcpy(object + at, base + offset, before);
	memcpy(object + at + before + whole, base + offset + before + whole, bytes - before - whole);
	return (int)sys_ocopy(&id, &file, at + before, OBJ_NULLPAGE_SIZE + offset + before, whole, 0);
}

bool twix_image_is_made(void)
{
	return __twz_program.flags & PROGRAM_MADE;
}

/* --- an ELF file that was linked for the two slots */

static bool is_for_slots(const struct twix_elf *e)
{
	const struct twix_load *first = twix_elf_find(e, OBJ_NULLPAGE_SIZE, sizeof(struct twz_program));
	uint64_t magic;

	if (!first)
		return false;
	memcpy(&magic, e->file + first->offset + (OBJ_NULLPAGE_SIZE - first->address), sizeof(magic));
	return magic == PROGRAM_MAGIC;
}

static bool fits_its_slot(const struct twix_load *l)
{
	uint64_t slot = VADDR_TO_SLOT(l->address), offset = l->address % OBJ_MAXSIZE;
	bool is_data = slot == PROGRAM_DATA_SLOT;

	return slot <= PROGRAM_DATA_SLOT && offset >= OBJ_NULLPAGE_SIZE && offset <= OBJ_TOPDATA &&
	    l->memory <= OBJ_TOPDATA - offset && is_data == !!(l->flags & PF_W) && !(is_data && l->flags & PF_X);
}

/* What the packing tool would say of it. */
static void describe(struct image *m, const struct twix_elf *e)
{
	struct twz_program *h = &m->header;

	memcpy(h, twz_object_base(&m->text), sizeof(*h));
	h->entry = e->entry;
	h->data = m->id[PROGRAM_DATA_SLOT];
	h->flags |= PROGRAM_MADE;
	for (unsigned i = 0; i < e->loads; i++) {
		uint64_t *end = VADDR_TO_SLOT(e->load[i].address) == PROGRAM_DATA_SLOT ? &h->data_end : &h->text_end;
		uint64_t here = e->load[i].address % OBJ_MAXSIZE + e->load[i].memory;

		*end = here > *end ? here : *end;
	}
	if (!h->tls_image && e->tls[2]) {
		h->tls_image = e->tls[1] ? e->tls[0] : OBJ_NULLPAGE_SIZE;
		h->tls_filesz = e->tls[1];
		h->tls_memsz = e->tls[2];
		h->tls_align = e->tls[3] ? e->tls[3] : 1;
	}
	memcpy(twz_object_base(&m->text), h, sizeof(*h));
}

static int put_loads(struct image *m, const struct twix_elf *e)
{
	int r = 0;

	for (unsigned i = 0; i < e->loads && r == 0; i++) {
		const struct twix_load *l = &e->load[i];
		twzobj *to = VADDR_TO_SLOT(l->address) == PROGRAM_DATA_SLOT ? &m->data : &m->text;

		r = put(to, l->address % OBJ_MAXSIZE, m->file, e->file, l->offset, l->bytes);
	}
	return r;
}

static int from_elf(struct image *m, const struct twix_elf *e)
{
	const struct twix_load *entry = twix_elf_find(e, e->entry, 1);
	int r;

	for (unsigned i = 0; i < e->loads; i++)
		if (!fits_its_slot(&e->load[i]))
			return TWIX_EXEC_FATAL;
	if (!entry || !(entry->flags & PF_X))
		return TWIX_EXEC_FATAL;
	r = open_image(m);
	if (r == 0)
		r = put_loads(m, e);
	if (r == 0)
		describe(m, e);
	return r;
}

/* --- an ELF file that was linked for Linux */

#define ANYWHERE 0x10000u /* where one stands that does not say */

static int put_memory(twzobj *to, const struct twix_elf *e, objid_t file, uint64_t base)
{
	struct twix_linux *p = (void *)((char *)twz_object_base(to) - OBJ_NULLPAGE_SIZE + TWIX_LINUX_AT % OBJ_MAXSIZE);
	int r = 0;

	*p = (struct twix_linux){
		.magic = TWIX_LINUX_MAGIC,
		.entry = e->entry + base,
		.header = e->header ? e->header + base : 0,
		.header_count = e->header_count,
	};
	for (unsigned i = 0; i < e->loads && r == 0; i++) {
		const struct twix_load *l = &e->load[i];
		uint64_t end = ROUND_UP(base + l->address + l->memory, TWIX_PAGE);

		r = put(to, base + l->address, file, e->file, l->offset, l->bytes);
		p->memory_end = end > p->memory_end ? end : p->memory_end;
	}
	return r;
}

int twix_image_make_linux(objid_t file, const struct twix_elf *e, objid_t *memory)
{
	uint64_t base = e->type == ET_DYN ? ANYWHERE : 0;
	twzobj o;
	int r;

	for (unsigned i = 0; i < e->loads; i++)
		if (e->load[i].address + base < OBJ_NULLPAGE_SIZE ||
		    e->load[i].address + e->load[i].memory + base > TWIX_LINUX_AT - TWIX_PAGE)
			return TWIX_EXEC_FATAL;
	r = make_object(twix_view_id(), memory);
	if (r < 0)
		return r;
	r = twz_object_init_guid(&o, *memory, FE_READ | FE_WRITE);
	if (r == 0) {
		r = put_memory(&o, e, file, base);
		twz_object_release(&o);
	}
	if (r < 0)
		twz_object_tie_guid(twix_view_id(), *memory, TIE_UNTIE);
	return r;
}

/* --- the bytes of a program object */

static bool is_copy(const struct twz_program *h, uint64_t size)
{
	uint64_t image = h->data_image - OBJ_NULLPAGE_SIZE;

	return h->magic == PROGRAM_MAGIC && h->version == PROGRAM_VERSION && h->machine == twz_sysinfo()->arch &&
	    h->entry >= OBJ_NULLPAGE_SIZE && h->entry < h->text_end && h->data_image % TWIX_PAGE == 0 &&
	    h->data_image >= OBJ_NULLPAGE_SIZE && h->text_end <= h->data_image && image <= size &&
	    h->data_filesz <= size - image && size <= OBJ_MAXDATA;
}

static int from_copy(struct image *m, const char *base)
{
	const struct twz_program *h = &m->header;
	uint64_t text = h->text_end - OBJ_NULLPAGE_SIZE, image = h->data_image - OBJ_NULLPAGE_SIZE;
	int r = open_image(m);

	if (r == 0)
		r = put(&m->text, OBJ_NULLPAGE_SIZE, m->file, base, 0, text);
	if (r == 0)
		r = put(&m->data, OBJ_NULLPAGE_SIZE, m->file, base, image, h->data_filesz);
	if (r < 0)
		return r;
	m->header.data = m->id[PROGRAM_DATA_SLOT];
	m->header.flags |= PROGRAM_MADE;
	memcpy(twz_object_base(&m->text), h, sizeof(*h));
	return 0;
}

int twix_image_make(objid_t file, const char *base, uint64_t size, const struct twix_elf *e, objid_t *text)
{
	struct image m = { .file = file };
	int r = -ENOEXEC;

	if (e) {
		if (is_for_slots(e))
			r = from_elf(&m, e);
	} else if (size >= sizeof(m.header)) {
		memcpy(&m.header, base, sizeof(m.header));
		if (is_copy(&m.header, size))
			r = from_copy(&m, base);
	}
	if (r) {
		drop_image(&m);
		return r;
	}
	close_image(&m);
	*text = m.id[PROGRAM_TEXT_SLOT];
	return 0;
}
