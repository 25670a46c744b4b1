// SPDX-License-Identifier: BSD-3-Clause
/* What a root directory has so that programs find themselves at home: made when there is no /etc yet. */
#include "twix.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void write_file(const char *path, const char *text)
{
	long fd = twix_openat((const long[6]){ AT_FDCWD, (long)path, O_WRONLY | O_CREAT | O_EXCL, 0644 });

	if (fd < 0)
		return;
	twix_write((const long[6]){ fd, (long)text, (long)strlen(text) });
	twix_fsync((const long[6]){ fd });
	twix_close((const long[6]){ fd });
}

static bool make_directory(const char *path, mode_t mode)
{
	long r = twix_mkdirat((const long[6]){ AT_FDCWD, (long)path, (long)mode });

	if (r == 0)
		twix_fchmodat((const long[6]){ AT_FDCWD, (long)path, (long)mode });
	return r == 0;
}

void twix_root_prepare(void)
{
	twix_changes_undo();
	if (!make_directory("/etc", 0755))
		return;
	write_file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
	write_file("/etc/group", "root:x:0:\n");
	make_directory("/home", 0755);
	make_directory("/root", 0700);
	make_directory("/tmp", 01777);
}
