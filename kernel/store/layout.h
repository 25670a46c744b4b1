// SPDX-License-Identifier: BSD-3-Clause
/*
 * The on-media format, version 1, as C. The text of record is docs/format-store.md.
 *
 * A store is an array of 4 KiB pages. Page numbers count from its start; page 0 is never an
 * object's, so 0 means "none" wherever a page number stands. All numbers are little-endian.
 *
 *   page 0        superblock A        page 15       superblock B
 *   page 1        log record          page 16 …     bitmap, hash buckets, reference map, then
 *                                                   object pages
 *   pages 2…14    zero, reserved
 *
 * Every metadata word that can change is a *sealed word*: 48 bits of payload under a 16-bit check
 * (word.c), so one untorn 8-byte store changes a field together with its checksum. Zero is the
 * sealed form of payload 0. What never changes after it is written is covered by a 64-bit sum.
 */
#ifndef STORE_LAYOUT_H
#define STORE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include <store/store.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

#define PAGE_WORDS 512u
#define LINE_BYTES 64u
#define PAYLOAD_BITS 48u
#define PAYLOAD_MAX ((1ull << PAYLOAD_BITS) - 1)

#define SUPER_A_PAGE 0ull
#define LOG_PAGE 1ull
#define LOG_PAGES 1ull
#define SUPER_B_PAGE 15ull
#define BITMAP_PAGE 16ull

#define SUPER_MAGIC 0x45524f54535a5754ull  /* "TWZSTORE" */
#define FORMAT_MAGIC 0x2a2a544d465a5754ull /* "TWZFMT**": page 0 during a format */
#define INODE_MAGIC 0x45444f4e495a5754ull  /* "TWZINODE" */
#define STORE_VERSION 1u

/* Bytes 0…511 of each superblock page. Written at format, then constant. */
struct super_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes; /* 512 */
	uint64_t compat;       /* features a reader and writer may ignore */
	uint64_t ro_compat;    /* features a reader may ignore, a writer not */
	uint64_t incompat;     /* features nobody may ignore */
	uint8_t uuid[16];
	uint64_t pages;        /* of the store */
	uint64_t page_bytes;   /* 4096 */
	uint64_t log_page;
	uint64_t log_pages;
	uint64_t bitmap_page;
	uint64_t bitmap_pages;
	uint64_t bucket_page;
	uint64_t buckets;      /* power of two, at least 512 */
	uint64_t ref_page;
	uint64_t first_data;
	uint64_t self;         /* page this copy stands in */
	uint64_t reserved[45]; /* 0 */
	uint64_t sum;          /* of the words before it; the same way in every version */
};

_Static_assert(sizeof(struct super_header) == 512, "superblock header");
_Static_assert(offsetof(struct super_header, uuid) == 40, "uuid");
_Static_assert(offsetof(struct super_header, pages) == 56, "pages");
_Static_assert(offsetof(struct super_header, self) == 136, "self");
_Static_assert(offsetof(struct super_header, sum) == 504, "sum");

/* Sealed words at byte 512 of each superblock page; both copies change in one transaction. */
enum state_word {
	STATE_BOOTS,
	STATE_FREE,    /* free pages */
	STATE_OBJECTS,
	STATE_ORPHANS, /* page of the first inode on the orphan list */
	STATE_ROOT0,   /* name root ID, bits 0…47, 48…95, 96…127 */
	STATE_ROOT1,
	STATE_ROOT2,
	STATE_CLOCK,   /* wall-clock high mark, ms */
	STATE_TIES,    /* first tie page with a free record; a second line, because it is rare */
	STATE_SYSTEM0, /* ID of the system's own object, as the name root's */
	STATE_SYSTEM1,
	STATE_SYSTEM2,
	STATE_WORDS,
};

#define STATE_OFFSET 512u
_Static_assert(STATE_TIES * 8 == LINE_BYTES, "what changes often fills one line");

/* The log page: one redo record, that of the last transaction. */
struct log_record {
	uint64_t seq;
	uint64_t count; /* 1 … STORE_TX_WORDS */
	uint64_t reserved;
	uint64_t sum;   /* of the three words before it and count writes */
	struct store_write write[STORE_TX_WORDS];
};

_Static_assert(offsetof(struct log_record, write) == 32, "log record");
_Static_assert(sizeof(struct log_record) <= STORE_PAGE_SIZE, "the record fits the log page");

/* First line of an object's inode page. Written at creation, then constant. */
struct inode_header {
	uint64_t magic;
	uint64_t id_lo;
	uint64_t id_hi;
	uint64_t self;  /* page number of the inode */
	uint64_t birth; /* boot count at creation */
	uint64_t reserved[2];
	uint64_t sum;   /* of the words before it */
};

_Static_assert(sizeof(struct inode_header) == LINE_BYTES, "inode header");

/* Sealed words of the inode page, by index. Those not named are zero. */
enum inode_word {
	INODE_NEXT = 8,     /* next inode of the bucket's chain */
	INODE_FLAGS = 9,
	INODE_ORPHAN_NEXT = 10,
	INODE_ORPHAN_PREV = 11,
	INODE_PAGES = 12,   /* pages the object owns or shares: inode, node, leaves, content, side */
	INODE_NODE = 13,    /* page of 512 leaf words */
	INODE_TIES_OUT = 14, /* first tie of which the object is the parent */
	INODE_OUT_COUNT = 15,
	INODE_TIES_IN = 16, /* first tie of which it is the child */
	INODE_IN_COUNT = 17,
	INODE_NAMED_END = 18,
	INODE_LOW = 64,     /* content pages 0 … 63 (0 is never used) */
	INODE_HIGH = 128,   /* content pages 262080 … 262143 */
	INODE_SIDE = 192,   /* side pages 0 … 63 */
	INODE_DIRECT_END = 256,
	INODE_SIDE_LEAF = 256, /* leaves of all other side pages, 512 each */
	INODE_SIDE_END = 272,
};

#define INODE_DELETED 1ull /* found; on the orphan list unless it is a child in a tie */
#define INODE_HIDDEN 2ull  /* in no chain, but on the orphan list */
#define INODE_FLAGS_ALL 3ull

/* In a node word: what it names is no leaf but the first of 512 content pages in a row. */
#define LEAF_RUN (1ull << 47)

/* Side pages are page numbers behind those of the content, inside of the store. */
#define SIDE_FIRST STORE_OBJECT_PAGES
_Static_assert((INODE_SIDE_END - INODE_SIDE_LEAF) * PAGE_WORDS == STORE_SIDE_PAGES, "side leaves");

/*
 * Tie pages hold 63 records of one line each, behind a line of their own. A record is named by
 * its number: byte offset / 64.
 */
#define TIE_MAGIC 0x2a534549545a5754ull      /* "TWZTIES*" */

enum tie_page_word {
	TIE_PAGE_MAGIC,
	TIE_PAGE_SELF,
	TIE_PAGE_SUM,  /* of the two words before it */
	TIE_PAGE_ZERO,
	TIE_PAGE_USED, /* 2 sealed words: bit i of word n: line 32·n+i is in use (line 0 always) */
	TIE_PAGE_NEXT = 6, /* list of the pages with a free record */
	TIE_PAGE_PREV = 7,
};

enum tie_word {
	TIE_PARENT, /* inode page */
	TIE_CHILD,
	TIE_COUNT,  /* how often the two are tied; never 0 */
	TIE_OUT_NEXT, /* the parent's ties */
	TIE_OUT_PREV,
	TIE_IN_NEXT,  /* the child's */
	TIE_IN_PREV,
	TIE_ZERO,
};

#define DIRECT_PAGES 64u
#define FIRST_HIGH (STORE_OBJECT_PAGES - DIRECT_PAGES)

/* A bitmap word covers 32 pages in its low payload bits; 1 = in use or not there at all. */
#define MAP_PAGES 32u
#define MAP_FULL 0xffffffffull

/* A word of the reference map: 4 pages, 12 bits each: owners beyond the first. */
#define REF_PAGES 4u
#define REF_BITS 12u
#define REF_MAX 0xfffull

#endif
