// SPDX-License-Identifier: BSD-3-Clause
/*
 * Terminals: the server is the side of the keyboard and the screen, the client that of the program.
 * Between them input is edited, echoed and turned into signals, and output has its newlines made
 * into what a screen wants. docs/pty.md.
 *
 * Any number of threads in any views may use either side. Functions without hdr mean the header at
 * the base of the object. flags: TWZIO_NONBLOCK. -EINVLOBJ: there is no terminal.
 */
#ifndef TWZ_OBJ_PTY_H
#define TWZ_OBJ_PTY_H

#include <abi/mutex.h>
#include <abi/termios.h>
#include <twz/obj.h>
#include <twz/obj/event.h>
#include <twz/obj/io.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bstream_hdr;

#define PTY_BUFFER_SZ 1024

/* Events of a terminal, beside TWZIO_EVENT_READ and _WRITE; they stay until event_clear. */
#define PTY_EVENT_INT (1ul << 8)    /* VINTR was typed */
#define PTY_EVENT_QUIT (1ul << 9)   /* VQUIT */
#define PTY_EVENT_SUSP (1ul << 10)  /* VSUSP */
#define PTY_EVENT_SIG (PTY_EVENT_INT | PTY_EVENT_QUIT | PTY_EVENT_SUSP)
#define PTY_EVENT_WINCH (1ul << 11) /* the window has another size */

struct pty_hdr {
	struct bstream_hdr *stoc; /* local p-ptr: input for the program */
	struct bstream_hdr *ctos; /* local p-ptr: output for the screen */
	struct twzio_hdr io;
	struct termios termios;
	struct winsize winsize;
	uint32_t reserved;
	struct mutex buffer_lock; /* guards all that follows, and the settings */
	uint64_t bufpos;          /* bytes of the line that is being typed */
	uint8_t buffer[PTY_BUFFER_SZ];
};

struct pty_client_hdr {
	struct pty_hdr *server; /* p-ptr */
	struct twzio_hdr io;
};

_Static_assert(offsetof(struct pty_hdr, io) == 16, "pty io");
_Static_assert(offsetof(struct pty_hdr, termios) == 56, "pty termios");
_Static_assert(offsetof(struct pty_hdr, winsize) == 116, "pty winsize");
_Static_assert(offsetof(struct pty_hdr, buffer_lock) == 128, "pty buffer_lock");
_Static_assert(offsetof(struct pty_hdr, bufpos) == 144, "pty bufpos");
_Static_assert(offsetof(struct pty_hdr, buffer) == 152, "pty buffer");
_Static_assert(sizeof(struct pty_hdr) == 1176, "pty");
_Static_assert(offsetof(struct pty_client_hdr, io) == 8, "pty client io");
_Static_assert(sizeof(struct pty_client_hdr) == 48, "pty client");

/* Bytes from the header on that a terminal takes: behind the header come private state and the
 * two streams, of 4095 bytes each. */
#define PTY_SIZE 9984ul

/*
 * Make a terminal at hdr (NULL: the base), aligned to 8, with lines of 80 × 25 and the usual
 * settings (docs/pty.md), durably. -EINVAL hdr is not in o or leaves no room, -ENOMEM no free
 * extension.
 */
int pty_obj_init_server(twzobj *o, struct pty_hdr *hdr);

/* Make the side of a program for the terminal at the d-ptr server, durably. -EINVAL hdr, server; the
 * errors of twz_ptr_store_guid. */
int pty_obj_init_client(twzobj *o, struct pty_client_hdr *hdr, struct pty_hdr *server);

/*
 * What the program reads: one line at most with ICANON, else what there is. Sleeps while there is
 * nothing. 0: VEOF was typed on an empty line, or the terminal hung up. -EAGAIN, -EINTR.
 */
ssize_t pty_read_client(twzobj *o, void *buf, size_t len, unsigned flags);

/* What the program writes: 1 … len bytes, sleeping while nothing fits. -EPIPE hung up; as above. */
ssize_t pty_write_client(twzobj *o, const void *buf, size_t len, unsigned flags);

/* What the screen is to show: 1 … len bytes, sleeping while there is nothing; 0 hung up. */
ssize_t pty_read_server(twzobj *o, void *buf, size_t len, unsigned flags);

/* What was typed: 1 … len bytes taken, sleeping while none can be because the program does not
 * read. Signals are taken at once when they are first in buf. -EPIPE hung up; as above. */
ssize_t pty_write_server(twzobj *o, const void *buf, size_t len, unsigned flags);

/* The forms of io functions. */
ssize_t pty_ioread_client(twzobj *o, void *buf, size_t len, size_t off, unsigned flags);
ssize_t pty_iowrite_client(twzobj *o, const void *buf, size_t len, size_t off, unsigned flags);
ssize_t pty_ioread_server(twzobj *o, void *buf, size_t len, size_t off, unsigned flags);
ssize_t pty_iowrite_server(twzobj *o, const void *buf, size_t len, size_t off, unsigned flags);

/* As twzio_poll: 1 ready, 0 not yet. Either may also ask for any of the events above together. */
int pty_poll_client(twzobj *o, uint64_t type, struct event *event);
int pty_poll_server(twzobj *o, uint64_t type, struct event *event);

/*
 * TCGETS, TCSETS, TCSETSW, TCSETSF (arg: struct termios *), TIOCGWINSZ, TIOCSWINSZ (arg: struct
 * winsize *): the same from both sides, what is set durably. -ENOTSUP others.
 */
int pty_ioctl_client(twzobj *o, int req, long arg);
int pty_ioctl_server(twzobj *o, int req, long arg);

/* Hang up, for good, from the server's side: programs read what is there and then 0, and write
 * nothing more. */
int pty_hangup(twzobj *o);

#ifdef __cplusplus
}
#endif

#endif
