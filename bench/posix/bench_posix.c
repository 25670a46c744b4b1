// SPDX-License-Identifier: BSD-3-Clause
/*
 * What an ordinary program's calls cost: processes, pipes, files, memory, threads. It is built with
 * the SDK; the same source runs on Linux in the same emulator, with -icount, where a nanosecond is an
 * instruction. The programs it starts are in /bin, or in the folder it is started in.
 *
 *	bench_posix [ROW]...
 */
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define FILE_NAME "bench_posix.tmp"

extern char **environ;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static long check(const char *what, long r)
{
	if (r < 0)
		fail(what);
	return r;
}

static void wait_for(pid_t pid)
{
	int status;

	check("wait", waitpid(pid, &status, 0));
	if (status)
		fail("child");
}

static const char *program(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "/bin/%s", name);
	return access(path, F_OK) == 0 ? path : name;
}

/* --- processes */

static void fork_exit_wait(void)
{
	pid_t pid = (pid_t)check("fork", fork());

	if (pid == 0)
		_exit(0);
	wait_for(pid);
}

static char *quiet[] = { "posix_hello", "quiet", NULL };

static void fork_exec_wait(void)
{
	pid_t pid = (pid_t)check("fork", fork());

	if (pid == 0) {
		execv(program("posix_hello"), quiet);
		_exit(1);
	}
	wait_for(pid);
}

static void vfork_exec_wait(void)
{
	const char *path = program("posix_hello");
	pid_t pid = (pid_t)check("vfork", vfork());

	if (pid == 0) {
		execv(path, quiet);
		_exit(1);
	}
	wait_for(pid);
}

static void spawn_wait(void)
{
	pid_t pid;

	check("spawn", -posix_spawn(&pid, program("posix_hello"), NULL, NULL, quiet, environ));
	wait_for(pid);
}

static void shell(void)
{
	static char *words[] = { "sh", "-c", "true", NULL };
	pid_t pid;

	check("spawn", -posix_spawn(&pid, "/bin/sh", NULL, NULL, words, environ));
	wait_for(pid);
}

/* --- pipes */

static int there[2], back[2];
static pid_t other;

static void echo_bytes(void)
{
	char c;

	close(there[1]);
	while (read(there[0], &c, 1) == 1)
		write(back[1], &c, 1);
	_exit(0);
}

static void begin_echo(void)
{
	check("pipe", pipe(there));
	check("pipe", pipe(back));
	other = (pid_t)check("fork", fork());
	if (other == 0)
		echo_bytes();
}

static void end_pipes(void)
{
	close(there[1]);
	wait_for(other);
	close(there[0]);
	close(back[0]);
	close(back[1]);
}

static void pipe_round_trip(void)
{
	char c = 'x';

	check("write", write(there[1], &c, 1));
	check("read", read(back[0], &c, 1));
}

static char block[PAGE];

static void swallow(void)
{
	close(there[1]);
	while (read(there[0], block, sizeof(block)) > 0)
		;
	_exit(0);
}

static void begin_swallow(void)
{
	check("pipe", pipe(there));
	check("pipe", pipe(back));
	other = (pid_t)check("fork", fork());
	if (other == 0)
		swallow();
}

/* 4 KiB. */
static void pipe_write(void)
{
	check("write", write(there[1], block, sizeof(block)));
}

static void pipe_create_close(void)
{
	int fds[2];

	check("pipe", pipe(fds));
	close(fds[0]);
	close(fds[1]);
}

/* --- files */

static int file;

static void file_cycle(void)
{
	int fd = (int)check("open", open(FILE_NAME, O_CREAT | O_EXCL | O_RDWR, 0644));

	check("write", write(fd, block, sizeof(block)));
	check("fsync", fsync(fd));
	close(fd);
	check("unlink", unlink(FILE_NAME));
}

static void begin_file(void)
{
	file = (int)check("open", open(FILE_NAME, O_CREAT | O_RDWR, 0644));
	check("write", write(file, block, sizeof(block)));
}

static void end_file(void)
{
	close(file);
	unlink(FILE_NAME);
}

static void open_close(void)
{
	close((int)check("open", open(FILE_NAME, O_RDONLY)));
}

static void stat_file(void)
{
	struct stat st;

	check("stat", stat(FILE_NAME, &st));
}

static void read_byte(void)
{
	char c;

	check("pread", pread(file, &c, 1, 0));
}

static void write_byte(void)
{
	check("pwrite", pwrite(file, block, 1, 0));
}

/* --- memory, threads, the rest */

static void get_pid(void)
{
	check("getppid", getppid()); /* a C library could remember getpid() */
}

#define PAGES 64

static void map_touch(void)
{
	char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	for (size_t i = 0; i < PAGES; i++)
		p[i * PAGE] = 1;
	munmap(p, PAGES * PAGE);
}

static void *return_at_once(void *arg)
{
	return arg;
}

static void thread_create_join(void)
{
	pthread_t t;

	check("pthread_create", -pthread_create(&t, NULL, return_at_once, NULL));
	pthread_join(t, NULL);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static int turn;
static pthread_t partner;

/* Turns are 0, 1, and 2: the end. */
static void pass_turn(int from, int to)
{
	turn = to;
	pthread_cond_signal(&turn_changed);
	while (turn != from && turn != 2)
		pthread_cond_wait(&turn_changed, &mutex);
}

static void *take_turns(void *arg)
{
	pthread_mutex_lock(&mutex);
	while (turn != 1)
		pthread_cond_wait(&turn_changed, &mutex);
	while (turn != 2)
		pass_turn(1, 0);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void begin_turns(void)
{
	turn = 0;
	check("pthread_create", -pthread_create(&partner, NULL, take_turns, NULL));
	pthread_mutex_lock(&mutex);
}

static void thread_turns(void)
{
	pass_turn(0, 1);
}

static void end_turns(void)
{
	turn = 2;
	pthread_cond_signal(&turn_changed);
	pthread_mutex_unlock(&mutex);
	pthread_join(partner, NULL);
}

/* --- */

struct row {
	const char *name;
	void (*run)(void);
	unsigned count, parts; /* how often; of what it does at once */
	void (*begin)(void), (*end)(void);
};

static const struct row rows[] = {
	{ "posix_fork_exit_wait", fork_exit_wait, 50, 1, NULL, NULL },
	{ "posix_fork_exec_wait", fork_exec_wait, 50, 1, NULL, NULL },
	{ "posix_vfork_exec_wait", vfork_exec_wait, 50, 1, NULL, NULL },
	{ "posix_spawn_wait", spawn_wait, 50, 1, NULL, NULL },
	{ "posix_shell", shell, 20, 1, NULL, NULL },
	{ "posix_pipe_round_trip", pipe_round_trip, 1000, 1, begin_echo, end_pipes },
	{ "posix_pipe_per_kib", pipe_write, 2000, 4, begin_swallow, end_pipes },
	{ "posix_pipe_create_close", pipe_create_close, 50, 1, NULL, NULL },
	{ "posix_file_create_write_fsync_unlink", file_cycle, 50, 1, NULL, NULL },
	{ "posix_open_close", open_close, 200, 1, begin_file, end_file },
	{ "posix_stat", stat_file, 200, 1, begin_file, end_file },
	{ "posix_read_1", read_byte, 1000, 1, begin_file, end_file },
	{ "posix_write_1", write_byte, 1000, 1, begin_file, end_file },
	{ "posix_getppid", get_pid, 1000, 1, NULL, NULL },
	{ "posix_map_touch_page", map_touch, 20, PAGES, NULL, NULL },
	{ "posix_thread_create_join", thread_create_join, 100, 1, NULL, NULL },
	{ "posix_condition_round_trip", thread_turns, 1000, 1, begin_turns, end_turns },
};

/* The first times are left out: everything is there then. */
static void measure(const struct row *r)
{
	uint64_t start;

	if (r->run == shell && access("/bin/sh", X_OK) < 0)
		return;
	if (r->begin)
		r->begin();
	for (int i = 0; i < 3; i++)
		r->run();
	start = now();
	for (unsigned i = 0; i < r->count; i++)
		r->run();
	printf("bench: %s %llu instructions\n", r->name,
	    (unsigned long long)((now() - start) / r->count / r->parts));
	fflush(stdout);
	if (r->end)
		r->end();
}

static int is_asked_for(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return 1;
	return argc < 2;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_asked_for(rows[i].name, argc, argv))
			measure(&rows[i]);
	return 0;
}
