// SPDX-License-Identifier: BSD-3-Clause
/*
 * Lists the threads that run, with what they have cost, and what each CPU does.
 *
 *   ps           all threads, from the directory of threads under the root
 *   ps ID...     these
 */
#include <base/string.h>
#include <twz/meta.h>
#include <twz/obj.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/sys/trace.h>

#define THREADS_DIRECTORY "threads"

static void name_of(objid_t id, char *name, size_t size)
{
	twzobj o;

	strlcpy(name, "?", size);
	if (twz_object_init_guid(&o, id, FE_READ) < 0)
		return;
	const struct kso_hdr *header = twz_object_base(&o);
	size_t i = 0;
	for (; i + 1 < size && header->name[i]; i++)
		name[i] = header->name[i] < ' ' || header->name[i] > '~' ? '?' : header->name[i];
	name[i] = 0;
	twz_object_release(&o);
}

static void print_class(const struct kernel_ostat_thread *s)
{
	static const char *const classes[] = { "normal", "rt", "idle" };

	kec_printf("%6s %2u ", s->klass < 3 ? classes[s->klass] : "?", s->prio);
}

/* 0, or why there is nothing to say of it: it may have ended by now. */
static long print_thread(objid_t id)
{
	static const char *const states[] = { "sleeps", "waits", "runs", "stopped" };
	struct kernel_ostat_thread s;
	char name[24];
	long r = sys_ostat(TWZ_OSTAT_THREAD, id, 0, &s);

	if (r < 0)
		return r;
	name_of(id, name, sizeof(name));
	kec_printf(IDFMT " %-7s %3u ", IDPR(id), s.state < 4 ? states[s.state] : "?", s.cpu);
	print_class(&s);
	kec_printf("%8lu.%03lu %8lu %8lu  %s\n", (unsigned long)(s.cpu_ns / 1000000),
	    (unsigned long)(s.cpu_ns / 1000 % 1000), (unsigned long)s.switches, (unsigned long)s.faults, name);
	return 0;
}

static void print_header(void)
{
	kec_printf("%-33s %-7s %3s %9s %12s %8s %8s  %s\n", "thread", "state", "cpu", "class", "ms", "switches",
	    "faults", "name");
}

/* ---- The directory ---- */

/* Entry i of a directory, copied as it changes; false: a hole. */
static bool entry(const struct kso_dir_attachments *dir, uint64_t i, struct kso_attachment *to)
{
	memcpy(to, &dir->children[i], sizeof(*to));
	return to->id != 0;
}

static const struct kso_dir_attachments *directory(twzobj *o)
{
	const struct kso_hdr *header = twz_object_base(o);

	if (header->dir_offset == 0)
		return NULL;
	return (const void *)((const char *)header + header->dir_offset);
}

static uint64_t entries(const struct kso_dir_attachments *dir)
{
	return dir ? atomic_load_explicit((const _Atomic uint64_t *)&dir->count, memory_order_acquire) : 0;
}

/* The directory of threads, or 0. */
static objid_t find_directory(void)
{
	struct kso_attachment child;
	objid_t found = 0;
	char name[16];
	twzobj root;

	if (twz_object_init_guid(&root, KSO_ROOT_ID, FE_READ) < 0)
		return 0;
	const struct kso_dir_attachments *dir = directory(&root);
	for (uint64_t i = 0; !found && i < entries(dir); i++) {
		if (!entry(dir, i, &child) || child.type != KSO_DIRECTORY)
			continue;
		name_of(child.id, name, sizeof(name));
		if (strcmp(name, THREADS_DIRECTORY) == 0)
			found = child.id;
	}
	twz_object_release(&root);
	return found;
}

static int print_all(void)
{
	struct kso_attachment child;
	objid_t id = find_directory();
	twzobj o;
	int r = id ? twz_object_init_guid(&o, id, FE_READ) : -ENOENT;

	if (r < 0) {
		kec_printf("ps: the threads are not listed (error %d)\n", -r);
		return 1;
	}
	const struct kso_dir_attachments *dir = directory(&o);
	print_header();
	for (uint64_t i = 0; i < entries(dir); i++)
		if (entry(dir, i, &child) && child.type == KSO_THREAD)
			print_thread(child.id);
	twz_object_release(&o);
	return 0;
}

/* ---- CPUs ---- */

static void print_cpus(void)
{
	struct twz_cpu_stats s;

	kec_printf("%-4s %10s %10s %10s %10s %12s\n", "cpu", "switches", "timer", "calls", "devices",
	    "idle ms");
	for (unsigned int i = 0; i < twz_sysinfo()->ncpus && twz_cpu_stats(i, &s) == 0; i++)
		kec_printf("%-4u %10lu %10lu %10lu %10lu %12lu\n", i, (unsigned long)s.switches,
		    (unsigned long)s.timer, (unsigned long)s.calls, (unsigned long)s.interrupts,
		    (unsigned long)(twz_ns_from_ticks(s.idle_ticks) / 1000000));
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc == 1) {
		print_cpus();
		return print_all();
	}
	print_header();
	for (int i = 1; i < argc; i++) {
		objid_t id;
		long r = objid_parse(argv[i], strlen(argv[i]), &id) ? print_thread(id) : -EINVAL;

		if (r < 0)
			kec_printf("ps: %s: error %ld\n", argv[i], -r);
		failed |= r < 0;
	}
	return failed;
}
