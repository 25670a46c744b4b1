// SPDX-License-Identifier: BSD-3-Clause
/*
 * Running program objects, each in a view of its own. View and stack are tied to the first thread,
 * the data to the view: all goes when the thread has ended and nothing uses it any more.
 */
#include "env.h"
#include "runtime.h"

#include <twz/name.h>
#include <twz/sys/sys.h>

#define NEW_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE)

/* Everything a new program is made of. IDs of objects made here; 0 = not made. */
struct launch {
	objid_t program;
	uint64_t entry;
	size_t slot; /* of the text */
	objid_t template;
	objid_t view, stack, data;
	struct thread *thread;
};

static int read_header(struct launch *l)
{
	struct twz_program h;
	twzobj text;
	int r = twz_object_init_guid(&text, l->program, FE_READ);

	if (r < 0)
		return r;
	h = *(struct twz_program *)twz_object_base(&text);
	twz_object_release(&text);
	if (h.magic != PROGRAM_MAGIC || h.version != PROGRAM_VERSION ||
	    h.machine != twz_sysinfo()->arch || h.entry >= OBJ_MAXSIZE)
		return -ENOEXEC;
	l->entry = h.entry;
	l->template = h.data;
	return 0;
}

/* Bytes of the argument block; 0 if there are too many or the pointers are NULL. */
static size_t args_size(int argc, char *const argv[])
{
	size_t n = sizeof(struct twz_program_args) + ((size_t)argc + 1) * sizeof(char *);

	for (int i = 0; i < argc && n <= TWZ_ARGS_MAX; i++)
		n += strnlen(argv[i], TWZ_ARGS_MAX) + 1;
	return n <= TWZ_ARGS_MAX ? n : 0;
}

/* Fill the block in the stack object, which the program will see in TWZSLOT_STACK. */
static void write_args(char *object, int argc, char *const argv[],
    const struct twz_program_opts *opts)
{
	uint64_t there = SLOT_TO_VADDR(TWZSLOT_STACK);
	struct twz_program_args *a = (void *)(object + TWZ_ARGS_OFFSET);
	uint64_t *ptrs = (uint64_t *)(a + 1);
	char *s = (char *)(ptrs + argc + 1);

	for (int i = 0; i < argc; i++) {
		size_t len = strlen(argv[i]) + 1;

		ptrs[i] = there + (uint64_t)(s - object);
		memcpy(s, argv[i], len);
		s += len;
	}
	*a = (struct twz_program_args){
		.magic = TWZ_ARGS_MAGIC,
		.version = TWZ_ARGS_VERSION,
		.argc = (uint32_t)argc,
		.nameroot = opts && opts->nameroot ? opts->nameroot : __twz_rt.nameroot,
		.packroot = opts && opts->packroot ? opts->packroot : __twz_rt.packroot,
		.argv = there + (uint64_t)((char *)ptrs - object),
		.size = (uint64_t)(s - (char *)a),
	};
}

/* What this program has, with what opts say. */
static int write_env(char *list, const struct twz_program_opts *opts)
{
	int r = 0;

	if (opts && opts->only_env && opts->env_as_is)
		return __twz_env_list_fill(list, opts->env) < 0 ? -E2BIG : 0;
	if (!opts || !opts->only_env)
		__twz_env_inherit(list);
	for (const char *const *e = opts ? opts->env : NULL; r == 0 && e && *e; e++)
		r = __twz_env_list_put(list, *e);
	return r == -ENOMEM ? -E2BIG : r;
}

static int make_stack(struct launch *l, int argc, char *const argv[],
    const struct twz_program_opts *opts)
{
	twzobj stack;
	char *object;
	int r = __twz_create_child(l->thread->tid, NEW_FLAGS, 0, &l->stack);

	if (r == 0)
		r = __twz_object_init_transient(&stack, l->stack, FE_READ | FE_WRITE);
	if (r < 0)
		return r;
	object = (char *)twz_object_base(&stack) - OBJ_NULLPAGE_SIZE;
	write_args(object, argc, argv, opts);
	r = write_env(object + TWZ_ENV_OFFSET, opts);
	twz_object_release(&stack);
	return r;
}

static int make_view(struct launch *l, const struct twz_program_opts *opts)
{
	twzobj view;
	int r = __twz_create_child(l->thread->tid, NEW_FLAGS, 0, &l->view);

	if (r == 0)
		r = __twz_create_child(l->view, NEW_FLAGS, l->template, &l->data);
	if (r == 0)
		r = __twz_object_init_transient(&view, l->view, FE_READ | FE_WRITE);
	if (r < 0)
		return r;
	twz_view_set(&view, l->slot + PROGRAM_TEXT_SLOT, l->program, VE_READ | VE_EXEC);
	twz_view_set(&view, l->slot + PROGRAM_DATA_SLOT, l->data, VE_READ | VE_WRITE);
	twz_view_set(&view, TWZSLOT_THRD, l->thread->tid, VE_READ | VE_WRITE);
	twz_view_set(&view, TWZSLOT_STACK, l->stack, VE_READ | VE_WRITE);
	twz_view_set(&view, TWZSLOT_CVIEW, l->view, VE_READ | VE_WRITE);
	if (opts && opts->prepare)
		opts->prepare(&view, l->thread->tid, opts->prepare_arg);
	twz_object_release(&view);
	return 0;
}

static int make_objects(struct launch *l, int argc, char *const argv[],
    const struct twz_program_opts *opts)
{
	int r = twz_thread_create(l->thread);

	if (r == 0)
		r = make_stack(l, argc, argv, opts);
	if (r == 0)
		r = make_view(l, opts);
	return r;
}

static int start(struct launch *l, const char *name)
{
	struct twzthread_repr *repr = twz_object_base(&l->thread->obj);
	struct thrd_spawn_args a = {
		.target_view = l->view,
		.start_func = SLOT_TO_VADDR(l->slot) + l->entry,
		.arg = SLOT_TO_VADDR(TWZSLOT_STACK) + TWZ_ARGS_OFFSET,
		.stack_base = SLOT_TO_VADDR(TWZSLOT_STACK) + TWZ_STACK_OFFSET,
		.stack_size = TWZ_THREAD_STACK_SIZE,
	};

	strlcpy(repr->hdr.name, name, KSO_NAME_MAXLEN);
	return __twz_thread_start(l->thread, &a);
}

int twz_program_spawn(objid_t program, int argc, char *const argv[],
    const struct twz_program_opts *opts, struct thread *t)
{
	struct launch l = { .program = program, .slot = opts ? opts->slot : 0, .thread = t };
	int r;

	memset(t, 0, sizeof(*t));
	if (argc < 0 || !args_size(argc, argv))
		return -E2BIG;
	r = read_header(&l);
	if (r == 0)
		r = make_objects(&l, argc, argv, opts);
	if (r == 0)
		r = start(&l, argc > 0 ? argv[0] : "program");
	if (r < 0)
		twz_thread_release(t);
	return r;
}

/*
 * A thread says by itself that it is about to exit; the kernel says that it has ended, and with it
 * its address space. Who waits for a program may count on its memory being free again.
 */
static void wait_ended(struct thread *t)
{
	struct twzthread_repr *repr = twz_object_base(&t->obj);
	atomic_ulong *state = (atomic_ulong *)&repr->syncs[THRD_SYNC_STATE];
	unsigned long now;

	while ((now = atomic_load(state)) != THRD_STATE_ENDED)
		twz_thread_sync(THREAD_SYNC_SLEEP, state, now, NULL);
}

int twz_program_wait(struct thread *t, uint64_t *status)
{
	int r = twz_thread_join(t, status, 0);

	if (r == 0)
		wait_ended(t);
	twz_thread_release(t);
	return r;
}
