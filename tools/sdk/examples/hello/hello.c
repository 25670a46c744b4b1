// SPDX-License-Identifier: BSD-3-Clause
/* Says hello, and writes a file to prove that it can. */
#include <stdio.h>

int main(void)
{
	FILE *file = fopen("/hello.txt", "a");

	printf("hello, world\n");
	if (!file || fprintf(file, "hello\n") < 0 || fclose(file) != 0) {
		perror("/hello.txt");
		return 1;
	}
	return 0;
}
