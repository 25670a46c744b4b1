// SPDX-License-Identifier: BSD-3-Clause
/* Sockets: what those who make them (socket.c) and those who use them (message.c) share. */
#ifndef TWIX_SOCKET_H
#define TWIX_SOCKET_H

#include "twix.h"

#include <twz/obj/bstream.h>
#include <twz/obj/dgram.h>

#define STREAM_BITS 18u
#define MESSAGE_BITS 19u
#define MESSAGE_MAX 212960u /* as Linux has it by default */

/* At the base of its object; the streams or the channel stand behind it. */
struct twix_pair {
	int32_t type;
	uint32_t gone;   /* atomic: a bit for each end that nobody has open any more */
	uint32_t silent; /* atomic: a bit for each end that sends no messages any more */
	uint32_t reset[2]; /* atomic: the other end went without having read all */
};

#define FIRST_STREAM 4096ul
#define SECOND_STREAM (FIRST_STREAM + (1ul << STREAM_BITS) + 4096)

/* The file's offset is which end it is: 0, 1. NULL: the object cannot be had. */
struct twix_pair *twix_pair_of(struct twix_file *f);
struct bstream_hdr *twix_socket_in(struct twix_pair *p, const struct twix_file *f);
struct bstream_hdr *twix_socket_out(struct twix_pair *p, const struct twix_file *f);
struct dgram_hdr *twix_socket_channel(struct twix_pair *p);
/* Whether something is there to be received. */
bool twix_socket_has(struct twix_pair *p, const struct twix_file *f);
int twix_socket_shut(struct twix_file *f, int how);
/* Flags: TWZIO_NONBLOCK. *full: how long the message was that was taken. */
ssize_t twix_socket_send(struct twix_file *f, const void *buf, size_t n, unsigned flags);
ssize_t twix_socket_receive(struct twix_file *f, void *buf, size_t n, unsigned flags, size_t *full);
/* 0: a pair of such sockets can be made. */
long twix_socket_check(int family, int type, int protocol);

#endif
