// SPDX-License-Identifier: BSD-3-Clause
/* What execve() takes, and what it refuses. Compared with Linux. */
#define _GNU_SOURCE
#include "posix.h"

#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__riscv)
#define MACHINE EM_RISCV
#else
#define MACHINE EM_AARCH64
#endif

static char *const no_args[] = { "x", NULL };
static char *const no_env[] = { NULL };
static char self[4096];

static void put_file(const char *name, const void *bytes, size_t n, mode_t mode)
{
	int fd;

	unlink(name);
	fd = open(name, O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || fchmod(fd, mode) < 0)
		printf("%s cannot be written\n", name);
	close(fd);
}

static void copy_self(const char *name)
{
	static char bytes[1 << 20];
	int from = open(self, O_RDONLY), to;
	ssize_t n;

	unlink(name);
	to = open(name, O_CREAT | O_WRONLY, 0755);
	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)n) != n)
			printf("%s cannot be written\n", name);
	close(from);
	close(to);
}

/* In a child: the error, or how what was run ended. */
static void try(const char *what, const char *name, char *const *argv, char *const *envp)
{
	int status, fds[2], error = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execve(name, argv, envp);
		error = errno;
		write(fds[1], &error, sizeof(error));
		_exit(0);
	}
	close(fds[1]);
	read(fds[0], &error, sizeof(error));
	close(fds[0]);
	waitpid(pid, &status, 0);
	if (error)
		printf("%s: errno %d\n", what, error);
	else if (WIFSIGNALED(status))
		printf("%s: signal %d\n", what, WTERMSIG(status));
	else
		printf("%s: exit %d\n", what, WEXITSTATUS(status));
	fflush(stdout);
}

static void try_file(const char *what, const void *bytes, size_t n)
{
	put_file("f", bytes, n, 0755);
	try(what, "./f", no_args, no_env);
}

/* --- what is no program */

static void no_programs(void)
{
	static char big[5000];

	try("nothing there", "./none", no_args, no_env);
	try("no name", "", no_args, no_env);
	try("through a file", "./f/x", no_args, no_env);
	mkdir("d", 0755);
	try("a directory", "./d", no_args, no_env);
	put_file("f", "#!./me\n", 7, 0644);
	try("not executable", "./f", no_args, no_env);
	symlink("loop", "loop");
	try("a loop", "./loop", no_args, no_env);
	try_file("empty", "", 0);
	try_file("one byte", "x", 1);
	try_file("text", "echo hello\n", 11);
	try_file("zeroes", big, sizeof(big));
	memset(big, 'a', sizeof(big));
	try("a long name", big, no_args, no_env);
}

/* --- ELF files */

struct file {
	Elf64_Ehdr h;
	Elf64_Phdr p[4];
	char rest[4096];
};

static struct file valid(void)
{
	struct file f;

	memset(&f, 0, sizeof(f));
	memcpy(f.h.e_ident, ELFMAG, SELFMAG);
	f.h.e_ident[EI_CLASS] = ELFCLASS64;
	f.h.e_ident[EI_DATA] = ELFDATA2LSB;
	f.h.e_ident[EI_VERSION] = EV_CURRENT;
	f.h.e_type = ET_EXEC;
	f.h.e_machine = MACHINE;
	f.h.e_version = EV_CURRENT;
	f.h.e_entry = 0x10000;
	f.h.e_phoff = sizeof(f.h);
	f.h.e_ehsize = sizeof(f.h);
	f.h.e_phentsize = sizeof(f.p[0]);
	f.h.e_phnum = 1;
	f.p[0] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, 0x10000, 0x10000, sizeof(f), sizeof(f), 0x1000 };
	return f;
}

#define TRY_ELF(what, change)                       \
	do {                                        \
		struct file f = valid();            \
		change;                             \
		try_file(what, &f, sizeof(f));      \
	} while (0)

static void bad_elf(void)
{
	struct file whole = valid();

	try_file("only the magic", &whole, 4);
	try_file("half a header", &whole, 32);
	try_file("only the header", &whole, sizeof(whole.h));
	try_file("half a program header", &whole, sizeof(whole.h) + 20);
	TRY_ELF("another machine", f.h.e_machine = EM_SPARC);
	TRY_ELF("an object file", f.h.e_type = ET_REL);
	TRY_ELF("a core file", f.h.e_type = ET_CORE);
	TRY_ELF("no program headers", f.h.e_phnum = 0);
	TRY_ELF("65535 program headers", f.h.e_phnum = 65535);
	TRY_ELF("1000 program headers", f.h.e_phnum = 1000);
	TRY_ELF("program headers of another size", f.h.e_phentsize = 57);
	TRY_ELF("program headers outside", f.h.e_phoff = 1ul << 40);
	TRY_ELF("program headers at the end of numbers", f.h.e_phoff = -8ul);
	TRY_ELF("an interpreter that is not there", (f.h.e_phnum = 2, strcpy(f.rest, "/none/such"),
	    f.p[1] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = offsetof(struct file, rest), .p_filesz = 11 }));
	TRY_ELF("an interpreter without an end", (f.h.e_phnum = 2, memset(f.rest, 'x', 11),
	    f.p[1] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = offsetof(struct file, rest), .p_filesz = 11 }));
	TRY_ELF("an interpreter of one byte", (f.h.e_phnum = 2,
	    f.p[1] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = offsetof(struct file, rest), .p_filesz = 1 }));
	put_file("library", "no library, but some text that is long enough to be read as a header of an ELF file", 83, 0755);
	TRY_ELF("an interpreter that is text", (f.h.e_phnum = 2, strcpy(f.rest, "./library"),
	    f.p[1] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = offsetof(struct file, rest), .p_filesz = 10 }));
}

/* Linux finds these out when there is no program to return to. */
static void fatal_elf(void)
{
	TRY_ELF("more in the file than in memory", f.p[0].p_memsz = 16);
	TRY_ELF("a segment at the end of numbers", f.p[0].p_vaddr = 0xfffffffffffff000ul);
	TRY_ELF("a segment of all memory", f.p[0].p_memsz = 1ul << 60);
	TRY_ELF("nothing to load", f.p[0].p_type = PT_NULL);
}

/* --- scripts */

static void script(const char *what, const char *text)
{
	char *argv[] = { "zero", "one", "two words", NULL };

	put_file("s", text, strlen(text), 0755);
	try(what, "./s", argv, no_env);
}

static void nest(unsigned depth)
{
	char name[8], text[32], what[16];

	put_file("n0", "#!./me show\n", 12, 0755);
	for (unsigned i = 1; i <= depth; i++) {
		sprintf(name, "n%u", i);
		sprintf(text, "#!./n%u\n", i - 1);
		put_file(name, text, strlen(text), 0755);
	}
	sprintf(what, "nested %u", depth);
	sprintf(name, "./n%u", depth);
	try(what, name, no_args, no_env);
}

static void long_line(size_t n, char end)
{
	char text[1024], what[32];

	memset(text, 'a', sizeof(text));
	memcpy(text, "#!./me show ", 12);
	text[n] = end;
	text[n + 1] = 0;
	sprintf(what, "a line of %zu", n);
	script(what, text);
}

static void scripts(void)
{
	script("plain", "#!./me show\n");
	script("no argument", "#!./me\n");
	script("blanks", "#! \t ./me \t show \t \n");
	script("two arguments are one", "#!./me show two  three\n");
	script("no line end", "#!./me show");
	script("no line end, no argument", "#!./me");
	script("no interpreter", "#!\n");
	script("only blanks", "#!  \t \n");
	script("interpreter not there", "#!/none/such\n");
	script("interpreter is a directory", "#!/\n");
	script("carriage return", "#!./me\r\n");
	long_line(200, '\n');
	long_line(254, '\n');
	long_line(255, '\n');
	long_line(256, '\n');
	long_line(600, '\n');
	nest(1);
	nest(3);
	nest(4);
	nest(5);
	nest(6);
	script("its own interpreter", "#!./s\n");
}

/* --- arguments */

static char **many(size_t count, size_t length)
{
	char **list = calloc(count + 2, sizeof(*list)), *text = malloc(length + 1);

	memset(text, 'v', length);
	text[length] = 0;
	if (length > 1)
		text[1] = '=';
	list[0] = "count";
	for (size_t i = 0; i < count; i++)
		list[i + 1] = text;
	return list;
}

static void arguments(void)
{
	char *const count[] = { "count", NULL };

	try("as large as one may be", self, many(1, 131071), no_env);
	try("one too large", self, many(1, 131072), no_env);
	try("one too large for the environment", self, count, many(1, 131072) + 1);
	try("a MiB of arguments", self, many(10, 100000), no_env);
	try("a MiB of environment", self, count, many(10, 100000) + 1);
	try("much of both", self, many(6000, 100), many(6000, 100) + 1);
	try("too much", self, many(100, 100000), no_env);
	try("too much of both", self, many(30, 120000), many(30, 120000) + 1);
}

/* --- what is run */

static int show(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strlen(argv[i]) < 300)
			printf("  argument %d: %s (%zu)\n", i, strrchr(argv[i], '/') ? strrchr(argv[i], '/') : argv[i],
			    strlen(argv[i]));
	return argc;
}

static int tally(int argc, char **argv, char **envp)
{
	size_t bytes = 0, env = 0, env_bytes = 0;

	for (int i = 0; i < argc; i++)
		bytes += strlen(argv[i]);
	for (; envp[env]; env++)
		env_bytes += strlen(envp[env]);
	printf("  %d arguments of %zu bytes, %zu variables of %zu\n", argc, bytes, env, env_bytes);
	return 0;
}

static void copies(void)
{
	char *const argv[] = { "./me", "show", NULL };

	try("a copy of this program", "./me", argv, no_env);
	rename("me", "moved");
	try("under another name", "./moved", argv, no_env);
	chmod("moved", 0644);
	try("that is not executable", "./moved", argv, no_env);
	chmod("moved", 0755);
	rename("moved", "me");
	truncate("me", 100);
	try("cut short", "./me", argv, no_env);
	copy_self("me");
	for (int i = 0; i < 20; i++)
		if (fork() == 0)
			execve("./me", (char *const[]){ "count", "quiet", NULL }, no_env);
	for (int status, i = 0; i < 20; i++)
		if (wait(&status) < 0 || status)
			printf("status %d\n", status);
}

int main(int argc, char **argv, char **envp)
{
	if (strcmp(argv[0], "count") == 0)
		return argc == 2 && strcmp(argv[1], "quiet") == 0 ? 0 : tally(argc, argv, envp);
	if (argc > 1 || strcmp(argv[0], "./me") == 0)
		return show(argc, argv);
	snprintf(self, sizeof(self), "%s%s", strchr(argv[0], '/') ? "" : "/bin/", argv[0]);
	copy_self("me");
	no_programs();
	bad_elf();
	fatal_elf();
	scripts();
	arguments();
	copies();
	return 0;
}
