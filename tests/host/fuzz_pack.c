// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzzer of boot/pack.h. The input is taken three times: as a pack; as a pack without its page
 * data, whose sizes and hash are put right so that what is behind those two checks is reached;
 * and as metadata and first bytes of a program in an otherwise good pack.
 */
#include <abi/pack.h>
#include <boot/pack.h>
#include <obj/id.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <stdlib.h>
#include <string.h>

#define DATA_PAGES 3

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

/* Give the input a header that fits it. */
static void repair(uint8_t *mem, size_t tables_end, size_t size)
{
	struct pack_header *h = (struct pack_header *)mem;
	uint64_t room = tables_end - sizeof(*h);

	h->magic = PACK_MAGIC;
	h->version = PACK_VERSION;
	memset(h->reserved, 0, sizeof(h->reserved));
	h->object_count %= room / sizeof(struct pack_object) + 1;
	h->pages_offset = sizeof(*h) + h->object_count * sizeof(struct pack_object);
	h->page_count %= (tables_end - h->pages_offset) / sizeof(struct pack_page) + 1;
	h->data_offset = tables_end;
	h->total_size = size;
	crypto_generichash_blake2b(h->table_hash, sizeof(h->table_hash), mem + sizeof(*h), room,
				   NULL, 0);
}

/* Touch all that an accepted pack gives. */
static void use(const struct pack *p)
{
	static uint64_t sum;
	const char *why;

	for (uint32_t i = 0; i < p->header->object_count; i++) {
		const struct pack_object *o = pack_object(p, i);

		for (uint32_t k = 0; k < o->page_count; k++) {
			uint32_t number;
			const uint8_t *page = pack_page(p, o, k, &number);

			sum += page[0] + page[4095];
			if (pack_page_numbered(p, o, number) != page || pack_find(p, o->id) != o)
				abort();
		}
		pack_verify(p, o, &why);
	}
	if (sum == UINT64_MAX)
		abort();
}

/* A pack of one program: input is its metadata and its first page. */
struct program_pack {
	struct pack_header header;
	struct pack_object object;
	struct pack_page pages[2];
	uint8_t rest[4096 - sizeof(struct pack_header) - sizeof(struct pack_object) -
		     2 * sizeof(struct pack_page)];
	uint8_t data[2][4096];
};

static void fuzz_program(const uint8_t *input, size_t len)
{
	static struct program_pack m __attribute__((aligned(4096)));
	struct twz_program *prog = (struct twz_program *)m.data[0];
	struct metainfo *mi = (struct metainfo *)m.data[1];
	size_t meta = len < sizeof(*mi) ? len : sizeof(*mi);
	const char *why;
	struct pack p;

	memset(&m, 0, sizeof(m));
	memcpy(mi, input, meta);
	memcpy(prog, input + meta, len - meta < 4096 ? len - meta : 4096);
	mi->magic = MI_MAGIC;
	mi->milen = MI_MILEN_DEFAULT;
	prog->magic = PROGRAM_MAGIC;
	prog->version = PROGRAM_VERSION;
	m.pages[0] = (struct pack_page){ 1, 0 };
	m.pages[1] = (struct pack_page){ 262143, 1 };
	m.header.object_count = 1;
	m.header.page_count = 2;
	m.object = (struct pack_object){ id_derive(mi), 0, 2, PACK_OBJECT_PROGRAM };
	repair((uint8_t *)&m, 4096, sizeof(m));
	if (pack_open(&m, sizeof(m), &p, &why) == 0)
		use(&p);
	else if (!objid_is_reserved(m.object.id))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	size_t tables_end = (len + sizeof(struct pack_header) + 4095) & ~(size_t)4095;
	size_t size = tables_end + DATA_PAGES * 4096;
	uint8_t *mem = calloc(1, size), *bare = malloc(len != 0 ? len : 1);
	const char *why = NULL;
	struct pack p;

	if (mem == NULL || bare == NULL)
		abort();
	memcpy(bare, input, len);
	if (pack_open(bare, len, &p, &why) == 0)
		use(&p);
	else if (why == NULL)
		abort();
	memcpy(mem, input, len);
	repair(mem, tables_end, size);
	if (pack_open(mem, size, &p, &why) == 0)
		use(&p);
	fuzz_program(input, len);
	free(bare);
	free(mem);
	return 0;
}
