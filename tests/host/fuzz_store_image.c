// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzzer of images: a store made by twzstore, bytes and words of which the input replaces, is
 * shown, checked, dumped and exported, in a mapping that cannot be written: a write is a crash.
 * Then it is mounted for writing: a mount that is refused has written nothing.
 *
 * An input is a flags byte (bit 0: mount for writing, too; 0xaa: export, too), then 8-byte edits:
 * word number (u24; with kind bit 7 set counted over the words that are not zero in the sample),
 * kind, value (u32). Kinds: 0 the value, 1 the value sealed, 2 one bit flipped, 3 one byte
 * replaced, 4 another word of the sample; 8 more: the sums over it are mended; 64 more: instead, up
 * to 32 edits that are drawn with the value as seed, so that short inputs do much.
 */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../kernel/store/internal.h"
#include "../../tools/twzstore/check.h"
#include "../../tools/twzstore/inside.h"
#include "../../tools/twzstore/show.h"
#include "../../tools/twzstore/transfer.h"
#include "twzstore/image.h"

#define LEN (8ul << 20)
#define WORDS ((LEN - STORE_TAIL_RESERVE) / 8)
#define EDIT 8u

static struct region region, reader; /* two mappings of one file */
static int file;
static uint64_t *pristine;
static uint32_t *live; /* numbers of the words that are not zero */
static size_t live_count;

static void share_region(void)
{
	file = memfd_create("image", 0);
	if (file < 0 || write(file, region.base, LEN) != (ssize_t)LEN)
		abort();
	region.base = mmap(region.base, LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
			   0);
	reader = region;
	reader.writable = false;
	reader.base = mmap(NULL, LEN, PROT_READ, MAP_SHARED, file, 0);
	if (region.base == MAP_FAILED || reader.base == MAP_FAILED)
		abort();
}

static void prepare(void)
{
	complain_to(nowhere());
	redirect_log(NULL);
	make_region(&region, LEN);
	share_region();
	make_sample_tree(scratch_path("tree"));
	import_tree(&region, scratch_path("tree"), "tree");
	add_rare_things(&region);
	pristine = malloc(WORDS * 8);
	live = malloc(WORDS * sizeof(*live));
	if (pristine == NULL || live == NULL)
		abort();
	memcpy(pristine, region.base, WORDS * 8);
	for (uint32_t i = 0; i < WORDS; i++) {
		if (pristine[i] != 0)
			live[live_count++] = i;
	}
}

/* ---- Edits ---- */

static void mend_super(uint64_t page)
{
	struct super_header *super = (void *)(region.base + page * STORE_PAGE_SIZE);

	super->sum = store_super_sum(super);
}

static void mend_log(const struct store *st)
{
	struct log_record *log = (void *)(region.base + LOG_PAGE * STORE_PAGE_SIZE);

	if (log->count > STORE_TX_WORDS)
		return;
	log->sum = store_sum(store_sum(st->salt[1], (uint64_t *)log, 3), (uint64_t *)log->write,
			     2 * log->count);
}

static void mend(uint64_t word)
{
	const struct super_header *super = (const void *)pristine;
	uint64_t page = word * 8 / STORE_PAGE_SIZE;
	struct inode_header *inode = (void *)(region.base + page * STORE_PAGE_SIZE);
	struct store st = { .base = region.base };

	memcpy(st.salt, super->uuid, sizeof(st.salt));
	if (page == SUPER_A_PAGE || page == SUPER_B_PAGE)
		mend_super(page);
	else if (page == LOG_PAGE)
		mend_log(&st);
	else if (inode->magic == INODE_MAGIC)
		inode->sum = store_inode_sum(&st, inode);
}

static uint64_t edited_word(const uint8_t *data)
{
	uint32_t number = data[0] | data[1] << 8 | data[2] << 16;

	return data[3] & 0x80 ? live[number % live_count] : number % WORDS;
}

static void edit(const uint8_t *data)
{
	uint8_t kind = data[3];
	uint32_t value;
	uint64_t word = edited_word(data);
	uint64_t *at = (uint64_t *)region.base + word;

	memcpy(&value, data + 4, 4);
	switch (kind % 8) {
	case 0:
		*at = value;
		break;
	case 1:
		*at = store_seal(value);
		break;
	case 2:
		*at ^= 1ull << value % 64;
		break;
	case 3:
		((uint8_t *)at)[value / 256 % 8] = (uint8_t)value;
		break;
	default:
		*at = pristine[live[value % live_count]];
	}
	if (kind & 8)
		mend(word);
}

/* ---- Uses ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void export_all(struct store *st)
{
	const char *out = scratch_path("out");
	struct object root;
	objid_t id;

	if (store_nameroot(st, &id) != 0 || object_open(st, id, &root) != 0)
		return;
	export_tree(&root, out, true);
	nftw(out, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void dump_all(struct store *st)
{
	struct store_cursor cursor = { 0 };
	struct store_handle h;
	unsigned int left = 10000;
	int found;

	inside_dump_store(st, nowhere());
	while ((found = store_next(st, &cursor, &h)) != 0) {
		if (--left == 0)
			abort(); /* no end in sight */
		if (found > 0)
			inside_dump_object(st, &h, nowhere());
	}
}

static void read_all(bool exports)
{
	enum status status;
	struct store st;

	check_region(&reader, true, nowhere());
	if (region_mount(&reader, &st, &status)) {
		show_info(&st, nowhere());
		show_list(&st, nowhere());
		show_names(&st, nowhere());
		dump_all(&st);
		if (exports)
			export_all(&st);
	}
}

/* In a private copy of the mapping. */
static void mount_for_writing(void)
{
	struct region copy = region;
	enum status status;
	struct store st;

	copy.base = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	if (copy.base == MAP_FAILED)
		abort();
	if (!region_mount(&copy, &st, &status) && memcmp(region.base, copy.base, WORDS * 8) != 0)
		abort(); /* written before it was understood */
	munmap(copy.base, LEN);
}

/* Sums that were mended stand in the page that was edited. */
static void restore(const uint8_t *data)
{
	uint64_t page = edited_word(data) * 8 / STORE_PAGE_SIZE;

	memcpy(region.base + page * STORE_PAGE_SIZE, pristine + page * PAGE_WORDS, STORE_PAGE_SIZE);
}

static void draw_edits(const uint8_t *data, void (*use)(const uint8_t *edit))
{
	uint64_t state = (uint64_t)data[4] << 24 | data[5] << 16 | data[6] << 8 | data[7];

	for (unsigned int n = data[0] % 32 + 1; n > 0; n--) {
		uint8_t drawn[EDIT];

		for (unsigned int i = 0; i < EDIT; i++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			drawn[i] = (uint8_t)(state >> 56);
		}
		drawn[3] |= 0x80; /* what is not zero */
		if (drawn[3] & 0x10)
			drawn[5] = drawn[6] = drawn[7] = 0; /* a small number */
		use(drawn);
	}
}

static void each_edit(const uint8_t *data, size_t size, void (*use)(const uint8_t *edit))
{
	for (size_t at = 1; at + EDIT <= size; at += EDIT) {
		if (data[at + 3] & 0x40)
			draw_edits(data + at, use);
		else
			use(data + at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (pristine == NULL)
		prepare();
	if (size == 0)
		return 0;
	each_edit(data, size, edit);
	read_all(data[0] == 0xaa);
	if (data[0] & 1)
		mount_for_writing();
	each_edit(data, size, restore);
	return 0;
}
