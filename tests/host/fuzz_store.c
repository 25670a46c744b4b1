// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzzer of mount and use: a sample store, words of which the input replaces. An input is a flags
 * byte (bit 0: read-only), then 7-byte edits: word number (u16, counted over the first 512 KiB),
 * kind, value (u32). Kind 0 stores the value, 1 its sealed form, 2 flips bit value % 64, 3 also
 * mends the header sums.
 */
#include <stdlib.h>
#include <string.h>

#include "../../kernel/store/internal.h"
#include "store/sample.h"

#define LEN STORE_MIN_REGION
#define EDIT 7u

static struct sample sample;
static unsigned char *pristine;

static void prepare(void)
{
	sample_make(&sample, LEN);
	pristine = malloc(LEN);
	if (!pristine)
		abort();
	memcpy(pristine, sample.base, LEN);
}

static void mend_supers(void)
{
	static const uint64_t pages[] = { SUPER_A_PAGE, SUPER_B_PAGE };

	for (unsigned i = 0; i < 2; i++) {
		struct super_header *super = (void *)(sample.base + pages[i] * STORE_PAGE_SIZE);

		super->sum = store_super_sum(super);
	}
}

static void edit(const uint8_t *data)
{
	uint16_t word;
	uint32_t value;

	memcpy(&word, data, 2);
	memcpy(&value, data + 3, 4);
	uint64_t *at = (uint64_t *)sample.base + word;

	switch (data[2] % 4) {
	case 0:
		*at = value;
		break;
	case 1:
		*at = store_seal(value);
		break;
	case 2:
		*at ^= 1ull << value % 64;
		break;
	default:
		*at = value;
		mend_supers();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store st;

	if (!pristine)
		prepare();
	if (!size)
		return 0;
	for (size_t at = 1; at + EDIT <= size; at += EDIT)
		edit(data + at);
	if (!store_mount(&st, sample.base, LEN, data[0] & STORE_RDONLY, &hosted_ops))
		sample_use(&sample, &st);
	memcpy(sample.base, pristine, LEN - STORE_TAIL_RESERVE);
	return 0;
}
