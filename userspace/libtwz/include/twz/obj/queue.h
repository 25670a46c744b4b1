// SPDX-License-Identifier: BSD-3-Clause
/*
 * Queues: entries of a fixed size between many producers and many consumers, with a second ring for
 * answers. Everything here may be called by any number of threads, in any view, at once, and takes
 * no lock. docs/queue.md.
 *
 * An entry is a struct that begins with a struct queue_entry. The library fills in cmd_id; info and
 * what follows are the caller's, as many bytes as the queue's stride says. The stride is read from
 * the object: where somebody hostile can write it, use the forms that end in _len.
 *
 * Errors of all: -EINVLOBJ what stands in the object is no queue; -EINVAL unknown flags.
 */
#ifndef TWZ_OBJ_QUEUE_H
#define TWZ_OBJ_QUEUE_H

#include <abi/queue.h>
#include <twz/obj.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUEUE_NONBLOCK 1 /* -EAGAIN instead of sleeping */

/*
 * Make the object a queue, from its base on. Lengths are log2 of the number of entries, 0 … 20;
 * strides in bytes, rounded up to a multiple of 8 and at least 8. The memory must read as zeroes,
 * as a new object's does, or be a queue that nobody uses any more, whose entries are then lost.
 * -EINVAL a length, or the object is too small for it; -ENOMEM no room for the extension.
 */
int queue_init_hdr(twzobj *o, size_t sqlen, size_t sqstride, size_t cqlen, size_t cqstride);

/* Put in an entry: submissions, completions. Sleeps while the ring is full. 0, -EAGAIN, -EINTR. */
int queue_submit(twzobj *o, struct queue_entry *entry, int flags);
int queue_complete(twzobj *o, struct queue_entry *entry, int flags);

/* Take out the oldest entry: submissions, completions. Sleeps while there is none. 0, -EAGAIN,
 * -EINTR. */
int queue_receive(twzobj *o, struct queue_entry *entry, int flags);
int queue_get_finished(twzobj *o, struct queue_entry *entry, int flags);

/*
 * The same with an entry of len bytes, at least 8. An entry put in is filled up with zeroes; one
 * taken out fills the first bytes. -EMSGSIZE: the stride is less than len (in), more than len
 * (out); nothing has changed then. sq: QUEUE_SUBMISSION or QUEUE_COMPLETION, else -EINVAL.
 */
int queue_enqueue_len(twzobj *o, int sq, const struct queue_entry *entry, size_t len, int flags);
int queue_dequeue_len(twzobj *o, int sq, struct queue_entry *entry, size_t len, int flags);

/* One of several things to wait for: an entry of a queue, or with result NULL a word ≠ cmp. */
struct queue_dequeue_multiple_spec {
	union {
		twzobj *obj;
		atomic_uint_least64_t *word;
	};
	struct queue_entry *result;
	int sq; /* QUEUE_SUBMISSION, QUEUE_COMPLETION */
	uint64_t cmp;
	int ret; /* out: 1 an entry was taken, or the word differs; else 0 */
};

#define QUEUE_DEQUEUE_MULTIPLE_MAX 128u

/*
 * Take an entry of every queue that has one, sleeping until there is at least one or a word
 * differs. Returns for how many ret is 1; 0 for n 0. -EINVAL n over 128 or a bad sq, -EINVLOBJ one
 * is no queue, -EINTR; then nothing was taken.
 */
ssize_t queue_dequeue_multiple(size_t n, struct queue_dequeue_multiple_spec *specs);

/*
 * Skip what producers that ended in the middle of a submission have reserved and not filled, and
 * wake everybody. A persistent queue is repaired after every reset. Meanwhile no producer may be in the middle of one; those that sleep, and
 * consumers, may. Returns how many positions were skipped.
 */
int queue_repair(twzobj *o);

#ifdef __cplusplus
}
#endif

#endif
