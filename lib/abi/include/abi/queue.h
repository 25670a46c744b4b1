// SPDX-License-Identifier: BSD-3-Clause
/*
 * Queues of fixed-size entries between many producers and many consumers, in an object. Two rings:
 * submissions, and completions the other way. docs/queue.md has the protocol.
 *
 * Positions count modulo 2^QUEUE_POSITION_BITS. The entry of position p stands in slot
 * p mod 2^l2length; what is written last, its cmd_id, is p with the turn of p in bit 31. The turn
 * changes from round to round, so that a slot never looks as if it held the next round already.
 */
#ifndef ABI_QUEUE_H
#define ABI_QUEUE_H

#include <abi/types.h>

#define QUEUE_MAGIC 0x45554555515a5754ull /* "TWZQUEUE" */
#define QUEUE_L2LENGTH_MAX 20u

#ifndef QUEUE_POSITION_BITS
#define QUEUE_POSITION_BITS 31
#endif
#define QUEUE_POSITION_MASK ((1u << QUEUE_POSITION_BITS) - 1)
#define QUEUE_TURN (1u << 31)

/* In tail: a consumer may sleep on bell. Whoever clears it then adds to bell and wakes them. */
#define QUEUE_TAIL_WAITING (1u << 31)

/* In waiters: a producer may sleep on this very word. Whoever clears it adds QUEUE_WAITERS_STEP
 * in the same step and wakes them. */
#define QUEUE_WAITERS_WAITING 1u
#define QUEUE_WAITERS_STEP 2u

#define QUEUE_SUBMISSION 0
#define QUEUE_COMPLETION 1

struct queue_subqueue {
	uint8_t pad0[64];
	uint64_t queue;    /* local p-ptr of the entries */
	uint64_t l2length; /* 0 … QUEUE_L2LENGTH_MAX */
	uint64_t stride;   /* bytes of an entry; multiple of 8, at least 8 */
	uint8_t pad1[64];
	uint32_t head;     /* atomic: the position to be reserved next */
	uint32_t waiters;  /* atomic; QUEUE_WAITERS_* */
	uint8_t pad2[64];
	uint64_t bell;     /* atomic: changes with every entry that is published */
	uint8_t pad3[64];
	uint64_t tail;     /* atomic: the position to be taken next; QUEUE_TAIL_WAITING */
};

struct queue_hdr {
	uint64_t magic;
	uint64_t flags; /* 0 */
	struct queue_subqueue subqueue[2];
};

/* What every entry begins with; stride − 8 bytes follow. */
struct queue_entry {
	uint32_t cmd_id; /* atomic; position and turn */
	uint32_t info;
};

static inline uint32_t queue_turn(uint32_t position, uint32_t l2length)
{
	return position >> l2length & 1 ? 0 : QUEUE_TURN;
}

/* The cmd_id of the entry of a position. */
static inline uint32_t queue_cmd_id(uint32_t position, uint32_t l2length)
{
	return position | queue_turn(position, l2length);
}

/* The cmd_id that says that a position holds no entry: consumers go on to the next. */
static inline uint32_t queue_skipped_id(uint32_t position, uint32_t l2length)
{
	return queue_cmd_id(position, l2length) ^ 1u << (QUEUE_POSITION_BITS - 1);
}

/* Entries of the pager's queue (SYS_KQUEUE with KQ_PAGER). */
struct queue_entry_pager {
	struct queue_entry qe;
	uint64_t reserved;
	objid_t id;
	objid_t tmpobjid;
	objid_t reqthread;
	uint64_t linaddr;
	uint64_t page;
	uint32_t cmd;    /* PAGER_CMD_* */
	uint16_t result; /* PAGER_RESULT_* */
	uint16_t pad;
};

#define PAGER_CMD_OBJECT 1u
#define PAGER_CMD_OBJECT_PAGE 2u

#define PAGER_RESULT_DONE 0u
#define PAGER_RESULT_ERROR 1u
#define PAGER_RESULT_ZERO 2u
#define PAGER_RESULT_COPY 3u

_Static_assert(sizeof(struct queue_entry) == 8, "queue entry");
_Static_assert(offsetof(struct queue_subqueue, queue) == 64, "subqueue queue");
_Static_assert(offsetof(struct queue_subqueue, l2length) == 72, "subqueue l2length");
_Static_assert(offsetof(struct queue_subqueue, stride) == 80, "subqueue stride");
_Static_assert(offsetof(struct queue_subqueue, head) == 152, "subqueue head");
_Static_assert(offsetof(struct queue_subqueue, waiters) == 156, "subqueue waiters");
_Static_assert(offsetof(struct queue_subqueue, bell) == 224, "subqueue bell");
_Static_assert(offsetof(struct queue_subqueue, tail) == 296, "subqueue tail");
_Static_assert(sizeof(struct queue_subqueue) == 304, "subqueue");
_Static_assert(offsetof(struct queue_hdr, flags) == 8, "queue flags");
_Static_assert(offsetof(struct queue_hdr, subqueue) == 16, "queue subqueue");
_Static_assert(sizeof(struct queue_hdr) == 624, "queue");
_Static_assert(offsetof(struct queue_entry_pager, id) == 16, "pager id");
_Static_assert(offsetof(struct queue_entry_pager, tmpobjid) == 32, "pager tmpobjid");
_Static_assert(offsetof(struct queue_entry_pager, reqthread) == 48, "pager reqthread");
_Static_assert(offsetof(struct queue_entry_pager, linaddr) == 64, "pager linaddr");
_Static_assert(offsetof(struct queue_entry_pager, page) == 72, "pager page");
_Static_assert(offsetof(struct queue_entry_pager, cmd) == 80, "pager cmd");
_Static_assert(offsetof(struct queue_entry_pager, result) == 84, "pager result");
_Static_assert(sizeof(struct queue_entry_pager) == 96, "pager entry");

#endif
