// SPDX-License-Identifier: BSD-3-Clause
/* The system calls about objects. */
#define _GNU_SOURCE
#include "hosted.h"

#include <errno.h>
#include <obj/id.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DFL_MASK (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_EXEC | TWZ_OC_DFL_USE | \
		  TWZ_OC_DFL_DEL)

/* --- creating */

static int check_flags(uint64_t flags)
{
	if (flags & ~(uint64_t)TWZ_SYS_OC_ALL)
		return -EINVAL;
	if ((flags & TWZ_OC_HASHDATA) && (flags & TWZ_OC_DFL_WRITE))
		return -EINVAL;
	if ((flags & TWZ_OC_ZERONONCE) && !(flags & TWZ_OC_HASHDATA))
		return -EINVAL;
	return flags & TWZ_OC_DMA ? -ENOTSUP : 0;
}

static bool page_range(uint64_t start, uint64_t length)
{
	return (start | length) % TWZ_PAGE_SIZE == 0 && start <= OBJ_MAXSIZE &&
	    length <= OBJ_MAXSIZE - start;
}

static bool is_whole(const struct twz_ocreate_source *s)
{
	return s->start == 0 && s->length == 0;
}

static int check_source(const struct twz_ocreate_source *s, bool first)
{
	uint64_t dest = s->dest ? s->dest : s->start;

	if (s->flags || !page_range(s->start, s->length) || !page_range(dest, s->length))
		return -EINVAL;
	return is_whole(s) && (!first || !s->id || s->dest) ? -EINVAL : 0;
}

static int check_spec(const struct twz_ocreate_spec *spec)
{
	const struct twz_ocreate_source *sources = (const void *)spec->srcs;
	int r;

	if (spec->srcs_len > TWZ_OCREATE_MAX_SOURCES || spec->ties_len > TWZ_OCREATE_MAX_TIES ||
	    spec->backing_type > TWZ_BACKING_PERSISTENT || spec->lifetime > 1 || spec->reserved ||
	    (spec->lifetime == 1 && spec->ties_len == 0))
		return -EINVAL;
	r = check_flags(spec->flags);
	for (uint64_t i = 0; r == 0 && i < spec->srcs_len; i++)
		r = check_source(&sources[i], i == 0);
	return r;
}

static int open_source(objid_t id, struct hosted_file *f)
{
	struct metainfo mi;
	int r = __twz_file_open(id, f);

	if (r < 0)
		return r;
	r = __twz_file_verify(f->fd, id, &mi);
	if (r < 0)
		__twz_file_close(f);
	return r;
}

/* Page 0 exists nowhere; the metadata page comes with a whole object only. */
static int copy_range(int to, uint64_t at, int from, uint64_t start, uint64_t length)
{
	uint64_t skip = start == 0 || at == 0 ? TWZ_PAGE_SIZE : 0;

	if (length <= skip)
		return 0;
	at += skip, start += skip, length -= skip;
	return from < 0 ? __twz_file_zero(to, at, length)
			: __twz_file_copy(to, at, from, start, length);
}

static int fill_from(int to, const struct twz_ocreate_source *s)
{
	struct hosted_file from = { .fd = -1 };
	int r = s->id ? open_source(s->id, &from) : 0;

	if (r < 0)
		return r;
	if (is_whole(s))
		r = copy_range(to, 0, from.fd, 0, OBJ_MAXSIZE);
	else
		r = copy_range(to, s->dest ? s->dest : s->start, from.fd, s->start, s->length);
	if (s->id)
		__twz_file_close(&from);
	return r;
}

/* An unsized source is sized by its last page that is there. */
static uint64_t implied_size(int fd)
{
	off_t data = OBJ_NULLPAGE_SIZE, end = OBJ_NULLPAGE_SIZE;

	while ((data = lseek(fd, data, SEEK_DATA)) >= 0 && data < (off_t)OBJ_TOPDATA)
		data = end = lseek(fd, data, SEEK_HOLE);
	if (end > (off_t)OBJ_TOPDATA)
		end = OBJ_TOPDATA;
	end = (end + (off_t)TWZ_PAGE_SIZE - 1) & ~(off_t)(TWZ_PAGE_SIZE - 1);
	return (uint64_t)end - OBJ_NULLPAGE_SIZE;
}

static void prepare_hash(int fd, struct metainfo *mi)
{
	mi->p_flags |= MIP_HASHDATA;
	if (!(mi->flags & MIF_SZ))
		mi->sz = implied_size(fd);
	mi->flags = MIF_SZ;
	if (mi->fotentries == 0)
		mi->fotentries = 1;
}

/* What stays of a source's metadata: size, entries, extensions. */
static int write_meta(int fd, const struct twz_ocreate_spec *spec, bool copied,
    struct metainfo *mi)
{
	struct metainfo old = { .magic = 0 };

	if (copied && pread(fd, &old, sizeof(old), OBJ_METAPAGE) != sizeof(old))
		return -errno;
	*mi = (struct metainfo){
		.magic = MI_MAGIC,
		.flags = old.flags,
		.p_flags = (uint16_t)(spec->flags & DFL_MASK),
		.fotentries = copied ? old.fotentries : 1,
		.milen = old.milen,
		.kuid = spec->ku,
		.sz = old.sz,
	};
	if (mi->milen < MI_MILEN_MIN || mi->milen > MI_MILEN_MAX || mi->milen % 16)
		mi->milen = MI_MILEN_DEFAULT;
	if (spec->flags & TWZ_OC_HASHDATA)
		prepare_hash(fd, mi);
	if (!(spec->flags & TWZ_OC_ZERONONCE) &&
	    getrandom(&mi->nonce, sizeof(mi->nonce), 0) != sizeof(mi->nonce))
		return -EIO;
	return pwrite(fd, mi, sizeof(*mi), OBJ_METAPAGE) == sizeof(*mi) ? 0 : -ENOSPC;
}

struct page_reader {
	int fd;
	char page[TWZ_PAGE_SIZE];
};

static int read_page(void *arg, uint64_t number, const void **page)
{
	struct page_reader *r = arg;

	*page = r->page;
	return pread(r->fd, r->page, sizeof(r->page), (off_t)(number * TWZ_PAGE_SIZE)) ==
	    sizeof(r->page) ? 0 : -EIO;
}

/* What the hash tree does not cover is dropped: the content is all that the name is for. */
static int name_by_content(int fd, const struct metainfo *mi, objid_t *id)
{
	struct page_reader reader = { .fd = fd };
	uint64_t end = OBJ_NULLPAGE_SIZE + mi->sz;
	uint64_t fot = OBJ_METAPAGE - sizeof(struct fotentry) * (mi->fotentries ? mi->fotentries - 1 : 0);
	int r = meta_check(mi) < 0 ? -EINVAL : __twz_file_zero(fd, end, fot - end);

	return r < 0 ? r : id_derive_hashdata(mi, read_page, &reader, id);
}

static int fill(int fd, const struct twz_ocreate_spec *spec, objid_t *id)
{
	const struct twz_ocreate_source *sources = (const void *)spec->srcs;
	bool copied = spec->srcs_len && is_whole(&sources[0]);
	struct metainfo mi;
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < spec->srcs_len; i++)
		r = fill_from(fd, &sources[i]);
	if (r == 0)
		r = write_meta(fd, spec, copied, &mi);
	if (r < 0)
		return r;
	if (mi.p_flags & MIP_HASHDATA)
		return name_by_content(fd, &mi, id);
	*id = id_derive(&mi);
	return 0;
}

static int check_ties(const struct twz_ocreate_spec *spec)
{
	const objid_t *ties = (const void *)spec->ties;
	unsigned place;

	for (uint64_t i = 0; i < spec->ties_len; i++)
		if (!__twz_own_parent(ties[i]) && !__twz_file_exists(ties[i], &place))
			return -ENOENT;
	return 0;
}

/* Parents that are this process's own need no names. */
static int tie_new(const struct twz_ocreate_spec *spec, objid_t id, const struct hosted_file *f)
{
	const objid_t *ties = (const void *)spec->ties;
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < spec->ties_len; i++) {
		r = __twz_own_tie_add(ties[i], id, f->fd);
		if (r < 0)
			r = __twz_tie_new(ties[i], id, f->place);
	}
	return r;
}

/* Caller holds the lock. A hash-data object may be there already. */
static int publish(struct hosted_file *f, const char *name, const struct twz_ocreate_spec *spec,
    objid_t id)
{
	unsigned place;
	int r = check_ties(spec);

	if (r == 0 && spec->flags & TWZ_OC_HASHDATA) {
		if (__twz_file_exists(id, &place))
			r = -EEXIST;
		else if (__twz_file_there(id))
			r = -EBUSY;
	}
	if (r == 0)
		r = __twz_file_publish(f, name, id, spec->lifetime ? STATE_DELETED : STATE_LIVE);
	return r < 0 ? r : tie_new(spec, id, f);
}

/* Caller holds the lock. */
static int tie(objid_t parent, objid_t child)
{
	struct hosted_file f;
	int r;

	if (!__twz_own_parent(parent) || parent == child)
		return __twz_tie_add(parent, child);
	r = __twz_file_open(child, &f);
	if (r < 0)
		return r;
	r = __twz_own_tie_add(parent, child, f.fd);
	__twz_file_close(&f);
	return r < 0 ? __twz_tie_add(parent, child) : 0;
}

/* A hash-data object that is there already is what was asked for. Caller holds the lock. */
static int tie_existing(const struct twz_ocreate_spec *spec, objid_t id)
{
	const objid_t *ties = (const void *)spec->ties;
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < spec->ties_len; i++)
		r = tie(ties[i], id);
	return r;
}

static int make(const struct twz_ocreate_spec *spec, unsigned place, objid_t *id)
{
	struct hosted_file f;
	char name[64];
	int r = __twz_file_make(place, &f, name);

	if (r < 0)
		return r;
	r = fill(f.fd, spec, id);
	if (r == 0) {
		__twz_places_lock();
		r = publish(&f, name, spec, *id);
		__twz_places_unlock();
	}
	if (r == 0)
		__twz_file_close(&f);
	else
		__twz_file_abandon(&f, name);
	if (r != -EEXIST)
		return r;
	__twz_places_lock();
	r = tie_existing(spec, *id);
	__twz_places_unlock();
	return r;
}

long sys_ocreate2(struct twz_ocreate_spec *spec)
{
	unsigned place;
	int r = __twz_probe(spec, sizeof(*spec), true);

	if (r == 0) {
		spec->result = 0;
		r = check_spec(spec);
	}
	if (r < 0)
		return r;
	place = spec->backing_type == TWZ_BACKING_PERSISTENT || spec->flags & TWZ_OC_PERSIST ?
	    PLACE_STORE : PLACE_MEMORY;
	if (__twz_place_dir(place) < 0)
		return -ENODEV;
	return make(spec, place, &spec->result);
}

long sys_ocreate(uint64_t flags, objid_t kuid, objid_t src, objid_t *id)
{
	struct twz_ocreate_source whole = { .id = src };
	struct twz_ocreate_spec spec = {
		.ku = kuid,
		.srcs = (uintptr_t)&whole,
		.srcs_len = src != 0,
		.flags = (uint32_t)flags,
	};
	long r = __twz_probe(id, sizeof(*id), true);

	if (r < 0)
		return r;
	r = flags >> 32 ? -EINVAL : sys_ocreate2(&spec);
	*id = r < 0 ? 0 : spec.result;
	return r;
}

/* Deleted only when it is locked: else whoever starts meanwhile would take it for a left one. */
int __twz_own_object(objid_t *id, struct hosted_file *f)
{
	int r = (int)sys_ocreate(TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_DEL, 0, 0, id);

	if (r == 0)
		r = __twz_file_open(*id, f);
	if (r < 0)
		return r;
	__twz_places_lock();
	r = __twz_file_delete(*id, STATE_DELETED);
	__twz_places_unlock();
	return r;
}

/* --- deleting, tying */

long sys_odelete(objid_t id, uint64_t flags)
{
	int r;

	if (flags & ~(uint64_t)TWZ_OD_IMMEDIATE)
		return -EINVAL;
	__twz_places_lock();
	r = __twz_file_delete(id, flags & TWZ_OD_IMMEDIATE ? STATE_DYING : STATE_DELETED);
	__twz_places_unlock();
	if (r == 0)
		__twz_file_reap(id);
	return r;
}

long sys_otie(objid_t parent, objid_t child, uint64_t flags)
{
	int r;

	if (flags & ~(uint64_t)OTIE_UNTIE)
		return -EINVAL;
	__twz_places_lock();
	if (!(flags & OTIE_UNTIE))
		r = tie(parent, child);
	else if ((r = __twz_own_tie_remove(parent, child)) < 0)
		r = __twz_tie_remove(parent, child);
	__twz_places_unlock();
	if (r == 0 && flags & OTIE_UNTIE)
		__twz_file_reap(child);
	return r;
}

/* --- copying */

static bool good_copy(uint64_t at, uint64_t length)
{
	return at >= OBJ_NULLPAGE_SIZE && page_range(at, length);
}

static int open_dest(objid_t id, struct hosted_file *f)
{
	struct metainfo mi;
	int r = __twz_file_open(id, f);

	if (r < 0)
		return r;
	r = __twz_file_verify(f->fd, id, &mi);
	if (r == 0 && mi.p_flags & MIP_HASHDATA)
		r = -EACCES;
	if (r < 0)
		__twz_file_close(f);
	return r;
}

static int copy_into(struct hosted_file *to, objid_t src, uint64_t doff, uint64_t soff,
    uint64_t len)
{
	struct hosted_file from;
	int r;

	if (!src)
		return __twz_file_zero(to->fd, doff, len);
	r = open_source(src, &from);
	if (r < 0)
		return r;
	r = __twz_file_copy(to->fd, doff, from.fd, soff, len);
	__twz_file_close(&from);
	return r;
}

long sys_ocopy(const objid_t *dest, const objid_t *src, uint64_t doff, uint64_t soff, uint64_t len,
    uint64_t flags)
{
	struct hosted_file to;
	int r;

	if (flags || !good_copy(doff, len) || (*src && !good_copy(soff, len)))
		return -EINVAL;
	if (*src == *dest && doff < soff + len && soff < doff + len)
		return -EINVAL;
	r = open_dest(*dest, &to);
	if (r < 0)
		return r;
	r = copy_into(&to, *src, doff, soff, len);
	if (r == 0 && to.place == PLACE_STORE && __twz_rt.sysinfo.flush_mode != TWZ_FLUSH_NONE &&
	    fdatasync(to.fd) < 0)
		r = -errno;
	__twz_file_close(&to);
	return r;
}

/* --- pinning: an object of this process, kept by its file's lock */

#define MAX_PINS 256

static pthread_mutex_t pin_lock = PTHREAD_MUTEX_INITIALIZER;
static struct pin {
	objid_t id; /* 0 = free */
	unsigned count;
	struct hosted_file file;
} pins[MAX_PINS]; /* guarded by pin_lock */

static struct pin *find_pin(objid_t id)
{
	for (struct pin *p = pins; p < pins + MAX_PINS; p++)
		if (p->id == id)
			return p;
	return NULL;
}

static uint64_t pin_count(objid_t id)
{
	struct pin *p;
	uint64_t n;

	pthread_mutex_lock(&pin_lock);
	p = find_pin(id);
	n = p ? p->count : 0;
	pthread_mutex_unlock(&pin_lock);
	return n;
}

static int pin(objid_t id)
{
	struct pin *p = find_pin(id);
	int r = 0;

	if (!p) {
		p = find_pin(0);
		r = p ? __twz_file_open(id, &p->file) : -ENOMEM;
	}
	if (r == 0) {
		p->id = id;
		p->count++;
	}
	return r;
}

static int unpin(objid_t id)
{
	struct pin *p = find_pin(id);

	if (!p)
		return __twz_file_there(id) ? -EINVAL : -ENOENT;
	if (--p->count == 0) {
		p->id = 0;
		__twz_file_close(&p->file);
	}
	return 0;
}

/* --- the rest */

static void fill_stat(objid_t id, const struct hosted_file *f, struct kernel_ostat *st)
{
	struct metainfo mi;
	struct stat s;

	memset(st, 0, sizeof(*st));
	if (__twz_file_verify(f->fd, id, &mi) < 0)
		st->flags |= OS_FLAGS_INVALID;
	else
		st->flags |= mi.p_flags & MIP_HASHDATA ? OS_FLAGS_HASH : 0;
	st->flags |= f->place == PLACE_STORE ? OS_FLAGS_PERSIST : 0;
	st->flags |= f->state != STATE_LIVE ? OS_FLAGS_DELETED : 0;
	st->backing = f->place == PLACE_STORE ? TWZ_BACKING_PERSISTENT : TWZ_BACKING_VOLATILE;
	st->sz = mi.sz;
	st->p_flags = mi.p_flags;
	st->fotentries = mi.fotentries;
	st->kuid = mi.kuid;
	st->pages = fstat(f->fd, &s) == 0 ? (uint64_t)s.st_blocks * 512 / TWZ_PAGE_SIZE : 0;
	st->nr_sleepers = __twz_futex_sleepers(id);
	st->maps = __twz_map_count(id) != 0;
	st->pins = pin_count(id);
	st->flags |= st->pins ? OS_FLAGS_PIN : 0;
	st->ties_in = __twz_tie_count(id, true);
	st->ties_out = __twz_tie_count(id, false);
}

static long stat_page(const struct hosted_file *f, uint64_t pgnr, struct kernel_ostat_page *st)
{
	off_t at = (off_t)(pgnr * TWZ_PAGE_SIZE);

	if (pgnr == 0 || pgnr >= OBJ_MAXPAGES)
		return -EINVAL;
	*st = (struct kernel_ostat_page){ .pgnr = pgnr };
	if (lseek(f->fd, at, SEEK_DATA) == at)
		st->flags = OS_PAGE_EXIST;
	return 0;
}

long sys_ostat(int type, objid_t id, uint64_t arg, void *out)
{
	struct hosted_file f;
	long r;

	if (type != TWZ_OSTAT_OBJECT && type != TWZ_OSTAT_PAGE)
		return -EINVAL;
	if (__twz_probe(out, sizeof(struct kernel_ostat_page), true) < 0)
		return -EFAULT;
	r = __twz_file_open(id, &f);
	if (r < 0)
		return r;
	if (type == TWZ_OSTAT_OBJECT)
		fill_stat(id, &f, out);
	else
		r = stat_page(&f, arg, out);
	__twz_file_close(&f);
	return r;
}

/* Through a mapping where there is one: the host writes back what stands in the file's pages. */
long sys_osync(objid_t id, uint64_t off, uint64_t len, uint64_t flags)
{
	struct hosted_file f;
	char *at = __twz_map_find(id);
	uint64_t start = off & ~(TWZ_PAGE_SIZE - 1);
	int r;

	if (flags || off > OBJ_MAXSIZE || len > OBJ_MAXSIZE - off)
		return -EINVAL;
	if (!__twz_file_there(id))
		return -ENOENT;
	len = len ? len : OBJ_MAXSIZE - off;
	start = start ? start : OBJ_NULLPAGE_SIZE;
	if (at && off + len > start)
		return msync(at + start, off + len - start, MS_SYNC) < 0 ? -errno : 0;
	r = __twz_file_open(id, &f);
	if (r < 0)
		return r;
	if (f.place == PLACE_STORE && fdatasync(f.fd) < 0)
		r = -errno;
	__twz_file_close(&f);
	return r;
}

long sys_opin(objid_t id, uint64_t *addr, uint64_t flags)
{
	int r;

	if (flags & ~(uint64_t)OP_UNPIN || !id)
		return -EINVAL;
	if (addr)
		return -ENOTSUP;
	pthread_mutex_lock(&pin_lock);
	r = flags & OP_UNPIN ? unpin(id) : pin(id);
	pthread_mutex_unlock(&pin_lock);
	if (r == 0 && flags & OP_UNPIN)
		__twz_file_reap(id);
	return r;
}

/* --- control */

/* Move the file to another place. Nobody has it mapped: else -EBUSY. Caller holds the lock. */
static int move_locked(objid_t id, unsigned place)
{
	struct hosted_file from, to;
	char name[64];
	int r = __twz_file_open(id, &from);

	if (r < 0)
		return r;
	if (from.place == place)
		r = 1;
	else if (flock(from.fd, LOCK_EX | LOCK_NB) < 0)
		r = -EBUSY;
	if (r == 0)
		r = __twz_file_make(place, &to, name);
	if (r == 0) {
		r = __twz_file_copy(to.fd, 0, from.fd, 0, OBJ_MAXSIZE);
		if (r == 0)
			r = __twz_file_publish(&to, name, id, from.state);
		if (r == 0)
			__twz_file_close(&to);
		else
			__twz_file_abandon(&to, name);
	}
	if (r == 0)
		__twz_file_forget(id, &from);
	__twz_file_close(&from);
	return r == 0 ? __twz_tie_move(id) : r == 1 ? 0 : r;
}

static int move(objid_t id, unsigned place)
{
	int r;

	__twz_places_lock();
	__twz_own_ties_close(id);
	r = move_locked(id, place);
	__twz_own_ties_reopen(id);
	__twz_places_unlock();
	return r;
}

static long persist(objid_t id, long to)
{
	unsigned place;

	if (to != 0 && to != 1)
		return -EINVAL;
	if (__twz_place_dir(PLACE_STORE) < 0)
		return -ENODEV;
	if (!__twz_file_exists(id, &place))
		return -ENOENT;
	if (pin_count(id))
		return -EBUSY;
	return __twz_map_without(id, move, to ? PLACE_STORE : PLACE_MEMORY);
}

long sys_octl(objid_t id, int op, long a1, long a2, long a3)
{
	(void)a2;
	switch (op) {
	case OCO_PERSIST:
		return persist(id, a1);
	case OCO_CACHE_MODE:
		return a3 == OC_CM_WB ? 0 : a3 < 0 || a3 > OC_CM_WC ? -EINVAL : -ENOTSUP;
	case OCO_MAP:
	case OCO_UNMAP:
	case OCO_REVOKE:
	case OCO_MAP_RO:
		return -ENOTSUP;
	default:
		return -EINVAL;
	}
}
