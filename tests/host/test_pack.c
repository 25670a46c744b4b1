// SPDX-License-Identifier: BSD-3-Clause
/* Tests of boot/pack.h: good packs, and packs that are cut, damaged or hostile. */
#include "unit.h"

#include "image.h"
#include "write.h"

#include <abi/errno.h>
#include <boot/pack.h>
#include <obj/id.h>
#include <sodium/crypto_generichash_blake2b.h>

#define META_PAGE 262143u

/* A pack in memory: three objects, the first of them, in the order built, a program. */
struct sample {
	uint8_t *mem;
	size_t size;
	objid_t program, data, plain;
};

static objid_t add(struct image *img, uint16_t p_flags, uint64_t offset, const void *bytes,
		   size_t len)
{
	image_init(img, p_flags);
	image_write(img, offset, bytes, len);
	image_finish(img);
	return img->id;
}

static struct twz_program program_header(objid_t data)
{
	return (struct twz_program){ .magic = PROGRAM_MAGIC, .version = PROGRAM_VERSION,
				     .machine = 1, .entry = 0x1080, .data = data,
				     .text_end = 0x1090, .data_end = 0x1800,
				     .tls_image = 0x40001000, .tls_filesz = 8, .tls_memsz = 16,
				     .tls_align = 8 };
}

static void build_program(struct sample *s, const struct twz_program *header)
{
	struct image images[3];
	const char *why = NULL;

	s->data = add(&images[1], MIP_DFL_READ, 0x1000, "template", 8);
	s->plain = add(&images[2], MIP_DFL_READ, 0x5ff0, "crosses a page boundary", 23);
	image_init(&images[0], MIP_DFL_READ | MIP_DFL_EXEC);
	images[0].flags = PACK_OBJECT_PROGRAM;
	image_write(&images[0], OBJ_NULLPAGE_SIZE, header, sizeof(*header));
	image_finish(&images[0]);
	s->program = images[0].id;
	s->mem = pack_build(images, 3, s->program, s->plain, &s->size, &why);
	assert_non_null(s->mem);
	for (int i = 0; i < 3; i++)
		image_free(&images[i]);
}

static int setup(void **state)
{
	struct sample *s = calloc(1, sizeof(*s));
	struct image first;
	struct twz_program header;

	assert_non_null(s);
	header = program_header(add(&first, MIP_DFL_READ, 0x1000, "template", 8));
	image_free(&first);
	build_program(s, &header);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct sample *s = *state;

	free(s->mem);
	free(s);
	return 0;
}

static struct pack_header *header_of(struct sample *s)
{
	return (struct pack_header *)s->mem;
}

static struct pack_object *objects_of(struct sample *s)
{
	return (struct pack_object *)(s->mem + sizeof(struct pack_header));
}

static struct pack_page *pages_of(struct sample *s)
{
	return (struct pack_page *)(s->mem + header_of(s)->pages_offset);
}

static void rehash(struct sample *s)
{
	struct pack_header *h = header_of(s);

	crypto_generichash_blake2b(h->table_hash, sizeof(h->table_hash), s->mem + sizeof(*h),
				   h->data_offset - sizeof(*h), NULL, 0);
}

static void expect_refused(struct sample *s)
{
	struct pack p = { NULL, NULL, NULL, NULL };
	const char *why = NULL;

	assert_int_equal(pack_open(s->mem, s->size, &p, &why), -EINVAL);
	assert_non_null(why);
	assert_null(p.header);
}

static struct pack open_sample(struct sample *s)
{
	struct pack p;
	const char *why = "";

	if (pack_open(s->mem, s->size, &p, &why) != 0)
		fail_msg("%s", why);
	return p;
}

static void a_good_pack(void **state)
{
	struct sample *s = *state;
	struct pack p = open_sample(s);
	const char *why = "";

	assert_int_equal(p.header->object_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		if (pack_verify(&p, pack_object(&p, i), &why) != 0)
			fail_msg("%s", why);
		assert_ptr_equal(pack_find(&p, pack_object(&p, i)->id), pack_object(&p, i));
	}
	assert_null(pack_find(&p, 0));
	assert_null(pack_find(&p, s->plain + 1));
}

static void pages_of_an_object(void **state)
{
	struct sample *s = *state;
	struct pack p = open_sample(s);
	const struct pack_object *o = pack_find(&p, s->plain);
	const uint8_t *page;
	uint32_t number;

	assert_int_equal(o->page_count, 3);
	page = pack_page(&p, o, 0, &number);
	assert_int_equal(number, 5);
	assert_memory_equal(page + 0xff0, "crosses a page b", 16);
	page = pack_page(&p, o, 1, &number);
	assert_int_equal(number, 6);
	assert_memory_equal(page, "oundary", 7);
	assert_ptr_equal(pack_page_numbered(&p, o, 6), page);
	assert_ptr_equal(pack_page(&p, o, 2, &number), pack_page_numbered(&p, o, META_PAGE));
	assert_int_equal(number, META_PAGE);
	assert_null(pack_page_numbered(&p, o, 1));
	assert_null(pack_page_numbered(&p, o, 7));
}

static void bytes_behind_the_pack_are_allowed(void **state)
{
	struct sample *s = *state;
	uint8_t *longer = block(s->size + 100);
	const char *why;
	struct pack p;

	memcpy(longer, s->mem, s->size);
	memset(longer + s->size, 0xff, 100);
	assert_int_equal(pack_open(longer, s->size + 100, &p, &why), 0);
	free(longer);
}

static void refused_at_every_shorter_length(void **state)
{
	struct sample *s = *state;
	size_t step = 1;

	for (size_t len = 0; len < s->size; len += step) {
		uint8_t *shorter = block(len);
		const char *why = NULL;
		struct pack p;

		memcpy(shorter, s->mem, len);
		assert_int_equal(pack_open(shorter, len, &p, &why), -EINVAL);
		assert_non_null(why);
		free(shorter);
		step = len < header_of(s)->data_offset ? 1 : 61;
	}
}

/* Every byte of the header and the tables is checked by something, whatever it becomes. */
static void refused_with_any_byte_changed(void **state)
{
	static const uint8_t changes[] = { 0x01, 0x80, 0xff };
	struct sample *s = *state;

	for (size_t at = 0; at < header_of(s)->data_offset; at++) {
		for (size_t c = 0; c < sizeof(changes); c++) {
			s->mem[at] ^= changes[c];
			expect_refused(s);
			s->mem[at] ^= changes[c];
		}
	}
	open_sample(s);
}

#define REFUSED_WITH(lvalue, value)              \
	do {                                     \
		__typeof__(lvalue) kept_ = (lvalue); \
                                                 \
		(lvalue) = (value);              \
		rehash(s);                       \
		expect_refused(s);               \
		(lvalue) = kept_;                \
		rehash(s);                       \
	} while (0)

/* As REFUSED_WITH, for what decides where the tables end: the hash is left alone. */
#define REFUSED_LAYOUT(field, value)                     \
	do {                                             \
		struct pack_header *h_ = header_of(s);   \
		__typeof__(h_->field) kept_ = h_->field; \
                                                         \
		h_->field = (value);                     \
		expect_refused(s);                       \
		h_->field = kept_;                       \
	} while (0)

static void hostile_headers(void **state)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 4095, 1ull << 31, 1ull << 32, 1ull << 52,
					   1ull << 61, 1ull << 63, UINT64_MAX - 4095, UINT64_MAX };
	struct sample *s = *state;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		REFUSED_LAYOUT(page_count, values[i]);
		REFUSED_LAYOUT(pages_offset, values[i]);
		REFUSED_LAYOUT(data_offset, values[i]);
		REFUSED_LAYOUT(total_size, values[i]);
		REFUSED_LAYOUT(object_count, (uint32_t)values[i]);
	}
	REFUSED_LAYOUT(object_count, PACK_MAX_OBJECTS);
	REFUSED_LAYOUT(object_count, PACK_MAX_OBJECTS + 1);
	REFUSED_LAYOUT(version, 2);
	REFUSED_LAYOUT(total_size, s->size - 4096);
	REFUSED_LAYOUT(reserved[1], 1);
	REFUSED_LAYOUT(init, s->plain);
	REFUSED_LAYOUT(init, s->program + 1);
	REFUSED_LAYOUT(nameroot, 5);
	open_sample(s);
}

static void no_init_and_no_names(void **state)
{
	struct sample *s = *state;

	header_of(s)->init = 0;
	header_of(s)->nameroot = 0;
	open_sample(s);
}

static void hostile_objects(void **state)
{
	struct sample *s = *state;
	struct pack_object *o = objects_of(s);

	REFUSED_WITH(o[0].id, 0);
	REFUSED_WITH(o[0].id, 77);
	REFUSED_WITH(o[1].id, o[0].id);
	REFUSED_WITH(o[0].id, ~(objid_t)0);
	REFUSED_WITH(o[0].flags, 2);
	REFUSED_WITH(o[0].flags, 0x80000001);
	REFUSED_WITH(o[0].first_page, 1);
	REFUSED_WITH(o[1].first_page, 0);
	REFUSED_WITH(o[2].first_page, UINT64_MAX);
	REFUSED_WITH(o[0].page_count, 0);
	REFUSED_WITH(o[0].page_count, UINT32_MAX);
	REFUSED_WITH(o[2].page_count, o[2].page_count - 1);
	REFUSED_WITH(o[2].page_count, o[2].page_count + 1);
	open_sample(s);
}

static void hostile_pages(void **state)
{
	struct sample *s = *state;
	struct pack_page *pg = pages_of(s);
	uint32_t last = (uint32_t)header_of(s)->page_count - 1;

	REFUSED_WITH(pg[0].number, 0);
	REFUSED_WITH(pg[0].number, META_PAGE);
	REFUSED_WITH(pg[0].number, META_PAGE + 1);
	REFUSED_WITH(pg[0].number, UINT32_MAX);
	REFUSED_WITH(pg[last].number, META_PAGE - 1);
	REFUSED_WITH(pg[0].data, last + 1);
	REFUSED_WITH(pg[0].data, UINT32_MAX);
	REFUSED_WITH(pg[last].data, 0);
	open_sample(s);
}

static void page_data_may_be_shared(void **state)
{
	struct sample *s = *state;

	pages_of(s)[0].data = 1;
	rehash(s);
	open_sample(s);
}

static void unaligned_memory(void **state)
{
	struct sample *s = *state;
	uint8_t *mem = block(s->size + 8);
	const char *why = NULL;
	struct pack p;

	memcpy(mem + 8, s->mem, s->size);
	assert_int_equal(pack_open(mem + 8, s->size, &p, &why), -EINVAL);
	assert_string_equal(why, "pack is not aligned");
	free(mem);
}

static void foreign_data(void **state)
{
	static const char text[] __attribute__((aligned(16))) = "07070100 this is a cpio archive";
	const char *why = NULL;
	struct pack p;

	(void)state;
	assert_int_equal(pack_open(text, sizeof(text), &p, &why), -EINVAL);
	assert_string_equal(why, "not an object pack");
}

/* Change a byte of an object's metadata page: its ID no longer fits, or the page is malformed. */
static void verification_of_metadata(void **state)
{
	static const size_t fields[] = { 0, 6, 12, 16, 31, 32 };
	struct sample *s = *state;
	struct pack p = open_sample(s);
	const struct pack_object *o = pack_find(&p, s->plain);
	uint8_t *meta = (uint8_t *)(uintptr_t)pack_page_numbered(&p, o, META_PAGE);

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *why = NULL;

		meta[fields[i]] ^= 8;
		assert_int_equal(pack_verify(&p, o, &why), -EINVLOBJ);
		assert_non_null(why);
		meta[fields[i]] ^= 8;
	}
}

static void verification_of_hash_data(void **state)
{
	struct image img;
	const char *why = NULL;
	struct sample s;
	struct pack p;

	(void)state;
	image_init(&img, MIP_DFL_READ | MIP_HASHDATA);
	img.mi->flags = MIF_SZ;
	img.mi->sz = 5;
	image_write(&img, OBJ_NULLPAGE_SIZE, "hello", 5);
	img.id = MKID(0x434b0b52d9c451ba, 0x415e6317c00fa8fb); /* vector C of the ID derivation */
	s.mem = pack_build(&img, 1, 0, 0, &s.size, &why);
	p = open_sample(&s);
	assert_int_equal(pack_verify(&p, pack_object(&p, 0), &why), 0);
	s.mem[header_of(&s)->data_offset] ^= 1;
	assert_int_equal(pack_verify(&p, pack_object(&p, 0), &why), -EINVLOBJ);
	image_free(&img);
	free(s.mem);
}

#define PROGRAM_REFUSED(field, value)                                             \
	do {                                                                      \
		struct sample bad_ = { NULL, 0, 0, 0, 0 };                        \
		struct twz_program header_ = program_header(s->data);             \
		const char *why_ = NULL;                                          \
		struct pack p_;                                                   \
                                                                                  \
		header_.field = (value);                                          \
		build_program(&bad_, &header_);                                   \
		p_ = open_sample(&bad_);                                          \
		assert_int_equal(pack_verify(&p_, pack_find(&p_, bad_.program), &why_), \
				 -EINVLOBJ);                                      \
		assert_non_null(why_);                                            \
		free(bad_.mem);                                                   \
	} while (0)

static void verification_of_programs(void **state)
{
	struct sample *s = *state;

	PROGRAM_REFUSED(magic, 0);
	PROGRAM_REFUSED(version, 2);
	PROGRAM_REFUSED(entry, 0);
	PROGRAM_REFUSED(entry, 0xfff);
	PROGRAM_REFUSED(entry, 0x1090);
	PROGRAM_REFUSED(entry, 0x40001000);
	PROGRAM_REFUSED(entry, UINT64_MAX);
	PROGRAM_REFUSED(data, s->data + 1);
	PROGRAM_REFUSED(text_end, 0x3e000001);
	PROGRAM_REFUSED(text_end, UINT64_MAX);
	PROGRAM_REFUSED(data_end, UINT64_MAX);
	PROGRAM_REFUSED(tls_image, 0x40001801);
	PROGRAM_REFUSED(tls_image, UINT64_MAX - 4);
	PROGRAM_REFUSED(tls_filesz, 17);
	PROGRAM_REFUSED(tls_filesz, UINT64_MAX);
	PROGRAM_REFUSED(tls_memsz, UINT64_MAX);
	PROGRAM_REFUSED(tls_align, 0);
	PROGRAM_REFUSED(tls_align, 3);
	PROGRAM_REFUSED(tls_align, 8192);
}

static void program_header_is_copied_out(void **state)
{
	struct sample *s = *state;
	struct pack p = open_sample(s);
	struct twz_program prog;

	assert_int_equal(pack_program(&p, pack_find(&p, s->program), &prog), 0);
	assert_int_equal(prog.entry, 0x1080);
	assert_true(prog.data == s->data);
	assert_int_equal(pack_program(&p, pack_find(&p, s->plain), &prog), -ENOENT);
}

static void a_program_without_pages(void **state)
{
	struct image img;
	const char *why = NULL;
	struct sample s;
	struct pack p;

	(void)state;
	image_init(&img, MIP_DFL_READ | MIP_DFL_EXEC);
	image_finish(&img);
	img.flags = PACK_OBJECT_PROGRAM;
	s.mem = pack_build(&img, 1, img.id, 0, &s.size, &why);
	p = open_sample(&s);
	assert_int_equal(pack_verify(&p, pack_object(&p, 0), &why), -EINVLOBJ);
	image_free(&img);
	free(s.mem);
}

static void an_empty_pack(void **state)
{
	const char *why = NULL;
	struct sample s;

	(void)state;
	s.mem = pack_build(NULL, 0, 0, 0, &s.size, &why);
	assert_int_equal(open_sample(&s).header->object_count, 0);
	free(s.mem);
}

#define SAMPLE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SAMPLE_TEST(a_good_pack),
		SAMPLE_TEST(pages_of_an_object),
		SAMPLE_TEST(bytes_behind_the_pack_are_allowed),
		SAMPLE_TEST(refused_at_every_shorter_length),
		SAMPLE_TEST(refused_with_any_byte_changed),
		SAMPLE_TEST(hostile_headers),
		SAMPLE_TEST(no_init_and_no_names),
		SAMPLE_TEST(hostile_objects),
		SAMPLE_TEST(hostile_pages),
		SAMPLE_TEST(page_data_may_be_shared),
		SAMPLE_TEST(unaligned_memory),
		cmocka_unit_test(foreign_data),
		SAMPLE_TEST(verification_of_metadata),
		cmocka_unit_test(verification_of_hash_data),
		SAMPLE_TEST(verification_of_programs),
		SAMPLE_TEST(program_header_is_copied_out),
		cmocka_unit_test(a_program_without_pages),
		cmocka_unit_test(an_empty_pack),
	};

	return cmocka_run_group_tests_name("boot/pack", tests, NULL, NULL);
}
