// SPDX-License-Identifier: BSD-3-Clause
/*
 * Tests of twzpack as people use it: each command is run in a process of its own, in a folder of
 * its own, and its exit status and output are looked at.
 */
#include "unit.h"

#define main twzpack_main
#include "main.c"
#undef main

#include <elf.h>
#include <sys/wait.h>

#define MAX_WORDS 16

static char folder[] = "/tmp/twzpack-test-XXXXXX";
static char output[8192]; /* of the last command, both streams */

static void collect(int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, output + len, sizeof(output) - 1 - len)) > 0)
		len += (size_t)n;
	output[len] = '\0';
	close(fd);
}

/* Run twzpack with words separated by blanks; returns its exit status. */
static int run(const char *command)
{
	char words[300], *argv[MAX_WORDS + 1] = { "twzpack" };
	int argc = 1, fds[2], status;
	pid_t child;

	snprintf(words, sizeof(words), "%s", command);
	for (char *w = strtok(words, " "); w != NULL && argc < MAX_WORDS; w = strtok(NULL, " "))
		argv[argc++] = w;
	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		exit(twzpack_main(argc, argv));
	}
	close(fds[1]);
	collect(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(const char *command, int status, const char *part_of_output)
{
	int got = run(command);

	if (got != status || strstr(output, part_of_output) == NULL)
		fail_msg("twzpack %s: status %d, output: %s", command, got, output);
}

/* As expect, for an error: one line, no more. */
static void expect_error(const char *command, int status, const char *part_of_output)
{
	expect(command, status, part_of_output);
	assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
}

static void write_test_file(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(name, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void write_program(const char *name, unsigned int machine, uint8_t salt)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
		uint64_t padding;
		struct twz_program program;
		uint8_t code[64];
	} e;

	memset(&e, 0, sizeof(e));
	memcpy(e.header.e_ident, ELFMAG, SELFMAG);
	e.header.e_ident[EI_CLASS] = ELFCLASS64;
	e.header.e_ident[EI_DATA] = ELFDATA2LSB;
	e.header.e_type = ET_EXEC;
	e.header.e_machine = (Elf64_Half)machine;
	e.header.e_entry = 0x1080;
	e.header.e_phoff = sizeof(e.header);
	e.header.e_phentsize = sizeof(Elf64_Phdr);
	e.header.e_phnum = 1;
	e.segment = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x1000,
				  .p_offset = offsetof(__typeof__(e), program),
				  .p_filesz = 192, .p_memsz = 192 };
	e.program.magic = PROGRAM_MAGIC;
	e.program.version = PROGRAM_VERSION;
	memset(e.code, salt, sizeof(e.code));
	write_test_file(name, &e, sizeof(e));
}

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL || chdir(folder) != 0)
		return -1;
	write_program("init.elf", EM_RISCV, 1);
	write_program("demo.elf", EM_RISCV, 2);
	write_program("other.elf", EM_AARCH64, 3);
	write_test_file("motd", "welcome\n", 8);
	write_test_file("empty", "", 0);
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = { "init.elf", "demo.elf", "other.elf", "motd",
					     "empty", "a.pack", "b.pack", "bad.pack" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(files[i]);
	/* That the folder is empty now shows that no temporary file was left. */
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void create_list_check(void **state)
{
	(void)state;
	expect("create -o a.pack --init init init=init.elf demo=demo.elf --data motd=motd "
	       "--data empty=empty", 0, "");
	assert_string_equal(output, "");
	expect("list a.pack", 0, " init (program riscv64, init)");
	expect("list a.pack", 0, " demo (program riscv64)");
	expect("list a.pack", 0, " motd\n");
	expect("list a.pack", 0, "(name root)");
	expect("check a.pack", 0, "5 objects, no faults");
}

static void packs_are_reproducible(void **state)
{
	struct file a, b;

	(void)state;
	expect("create -o a.pack --init init init=init.elf demo=demo.elf", 0, "");
	expect("create demo=demo.elf --init init init=init.elf -o b.pack", 0, "");
	a = read_whole("a.pack");
	b = read_whole("b.pack");
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.bytes, b.bytes, a.len);
}

static void equal_content_is_stored_once(void **state)
{
	(void)state;
	expect("create -o a.pack one=init.elf two=init.elf", 0, "");
	expect("list a.pack", 0, "2 objects");
	expect("list a.pack", 0, " one two (program");
}

static void a_failure_leaves_the_old_pack(void **state)
{
	(void)state;
	expect("create -o a.pack init=init.elf", 0, "");
	expect_error("create -o a.pack init=motd", 1, "motd: not an ELF file");
	expect_error("create -o a.pack init=init.elf other=other.elf", 1, "another machine");
	expect_error("create -o a.pack --init nobody init=init.elf", 1, "no such program");
	expect_error("create -o a.pack --init motd init=init.elf --data motd=motd", 1,
		     "no such program");
	expect_error("create -o a.pack a=init.elf a=demo.elf", 1, "two objects");
	expect_error("create -o a.pack a/b=init.elf", 1, "not a valid name");
	expect_error("create -o a.pack a=missing.elf", 1, "missing.elf: No such file");
	expect_error("create -o a.pack a=.", 1, "not a regular file");
	expect("check a.pack", 0, "2 objects, no faults");
}

static void outputs_that_cannot_be(void **state)
{
	(void)state;
	expect_error("create -o nowhere/a.pack a=init.elf", 1, "No such file");
	expect_error("create -o /dev/null a=init.elf", 1, "not a regular file");
	expect_error("create -o . a=init.elf", 1, "not a regular file");
}

static void wrong_usage(void **state)
{
	(void)state;
	expect_error("", 2, "expected create, list or check");
	expect_error("destroy", 2, "unknown command destroy");
	expect_error("create", 2, "needs -o");
	expect_error("create -o", 2, "no value for -o");
	expect_error("create -o a.pack", 2, "at least one");
	expect_error("create -o a.pack --fast a=init.elf", 2, "unknown option --fast");
	expect_error("create -o a.pack init.elf", 2, "NAME=FILE");
	expect_error("create -o a.pack a=", 2, "NAME=FILE");
	expect_error("list", 2, "one pack");
	expect_error("check a b", 2, "one pack");
	expect("--help", 0, "usage:");
}

static void damaged_packs(void **state)
{
	struct file good;
	uint8_t *copy;

	(void)state;
	expect("create -o a.pack --init init init=init.elf", 0, "");
	good = read_whole("a.pack");
	copy = block(good.len);
	memcpy(copy, good.bytes, good.len);
	write_test_file("bad.pack", copy, good.len / 2);
	expect_error("check bad.pack", 1, "bad.pack: pack is truncated");
	copy[130] ^= 1;
	write_test_file("bad.pack", copy, good.len);
	expect_error("list bad.pack", 1, "damaged");
	copy[130] ^= 1;
	copy[good.len - 4096 + 16] ^= 1;
	write_test_file("bad.pack", copy, good.len);
	expect_error("check bad.pack", 1, "its metadata does not match its ID");
	expect_error("check motd", 1, "not an object pack");
	expect_error("check empty", 1, "not an object pack");
	free(copy);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_list_check),
		cmocka_unit_test(packs_are_reproducible),
		cmocka_unit_test(equal_content_is_stored_once),
		cmocka_unit_test(a_failure_leaves_the_old_pack),
		cmocka_unit_test(outputs_that_cannot_be),
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test(damaged_packs),
	};

	return cmocka_run_group_tests_name("twzpack", tests, setup, teardown);
}
