// SPDX-License-Identifier: BSD-3-Clause
/*
 * Typed at the first prompt: says when. Time begins with the machine's reset; with -icount a nanosecond
 * is an instruction. The run ends with it.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	printf("\nbench: posix_boot_to_prompt %llu instructions\n",
	    (unsigned long long)ts.tv_sec * 1000000000u + (unsigned long long)ts.tv_nsec);
	fflush(stdout);
	return kill(1, SIGUSR2);
}
