// SPDX-License-Identifier: BSD-3-Clause
/*
 * Ties to threads of this process and to its view, which end with the process at the latest. They
 * need no names in a folder: as long as such a tie lasts the child's file is kept open and locked,
 * so that nobody removes it.
 */
#include "hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define BUCKETS 4096u
#define FD_RESERVE 64

struct own_tie {
	struct own_tie *next;
	objid_t parent, child;
	unsigned count;
	int fd;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct own_tie *buckets[BUCKETS]; /* by child; guarded by lock */

static struct own_tie **bucket_of(objid_t child)
{
	return &buckets[(ID_LO(child) ^ ID_HI(child)) * 0x9e3779b97f4a7c15ull >> 52];
}

static struct own_tie **find(objid_t parent, objid_t child)
{
	struct own_tie **link = bucket_of(child);

	while (*link && ((*link)->child != child || (*link)->parent != parent))
		link = &(*link)->next;
	return link;
}

static int insert(objid_t parent, objid_t child, int fd)
{
	struct own_tie **link = bucket_of(child), *t = malloc(sizeof(*t));
	int copy = t ? fcntl(fd, F_DUPFD_CLOEXEC, FD_RESERVE) : -1;

	if (copy < 0) {
		free(t);
		return -EMFILE;
	}
	*t = (struct own_tie){ *link, parent, child, 1, copy };
	*link = t;
	return 0;
}

int __twz_own_tie_add(objid_t parent, objid_t child, int fd)
{
	struct own_tie *t;
	int r = 0;

	if (!__twz_own_parent(parent))
		return -ENOENT;
	pthread_mutex_lock(&lock);
	t = *find(parent, child);
	if (t)
		t->count++;
	else
		r = insert(parent, child, fd);
	pthread_mutex_unlock(&lock);
	return r;
}

int __twz_own_tie_remove(objid_t parent, objid_t child)
{
	struct own_tie **link, *t;

	pthread_mutex_lock(&lock);
	link = find(parent, child);
	t = *link;
	if (t && --t->count == 0) {
		*link = t->next;
		close(t->fd);
		free(t);
	}
	pthread_mutex_unlock(&lock);
	return t ? 0 : -ENOENT;
}

unsigned __twz_own_tie_count(objid_t id, bool up)
{
	unsigned n = 0;

	pthread_mutex_lock(&lock);
	for (unsigned b = 0; b < BUCKETS; b++)
		for (struct own_tie *t = buckets[b]; t; t = t->next)
			n += (up ? t->child : t->parent) == id ? t->count : 0;
	pthread_mutex_unlock(&lock);
	return n;
}

bool __twz_own_tie_any(objid_t child)
{
	struct own_tie *t;

	pthread_mutex_lock(&lock);
	for (t = *bucket_of(child); t && t->child != child;)
		t = t->next;
	pthread_mutex_unlock(&lock);
	return t;
}

/* Any tie of the parent; NULL: there is none. */
static struct own_tie **find_of_parent(objid_t parent)
{
	for (unsigned b = 0; b < BUCKETS; b++)
		for (struct own_tie **link = &buckets[b]; *link; link = &(*link)->next)
			if ((*link)->parent == parent)
				return link;
	return NULL;
}

/* Take one tie of the parent out. */
static struct own_tie *take(objid_t parent)
{
	struct own_tie **link, *t = NULL;

	pthread_mutex_lock(&lock);
	link = find_of_parent(parent);
	if (link) {
		t = *link;
		*link = t->next;
	}
	pthread_mutex_unlock(&lock);
	return t;
}

void __twz_own_ties_drop(objid_t parent)
{
	struct own_tie *t;

	while ((t = take(parent)) != NULL) {
		objid_t child = t->child;

		close(t->fd);
		free(t);
		__twz_file_reap(child);
	}
}

void __twz_own_ties_close(objid_t child)
{
	pthread_mutex_lock(&lock);
	for (struct own_tie *t = *bucket_of(child); t; t = t->next)
		if (t->child == child) {
			close(t->fd);
			t->fd = -1;
		}
	pthread_mutex_unlock(&lock);
}

void __twz_own_ties_reopen(objid_t child)
{
	struct hosted_file f;

	pthread_mutex_lock(&lock);
	for (struct own_tie *t = *bucket_of(child); t; t = t->next)
		if (t->child == child && __twz_file_open(child, &f) == 0)
			t->fd = f.fd;
	pthread_mutex_unlock(&lock);
}

/* They are the parent process's. */
void __twz_own_ties_forked(void)
{
	pthread_mutex_init(&lock, NULL);
	for (unsigned b = 0; b < BUCKETS; b++)
		while (buckets[b]) {
			struct own_tie *t = buckets[b];

			buckets[b] = t->next;
			close(t->fd);
			free(t);
		}
}
