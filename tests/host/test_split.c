// SPDX-License-Identifier: BSD-3-Clause
/* Tests of twzpack's splitting of programs: what becomes of a good one, refusals of bad ones. */
#include "unit.h"

#include "split.h"

#include <abi/pack.h>
#include <elf.h>
#include <obj/id.h>

#define TEXT_VADDR 0x1000ul
#define DATA_VADDR 0x40001000ul
#define TEXT_SIZE 0x1234ul
#define DATA_SIZE 0x30ul
#define BSS_SIZE 0x5000ul

/* A file as a linker would make it; every part can be changed before it is split. */
struct file {
	Elf64_Ehdr header;
	Elf64_Phdr segment[4]; /* text, data, TLS, a note */
	union {
		struct twz_program program;
		uint8_t bytes[TEXT_SIZE];
	} text;
	uint8_t data[DATA_SIZE];
};

static Elf64_Phdr load(unsigned int flags, size_t offset, uint64_t vaddr, size_t filesz,
		       size_t memsz)
{
	return (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = flags, .p_offset = offset,
			     .p_vaddr = vaddr, .p_filesz = filesz, .p_memsz = memsz,
			     .p_align = 4096 };
}

static int setup(void **state)
{
	struct file *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	memcpy(f->header.e_ident, ELFMAG, SELFMAG);
	f->header.e_ident[EI_CLASS] = ELFCLASS64;
	f->header.e_ident[EI_DATA] = ELFDATA2LSB;
	f->header.e_type = ET_EXEC;
	f->header.e_machine = EM_RISCV;
	f->header.e_entry = TEXT_VADDR + 0x400;
	f->header.e_phoff = offsetof(struct file, segment);
	f->header.e_phentsize = sizeof(Elf64_Phdr);
	f->header.e_phnum = 4;
	f->segment[0] = load(PF_R | PF_X, offsetof(struct file, text), TEXT_VADDR, TEXT_SIZE,
			     TEXT_SIZE);
	f->segment[1] = load(PF_R | PF_W, offsetof(struct file, data), DATA_VADDR, DATA_SIZE,
			     DATA_SIZE + BSS_SIZE);
	f->segment[2] = (Elf64_Phdr){ .p_type = PT_TLS, .p_flags = PF_R, .p_vaddr = DATA_VADDR + 8,
				      .p_filesz = 8, .p_memsz = 24, .p_align = 16 };
	f->segment[3].p_type = PT_NOTE;
	memset(f->text.bytes, 0x13, TEXT_SIZE);
	memset(&f->text.program, 0, sizeof(f->text.program));
	f->text.program.magic = PROGRAM_MAGIC;
	f->text.program.version = PROGRAM_VERSION;
	memset(f->data, 0xda, DATA_SIZE);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void split_ok(const struct file *f, struct split *out)
{
	char why[SPLIT_WHY] = "";

	if (!split_elf(f, sizeof(*f), out, why))
		fail_msg("%s", why);
}

static void free_split(struct split *s)
{
	image_free(&s->text);
	image_free(&s->data);
}

static void expect_refused(const struct file *f, const char *part_of_why)
{
	char why[SPLIT_WHY] = "";
	struct split out;

	assert_false(split_elf(f, sizeof(*f), &out, why));
	if (strstr(why, part_of_why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why, part_of_why);
}

static void a_good_program(void **state)
{
	struct file *f = *state;
	struct twz_program prog;
	uint8_t bytes[DATA_SIZE];
	struct split s;

	split_ok(f, &s);
	assert_true(s.has_data);
	assert_int_equal(s.text.flags, PACK_OBJECT_PROGRAM);
	assert_int_equal(s.text.mi->p_flags, MIP_DFL_READ | MIP_DFL_EXEC);
	assert_int_equal(s.data.mi->p_flags, MIP_DFL_READ);
	assert_true(s.text.id == id_derive(s.text.mi));
	image_read(&s.text, OBJ_NULLPAGE_SIZE, &prog, sizeof(prog));
	assert_int_equal(prog.machine, ABI_MACHINE_RISCV64);
	assert_int_equal(prog.entry, f->header.e_entry);
	assert_true(prog.data == s.data.id);
	assert_int_equal(prog.text_end, TEXT_VADDR + TEXT_SIZE);
	assert_int_equal(prog.data_end, 0x1000 + DATA_SIZE + BSS_SIZE);
	assert_int_equal(prog.tls_image, DATA_VADDR + 8);
	assert_int_equal(prog.tls_filesz, 8);
	assert_int_equal(prog.tls_memsz, 24);
	assert_int_equal(prog.tls_align, 16);
	image_read(&s.data, 0x1000, bytes, sizeof(bytes));
	assert_memory_equal(bytes, f->data, sizeof(bytes));
	memset(bytes, 0, sizeof(bytes));
	image_read(&s.text, prog.data_image, bytes, sizeof(bytes));
	assert_memory_equal(bytes, f->data, sizeof(bytes));
	assert_int_equal(prog.data_image + prog.data_filesz, s.text.mi->sz + 0x1000);
	free_split(&s);
}

/* .bss takes no pages: the template has its data page and its metadata page, the text that data page, too. */
static void zeroes_are_not_stored(void **state)
{
	struct file *f = *state;
	struct split s;

	split_ok(f, &s);
	assert_int_equal(s.data.count, 2);
	assert_int_equal(s.text.count, 4);
	free_split(&s);
	memset(f->data, 0, DATA_SIZE);
	split_ok(f, &s);
	assert_int_equal(s.data.count, 1);
	free_split(&s);
}

static void equal_input_gives_equal_ids(void **state)
{
	struct file *f = *state;
	struct split a, b;

	split_ok(f, &a);
	split_ok(f, &b);
	assert_true(a.text.id == b.text.id);
	assert_true(a.data.id == b.data.id);
	free_split(&b);
	f->data[DATA_SIZE - 1] ^= 1;
	split_ok(f, &b);
	assert_true(a.data.id != b.data.id);
	assert_true(a.text.id != b.text.id);
	free_split(&a);
	free_split(&b);
}

static void no_writable_data(void **state)
{
	struct file *f = *state;
	struct split s;

	f->segment[1].p_type = PT_NULL;
	f->segment[2].p_type = PT_NULL;
	split_ok(f, &s);
	assert_false(s.has_data);
	assert_true(s.header.data == 0);
	assert_int_equal(s.header.data_end, 0);
	assert_int_equal(s.header.tls_image, 0);
	free_split(&s);
}

static void linked_in_header_fields_are_kept(void **state)
{
	struct file *f = *state;
	struct split s;

	f->text.program.machine = ABI_MACHINE_RISCV64;
	f->text.program.entry = f->header.e_entry;
	f->text.program.text_end = 0x9000;
	f->text.program.data_end = 0x20;
	f->text.program.tls_image = DATA_VADDR;
	f->text.program.tls_filesz = 16;
	f->text.program.tls_memsz = 64;
	f->text.program.tls_align = 64;
	f->text.program.reserved[1] = 5;
	split_ok(f, &s);
	assert_int_equal(s.header.text_end, 0x9000);
	assert_int_equal(s.header.data_end, 0x1000 + DATA_SIZE + BSS_SIZE);
	assert_int_equal(s.header.tls_image, DATA_VADDR);
	assert_int_equal(s.header.tls_memsz, 64);
	assert_int_equal(s.header.reserved[1], 0);
	free_split(&s);
}

static void tls_without_initial_bytes(void **state)
{
	struct file *f = *state;
	struct split s;

	f->segment[2].p_filesz = 0;
	f->segment[2].p_vaddr = 0x12345678;
	f->segment[2].p_align = 0;
	split_ok(f, &s);
	assert_int_equal(s.header.tls_image, OBJ_NULLPAGE_SIZE);
	assert_int_equal(s.header.tls_memsz, 24);
	assert_int_equal(s.header.tls_align, 1);
	free_split(&s);
}

#define REFUSED(lvalue, value, why)                  \
	do {                                         \
		__typeof__(lvalue) kept_ = (lvalue); \
                                                     \
		(lvalue) = (value);                  \
		expect_refused(f, why);              \
		(lvalue) = kept_;                    \
	} while (0)

static void bad_elf_headers(void **state)
{
	struct file *f = *state;

	REFUSED(f->header.e_ident[0], 0x7e, "not an ELF");
	REFUSED(f->header.e_ident[EI_CLASS], ELFCLASS32, "64-bit");
	REFUSED(f->header.e_ident[EI_DATA], ELFDATA2MSB, "little-endian");
	REFUSED(f->header.e_machine, EM_X86_64, "RISC-V or ARM");
	REFUSED(f->header.e_type, ET_REL, "static");
	REFUSED(f->header.e_phnum, 0, "no program headers");
	REFUSED(f->header.e_phnum, 65, "too many");
	REFUSED(f->header.e_phnum, 0xffff, "too many");
	REFUSED(f->header.e_phentsize, 32, "program headers");
	REFUSED(f->header.e_phoff, sizeof(*f) - 200, "truncated");
	REFUSED(f->header.e_phoff, UINT64_MAX - 50, "truncated");
	REFUSED(f->segment[3].p_type, PT_INTERP, "dynamically");
}

static void bad_segments(void **state)
{
	struct file *f = *state;

	REFUSED(f->segment[0].p_flags, PF_R | PF_W | PF_X, "both writable and executable");
	REFUSED(f->segment[0].p_flags, PF_R | PF_W, "text slot");
	REFUSED(f->segment[1].p_flags, PF_R, "data slot");
	REFUSED(f->segment[1].p_flags, PF_R | PF_X, "data slot");
	REFUSED(f->segment[0].p_filesz, TEXT_SIZE + 1, "larger in the file");
	REFUSED(f->segment[0].p_offset, sizeof(*f), "truncated");
	REFUSED(f->segment[0].p_offset, UINT64_MAX, "truncated");
	REFUSED(f->segment[0].p_vaddr, 0, "outside slots");
	REFUSED(f->segment[0].p_vaddr, 0xff8, "outside slots");
	REFUSED(f->segment[1].p_vaddr, 0x40000ff8, "outside slots");
	REFUSED(f->segment[1].p_vaddr, 0x80001000, "outside slots");
	REFUSED(f->segment[1].p_vaddr, UINT64_MAX - 7, "outside slots");
	REFUSED(f->segment[1].p_vaddr, 0x7e000000 - BSS_SIZE, "outside slots");
	REFUSED(f->segment[1].p_memsz, UINT64_MAX, "outside slots");
	REFUSED(f->segment[1].p_memsz, 0x3e000000, "outside slots");
}

static void overlapping_segments(void **state)
{
	struct file *f = *state;

	f->segment[3] = f->segment[0];
	expect_refused(f, "overlaps");
	f->segment[3].p_vaddr = TEXT_VADDR + TEXT_SIZE - 1;
	expect_refused(f, "overlaps");
	f->segment[3].p_vaddr++;
	f->segment[3].p_flags = PF_R;
	struct split s;

	split_ok(f, &s);
	assert_int_equal(s.header.text_end, TEXT_VADDR + 2 * TEXT_SIZE);
	free_split(&s);
}

static void bad_entry_points(void **state)
{
	struct file *f = *state;

	REFUSED(f->header.e_entry, 0, "entry point");
	REFUSED(f->header.e_entry, TEXT_VADDR + TEXT_SIZE, "entry point");
	REFUSED(f->header.e_entry, DATA_VADDR, "entry point");
	REFUSED(f->header.e_entry, UINT64_MAX, "entry point");
	REFUSED(f->text.program.entry, TEXT_VADDR + 8, "entry points");
	REFUSED(f->segment[0].p_flags, PF_R, "entry point");
}

static void bad_program_headers(void **state)
{
	struct file *f = *state;

	REFUSED(f->text.program.magic, PROGRAM_MAGIC + 1, "magic");
	REFUSED(f->text.program.version, 2, "version");
	REFUSED(f->text.program.machine, ABI_MACHINE_ARM64, "different machines");
	REFUSED(f->text.program.text_end, UINT64_MAX, "ends outside");
	REFUSED(f->text.program.data_end, 0x3e000001, "ends outside");
	f->segment[0].p_vaddr += 0x10;
	f->header.e_entry += 0x10;
	expect_refused(f, "nothing at 0x1000");
}

static void bad_tls(void **state)
{
	struct file *f = *state;

	REFUSED(f->segment[2].p_align, 3, "alignment");
	REFUSED(f->segment[2].p_align, 8192, "alignment");
	REFUSED(f->segment[2].p_memsz, 7, "size");
	REFUSED(f->segment[2].p_memsz, UINT64_MAX, "size");
	REFUSED(f->segment[2].p_filesz, UINT64_MAX, "size");
	REFUSED(f->segment[2].p_vaddr, DATA_VADDR + DATA_SIZE - 7, "not part of");
	REFUSED(f->segment[2].p_vaddr, UINT64_MAX, "not part of");
	f->text.program.tls_image = DATA_VADDR;
	f->text.program.tls_align = 16;
	f->text.program.tls_filesz = 8;
	f->text.program.tls_memsz = 16;
	expect_refused(f, "smaller TLS");
	f->segment[3] = f->segment[2];
	expect_refused(f, "two TLS");
}

/* Every shorter file is refused, and none of them is read beyond its end. */
static void truncated_files(void **state)
{
	struct file *f = *state;

	for (size_t len = 0; len < sizeof(*f); len++) {
		void *shorter = block(len);
		char why[SPLIT_WHY] = "";
		struct split s;

		memcpy(shorter, f, len);
		if (split_elf(shorter, len, &s, why)) {
			/* Only padding at the end may be missing. */
			assert_true(len >= offsetof(struct file, data) + DATA_SIZE);
			free_split(&s);
		} else {
			assert_int_not_equal(why[0], '\0');
		}
		free(shorter);
	}
}

/* Whatever a byte of the headers becomes: a refusal or two objects, and nothing else. */
static void changed_bytes(void **state)
{
	struct file *f = *state;
	uint8_t *bytes = (uint8_t *)f;

	for (size_t at = 0; at < offsetof(struct file, text) + sizeof(struct twz_program); at++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			char why[SPLIT_WHY] = "";
			struct split s;

			bytes[at] ^= 1u << bit;
			if (split_elf(f, sizeof(*f), &s, why))
				free_split(&s);
			bytes[at] ^= 1u << bit;
		}
	}
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FILE_TEST(a_good_program),
		FILE_TEST(zeroes_are_not_stored),
		FILE_TEST(equal_input_gives_equal_ids),
		FILE_TEST(no_writable_data),
		FILE_TEST(linked_in_header_fields_are_kept),
		FILE_TEST(tls_without_initial_bytes),
		FILE_TEST(bad_elf_headers),
		FILE_TEST(bad_segments),
		FILE_TEST(overlapping_segments),
		FILE_TEST(bad_entry_points),
		FILE_TEST(bad_program_headers),
		FILE_TEST(bad_tls),
		FILE_TEST(truncated_files),
		FILE_TEST(changed_bytes),
	};

	return cmocka_run_group_tests_name("twzpack/split", tests, NULL, NULL);
}
