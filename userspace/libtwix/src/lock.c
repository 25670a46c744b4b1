// SPDX-License-Identifier: BSD-3-Clause
/*
 * Locks on files, of processes and of open files (fcntl), and of flock(), which know nothing of the others. They
 * stand in the shared object: advice among programs that come from one another.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <twz/sys/sync.h>
#include <unistd.h>

#define END INT64_MAX

static bool is_own(const struct twix_lock *l, const struct twix_lock *new)
{
	return l->owner == new->owner && l->of == new->of && l->id == new->id;
}

/* The first lock of another that stands in the way; NULL: none does. Table locked in all of these. */
static struct twix_lock *conflict(struct twix_locks *t, const struct twix_lock *new)
{
	struct twix_lock *first = NULL;

	if (new->type == F_UNLCK)
		return NULL;
	for (struct twix_lock *l = t->all; l < t->all + t->used; l++)
		if (l->owner && l->id == new->id && !is_own(l, new) && (l->of == TWIX_OF_FLOCK) == (new->of == TWIX_OF_FLOCK) &&
		    l->start <= new->end && l->end >= new->start && (l->type == F_WRLCK || new->type == F_WRLCK) &&
		    (!first || l->start < first->start))
			first = l;
	return first;
}

static unsigned room(const struct twix_locks *t)
{
	unsigned n = TWIX_LOCKS - t->used;

	for (const struct twix_lock *l = t->all; l < t->all + t->used; l++)
		n += !l->owner;
	return n;
}

/* There is room. */
static struct twix_lock *take_place(struct twix_locks *t)
{
	for (struct twix_lock *l = t->all; l < t->all + t->used; l++)
		if (!l->owner)
			return l;
	return &t->all[t->used++];
}

static void changed(struct twix_locks *t)
{
	while (t->used && !t->all[t->used - 1].owner)
		t->used--;
	__atomic_fetch_add(&t->changes, 1, __ATOMIC_ACQ_REL);
	if (t->waiting)
		twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&t->changes, (uint64_t)-1, NULL);
}

static bool is_next_to(const struct twix_lock *l, const struct twix_lock *new)
{
	return (new->end == END || l->start <= new->end + 1) && (l->end == END || l->end + 1 >= new->start);
}

/* Take the new range out of an own lock, which may leave two. */
static void cut(struct twix_locks *t, struct twix_lock *l, const struct twix_lock *new)
{
	struct twix_lock beyond = *l;

	if (l->end > new->end) {
		beyond.start = new->end + 1;
		if (l->start < new->start)
			*take_place(t) = beyond;
		else
			*l = beyond;
	}
	if (l->start < new->start)
		l->end = new->start - 1;
	else if (l->end <= new->end)
		l->owner = 0;
}

static int set(struct twix_locks *t, struct twix_lock new)
{
	if (conflict(t, &new))
		return -EAGAIN;
	if (room(t) < (new.type == F_UNLCK ? 1 : 3)) /* so that what is taken can be given back in parts */
		return -ENOLCK;
	for (struct twix_lock *l = t->all; l < t->all + t->used; l++) {
		if (!l->owner || !is_own(l, &new))
			continue;
		if (l->type == new.type && is_next_to(l, &new)) {
			new.start = l->start < new.start ? l->start : new.start;
			new.end = l->end > new.end ? l->end : new.end;
			l->owner = 0;
		} else if (l->start <= new.end && l->end >= new.start) {
			cut(t, l, &new);
		}
	}
	if (new.type != F_UNLCK)
		*take_place(t) = new;
	changed(t);
	return 0;
}

/* Whether whoever has the lock that is in the way waits, through others perhaps, for this process. */
static bool is_circle(const struct twix_lock *blocker)
{
	const struct twix_process *p = blocker->of == TWIX_OF_PROCESS ? twix_process_of(blocker->owner) : NULL;

	for (unsigned steps = 0; p && p->waits_for && steps < TWIX_LOCKS; steps++) {
		if (p->waits_for == twix_self()->pid)
			return true;
		p = twix_process_of(p->waits_for);
	}
	return false;
}

/* Note whom this process waits for. -EDEADLK: who waits for it. Table locked. */
static int wait_for_owner(struct twix_locks *t, const struct twix_lock *new)
{
	struct twix_lock *blocker = new->of == TWIX_OF_PROCESS ? conflict(t, new) : NULL;

	twix_self()->waits_for = 0;
	if (!blocker)
		return -EAGAIN;
	if (is_circle(blocker))
		return -EDEADLK;
	twix_self()->waits_for = blocker->of == TWIX_OF_PROCESS ? blocker->owner : 0;
	return -EAGAIN;
}

static int set_or_wait(const struct twix_lock *new, bool wait)
{
	struct twix_locks *t = twix_locks();
	uint64_t seen;
	int r;

	for (;;) {
		mutex_acquire(&t->lock);
		seen = __atomic_load_n(&t->changes, __ATOMIC_ACQUIRE);
		__atomic_store_n(&t->any, 1, __ATOMIC_RELEASE);
		r = set(t, *new);
		if (r == -EAGAIN && wait)
			r = wait_for_owner(t, new);
		else
			twix_self()->waits_for = 0;
		wait &= r == -EAGAIN;
		t->waiting += wait;
		mutex_release(&t->lock);
		if (!wait)
			return r;
		r = twix_sleep_on(&t->changes, seen, UINT64_MAX);
		mutex_acquire(&t->lock);
		t->waiting--;
		twix_self()->waits_for = 0;
		mutex_release(&t->lock);
		if (r == -EINTR)
			return -EINTR;
	}
}

void twix_locks_drop(objid_t id, int owner, bool of_file)
{
	struct twix_locks *t = twix_locks();

	if (!__atomic_load_n(&t->any, __ATOMIC_ACQUIRE) || owner == 0)
		return;
	mutex_acquire(&t->lock);
	for (struct twix_lock *l = t->all; l < t->all + t->used; l++)
		if (l->owner == owner && (l->of != TWIX_OF_PROCESS) == of_file && l->id == id)
			l->owner = 0;
	changed(t);
	mutex_release(&t->lock);
}

static int range_of(struct twix_file *f, const struct flock *fl, struct twix_lock *l)
{
	off_t from = 0;

	if (fl->l_whence == SEEK_CUR)
		from = f->offset;
	else if (fl->l_whence == SEEK_END)
		from = twix_ops_of(f)->size ? twix_ops_of(f)->size(f) : 0;
	else if (fl->l_whence != SEEK_SET)
		return -EINVAL;
	if (__builtin_add_overflow(from, fl->l_start, &l->start))
		return -EOVERFLOW;
	l->end = END;
	if (fl->l_len > 0 && __builtin_add_overflow(l->start, fl->l_len - 1, &l->end))
		return -EOVERFLOW;
	if (fl->l_len < 0) {
		l->end = l->start - 1;
		l->start += fl->l_len;
	}
	return l->start < 0 ? -EINVAL : 0;
}

static void tell(const struct twix_lock *wanted, struct flock *fl)
{
	struct twix_locks *t = twix_locks();
	struct twix_lock *l;

	mutex_acquire(&t->lock);
	l = conflict(t, wanted);
	fl->l_type = F_UNLCK;
	if (l)
		*fl = (struct flock){ .l_type = (short)l->type, .l_whence = SEEK_SET, .l_start = l->start,
			.l_len = l->end == END ? 0 : l->end - l->start + 1, .l_pid = l->of == TWIX_OF_PROCESS ? l->owner : -1 };
	mutex_release(&t->lock);
}

long twix_lock_range(struct twix_file *f, int cmd, struct flock *fl)
{
	struct twix_lock l = { .id = f->id, .owner = twix_self()->pid, .type = (uint16_t)fl->l_type };
	bool of_file = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	bool get = cmd == F_GETLK || cmd == F_OFD_GETLK, wait = cmd == F_SETLKW || cmd == F_OFD_SETLKW;
	unsigned mode = f->flags & O_ACCMODE;
	int r = range_of(f, fl, &l);

	if (r < 0)
		return r;
	if (of_file && fl->l_pid)
		return -EINVAL;
	if (of_file) {
		l.owner = (int)twix_number_of(f);
		l.of = TWIX_OF_FILE;
	}
	if (fl->l_type != F_RDLCK && fl->l_type != F_WRLCK && (fl->l_type != F_UNLCK || get))
		return -EINVAL;
	if (get) {
		tell(&l, fl);
		return 0;
	}
	if ((fl->l_type == F_RDLCK && mode == O_WRONLY) || (fl->l_type == F_WRLCK && mode == O_RDONLY))
		return -EBADF;
	return set_or_wait(&l, wait);
}

long twix_flock(const long a[6])
{
	struct twix_file *f = twix_file_of((int)a[0]);
	int op = (int)a[1] & ~LOCK_NB;
	struct twix_lock l = { .end = END, .of = TWIX_OF_FLOCK };
	long r = -EINVAL;

	if (!f)
		return -EBADF;
	l.id = f->id;
	l.owner = (int)twix_number_of(f);
	l.type = op == LOCK_SH ? F_RDLCK : op == LOCK_EX ? F_WRLCK : F_UNLCK;
	if (op == LOCK_SH || op == LOCK_EX || op == LOCK_UN)
		r = set_or_wait(&l, !((int)a[1] & LOCK_NB));
	twix_file_put(f);
	return r;
}
