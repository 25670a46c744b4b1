// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the kernel knows of objects: how much memory they take, who maps them, what they are.
 *
 *   ostat ID-OR-NAME...
 */
#include <base/string.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>

static void print_flags(uint64_t flags)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} names[] = {
		{ OS_FLAGS_PERSIST, "persistent" },
		{ OS_FLAGS_KERNEL, "kernel" },
		{ OS_FLAGS_HASH, "hash-data" },
		{ OS_FLAGS_PIN, "pinned" },
		{ OS_FLAGS_DELETED, "deleted" },
		{ OS_FLAGS_INVALID, "invalid" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (flags & names[i].flag)
			kec_printf(" %s", names[i].name);
}

static void print_rights(uint32_t p_flags)
{
	kec_printf("%c%c%c%c%c", p_flags & MIP_DFL_READ ? 'r' : '-', p_flags & MIP_DFL_WRITE ? 'w' : '-',
	    p_flags & MIP_DFL_EXEC ? 'x' : '-', p_flags & MIP_DFL_USE ? 'u' : '-',
	    p_flags & MIP_DFL_DEL ? 'd' : '-');
}

static long print_object(objid_t id)
{
	static const char *const types[] = { "object", "view", "context", "thread", "root", "device",
		"directory", "data" };
	struct kernel_ostat s;
	long r = sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &s);

	if (r < 0)
		return r;
	kec_printf(IDFMT " %-9s ", IDPR(id), s.kso_type < 8 ? types[s.kso_type] : "?");
	print_rights(s.p_flags);
	kec_printf(" %8lu %5lu %5lu %4lu/%lu", (unsigned long)s.pages * 4, (unsigned long)s.maps,
	    (unsigned long)s.nr_sleepers, (unsigned long)s.ties_in, (unsigned long)s.ties_out);
	print_flags(s.flags);
	kec_printf("\n");
	return 0;
}

static int find(const char *text, objid_t *id)
{
	twzobj o;

	if (objid_parse(text, strlen(text), id))
		return 0;
	int r = twz_object_init_name(&o, text, FE_READ);
	if (r < 0)
		return r;
	*id = twz_object_guid(&o);
	twz_object_release(&o);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc < 2) {
		kec_printf("usage: ostat ID-OR-NAME...\n");
		return 2;
	}
	kec_printf("%-33s %-9s %-5s %8s %5s %5s %s\n", "object", "kind", "right", "KiB", "maps", "sleep",
	    "ties in/out");
	for (int i = 1; i < argc; i++) {
		objid_t id;
		long r = find(argv[i], &id);

		if (r == 0)
			r = print_object(id);
		if (r < 0)
			kec_printf("ostat: %s: error %ld\n", argv[i], -r);
		failed |= r < 0;
	}
	return failed;
}
