// SPDX-License-Identifier: BSD-3-Clause
/* The smallest program that uses the C library: what is run, and whose size is measured. */
#include <stdio.h>

/* With an argument it says nothing. */
int main(int argc, char **argv)
{
	(void)argv;
	if (argc < 2)
		puts("hello, world");
	return 0;
}
