// SPDX-License-Identifier: BSD-3-Clause
/* Files that no object holds (node.c), and the functions that say what stands in them. */
#ifndef TWIX_NODE_H
#define TWIX_NODE_H

#include "twix.h"

/* A text that is being made; what is before `skip`, and what there is no room for, is left out. */
struct twix_text {
	char *buf;
	size_t room, used, skip;
	int error;     /* instead of a text */
	int pid, fd;   /* which process's, which descriptor's it is; 0: nobody's */
	struct twix_process *process; /* that one, else the one that reads */
};

typedef void twix_text_fn(struct twix_text *t);

void twix_text(struct twix_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void twix_text_bytes(struct twix_text *t, const char *bytes, size_t n);

/* --- procmachine.c: of the machine */
twix_text_fn twix_text_boot, twix_text_cpuinfo, twix_text_filesystems, twix_text_loadavg, twix_text_meminfo;
twix_text_fn twix_text_machine_stat, twix_text_uptime, twix_text_version, twix_text_hostname, twix_text_osrelease;
twix_text_fn twix_text_ostype, twix_text_osversion, twix_text_pid_max, twix_text_threads_max;
twix_text_fn twix_text_ngroups_max, twix_text_file_max, twix_text_file_nr, twix_text_nr_open, twix_text_mounts;

/* --- proc.c: of a process */
twix_text_fn twix_text_self, twix_text_self_mounts, twix_text_self_fd, twix_text_stdin, twix_text_stdout;
twix_text_fn twix_text_stderr, twix_text_command, twix_text_comm, twix_text_cwd, twix_text_environ, twix_text_exe;
twix_text_fn twix_text_limits, twix_text_maps, twix_text_root, twix_text_stat, twix_text_statm;
twix_text_fn twix_text_status, twix_text_descriptor;

#endif
