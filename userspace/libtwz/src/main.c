// SPDX-License-Identifier: BSD-3-Clause
/* A program without a C library: nothing stands between libtwz and its main(). */
#include "runtime.h"

int main(int argc, char **argv);

int __twz_run(int argc, char **argv)
{
	return main(argc, argv);
}
