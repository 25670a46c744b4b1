// SPDX-License-Identifier: BSD-3-Clause
/*
 * The program that stands by one that was linked for Linux, and does its system calls. execve() starts
 * it, never a user.
 */
#include <stdio.h>

int twix_linux_run(int argc, char **argv);

int main(int argc, char **argv)
{
	int r = twix_linux_run(argc, argv);

	fprintf(stderr, "%s: there is no program by which to stand\n", argv[0]);
	return r;
}
