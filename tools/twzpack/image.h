// SPDX-License-Identifier: BSD-3-Clause
/*
 * An object under construction: pages that are allocated as they are written, the last of them
 * the metadata page. Ends the program when memory runs out.
 */
#ifndef TWZPACK_IMAGE_H
#define TWZPACK_IMAGE_H

#include <abi/object.h>
#include <stddef.h>

struct image_page {
	uint32_t number; /* object offset / 4096 */
	uint8_t *bytes;
};

struct image {
	struct metainfo *mi; /* in the last of the pages */
	struct image_page *pages; /* in ascending order of number */
	size_t count, room;
	objid_t id; /* set by image_finish */
	uint32_t flags; /* PACK_OBJECT_* */
};

/* Begin an empty, unsized object with these default permissions (MIP_DFL_*) and no extensions. */
void image_init(struct image *img, uint16_t p_flags);

/* Write len bytes at an object offset; the caller has checked that they are within the data. */
void image_write(struct image *img, uint64_t offset, const void *bytes, size_t len);

/* Read len bytes; what was not written reads as zero. */
void image_read(const struct image *img, uint64_t offset, void *bytes, size_t len);

/*
 * Complete the object, whose nonce is 0: pages of zeroes are dropped, the nonce becomes a hash of
 * everything else in the object, so that equal input gives equal IDs, and the ID is derived.
 */
void image_finish(struct image *img);

/* Free the pages. */
void image_free(struct image *img);

/* realloc that ends the program when there is no memory. */
void *grow(void *old, size_t count, size_t size);

#endif
