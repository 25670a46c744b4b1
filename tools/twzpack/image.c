// SPDX-License-Identifier: BSD-3-Clause
/* Objects under construction, see image.h. */
#include "image.h"

#include <base/bits.h>
#include <base/endian.h>
#include <obj/id.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define META_PAGE_NUMBER (OBJ_METAPAGE / TWZ_PAGE_SIZE)
#define NONCE_PERSONAL "twz-pack-nonce-1"

void *grow(void *old, size_t count, size_t size)
{
	void *new = reallocarray(old, count, size);

	if (new == NULL) {
		fprintf(stderr, "twzpack: out of memory\n");
		exit(1);
	}
	return new;
}

/* Index of the first page whose number is not below this one. */
static size_t page_index(const struct image *img, uint32_t number)
{
	size_t lo = 0, hi = img->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (img->pages[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint8_t *find_page(const struct image *img, uint32_t number)
{
	size_t i = page_index(img, number);

	return i < img->count && img->pages[i].number == number ? img->pages[i].bytes : NULL;
}

static uint8_t *make_page(struct image *img, uint32_t number)
{
	uint8_t *bytes = find_page(img, number);
	size_t i = page_index(img, number);

	if (bytes != NULL)
		return bytes;
	if (img->count == img->room) {
		img->room = img->room * 2 + 16;
		img->pages = grow(img->pages, img->room, sizeof(*img->pages));
	}
	memmove(&img->pages[i + 1], &img->pages[i], (img->count - i) * sizeof(*img->pages));
	bytes = grow(NULL, 1, TWZ_PAGE_SIZE);
	memset(bytes, 0, TWZ_PAGE_SIZE);
	img->pages[i] = (struct image_page){ number, bytes };
	img->count++;
	return bytes;
}

void image_init(struct image *img, uint16_t p_flags)
{
	memset(img, 0, sizeof(*img));
	img->mi = (struct metainfo *)make_page(img, META_PAGE_NUMBER);
	img->mi->magic = MI_MAGIC;
	img->mi->p_flags = p_flags;
	img->mi->fotentries = 1;
	img->mi->milen = MI_MILEN_DEFAULT;
}

void image_write(struct image *img, uint64_t offset, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	while (len > 0) {
		size_t start = offset % TWZ_PAGE_SIZE, n = MIN(len, TWZ_PAGE_SIZE - start);

		memcpy(make_page(img, (uint32_t)(offset / TWZ_PAGE_SIZE)) + start, from, n);
		offset += n;
		from += n;
		len -= n;
	}
}

void image_read(const struct image *img, uint64_t offset, void *bytes, size_t len)
{
	uint8_t *to = bytes;

	while (len > 0) {
		size_t start = offset % TWZ_PAGE_SIZE, n = MIN(len, TWZ_PAGE_SIZE - start);
		const uint8_t *page = find_page(img, (uint32_t)(offset / TWZ_PAGE_SIZE));

		if (page != NULL)
			memcpy(to, page + start, n);
		else
			memset(to, 0, n);
		offset += n;
		to += n;
		len -= n;
	}
}

static bool is_zero(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, TWZ_PAGE_SIZE - 1) == 0;
}

static void drop_zero_pages(struct image *img)
{
	size_t kept = 0;

	for (size_t i = 0; i < img->count; i++) {
		if (is_zero(img->pages[i].bytes))
			free(img->pages[i].bytes);
		else
			img->pages[kept++] = img->pages[i];
	}
	img->count = kept;
}

static nonce_t content_hash(const struct image *img)
{
	static const uint8_t salt[crypto_generichash_blake2b_SALTBYTES];
	crypto_generichash_blake2b_state h;
	nonce_t nonce;

	crypto_generichash_blake2b_init_salt_personal(&h, NULL, 0, sizeof(nonce), salt,
						      (const uint8_t *)NONCE_PERSONAL);
	for (size_t i = 0; i < img->count; i++) {
		uint8_t number[8];

		store_le64(number, img->pages[i].number);
		crypto_generichash_blake2b_update(&h, number, sizeof(number));
		crypto_generichash_blake2b_update(&h, img->pages[i].bytes, TWZ_PAGE_SIZE);
	}
	crypto_generichash_blake2b_final(&h, (uint8_t *)&nonce, sizeof(nonce));
	return nonce;
}

void image_finish(struct image *img)
{
	drop_zero_pages(img);
	img->mi->nonce = content_hash(img);
	img->id = id_derive(img->mi);
}

void image_free(struct image *img)
{
	for (size_t i = 0; i < img->count; i++)
		free(img->pages[i].bytes);
	free(img->pages);
	img->pages = NULL;
	img->count = 0;
	img->room = 0;
}
