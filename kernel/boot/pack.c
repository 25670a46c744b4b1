// SPDX-License-Identifier: BSD-3-Clause
/* The reader of object packs, see boot/pack.h. */
#include <abi/errno.h>
#include <base/bits.h>
#include <base/string.h>
#include <boot/pack.h>
#include <obj/id.h>
#include <sodium/crypto_generichash_blake2b.h>

#define META_PAGE_NUMBER (OBJ_METAPAGE / TWZ_PAGE_SIZE)
#define BASE_PAGE_NUMBER (OBJ_NULLPAGE_SIZE / TWZ_PAGE_SIZE)

/* Every check below returns what is wrong, or NULL. */

/* Where things lie, without looking at any of them. All sums are of checked parts. */
static const char *layout_fault(const struct pack_header *h, size_t len)
{
	uint64_t objects_size = (uint64_t)h->object_count * sizeof(struct pack_object), pages_size;

	if (h->object_count > PACK_MAX_OBJECTS)
		return "pack has too many objects";
	if (h->total_size > len)
		return "pack is truncated";
	if (!range_between(sizeof(*h), objects_size, 0, h->total_size))
		return "object table of the pack lies outside it";
	if (mul_overflow(h->page_count, sizeof(struct pack_page), &pages_size) ||
	    !range_between(h->pages_offset, pages_size, sizeof(*h) + objects_size, h->total_size))
		return "page table of the pack lies outside its place";
	if (!is_aligned(h->pages_offset, _Alignof(struct pack_page)))
		return "page table of the pack is not aligned";
	if (!range_between(h->data_offset, 0, h->pages_offset + pages_size, h->total_size) ||
	    !is_aligned(h->data_offset, TWZ_PAGE_SIZE) || !is_aligned(h->total_size, TWZ_PAGE_SIZE))
		return "page data of the pack lie outside their place";
	return NULL;
}

static const char *header_fault(const struct pack_header *h, size_t len)
{
	if (len < sizeof(h->magic) || h->magic != PACK_MAGIC)
		return "not an object pack";
	if (len < sizeof(*h))
		return "pack is truncated";
	if (h->version != PACK_VERSION)
		return "pack is of an unknown version";
	if (h->reserved[0] != 0 || h->reserved[1] != 0)
		return "pack uses reserved header fields";
	return layout_fault(h, len);
}

static const char *hash_fault(const struct pack_header *h)
{
	uint8_t hash[sizeof(h->table_hash)];
	crypto_generichash_blake2b_state state;

	crypto_generichash_blake2b_init(&state, NULL, 0, sizeof(hash));
	crypto_generichash_blake2b_update(&state, (const uint8_t *)(h + 1),
					  h->data_offset - sizeof(*h));
	crypto_generichash_blake2b_final(&state, hash, sizeof(hash));
	if (memcmp(hash, h->table_hash, sizeof(hash)) != 0)
		return "tables of the pack are damaged";
	return NULL;
}

/* The pages of one object; *data_end grows to the end of the page data they use. */
static const char *pages_fault(const struct pack_page *page, uint32_t count, uint64_t *data_end)
{
	uint32_t last = BASE_PAGE_NUMBER - 1;

	for (uint32_t i = 0; i < count; i++) {
		if (page[i].number <= last || page[i].number > META_PAGE_NUMBER)
			return "pages of a packed object are out of range or out of order";
		last = page[i].number;
		*data_end = MAX(*data_end, (uint64_t)page[i].data + 1);
	}
	return last == META_PAGE_NUMBER ? NULL : "a packed object has no metadata page";
}

/*
 * The objects share the page table out among them in order, each entry to one object: what this
 * takes is bounded by the size of the tables, whatever their counts claim.
 */
static const char *tables_fault(const struct pack *p)
{
	const struct pack_header *h = p->header;
	uint64_t pages = 0, data_end = 0;
	const char *fault;

	for (uint32_t i = 0; i < h->object_count; i++) {
		const struct pack_object *o = pack_object(p, i);

		if (objid_is_reserved(o->id))
			return "a packed object has a reserved ID";
		if (i > 0 && o->id <= o[-1].id)
			return "packed objects are out of order, or one is there twice";
		if (o->flags & ~PACK_OBJECT_PROGRAM)
			return "a packed object has unknown flags";
		if (o->first_page != pages || o->page_count > h->page_count - pages)
			return "a packed object does not own its pages";
		fault = pages_fault(p->pages + pages, o->page_count, &data_end);
		if (fault != NULL)
			return fault;
		pages += o->page_count;
	}
	if (pages != h->page_count)
		return "pack has pages that belong to no object";
	if (data_end != (h->total_size - h->data_offset) / TWZ_PAGE_SIZE)
		return "pack has too few or too many page data";
	return NULL;
}

static const char *roots_fault(const struct pack *p)
{
	const struct pack_object *init = pack_find(p, p->header->init);

	if (p->header->init != 0 && (init == NULL || !(init->flags & PACK_OBJECT_PROGRAM)))
		return "init is not a program in the pack";
	if (p->header->nameroot != 0 && pack_find(p, p->header->nameroot) == NULL)
		return "name root is not in the pack";
	return NULL;
}

static const char *pack_fault(const void *mem, size_t len, struct pack *p)
{
	const struct pack_header *h = mem;
	const char *fault;

	if (!is_aligned((uintptr_t)mem, _Alignof(struct pack_header)))
		return "pack is not aligned";
	fault = header_fault(h, len);
	if (fault == NULL)
		fault = hash_fault(h);
	if (fault != NULL)
		return fault;
	p->header = h;
	p->objects = (const struct pack_object *)(h + 1);
	p->pages = (const struct pack_page *)((const uint8_t *)mem + h->pages_offset);
	p->data = (const uint8_t *)mem + h->data_offset;
	fault = tables_fault(p);
	return fault != NULL ? fault : roots_fault(p);
}

int pack_open(const void *mem, size_t len, struct pack *p, const char **why)
{
	struct pack opened;
	const char *fault = pack_fault(mem, len, &opened);

	if (fault != NULL) {
		*why = fault;
		return -EINVAL;
	}
	*p = opened;
	return 0;
}

const struct pack_object *pack_find(const struct pack *p, objid_t id)
{
	uint32_t lo = 0, hi = p->header->object_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (p->objects[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->header->object_count && p->objects[lo].id == id ? &p->objects[lo] : NULL;
}

const void *pack_page(const struct pack *p, const struct pack_object *o, uint32_t k,
		      uint32_t *number)
{
	const struct pack_page *page = &p->pages[o->first_page + k];

	*number = page->number;
	return p->data + (uint64_t)page->data * TWZ_PAGE_SIZE;
}

const void *pack_page_numbered(const struct pack *p, const struct pack_object *o, uint32_t number)
{
	const struct pack_page *pages = &p->pages[o->first_page];
	uint32_t lo = 0, hi = o->page_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (pages[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == o->page_count || pages[lo].number != number)
		return NULL;
	return p->data + (uint64_t)pages[lo].data * TWZ_PAGE_SIZE;
}

struct reader {
	const struct pack *pack;
	const struct pack_object *object;
};

static int read_page(void *arg, uint64_t number, const void **page)
{
	const struct reader *r = arg;

	*page = pack_page_numbered(r->pack, r->object, (uint32_t)number);
	return 0;
}

static const char *identity_fault(const struct pack *p, const struct pack_object *o)
{
	struct reader reader = { p, o };
	struct metainfo mi;
	const char *fault;
	objid_t id;

	memcpy(&mi, pack_page_numbered(p, o, META_PAGE_NUMBER), sizeof(mi));
	if (meta_check_why(&mi, &fault) < 0)
		return fault;
	if (!(mi.p_flags & MIP_HASHDATA))
		id = id_derive(&mi);
	else if (id_derive_hashdata(&mi, read_page, &reader, &id) < 0)
		return "its content cannot be hashed";
	return id == o->id ? NULL : "its metadata does not match its ID";
}

/* Is this virtual address in the used part (which ends at the object offset end) of the slot? */
static bool in_slot(uint64_t address, uint64_t len, uint64_t slot, uint64_t end)
{
	uint64_t base = slot * OBJ_MAXSIZE;

	return end <= OBJ_TOPDATA &&
	       range_between(address, len, base + OBJ_NULLPAGE_SIZE, base + end);
}

static const char *tls_fault(const struct twz_program *prog)
{
	if (prog->tls_image == 0)
		return NULL;
	if (!is_pow2(prog->tls_align) || prog->tls_align > TWZ_PAGE_SIZE)
		return "its TLS alignment is wrong";
	if (prog->tls_memsz < prog->tls_filesz || prog->tls_memsz > OBJ_MAXDATA)
		return "its TLS size is wrong";
	if (!in_slot(prog->tls_image, prog->tls_filesz, PROGRAM_TEXT_SLOT, prog->text_end) &&
	    !in_slot(prog->tls_image, prog->tls_filesz, PROGRAM_DATA_SLOT, prog->data_end))
		return "its TLS image lies outside it";
	return NULL;
}

static const char *program_fault(const struct pack *p, const struct pack_object *o)
{
	struct twz_program prog;

	if (pack_program(p, o, &prog) < 0)
		return NULL;
	if (prog.magic != PROGRAM_MAGIC || prog.version != PROGRAM_VERSION)
		return "it has no program header of a known version";
	if (prog.text_end > OBJ_TOPDATA || prog.data_end > OBJ_TOPDATA)
		return "its text or data end outside their objects";
	if (!in_slot(prog.entry, 1, PROGRAM_TEXT_SLOT, prog.text_end))
		return "its entry point lies outside its text";
	if (prog.data != 0 && pack_find(p, prog.data) == NULL)
		return "its data template is not in the pack";
	return tls_fault(&prog);
}

int pack_verify(const struct pack *p, const struct pack_object *o, const char **why)
{
	const char *fault = identity_fault(p, o);

	if (fault == NULL)
		fault = program_fault(p, o);
	if (fault == NULL)
		return 0;
	*why = fault;
	return -EINVLOBJ;
}

int pack_program(const struct pack *p, const struct pack_object *o, struct twz_program *prog)
{
	const void *page = pack_page_numbered(p, o, BASE_PAGE_NUMBER);

	if (!(o->flags & PACK_OBJECT_PROGRAM))
		return -ENOENT;
	if (page == NULL)
		memset(prog, 0, sizeof(*prog));
	else
		memcpy(prog, page, sizeof(*prog));
	return 0;
}
