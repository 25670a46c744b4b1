// SPDX-License-Identifier: BSD-3-Clause
/* What the files of /proc say about the machine. */
#include "node.h"

#include "shared.h"

#include <sys/utsname.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>

#define TICKS 100u /* of USER_HZ in a second */

static struct twz_sysinfo machine(void)
{
	struct twz_sysinfo si = *twz_sysinfo();

	sys_sysinfo(&si, sizeof(si));
	return si;
}

static struct utsname names(void)
{
	struct utsname u;

	twix_uname((const long[6]){ (long)&u });
	return u;
}

void twix_text_boot(struct twix_text *t)
{
	twix_text(t, "\n");
}

void twix_text_cpuinfo(struct twix_text *t)
{
	struct twz_sysinfo si = machine();

	for (unsigned i = 0; i < si.ncpus; i++)
		twix_text(t, "processor\t: %u\nmodel name\t: %s\n\n", i, twix_machine_name);
}

void twix_text_filesystems(struct twix_text *t)
{
	twix_text(t, "nodev\tproc\nnodev\tdevtmpfs\n\ttwizzler\n");
}

struct count {
	unsigned all, running;
};

static struct count count_processes(void)
{
	struct kernel_ostat_thread st;
	struct count c = { 0, 0 };
	struct twix_process *p;

	for (unsigned n = 0; (p = twix_process_next(&n));) {
		if (p->state != TWIX_RUNNING)
			continue;
		c.all++;
		if (sys_ostat(TWZ_OSTAT_THREAD, p->thread, 0, &st) == 0)
			c.running += st.state == TWZ_THREAD_READY || st.state == TWZ_THREAD_RUNNING;
	}
	return c;
}

/* No averages are kept: what is ready now stands for all three. */
void twix_text_loadavg(struct twix_text *t)
{
	struct count c = count_processes();

	twix_text(t, "%u.00 %u.00 %u.00 %u/%u %d\n", c.running, c.running, c.running, c.running, c.all,
	    twix_shared->last_pid);
}

void twix_text_meminfo(struct twix_text *t)
{
	struct twz_sysinfo si = machine();
	unsigned long total = si.mem_total / 1024, free = si.mem_free / 1024;

	twix_text(t, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n", total, free, free);
	twix_text(t, "Buffers:        %8u kB\nCached:         %8u kB\nSwapCached:     %8u kB\n", 0, 0, 0);
	twix_text(t, "SwapTotal:      %8u kB\nSwapFree:       %8u kB\nShmem:          %8u kB\n", 0, 0, 0);
	twix_text(t, "Slab:           %8u kB\nSReclaimable:   %8u kB\n", 0, 0);
}

/* What the processes of this session used; all else is idle. */
void twix_text_machine_stat(struct twix_text *t)
{
	struct twz_sysinfo si = machine();
	uint64_t up = twz_clock_ns() / (TWIX_NS / TICKS), real = twz_clock_real_ns();
	uint64_t used = twix_cpu_of_all() / (TWIX_NS / TICKS);
	struct count c = count_processes();

	if (used > up * si.ncpus)
		used = up * si.ncpus;
	twix_text(t, "cpu  %lu 0 0 %lu 0 0 0 0 0 0\n", (unsigned long)used, (unsigned long)(up * si.ncpus - used));
	for (unsigned i = 0; i < si.ncpus; i++)
		twix_text(t, "cpu%u %lu 0 0 %lu 0 0 0 0 0 0\n", i, (unsigned long)(used / si.ncpus),
		    (unsigned long)(up - used / si.ncpus));
	twix_text(t, "btime %lu\nprocesses %d\nprocs_running %u\nprocs_blocked 0\n",
	    (unsigned long)((real - twz_clock_ns()) / TWIX_NS), twix_shared->last_pid, c.running);
}

void twix_text_uptime(struct twix_text *t)
{
	uint64_t up = twz_clock_ns() / (TWIX_NS / 100), cpus = machine().ncpus;
	uint64_t used = twix_cpu_of_all() / (TWIX_NS / 100);
	uint64_t idle = used < up * cpus ? up * cpus - used : 0;

	twix_text(t, "%lu.%02lu %lu.%02lu\n", (unsigned long)(up / 100), (unsigned long)(up % 100),
	    (unsigned long)(idle / 100), (unsigned long)(idle % 100));
}

void twix_text_version(struct twix_text *t)
{
	struct utsname u = names();

	twix_text(t, "%s version %s %s\n", u.sysname, u.release, u.version);
}

void twix_text_hostname(struct twix_text *t)
{
	struct utsname u = names();

	twix_text(t, "%s\n", u.nodename);
}

void twix_text_osrelease(struct twix_text *t)
{
	struct utsname u = names();

	twix_text(t, "%s\n", u.release);
}

void twix_text_ostype(struct twix_text *t)
{
	struct utsname u = names();

	twix_text(t, "%s\n", u.sysname);
}

void twix_text_osversion(struct twix_text *t)
{
	struct utsname u = names();

	twix_text(t, "%s\n", u.version);
}

void twix_text_pid_max(struct twix_text *t)
{
	twix_text(t, "%d\n", TWIX_PID_MAX + 1);
}

void twix_text_threads_max(struct twix_text *t)
{
	twix_text(t, "%u\n", TWIX_PROCESSES);
}

void twix_text_ngroups_max(struct twix_text *t)
{
	twix_text(t, "0\n");
}

void twix_text_file_max(struct twix_text *t)
{
	twix_text(t, "%u\n", TWIX_FILES - 1);
}

/* Free ones that were used before are not counted as such. */
void twix_text_file_nr(struct twix_text *t)
{
	twix_text(t, "%u\t0\t%u\n", twix_files_open(), TWIX_FILES - 1);
}

void twix_text_nr_open(struct twix_text *t)
{
	twix_text(t, "%d\n", TWIX_DESCRIPTORS);
}

void twix_text_mounts(struct twix_text *t)
{
	const char *how = machine().features & TWZ_FEATURE_STORE_READONLY ? "ro" : "rw";

	twix_text(t, "%s / twizzler %s 0 0\n", machine().features & TWZ_FEATURE_STORE ? "store" : "memory", how);
	twix_text(t, "devtmpfs /dev devtmpfs rw 0 0\nproc /proc proc ro 0 0\n");
}
