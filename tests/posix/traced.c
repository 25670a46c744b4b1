// SPDX-License-Identifier: BSD-3-Clause
/* Runs itself again with its calls traced. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *args[] = { argv[0], "again", NULL }, *environment[] = { "TWIX_TRACE=1", NULL };

	if (argc == 1) {
		execve("/bin/traced", args, environment);
		return 1;
	}
	if (open("/none/such", O_RDONLY) != -1 || errno != ENOENT)
		return 1;
	if (syscall(999, 1, 2) != -1 || errno != ENOSYS)
		return 2;
	close(77);
	return 3;
}
