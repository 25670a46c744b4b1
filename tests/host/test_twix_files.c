// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts under files of libtwix: its sources of files, inodes, names and changes, on a model of the
 * kernel's objects. What fsync() said is durable is there after any cut, a name leads to a whole file, no
 * object stays that no name leads to, and what was cut off a file does not come back. Then every flush and
 * every fence is left out in turn, fsync()'s among them, and that must show.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "libtwz/explore.h"

#include "../../userspace/libtwix/src/shared.h"
#include "../../userspace/libtwz/src/hier.h"

#include <twz/name.h>
#include <twz/persist.h>
#include <twz/sys/sys.h>
#include <twz/twztry.h>

#define DIR 0u
#define FILES 4u   /* objects 1 … 4 */
#define KERNEL 5u  /* what the kernel has in its store, a word for each object */
#define DATA_PAGES 4u
#define EXISTS 0x6f626a6563742121ull

/* --- the kernel's objects: what stores is seen by the explorer, so it is not to become part of what is not */

static uint64_t *in_store(unsigned i)
{
	return (uint64_t *)twz_object_base(explore_object(KERNEL)) + i * 8;
}

static __attribute__((noinline)) void set_in_store(unsigned i, bool there)
{
	*in_store(i) = there ? EXISTS : 0;
}

static __attribute__((noinline)) void store_zeroes(uint64_t *at, uint64_t n)
{
	for (uint64_t i = 0; i < n / 8; i++)
		if (at[i])
			at[i] = 0;
}

EXPLORE_SEEN_ONLY_LIBTWZ

/* A call's own flushes and fences are all one place. */
#define HERE(f) ((const char *)(f) + 1)

static uint64_t in_memory[FILES + 1]; /* the boot in which it is a volatile object */
static uint64_t gone[FILES + 1];      /* the boot in which it was deleted, and is still in use */
static unsigned next_object;

static uint64_t boot(void)
{
	return twz_sysinfo()->boot_code;
}

/* All of an object, as the kernel does it: not one of the flushes that are to be left out. */
static void write_back(unsigned i, const void *caller)
{
	char *meta = (char *)twz_object_meta(explore_object(i));

	explore_flush(twz_object_base(explore_object(i)), DATA_PAGES * TWZ_PAGE_SIZE, caller);
	explore_flush(meta, TWZ_PAGE_SIZE, caller);
}

static bool is_there(unsigned i)
{
	return *in_store(i) == EXISTS || in_memory[i] == boot() || gone[i] == boot();
}

static void set_durable(unsigned i, bool there, const void *caller)
{
	set_in_store(i, there);
	explore_flush(in_store(i), 8, caller);
	explore_fence(caller);
}

int twz_object_new4(twzobj *o, twzobj *src, twzobj *ku, uint64_t flags)
{
	unsigned i = next_object++;

	(void)src, (void)ku;
	assert_true(i <= FILES && flags & TWZ_OC_VOLATILE);
	in_memory[i] = boot();
	return twz_object_init_guid(o, explore_id(i), FE_READ | FE_WRITE);
}

long sys_octl(objid_t id, int op, long a1, long a2, long a3)
{
	int i = explore_find(id);

	(void)a1, (void)a2, (void)a3;
	assert_true(op == OCO_PERSIST && i > 0);
	write_back((unsigned)i, HERE(sys_octl));
	explore_fence(HERE(sys_octl));
	set_durable((unsigned)i, true, HERE(sys_octl));
	in_memory[i] = 0;
	return 0;
}

long sys_odelete(objid_t id, uint64_t flags)
{
	int i = explore_find(id);

	(void)flags;
	gone[i] = boot();
	in_memory[i] = 0;
	set_durable((unsigned)i, false, HERE(sys_odelete));
	return 0;
}

long sys_ostat(int type, objid_t id, uint64_t arg, void *out)
{
	int i = explore_find(id);
	struct kernel_ostat *st = out;

	(void)type, (void)arg;
	if (i < 0 || (i > 0 && i <= (int)FILES && !is_there((unsigned)i)))
		return -ENOENT;
	*st = (struct kernel_ostat){ .backing = i > 0 && in_memory[i] == boot() ?
		TWZ_BACKING_VOLATILE : TWZ_BACKING_PERSISTENT };
	return 0;
}

long sys_osync(objid_t id, uint64_t off, uint64_t len, uint64_t flags)
{
	const void *caller = __builtin_return_address(0);

	assert_true(off == 0 && len == 0 && flags == 0);
	write_back((unsigned)explore_find(id), caller);
	explore_fence(caller);
	return 0;
}

long sys_ocopy(const objid_t *dest, const objid_t *src, uint64_t doff, uint64_t soff, uint64_t len, uint64_t flags)
{
	char *base = twz_object_base(explore_object((unsigned)explore_find(*dest)));
	uint64_t *at = (uint64_t *)(base - OBJ_NULLPAGE_SIZE + doff);

	assert_true(!*src && doff == soff && !flags);
	store_zeroes(at, len);
	explore_flush(at, len, HERE(sys_ocopy));
	explore_fence(HERE(sys_ocopy));
	return 0;
}

/* --- the rest of libtwix and libtwz */

struct twix_shared *twix_shared;

twzobj *twz_name_get_root(void)
{
	return explore_object(DIR);
}

twzobj *twix_file_object(struct twix_file *f)
{
	return explore_object((unsigned)explore_find(f->id));
}

uint64_t twix_limit(unsigned what)
{
	return what == RLIMIT_FSIZE ? UINT64_MAX : 0;
}

long twix_signal_thread(int sig)
{
	(void)sig;
	return 0;
}

struct timespec twix_time_of(uint64_t ns)
{
	return (struct timespec){ .tv_nsec = (long)ns };
}

uint64_t twz_clock_real_ns(void)
{
	return 0x1111111111111111;
}

mode_t twix_mode_mask(void)
{
	return 022;
}

bool twix_is_node(objid_t id)
{
	(void)id;
	return false;
}

int twix_path_find(objid_t dir, const char *name, objid_t *id, int *type)
{
	struct hier_found f;
	int r;

	assert_true(dir == explore_id(DIR));
	r = __twz_hier_find(explore_object(DIR), name, strlen(name), &f);
	*id = r == 0 ? f.id : 0;
	*type = r == 0 ? f.type : 0;
	return r;
}

int twix_resolve(int dirfd, const char *path, enum twix_follow follow, struct twix_where *w)
{
	int r;

	(void)dirfd, (void)follow;
	*w = (struct twix_where){ .parent = explore_id(DIR) };
	strcpy(w->name, path);
	r = twix_path_find(w->parent, w->name, &w->id, &w->type);
	return r == -ENOENT ? 0 : r;
}

bool twix_path_is_below(objid_t id, objid_t top)
{
	return id == top;
}

struct twix_users *twix_users(void)
{
	static struct twix_users root;

	return &root;
}

bool twix_may(const struct stat *st, int want, bool real)
{
	(void)st, (void)want, (void)real;
	return true;
}

bool twix_is_root(void)
{
	return true;
}

struct twix_file *twix_file_of(int fd)
{
	(void)fd;
	return NULL;
}

void twix_file_put(struct twix_file *f)
{
	(void)f;
}

bool twix_file_orphan(objid_t id)
{
	(void)id;
	return false;
}

objid_t twz_program_packroot(void)
{
	return 0;
}

long twix_openat(const long a[6])
{
	(void)a;
	return -ENOSYS;
}

long twix_close(const long a[6])
{
	(void)a;
	return 0;
}

const struct twz_sysinfo *twz_sysinfo(void)
{
	return &__twz_rt.sysinfo;
}

void *__twz_try_begin(struct __twz_try *t)
{
	return t->regs;
}

void __twz_try_end(struct __twz_try *t)
{
	(void)t;
}

bool __twz_try_catch(struct __twz_try *t, int fault)
{
	(void)t, (void)fault;
	return false;
}

int __twz_try_save(void *regs)
{
	(void)regs;
	return 0;
}

void *twzcatch_data(void)
{
	return NULL;
}

/* --- what has been acknowledged, and what may be there */

#define SIZE (3 * TWZ_PAGE_SIZE)

struct content {
	uint64_t size;
	unsigned char bytes[SIZE];
};

/* Of each name: which object it is bound to, and what that has. */
#define NAMES 3u
static const char *const names[NAMES] = { "one", "two", "three" };

struct tree {
	unsigned object[NAMES];
};

static struct tree now, next;
static struct content is[FILES + 1], will[FILES + 1]; /* by object */

static unsigned object_of(unsigned name, const char **wrong)
{
	objid_t id;
	int type, r = twix_path_find(explore_id(DIR), names[name], &id, &type);

	if (r < 0 && r != -ENOENT)
		*wrong = "a name cannot be looked up";
	return r == 0 ? (unsigned)explore_find(id) : 0;
}

static const char *judge_names(void)
{
	bool named[FILES + 1] = { false };
	const char *wrong = NULL;
	struct tree t;

	for (unsigned n = 0; n < NAMES; n++) {
		t.object[n] = object_of(n, &wrong);
		named[t.object[n]] = true;
	}
	if (wrong)
		return wrong;
	if (memcmp(&t, &now, sizeof(t)) != 0 && memcmp(&t, &next, sizeof(t)) != 0)
		return "names lead to neither what was nor what is to be";
	for (unsigned i = 1; i <= FILES; i++) {
		if (named[i] && *in_store(i) != EXISTS)
			return "a name leads to no object";
		if (!named[i] && *in_store(i) == EXISTS)
			return "no name leads to an object";
	}
	return NULL;
}

static uint64_t size_of(unsigned i)
{
	return twz_object_meta(explore_object(i))->sz;
}

static const char *judge_content(unsigned i)
{
	const unsigned char *found = twz_object_base(explore_object(i));
	uint64_t size = size_of(i);

	if (size != is[i].size && size != will[i].size)
		return "the size is neither old nor new";
	for (uint64_t at = 0; at < size; at++)
		if (found[at] != is[i].bytes[at] && found[at] != will[i].bytes[at])
			return "bytes are neither old nor new";
	return NULL;
}

static const char *judge_links(unsigned i)
{
	unsigned links = 0;
	const char *wrong = NULL;

	for (unsigned n = 0; n < NAMES; n++)
		links += object_of(n, &wrong) == i;
	return twix_inode_links(explore_object(i)) == links ? NULL : "so many names do not lead to it";
}

/* Life goes on: a file that grows has zeroes there, or what was written and not synced. */
static const char *judge_growth(unsigned i)
{
	struct twix_file f = { .id = explore_id(i), .kind = TWIX_REGULAR };
	const unsigned char *found = twz_object_base(explore_object(i));
	uint64_t size = size_of(i);

	if (size == SIZE)
		return NULL;
	if (twix_regular_ops.truncate(&f, SIZE) < 0)
		return "a file cannot grow";
	for (uint64_t at = size; at < SIZE; at++)
		if (found[at] && found[at] != will[i].bytes[at])
			return "what was cut off comes back";
	return NULL;
}

static const char *judge_files(void)
{
	const char *wrong = NULL;

	for (unsigned i = 1; i <= FILES && !wrong; i++) {
		if (*in_store(i) != EXISTS)
			continue;
		wrong = judge_content(i);
		if (!wrong)
			wrong = judge_links(i);
		if (!wrong)
			wrong = judge_growth(i);
	}
	return wrong;
}

/* The locks of the program that was cut are not those of the one that looks. */
static const char *judge(void)
{
	struct twix_shared *kept = twix_shared;
	const char *wrong = judge_names();
	static struct twix_shared *other;

	if (!other)
		other = mmap(NULL, sizeof(*other), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	memset(other->sizes, 0, sizeof(other->sizes));
	twix_shared = other;
	if (!wrong)
		wrong = judge_files();
	twix_shared = kept;
	return wrong;
}

static void recover(void)
{
	twix_changes_undo();
}

/* --- the run */

static void setup(void)
{
	memset(&now, 0, sizeof(now));
	next = now;
	memset(is, 0, sizeof(is));
	memset(will, 0, sizeof(will));
	memset(in_memory, 0, sizeof(in_memory));
	memset(gone, 0, sizeof(gone));
	next_object = 1;
	if (!twix_shared)
		twix_shared = mmap(NULL, sizeof(*twix_shared), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	twz_hier_namespace_init(explore_object(DIR), 0);
	twix_inode_make(explore_object(DIR), S_IFDIR | 0755);
	twix_changes_undo();
}

static struct twix_file file_of(unsigned i)
{
	return (struct twix_file){ .id = explore_id(i), .kind = TWIX_REGULAR };
}

/* As open(O_CREAT) does it. */
static unsigned make(unsigned name)
{
	struct twix_where w;
	struct twix_change *c;
	twzobj o;
	unsigned i = next_object;

	twix_resolve(AT_FDCWD, names[name], TWIX_LINK, &w);
	explore_step_begin();
	next.object[name] = i;
	assert_int_equal(twix_make(w.parent, w.name, S_IFREG | 0644, &o, &c), 0);
	assert_int_equal(twix_name_new(&w, explore_id(i)), 0);
	twix_change_end(c);
	twz_object_release(&o);
	now = next;
	explore_step_end();
	return i;
}

static void write_at(unsigned i, uint64_t at, uint64_t n, int byte)
{
	struct twix_file f = file_of(i);
	unsigned char data[SIZE];

	memset(data, byte, n);
	memset(will[i].bytes + at, byte, n);
	will[i].size = at + n > will[i].size ? at + n : will[i].size;
	assert_int_equal(twix_regular_ops.pwrite(&f, data, n, (off_t)at), n);
}

static void sync_file(unsigned i)
{
	struct twix_file f = file_of(i);

	assert_int_equal(twix_regular_ops.sync(&f), 0);
	is[i] = will[i];
	explore_step_end();
}

static void write_and_sync(unsigned i, uint64_t at, uint64_t n, int byte)
{
	explore_step_begin();
	write_at(i, at, n, byte);
	sync_file(i);
}

static void append_and_sync(unsigned i, uint64_t n, int byte)
{
	struct twix_file f = file_of(i);
	unsigned char data[SIZE];
	off_t end;

	explore_step_begin();
	memset(data, byte, n);
	memset(will[i].bytes + will[i].size, byte, n);
	will[i].size += n;
	assert_int_equal(twix_regular_ops.append(&f, data, n, &end), n);
	sync_file(i);
}

/* What nobody waited for may be there in part. */
static void truncate_to(unsigned i, uint64_t size)
{
	struct twix_file f = file_of(i);

	explore_step_begin();
	will[i].size = size;
	memset(will[i].bytes + size, 0, SIZE - size);
	assert_int_equal(twix_regular_ops.truncate(&f, (off_t)size), 0);
	is[i] = will[i];
	explore_step_end();
}

static void rename_to(unsigned from, unsigned to)
{
	explore_step_begin();
	next.object[to] = next.object[from];
	next.object[from] = 0;
	assert_int_equal(twix_renameat((const long[6]){ AT_FDCWD, (long)names[from], AT_FDCWD, (long)names[to] }), 0);
	now = next;
	explore_step_end();
}

static void unlink_name(unsigned name)
{
	explore_step_begin();
	next.object[name] = 0;
	assert_int_equal(twix_unlinkat((const long[6]){ AT_FDCWD, (long)names[name], 0 }), 0);
	now = next;
	explore_step_end();
}

static void link_name(unsigned from, unsigned to)
{
	explore_step_begin();
	next.object[to] = next.object[from];
	assert_int_equal(twix_linkat((const long[6]){ AT_FDCWD, (long)names[from], AT_FDCWD, (long)names[to] }), 0);
	now = next;
	explore_step_end();
}

/* The usual way to replace a file: write another, fsync(), rename(). */
static void replaced(void)
{
	unsigned a = make(0);

	write_and_sync(a, 0, 16, 'a');
	unsigned b = make(1);

	write_and_sync(b, TWZ_PAGE_SIZE - 8, 24, 'b');
	rename_to(1, 0);
}

static void written(void)
{
	unsigned a = make(0);

	write_and_sync(a, 0, 24, 'a');
	append_and_sync(a, 16, 'b');
	write_and_sync(a, 8, 8, 'c');
	write_and_sync(a, 2 * TWZ_PAGE_SIZE, 8, 'd');
}

static void cut_off(void)
{
	unsigned a = make(0);

	write_and_sync(a, 0, 24, 'a');
	write_and_sync(a, TWZ_PAGE_SIZE, 16, 'b');
	truncate_to(a, 8);
	write_and_sync(a, TWZ_PAGE_SIZE, 8, 'c');
	truncate_to(a, 0);
	write_and_sync(a, 0, 24, 'd');
	truncate_to(a, 8);
}

static void named(void)
{
	make(0);
	rename_to(0, 1);
	link_name(1, 2);
	rename_to(2, 0);
	unlink_name(0);
	make(0);
	rename_to(0, 1);
	link_name(1, 0);
	make(2);
	rename_to(2, 1);
	unlink_name(0);
}

/* The words of a namespace and of a record that are never durable, and times. */
static bool is_volatile(unsigned object, uint64_t offset)
{
	uint64_t times = OBJ_METAPAGE + 0xc10, records = OBJ_METAPAGE + 0xc40;

	if (offset >= times && offset < times + 24)
		return true;
	return object == DIR && (offset == OBJ_NULLPAGE_SIZE + offsetof(struct twz_namespace_hdr, changes) ||
		(offset >= OBJ_NULLPAGE_SIZE + offsetof(struct twz_namespace_hdr, recent) &&
		    offset < OBJ_NULLPAGE_SIZE + NAMESPACE_ENTS_OFFSET) ||
		(offset >= records && (offset - records) % 64 == 0));
}

static void cuts_leave_what_was_synced(void **state)
{
	/*
	 * What the kernel does, and names by themselves, which have a test of their own; what is stored while a file
	 * is in memory; and where a fence of the next step comes in time. The end of a removal only matters to
	 * one who uses another record meanwhile, and so does that of what is undone.
	 */
	static const char *const unneeded[] = { "sys_octl", "sys_odelete", "sys_ocopy", "twz_object_setsz", "fill",
		"twix_inode_make", "twz_object_addext", "write_new", "append", "twz_hier_rename", "finish_rename", "drop_link",
		"fence twix_change_keep", "fence begin_drop", "fence link_to", "fence twix_change_end", "move_locked",
		"remove_name",
		"twix_changes_undo", NULL };
	static const struct explore_test tests[] = {
#define TEST(what) { .objects = KERNEL + 1, .data_pages = DATA_PAGES, .setup = setup, .operation = what, \
	.recover = recover, .judge = judge, .is_volatile = is_volatile, .unneeded = unneeded, .effort = 16 }
		TEST(replaced), TEST(written), TEST(cut_off), TEST(named),
	};

	(void)state;
	explore_check_all(tests, sizeof(tests) / sizeof(tests[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_leave_what_was_synced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
