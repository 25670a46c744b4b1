// SPDX-License-Identifier: BSD-3-Clause
/* Objects whose IDs are the kernel's: hosted there is the time only. */
#define _GNU_SOURCE
#include "hosted.h"

#include <abi/clock.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SEC 1000000000ll

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

/* The counter is the host's monotonic clock in nanoseconds. */
static int fill_time(int fd)
{
	struct twz_time time = {
		.version = TWZ_TIME_VERSION,
		.hz = NS_PER_SEC,
		.ns_per_tick = 1ull << TWZ_TIME_SHIFT,
		.real_offset = now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC),
		.real_source = TWZ_REAL_RTC,
	};

	return pwrite(fd, &time, sizeof(time), OBJ_NULLPAGE_SIZE + TWZ_TIME_OFFSET) ==
	    sizeof(time) ? 0 : -EIO;
}

int __twz_kernel_object(objid_t id)
{
	int fd;

	if (id != TWZ_TIME_ID)
		return -ENOENT;
	fd = memfd_create("twizzler-time", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, OBJ_MAXSIZE) == 0 && fill_time(fd) == 0)
		return fd;
	close(fd);
	return -ENOMEM;
}
