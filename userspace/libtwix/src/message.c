// SPDX-License-Identifier: BSD-3-Clause
/* The calls on sockets. */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR | MSG_MORE | MSG_CONFIRM)
#define RECEIVE_FLAGS (MSG_DONTWAIT | MSG_WAITALL | MSG_TRUNC | MSG_CMSG_CLOEXEC)

/* Do something with the socket of a descriptor. */
static long with_socket(int fd, long (*fn)(struct twix_file *, const long *), const long *a)
{
	struct twix_file *f = twix_file_of(fd);
	long r;

	if (!f)
		return -EBADF;
	r = f->flags & O_PATH ? -EBADF : f->kind == TWIX_SOCKET ? fn(f, a) : -ENOTSOCK;
	twix_file_put(f);
	return r;
}

static int type_of(struct twix_file *f)
{
	struct twix_pair *p = twix_pair_of(f);

	return p ? p->type : 0;
}

static void used(struct twix_file *f)
{
	__atomic_fetch_add(&f->used, 1, __ATOMIC_ACQ_REL);
	twix_activity();
}

static unsigned how(const struct twix_file *f, int flags)
{
	return f->flags & O_NONBLOCK || flags & MSG_DONTWAIT ? TWZIO_NONBLOCK : 0;
}

/* --- sending and receiving: one piece, or several that make one message */

static long send_bytes(struct twix_file *f, const void *buf, size_t n, int flags)
{
	ssize_t r;

	if (flags & ~SEND_FLAGS)
		return -EOPNOTSUPP;
	if (!twix_can_read(buf, n))
		return -EFAULT;
	r = twix_socket_send(f, buf, n, how(f, flags));
	used(f);
	if (r == -EPIPE && !(flags & MSG_NOSIGNAL))
		twix_signal_thread(SIGPIPE);
	return r;
}

static long receive_bytes(struct twix_file *f, void *buf, size_t n, int flags, bool *cut)
{
	size_t full = 0, done = 0;
	ssize_t r;

	*cut = false;
	if (flags & ~RECEIVE_FLAGS)
		return -EOPNOTSUPP;
	if (n && !twix_writable(buf, n))
		return -EFAULT;
	n = twix_writable(buf, n);
	if (n == 0 && how(f, flags) && twix_pair_of(f) && !twix_socket_has(twix_pair_of(f), f))
		return -EAGAIN;
	do {
		r = twix_socket_receive(f, (char *)buf + done, n - done, how(f, flags), &full);
		done += r > 0 ? (size_t)r : 0;
	} while (r > 0 && flags & MSG_WAITALL && type_of(f) == SOCK_STREAM && done < n);
	used(f);
	*cut = r >= 0 && full > done && type_of(f) != SOCK_STREAM;
	if (*cut && flags & MSG_TRUNC)
		return (long)full;
	return done ? (long)done : r;
}

/* To whom: there is nobody but the other end. */
static long do_sendto(struct twix_file *f, const long *a)
{
	if (a[4] && a[5])
		return type_of(f) == SOCK_DGRAM ? -EOPNOTSUPP : type_of(f) == SOCK_STREAM ? -EISCONN : -EOPNOTSUPP;
	return send_bytes(f, (const void *)a[1], (size_t)a[2], (int)a[3]);
}

long twix_sendto(const long a[6])
{
	return with_socket((int)a[0], do_sendto, a);
}

static long do_recvfrom(struct twix_file *f, const long *a)
{
	bool cut;
	long r = receive_bytes(f, (void *)a[1], (size_t)a[2], (int)a[3], &cut);

	if (r >= 0 && a[5])
		*(socklen_t *)a[5] = 0;
	return r;
}

long twix_recvfrom(const long a[6])
{
	return with_socket((int)a[0], do_recvfrom, a);
}

static bool has_piece(const struct iovec *v, bool in)
{
	return in ? twix_can_write(v->iov_base, v->iov_len) : twix_can_read(v->iov_base, v->iov_len);
}

/* All bytes of the pieces, which are there. */
static ssize_t length_of(const struct msghdr *m, bool in)
{
	size_t n = 0;

	if ((size_t)m->msg_iovlen > IOV_MAX)
		return -EMSGSIZE;
	if (!twix_can_read(m->msg_iov, (size_t)m->msg_iovlen * sizeof(*m->msg_iov)))
		return -EFAULT;
	for (size_t i = 0; i < (size_t)m->msg_iovlen; i++) {
		if (m->msg_iov[i].iov_len > SSIZE_MAX - n)
			return -EINVAL;
		if (!has_piece(&m->msg_iov[i], in))
			return -EFAULT;
		n += m->msg_iov[i].iov_len;
	}
	return (ssize_t)n;
}

/* Between the pieces and a buffer that holds them all. */
static void gather(const struct msghdr *m, char *buf)
{
	for (size_t i = 0; i < (size_t)m->msg_iovlen; i++) {
		memcpy(buf, m->msg_iov[i].iov_base, m->msg_iov[i].iov_len);
		buf += m->msg_iov[i].iov_len;
	}
}

static void scatter(const struct msghdr *m, const char *buf, size_t n)
{
	for (size_t i = 0; i < (size_t)m->msg_iovlen && n; i++) {
		size_t part = m->msg_iov[i].iov_len < n ? m->msg_iov[i].iov_len : n;

		memcpy(m->msg_iov[i].iov_base, buf, part);
		buf += part;
		n -= part;
	}
}

/* One piece is used where it is. NULL: no memory. */
static void *buffer_for(const struct msghdr *m, size_t n)
{
	if (n > MESSAGE_MAX * 4)
		n = MESSAGE_MAX * 4;
	return m->msg_iovlen == 1 ? m->msg_iov[0].iov_base : twix_pages(n + 1);
}

static void drop_buffer(const struct msghdr *m, void *buf, size_t n)
{
	if (n > MESSAGE_MAX * 4)
		n = MESSAGE_MAX * 4;
	if (m->msg_iovlen != 1)
		twix_munmap((const long[6]){ (long)buf, (long)n + 1 });
}

static long do_sendmsg(struct twix_file *f, const long *a)
{
	const struct msghdr *m = (const void *)a[1];
	ssize_t n = length_of(m, false);
	char *buf;
	long r;

	if (n < 0)
		return n;
	if (m->msg_namelen)
		return type_of(f) == SOCK_STREAM ? -EISCONN : -EOPNOTSUPP;
	if (m->msg_controllen) /* neither descriptors nor anything else go along */
		return -EOPNOTSUPP;
	if (m->msg_iovlen > 1 && n > (ssize_t)MESSAGE_MAX * 4)
		return -EMSGSIZE;
	buf = buffer_for(m, (size_t)n);
	if (!buf && n)
		return -ENOMEM;
	if (m->msg_iovlen != 1)
		gather(m, buf);
	r = send_bytes(f, buf, (size_t)n, (int)a[2]);
	drop_buffer(m, buf, (size_t)n);
	return r;
}

long twix_sendmsg(const long a[6])
{
	return with_socket((int)a[0], do_sendmsg, a);
}

static long do_recvmsg(struct twix_file *f, const long *a)
{
	struct msghdr *m = (void *)a[1];
	ssize_t n = length_of(m, true);
	bool cut = false;
	char *buf;
	long r;

	if (n < 0)
		return n;
	if (m->msg_iovlen > 1 && n > (ssize_t)MESSAGE_MAX * 4)
		n = MESSAGE_MAX * 4;
	buf = buffer_for(m, (size_t)n);
	if (!buf && n)
		return -ENOMEM;
	r = receive_bytes(f, buf, (size_t)n, (int)a[2], &cut);
	if (m->msg_iovlen != 1 && r > 0)
		scatter(m, buf, (size_t)(r < n ? r : n));
	drop_buffer(m, buf, (size_t)n);
	if (r < 0)
		return r;
	m->msg_namelen = 0;
	m->msg_controllen = 0;
	m->msg_flags = (cut ? MSG_TRUNC : 0) |
	    ((int)a[2] & MSG_CMSG_CLOEXEC);
	return r;
}

long twix_recvmsg(const long a[6])
{
	return with_socket((int)a[0], do_recvmsg, a);
}

static long do_shutdown(struct twix_file *f, const long *a)
{
	long r = twix_socket_shut(f, (int)a[1]);

	used(f);
	return r;
}

long twix_shutdown(const long a[6])
{
	return with_socket((int)a[0], do_shutdown, a);
}

/* --- options */

static long option_of(struct twix_file *f, int name)
{
	struct twix_pair *p = twix_pair_of(f);

	switch (name) {
	case SO_TYPE:
		return p ? p->type : -EIO;
	case SO_DOMAIN:
		return AF_UNIX;
	case SO_ERROR:
		return p && __atomic_exchange_n(&p->reset[f->offset != 0], 0, __ATOMIC_ACQ_REL) ? ECONNRESET : 0;
	case SO_PROTOCOL:
	case SO_ACCEPTCONN:
	case SO_REUSEADDR:
	case SO_KEEPALIVE:
	case SO_BROADCAST:
	case SO_PASSCRED:
		return 0;
	case SO_SNDBUF:
	case SO_RCVBUF:
		return 212992;
	default:
		return -ENOPROTOOPT;
	}
}

static long do_getsockopt(struct twix_file *f, const long *a)
{
	socklen_t *size = (socklen_t *)a[4];
	long value = (int)a[1] == SOL_SOCKET ? option_of(f, (int)a[2]) : -EOPNOTSUPP;
	int told = (int)value;

	if (value < 0)
		return value;
	if ((int)*size < 0)
		return -EINVAL;
	*size = *size < sizeof(told) ? *size : sizeof(told);
	if (!twix_can_write((void *)a[3], *size))
		return -EFAULT;
	memcpy((void *)a[3], &told, *size);
	return 0;
}

long twix_getsockopt(const long a[6])
{
	return with_socket((int)a[0], do_getsockopt, a);
}

/* The sizes of buffers are as they are, which a larger or smaller one asked for may be, too. */
static long do_setsockopt(struct twix_file *f, const long *a)
{
	(void)f;
	if ((int)a[1] != SOL_SOCKET)
		return -EOPNOTSUPP;
	if ((socklen_t)a[4] < sizeof(int))
		return -EINVAL;
	if (!twix_can_read((const void *)a[3], sizeof(int)))
		return -EFAULT;
	switch ((int)a[2]) {
	case SO_SNDBUF:
	case SO_RCVBUF:
	case SO_REUSEADDR:
	case SO_KEEPALIVE:
	case SO_BROADCAST:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

long twix_setsockopt(const long a[6])
{
	return with_socket((int)a[0], do_setsockopt, a);
}

/* --- addresses: none has any */

static long do_name(struct twix_file *f, const long *a)
{
	sa_family_t family = AF_UNIX;
	socklen_t *size = (socklen_t *)a[2], told = sizeof(family);

	(void)f;
	if (!twix_can_write(size, sizeof(*size)))
		return -EFAULT;
	if ((int)*size < 0)
		return -EINVAL;
	told = *size < told ? *size : told;
	if (!twix_can_write((void *)a[1], told))
		return -EFAULT;
	memcpy((void *)a[1], &family, told);
	*size = sizeof(family);
	return 0;
}

long twix_getsockname(const long a[6])
{
	return with_socket((int)a[0], do_name, a);
}

long twix_getpeername(const long a[6])
{
	return with_socket((int)a[0], do_name, a);
}

static long do_listen(struct twix_file *f, const long *a)
{
	(void)a;
	return type_of(f) == SOCK_DGRAM ? -EOPNOTSUPP : -EINVAL;
}

long twix_listen(const long a[6])
{
	return with_socket((int)a[0], do_listen, a);
}

long twix_accept(const long a[6])
{
	return with_socket((int)a[0], do_listen, a);
}

static long do_bind(struct twix_file *f, const long *a)
{
	(void)f, (void)a;
	return -EOPNOTSUPP;
}

long twix_bind(const long a[6])
{
	return with_socket((int)a[0], do_bind, a);
}

static long do_connect(struct twix_file *f, const long *a)
{
	(void)a;
	return type_of(f) == SOCK_DGRAM ? -EOPNOTSUPP : -EISCONN;
}

long twix_connect(const long a[6])
{
	return with_socket((int)a[0], do_connect, a);
}

/* --- making */

long twix_socket_check(int family, int type, int protocol)
{
	int kind = type & 0xf;

	if (type & ~(0xf | SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (family != AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol && protocol != PF_UNIX)
		return -EPROTONOSUPPORT;
	return kind == SOCK_STREAM || kind == SOCK_DGRAM || kind == SOCK_SEQPACKET ? 0 : -ESOCKTNOSUPPORT;
}

/* One that is not connected has nothing to be connected to. */
long twix_socket(const long a[6])
{
	long r = twix_socket_check((int)a[0], (int)a[1], (int)a[2]);

	return r < 0 ? r : -EAFNOSUPPORT;
}
