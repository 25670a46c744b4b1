// SPDX-License-Identifier: BSD-3-Clause
/* The smallest program: says hello and shows its arguments. */
#include <twz/sys/kec.h>

int main(int argc, char **argv)
{
	kec_printf("Hello from an object.\n");
	for (int i = 1; i < argc; i++)
		kec_printf("argument %d: %s\n", i, argv[i]);
	return 0;
}
