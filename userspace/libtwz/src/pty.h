// SPDX-License-Identifier: BSD-3-Clause
/*
 * The parts of a terminal: pty.c has its calls, pty_read.c the waiting of those that read, pty_settings.c the
 * ioctls, pty_line.c and pty_edit.c what happens between its two sides.
 *
 * All of it is under the header's buffer_lock. Nobody sleeps with it: into the streams goes only
 * what fits, and what does not fit yet is kept in the state below and goes in when the other side
 * has read.
 */
#ifndef TWZ_SRC_PTY_H
#define TWZ_SRC_PTY_H

#include "stream.h"

#include <twz/obj/pty.h>

#define PTY_STREAM_BITS 12u
#define PTY_MARKS 16u
#define PTY_MARK_EOF (1ull << 63) /* on an empty line; else it only ends one without a newline */

/* Behind the header. Not durable: after a reset all input and output is forgotten. */
struct pty_state {
	struct evhdr ev;        /* PTY_EVENT_* */
	uint64_t boot;          /* the boot all this is from */
	uint64_t written, read; /* bytes of input ever passed on to the program, taken by it */
	uint32_t ended;         /* the line in buffer is complete: PTY_ENDED_* */
	uint32_t passed;        /* bytes of it that the program can read already */
	uint32_t owed;          /* 1: '\n' after a '\r' that just fitted into the output */
	uint32_t marks_first, marks_count;
	uint32_t flags;         /* PTY_STOPPED, PTY_LITERAL */
	uint64_t marks[PTY_MARKS]; /* where (of written) VEOF was typed; PTY_MARK_EOF */
};

#define PTY_STOPPED 1u /* output is held: the server gets none until it is not */
#define PTY_LITERAL 2u /* what is typed next has no special meaning */
#define PTY_EVENT_FLOW (1ul << 12) /* of ev: output is not held any more */

#define PTY_ENDED_NOT 0u
#define PTY_ENDED_LINE 1u
#define PTY_ENDED_BY_EOF 2u

#define PTY_STATE_OFFSET sizeof(struct pty_hdr)
#define PTY_STOC_OFFSET ((PTY_STATE_OFFSET + sizeof(struct pty_state) + 63) & ~63ul)
#define PTY_STREAM_SIZE (sizeof(struct bstream_hdr) + (1ul << PTY_STREAM_BITS))
#define PTY_CTOS_OFFSET (PTY_STOC_OFFSET + ((PTY_STREAM_SIZE + 63) & ~63ul))

_Static_assert(PTY_CTOS_OFFSET + PTY_STREAM_SIZE <= PTY_SIZE, "pty size");

/* A terminal for the length of a call; everything in it is in the object's data. */
struct pty {
	twzobj *o;
	struct pty_hdr *hdr;
	struct pty_state *state;
	struct bstream_hdr *in, *out; /* stoc, ctos */
	struct termios settings;      /* as of the lock */
};

/* Take the lock and bring the state in order; give it back. */
void __pty_lock(struct pty *p);
void __pty_unlock(struct pty *p);

/* For a call: of the server's object, or through a client with a handle that lasts as long as the call. */
int __pty_open_server(struct pty *p, twzobj *o, void *hdr);
int __pty_open_client(struct pty *p, twzobj *server, twzobj *o, struct pty_client_hdr *hdr);

/* Sleep until the stream may be ready, or the time is up (-ETIMEDOUT). With the lock, which it gives
 * back. */
int __pty_unlock_and_wait(struct pty *p, struct bstream_hdr *s, uint64_t type,
    const struct timespec *timeout);

/* As twzio_poll, of what the server reads. */
int __pty_output_poll(struct pty *p, struct event *event);

/* The rest with the lock. */

/* Take one byte that was typed; false: there is no room for what it leads to. */
bool __pty_type(struct pty *p, uint8_t c);

/* Take up to len bytes for the screen; how many. */
size_t __pty_print(struct pty *p, const uint8_t *bytes, size_t len);

/* Write the newline that is owed, if it fits; whether none is owed now. */
bool __pty_pay(struct pty *p);

/* Up to len bytes for the program: 0 at an end of file, -EAGAIN nothing yet, -EINVLOBJ. */
ssize_t __pty_take(struct pty *p, uint8_t *bytes, size_t len);

/* Whether there is an end of file to be read before anything else. */
bool __pty_at_end(struct pty *p);

/* What the program can read already is a line, though no newline ends it. */
void __pty_push(struct pty *p);

/* Forget all input; all output that the server has not read. */
void __pty_discard(struct pty *p);
void __pty_discard_output(struct pty *p);

/* Hold output, or let it go. */
void __pty_stop(struct pty *p, bool stop);

/* Show a control character of the settings, by its index. */
void __pty_show_key(struct pty *p, unsigned index);

/* A local flag; whether c is the control character of that index, which 0 never is; bytes of the line
 * so far. */
bool __pty_has(const struct pty *p, tcflag_t flag);
bool __pty_is_cc(const struct pty *p, uint8_t c, unsigned index);
uint32_t __pty_filled(const struct pty *p);

/* Put bytes on the screen if they fit; columns that a character takes there; what is echoed of it. */
void __pty_show(struct pty *p, const char *text, size_t n);
unsigned __pty_columns(const struct pty *p, uint8_t c);
void __pty_echo(struct pty *p, uint8_t c);

/* pty_edit.c: whether c edits the line; then it has. */
bool __pty_edits(struct pty *p, uint8_t c);

/* What was typed of a line is read as it is: it is not edited any more. */
void __pty_end_line(struct pty *p);

/* --- pty.c, for io.c */
ssize_t __pty_server_read(twzobj *o, void *hdr, void *buf, size_t len, unsigned flags);
ssize_t __pty_server_write(twzobj *o, void *hdr, const void *buf, size_t len, unsigned flags);
int __pty_server_poll(twzobj *o, void *hdr, uint64_t type, struct event *event);
int __pty_server_ioctl(twzobj *o, void *hdr, int req, long arg);
ssize_t __pty_client_read(twzobj *o, void *hdr, void *buf, size_t len, unsigned flags);
ssize_t __pty_client_write(twzobj *o, void *hdr, const void *buf, size_t len, unsigned flags);
int __pty_client_poll(twzobj *o, void *hdr, uint64_t type, struct event *event);
int __pty_client_ioctl(twzobj *o, void *hdr, int req, long arg);

#endif
