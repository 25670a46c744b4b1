// SPDX-License-Identifier: BSD-3-Clause
/*
 * Threads are those of the host. Each has a thread object, and a file in the memory folder that it
 * holds locked, by which others tell whether it still runs. A thread that libtwz did not start gets
 * its object when it first needs one.
 */
#define _GNU_SOURCE
#include "hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <twz/sys/sys.h>
#include <unistd.h>

__thread struct twz_thread_self __twz_self;

/* Of a thread that libtwz started: where it leaves. */
static __thread uint64_t *leave_regs;
static __thread int sign_fd = -1;

static pid_t main_pid;
static __thread bool is_first;
static pthread_key_t adopted_key;

/* --- the sign that a thread lives */

static void sign_name(char *to, size_t size, uint64_t low)
{
	snprintf(to, size, "thread-%016lx", (unsigned long)(low & THREAD_SYNC_OWNER_MASK));
}

static int put_sign(objid_t tid)
{
	char name[32];

	sign_name(name, sizeof(name), ID_LO(tid));
	sign_fd = openat(__twz_place_dir(PLACE_MEMORY), name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sign_fd < 0)
		return -errno;
	return flock(sign_fd, LOCK_SH) < 0 ? -errno : 0;
}

static void remove_sign(objid_t tid)
{
	char name[32];

	sign_name(name, sizeof(name), ID_LO(tid));
	unlinkat(__twz_place_dir(PLACE_MEMORY), name, 0);
	if (sign_fd >= 0)
		close(sign_fd);
	sign_fd = -1;
}

bool __twz_thread_lives(uint64_t low)
{
	char name[32];
	bool lives;
	int fd;

	sign_name(name, sizeof(name), low);
	fd = openat(__twz_place_dir(PLACE_MEMORY), name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	lives = flock(fd, LOCK_EX | LOCK_NB) < 0;
	if (!lives)
		unlinkat(__twz_place_dir(PLACE_MEMORY), name, 0);
	close(fd);
	return lives;
}

/* --- beginning */

static int begin(objid_t tid)
{
	struct twzthread_repr *repr;
	int r;

	__twz_self.tid = tid;
	r = put_sign(tid);
	if (r == 0)
		r = twz_object_init_guid(&__twz_self.obj, tid, FE_READ | FE_WRITE);
	if (r < 0)
		return r;
	repr = __twz_self.repr = twz_object_base(&__twz_self.obj);
	repr->reprid = tid;
	__twz_signal_thread_begin(tid);
	__atomic_store_n(&repr->syncs[THRD_SYNC_STATE], THRD_STATE_STARTED, __ATOMIC_RELEASE);
	return 0;
}

/* Say that the thread has ended; its object is released last. */
static void end(void)
{
	struct twzthread_repr *repr = __twz_self.repr;

	objid_t tid = __twz_self.tid;

	if (!tid)
		return;
	__twz_signal_thread_end();
	__twz_own_ties_drop(tid);
	remove_sign(tid);
	if (repr) {
		repr->syncs[THRD_SYNC_STATE] = THRD_STATE_ENDED;
		__atomic_store_n(&repr->syncs[THRD_SYNC_EXIT], 1, __ATOMIC_RELEASE);
		twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&repr->syncs[THRD_SYNC_STATE],
		    (uint64_t)-1, NULL);
		twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&repr->syncs[THRD_SYNC_EXIT],
		    (uint64_t)-1, NULL);
	}
	__twz_self.repr = NULL;
	twz_object_release(&__twz_self.obj);
	__twz_self.tid = 0;
}

/* A thread of the host's own, which now uses libtwz. */
static __attribute__((noinline)) void adopt(void)
{
	struct hosted_file f;
	objid_t id;

	if (__twz_own_object(&id, &f) < 0 || begin(id) < 0)
		libtwz_refuse("no thread object can be made: is there memory?");
	__twz_file_close(&f);
	__twz_trap_thread_begin();
	pthread_setspecific(adopted_key, &__twz_self);
}

static void end_adopted(void *unused)
{
	(void)unused;
	end();
	__twz_trap_thread_end();
}

objid_t twz_thread_id(void)
{
	if (!__twz_self.tid)
		adopt();
	return __twz_self.tid;
}

struct twzthread_repr *twz_thread_repr_base(void)
{
	if (!__twz_self.repr)
		twz_thread_id();
	return __twz_self.repr;
}

void twz_thread_set_name(const char *name)
{
	strlcpy(twz_thread_repr_base()->hdr.name, name, KSO_NAME_MAXLEN);
}

/* --- spawning */

struct start_record {
	void (*start)(void *);
	void *arg;
	objid_t tid;
	struct hosted_file file; /* keeps the thread's object until it has opened it */
};

static void *run(void *arg)
{
	struct start_record r = *(struct start_record *)arg;
	uint64_t regs[26];
	int error;

	free(arg);
	__twz_trap_thread_begin();
	error = begin(r.tid);
	__twz_file_close(&r.file);
	leave_regs = regs;
	if (!__twz_try_save(regs) && error == 0)
		r.start(r.arg);
	end();
	__twz_trap_thread_end();
	return NULL;
}

int twz_thread_create(struct thread *t)
{
	int r;

	memset(t, 0, sizeof(*t));
	twz_thread_id();
	r = twz_object_new(&t->obj, NULL, NULL, OBJ_VOLATILE, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE);
	if (r == 0)
		t->tid = twz_object_guid(&t->obj);
	return r;
}

static void drop_thread_object(struct thread *t)
{
	twz_object_tie(NULL, &t->obj, TIE_UNTIE);
	twz_object_release(&t->obj);
	memset(t, 0, sizeof(*t));
}

static int set_stack(pthread_attr_t *attr, const struct thrd_spawn_args *a)
{
	size_t size = TWZ_THREAD_STACK_SIZE;

	if (a->stack_base && a->stack_size < (size_t)PTHREAD_STACK_MIN)
		return -EINVAL;
	if (a->stack_base)
		return -pthread_attr_setstack(attr, (void *)a->stack_base, a->stack_size);
	return -pthread_attr_setstacksize(attr, size);
}

static int start_host_thread(struct start_record *record, const struct thrd_spawn_args *a)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	r = set_stack(&attr, a);
	if (r == 0)
		r = -pthread_create(&thread, &attr, run, record);
	pthread_attr_destroy(&attr);
	return r == -EAGAIN ? -ENOMEM : r;
}

/* The thread keeps its object from now on: it is tied to its maker no longer. */
int __twz_thread_start(struct thread *t, struct thrd_spawn_args *a)
{
	struct start_record *record = malloc(sizeof(*record));
	int r = record ? __twz_file_open(t->tid, &record->file) : -ENOMEM;

	if (r < 0) {
		free(record);
		return r;
	}
	record->start = (void (*)(void *))a->start_func;
	record->arg = (void *)a->arg;
	record->tid = t->tid;
	r = start_host_thread(record, a);
	if (r < 0) {
		__twz_file_close(&record->file);
		free(record);
		return r;
	}
	twz_object_tie(NULL, &t->obj, TIE_UNTIE);
	return 0;
}

int twz_thread_spawn(struct thread *t, struct thrd_spawn_args *args)
{
	int r = args->target_view ? -ENOTSUP : twz_thread_create(t);

	if (r < 0)
		return r;
	strlcpy(((struct twzthread_repr *)twz_object_base(&t->obj))->hdr.name,
	    twz_thread_repr_base()->hdr.name, KSO_NAME_MAXLEN);
	r = __twz_thread_start(t, args);
	if (r < 0)
		drop_thread_object(t);
	return r;
}

int twz_thread_release(struct thread *t)
{
	if (!t->tid)
		return -EINVAL;
	drop_thread_object(t);
	return 0;
}

/* Faults run on the stack that the host was told for signals. */
void __twz_thread_set_fault_stack(struct twzthread_repr *repr, size_t slot)
{
	(void)repr;
	(void)slot;
}

/* Threads of the host come with their storage. */
size_t __twz_tls_size(void)
{
	return 0;
}

void *__twz_tls_init(void *p)
{
	return p;
}

void __twz_set_thread_pointer(void *tp)
{
	(void)tp;
}

/* --- ending */

/* Codes above 255 are those of faults: the host's parent process shall see a failure. */
static _Noreturn void end_process(uint64_t code)
{
	end();
	if (code > 255)
		__twz_trap_die();
	exit((int)code);
}

_Noreturn void __twz_thread_leave(void)
{
	if (is_first)
		end_process(__twz_self.repr ?
		    __twz_self.repr->syncinfos[THRD_SYNC_EXIT] : 0);
	if (leave_regs)
		__twz_try_load(leave_regs, 1);
	pthread_exit(NULL);
}

_Noreturn void twz_thread_exit(uint64_t code)
{
	if (__twz_self.repr)
		__atomic_store_n(&__twz_self.repr->syncinfos[THRD_SYNC_EXIT], code,
		    __ATOMIC_RELEASE);
	__twz_thread_leave();
}

/* --- setup */

static void end_first(void)
{
	if (!is_first || getpid() != main_pid)
		return;
	__twz_own_ties_drop(__twz_view_repr(NULL)->ves[TWZSLOT_CVIEW].id);
	end();
}

void __twz_thread_setup(objid_t id)
{
	main_pid = getpid();
	is_first = true;
	pthread_key_create(&adopted_key, end_adopted);
	__twz_trap_thread_begin();
	if (begin(id) < 0)
		libtwz_refuse("no thread object can be opened: is there memory?");
	strlcpy(__twz_self.repr->hdr.name, program_invocation_short_name, KSO_NAME_MAXLEN);
	atexit(end_first);
}

/* The parent's thread is not ours: neither its sign, nor its handle. */
void __twz_thread_forked(objid_t id)
{
	if (sign_fd >= 0)
		close(sign_fd);
	main_pid = getpid();
	is_first = true;
	leave_regs = NULL;
	__twz_signal_forked();
	__twz_own_ties_forked();
	__twz_self = (struct twz_thread_self){ 0 };
	if (begin(id) < 0)
		libtwz_refuse("no thread object can be opened: is there memory?");
	strlcpy(__twz_self.repr->hdr.name, program_invocation_short_name, KSO_NAME_MAXLEN);
}
