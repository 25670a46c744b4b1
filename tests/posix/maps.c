// SPDX-License-Identifier: BSD-3-Clause
/* Memory that is shared with children, that gets another size, and what is said about it. */
#define _GNU_SOURCE
#include "posix.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define NOWHERE ((char *)0x123456789000ul)

static void shared(void)
{
	char *p = mmap(NULL, 5 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;
	sem_t *sem = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	pthread_mutex_t *lock = (void *)(p + PAGE);
	volatile long *count = (void *)(p + 2 * PAGE);
	int status, wrong = 0;

	SAY(p != MAP_FAILED && sem != MAP_FAILED);
	SAY(sem_init(sem, 1, 0));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	SAY(pthread_mutex_init(lock, &attr));
	for (int child = 0; child < 3; child++) {
		if (fork())
			continue;
		for (int i = 0; i < 1000; i++) {
			pthread_mutex_lock(lock);
			++*count;
			pthread_mutex_unlock(lock);
		}
		if (!fork()) {
			p[child] = 'a' + child;
			sem_post(sem);
			_exit(0);
		}
		wait(&status);
		_exit(status);
	}
	for (int i = 0; i < 3; i++)
		SAY(sem_wait(sem));
	for (int i = 0; i < 3; i++) {
		wait(&status);
		wrong += status != 0;
	}
	SAY(wrong);
	SAY(*count);
	SAY(memcmp(p, "abc", 4));
	SAY(munmap(sem, PAGE));
	SAY(munmap(p + 4 * PAGE, PAGE));
	SAY(munmap(p, 4 * PAGE));
	/* What the parent gives back, the child still has. */
	q = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(q, "kept");
	int fds[2];
	pipe(fds);
	if (!fork()) {
		char c;

		close(fds[1]);
		read(fds[0], &c, 1);
		_exit(strcmp(q, "kept") ? 1 : 9);
	}
	SAY(munmap(q, PAGE));
	close(fds[1]);
	wait(&status);
	SAY(WEXITSTATUS(status));
	close(fds[0]);
	q = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*q = 1;
	if (!fork()) {
		*q = 2;
		_exit(0);
	}
	wait(&status);
	SAY(*q);
	munmap(q, PAGE);
}

static void sizes(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;
	struct stat st;
	int fd;

	memset(p, 7, 4 * PAGE);
	SAY(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p);
	q = mremap(p, 2 * PAGE, 900 * PAGE, MREMAP_MAYMOVE);
	SAY(q != MAP_FAILED && q[0] == 7 && q[2 * PAGE - 1] == 7 && !q[2 * PAGE] && !q[900 * PAGE - 1]);
	SAY(mremap(q + 1, PAGE, PAGE, 0) == MAP_FAILED);
	SAY(mremap(q, PAGE, 0, 0) == MAP_FAILED);
	SAY(mremap(q, PAGE, PAGE, 16) == MAP_FAILED);
	SAY(mremap(NOWHERE, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	munmap(q, 900 * PAGE);
	fd = open("file", O_CREAT | O_RDWR, 0600);
	SAY(ftruncate(fd, 10 * PAGE));
	pwrite(fd, "first", 5, 0);
	pwrite(fd, "ninth", 5, 8 * PAGE);
	for (int flags = MAP_SHARED; flags <= MAP_PRIVATE; flags++) {
		p = mmap(NULL, 2 * PAGE, RW, flags, fd, 0);
		q = mremap(p, 2 * PAGE, 10 * PAGE, MREMAP_MAYMOVE);
		SAY(q != MAP_FAILED && !memcmp(q, "first", 5) && !memcmp(q + 8 * PAGE, "ninth", 5));
		q[8 * PAGE] = 'N';
		SAY(mremap(q, 10 * PAGE, PAGE, 0) == q);
		SAY(q[0]);
		p = mremap(q, PAGE, 9 * PAGE, MREMAP_MAYMOVE);
		SAY(p != MAP_FAILED && p[0] == 'f' && (p[8 * PAGE] == 'N' || flags == MAP_PRIVATE));
		SAY(munmap(p, 9 * PAGE));
	}
	SAY(fstat(fd, &st));
	SAY(st.st_size == 10 * PAGE);
	/* Not behind the beginning of the file. */
	p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 8 * PAGE);
	SAY(p[0]);
	SAY(munmap(p, 2 * PAGE));
	close(fd);
}

static void advice(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;
	unsigned char there[4];
	int fd = open("file", O_RDWR);

	memset(p, 5, 4 * PAGE);
	SAY(madvise(p + PAGE, PAGE, MADV_DONTNEED));
	SAY(p[0] == 5 && p[PAGE] == 0 && p[2 * PAGE] == 5);
	SAY(madvise(p, 4 * PAGE, MADV_WILLNEED));
	SAY(madvise(p, 4 * PAGE, MADV_SEQUENTIAL));
	SAY(madvise(p, 0, MADV_DONTNEED));
	SAY(madvise(p + 1, PAGE, MADV_DONTNEED));
	SAY(madvise(p, PAGE, 999));
	SAY(madvise(p, PAGE, -1));
	SAY(madvise(NOWHERE, PAGE, MADV_DONTNEED));
	SAY(mincore(p, 4 * PAGE, there));
	SAY(there[0] & there[3] & 1);
	SAY(mincore(p + 1, PAGE, there));
	SAY(mincore(NOWHERE, PAGE, there));
	SAY(mlock(p, PAGE));
	SAY(mlock(p + 10, PAGE));
	SAY(munlock(p, 2 * PAGE));
	SAY(mlock(NOWHERE, PAGE));
	SAY(mlockall(0));
	SAY(mlockall(64));
	SAY(munlockall());
	SAY(msync(p, PAGE, MS_SYNC));
	SAY(msync(p, PAGE, MS_SYNC | MS_ASYNC));
	SAY(msync(p, PAGE, 64));
	SAY(msync(p + 1, PAGE, MS_SYNC));
	SAY(msync(NOWHERE, PAGE, MS_SYNC));
	SAY(munmap(p, 4 * PAGE));
	SAY(madvise(p, PAGE, MADV_DONTNEED));
	SAY(munmap(p + 1, PAGE));
	SAY(munmap(p, 0));
	/* A copy of a file is the file again. */
	q = mmap(NULL, 10 * PAGE, RW, MAP_PRIVATE, fd, 0);
	memcpy(q, "mine", 4);
	SAY(madvise(q, PAGE, MADV_DONTNEED));
	SAY(memcmp(q, "first", 5));
	SAY(munmap(q, 10 * PAGE));
	q = mmap(NULL, 10 * PAGE, RW, MAP_SHARED, fd, 0);
	memcpy(q, "ours!", 5);
	SAY(madvise(q, PAGE, MADV_DONTNEED));
	SAY(memcmp(q, "ours!", 5));
	SAY(msync(q, 10 * PAGE, MS_SYNC));
	SAY(munmap(q, 10 * PAGE));
	close(fd);
	unlink("file");
}

static void holes(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600);
	struct stat st;
	char c[3 * PAGE];

	memset(c, 'x', sizeof(c));
	for (int i = 0; i < 10; i++)
		write(fd, c, sizeof(c));
	SAY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE + 10, 20 * PAGE));
	SAY(pread(fd, c, 20, PAGE));
	SAY(c[9] == 'x' && !c[10]);
	SAY(pread(fd, c, 20, 21 * PAGE));
	SAY(!c[9] && c[10] == 'x');
	SAY(fstat(fd, &st));
	SAY(st.st_size == 30 * PAGE);
	SAY(st.st_blocks < 25 * 8);
	SAY(lseek(fd, 0, SEEK_HOLE) == 2 * PAGE);
	SAY(lseek(fd, 2 * PAGE, SEEK_DATA) == 21 * PAGE);
	SAY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 10));
	SAY(pread(fd, c, 200, 0));
	SAY(c[99] == 'x' && !c[100] && !c[109] && c[110] == 'x');
	SAY(fallocate(fd, 16 /* ZERO_RANGE */, 29 * PAGE, 3 * PAGE));
	SAY(fstat(fd, &st));
	SAY(st.st_size == 32 * PAGE);
	SAY(pread(fd, c, 2, 29 * PAGE - 1));
	SAY(c[0] == 'x' && !c[1]);
	SAY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100 * PAGE));
	SAY(fstat(fd, &st));
	SAY(st.st_size == 32 * PAGE);
	SAY(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE));
	SAY(fallocate(fd, 0, 0, 0));
	SAY(fallocate(fd, 0, -1, PAGE));
	SAY(fallocate(fd, 0x1000, 0, PAGE));
	close(fd);
	unlink("file");
}

static void nameless(void)
{
	struct stat st;
	int fd = syscall(SYS_memfd_create, "x", 1), status;
	char *p;

	SAY(fcntl(fd, F_GETFD));
	SAY(fcntl(fd, F_GETFL) & O_ACCMODE);
	SAY(fstat(fd, &st));
	SAY(st.st_size + (long)st.st_nlink);
	SAY(S_ISREG(st.st_mode));
	SAY(ftruncate(fd, 2 * PAGE));
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	if (!fork()) {
		strcpy(p + PAGE, "child");
		_exit(0);
	}
	wait(&status);
	SAY(strcmp(p + PAGE, "child"));
	close(fd);
	SAY(p[PAGE]);
	SAY(munmap(p, 2 * PAGE));
	SAY(syscall(SYS_memfd_create, "x", 0x1000));
}

int main(void)
{
	shared();
	sizes();
	advice();
	holes();
	nameless();
	return 0;
}
