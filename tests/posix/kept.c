// SPDX-License-Identifier: BSD-3-Clause
/*
 * Files on a persistent store. `kept make` says what is durable, and goes on until it is cut off; `kept
 * look` finds it in another boot. `kept full` fills the store and empties it again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 40
#define RECORD "0123456789abcdef"
#define SYNCED 1000 /* records of the log */

static void name_of(int i, char name[32])
{
	snprintf(name, 32, i ? "/kept/f%d" : "/kept/renamed", i);
}

/* Every second one is synced by each write itself. */
static void make_file(int i)
{
	char name[32], text[64];
	int n = snprintf(text, sizeof(text), "content of file %d\n", i), fd;

	snprintf(name, sizeof(name), "/kept/f%d", i);
	fd = open(name, O_CREAT | O_TRUNC | O_WRONLY | (i % 2 ? O_SYNC : 0), 0640);
	if (write(fd, text, (size_t)n) != n || (i % 2 == 0 && fsync(fd)))
		perror(name);
	close(fd);
}

/* Names that come and go while the power is cut. */
static void disturb(int i)
{
	char name[32];

	snprintf(name, sizeof(name), "/kept/t%d", i % 7);
	if (unlink(name) && symlink("f1", name))
		perror(name);
	rename("/kept/f2", "/kept/other");
	rename("/kept/other", "/kept/f2");
	mkdir("/kept/dir", 0700);
	rmdir("/kept/dir");
}

static int make(void)
{
	int fd;

	mkdir("/kept", 0755);
	for (int i = 0; i < FILES; i++)
		make_file(i);
	rename("/kept/f0", "/kept/renamed");
	fd = open("/kept/log", O_CREAT | O_WRONLY | O_APPEND, 0600);
	for (int i = 1;; i++) {
		if (write(fd, RECORD, 16) != 16)
			perror("log");
		if (i == SYNCED) {
			printf("synced: %d\n", fdatasync(fd));
			fflush(stdout);
		}
		if (i > SYNCED)
			disturb(i);
	}
}

static int check_file(int i)
{
	char name[32], text[64], wanted[64];
	int wanted_length = snprintf(wanted, sizeof(wanted), "content of file %d\n", i), fd, n;
	struct stat st;

	name_of(i, name);
	if (i == 2 && access(name, F_OK))
		strcpy(name, "/kept/other");
	fd = open(name, O_RDONLY);
	n = fd < 0 ? -1 : (int)read(fd, text, sizeof(text));
	if (n == wanted_length && memcmp(text, wanted, (size_t)n) == 0 && fstat(fd, &st) == 0 &&
	    (st.st_mode & 0777) == 0640 && st.st_nlink == 1)
		return close(fd);
	printf("%s: %d bytes\n", name, n);
	return 1;
}

static int look(void)
{
	struct stat st = { 0 };
	char text[16];
	int bad = 0, fd;

	for (int i = 0; i < FILES; i++)
		bad += check_file(i);
	bad += access("/kept/f0", F_OK) == 0;
	fd = open("/kept/log", O_RDONLY);
	for (int i = 0; i < SYNCED; i++)
		bad += pread(fd, text, 16, i * 16) != 16 || memcmp(text, RECORD, 16) != 0;
	bad += fstat(fd, &st) || st.st_size < SYNCED * 16;
	close(fd);
	printf("bad: %d\n", bad);
	return bad != 0;
}

static int fill(int round)
{
	static char bytes[65536];
	int fd = open("/big", O_CREAT | O_WRONLY | O_TRUNC, 0600), other;
	long n, total = 0;

	memset(bytes, round + 1, sizeof(bytes));
	while ((n = write(fd, bytes, sizeof(bytes))) > 0)
		total += n;
	printf("full: %s\n", strerror(errno));
	other = open("/another", O_CREAT | O_WRONLY, 0600);
	if (other >= 0) {
		close(other);
		unlink("/another");
	}
	fsync(fd);
	close(fd);
	fd = open("/big", O_RDONLY);
	for (long at = 0; at < total; at += n)
		if ((n = pread(fd, bytes, sizeof(bytes), at)) <= 0 || bytes[0] != round + 1 || bytes[n - 1] != round + 1)
			return 1;
	close(fd);
	return total < 1 << 20 || unlink("/big");
}

int main(int argc, char **argv)
{
	int bad = 0;

	if (argc > 1 && strcmp(argv[1], "look") == 0)
		return look();
	if (argc < 2 || strcmp(argv[1], "full") != 0)
		return make();
	for (int round = 0; round < 3; round++)
		bad += fill(round);
	printf("bad: %d\n", bad);
	return bad != 0;
}
