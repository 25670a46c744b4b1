// SPDX-License-Identifier: BSD-3-Clause
/*
 * Threads that go on after a reset, see kso/resume.h. The list of them is kso/resume_book.h.
 */
#define LOG_PREFIX "resume"

#include <abi/errno.h>
#include <abi/fault.h>
#include <fault/become.h>
#include <fault/fault.h>
#include <kso/directory.h>
#include <kso/resume.h>
#include <kso/resume_book.h>
#include <log.h>
#include <mm/space.h>
#include <obj/object.h>
#include <obj/persist.h>
#include <sched/sched.h>
#include <sched/thread.h>
#include <sec/attach.h>
#include <sec/context.h>
#include <sys/access.h>

#define REPR(member) (OBJ_NULLPAGE_SIZE + offsetof(struct twzthread_repr, member))

/* Of a thread that ends; and of one that is being entered. */
#define PLACE_NEVER UINT32_MAX
#define PLACE_COMING (UINT32_MAX - 1)

static struct {
	/*
	 * Outermost. Held while a record is written, so that the last one written is the last state
	 * there was; and a thread that has a place, or is coming to one, does not go while it is
	 * held.
	 */
	struct spinlock lock;
	/* Guarded by lock. */
	bool open;
	struct resume_state state; /* too large for the stack */
} book;

/* ---- The list's object ---- */

static int open_list(struct object *object)
{
	int error = resume_book_open(object);

	if (!error) {
		object->kernel_owned = true; /* nobody maps it writable, whatever rights he has */
		book.open = true;
	}
	return error;
}

/* Lock held. */
static int make_list(void)
{
	const struct object_spec spec = { .persistent = true, .system = true };
	struct object *object;
	int error = object_create(&spec, &object);

	if (error)
		return error;
	error = open_list(object);
	object_put(object);
	return error;
}

/* ---- Recording ---- */

static objid_t persistent_id(const struct seccontext *context)
{
	return context->object && context->object->persistent ? context->object->id : 0;
}

/* What is attached, as far as it outlives a reset. */
static void gather_contexts(struct thread *thread, struct resume_state *state)
{
	state->context_count = 0;
	for (unsigned int i = 0; i < TWZ_THRD_MAX_SCS; i++) {
		struct seccontext *context = sec_attached_at(thread, i);
		if (!context)
			continue;
		objid_t id = persistent_id(context);
		if (id)
			state->contexts[state->context_count++] = id;
		seccontext_put(context);
	}
}

/*
 * The thread's place (0: it comes to one now) and its state. Lock held. -EINVAL: it cannot be
 * marked.
 */
static int gather(struct object *repr, struct resume_state *state, resume_place *place)
{
	spin_lock(&repr->lock);
	struct thread *thread = repr->thread;
	bool eligible = thread && thread->resume_place != PLACE_NEVER && repr->persistent && thread->home.persistent;
	if (eligible) {
		*place = thread->resume_place;
		if (!*place)
			thread->resume_place = PLACE_COMING;
		*state = (struct resume_state){
			.thread = repr->id,
			.view = thread->home.view,
			.active = thread->home.active,
			.unrestricted = !sec_has_attached(thread),
		};
		sched_values_tell(&thread->sched, &state->sched);
	}
	spin_unlock(&repr->lock);
	if (!eligible)
		return -EINVAL;
	gather_contexts(thread, state);
	return 0;
}

/* The root lists what is attached to it. Lock held. */
static void list_under_root(struct thread *thread, bool marked)
{
	if (marked == (thread->rooted != 0))
		return;
	if (marked) {
		thread->rooted = directory_enter(&kso_root, thread->id, KSO_THREAD, 0);
	} else {
		directory_leave(&kso_root, thread->rooted);
		thread->rooted = 0;
	}
}

static void set_place(struct object *repr, resume_place place)
{
	const uint64_t flags = place && place != PLACE_NEVER ? THRD_FLAG_RESUMABLE : 0;

	spin_lock(&repr->lock);
	struct thread *thread = repr->thread;
	thread->resume_place = place;
	spin_unlock(&repr->lock);
	list_under_root(thread, flags != 0);
	(void)object_write(repr, REPR(flags), &flags, sizeof(flags));
}

/* Lock held. */
static int record(struct object *repr)
{
	resume_place place;
	int error = gather(repr, &book.state, &place);

	if (error)
		return error;
	bool first = place == 0;
	if (!book.open)
		error = make_list();
	if (!error)
		error = resume_book_write(&place, &book.state);
	if (first)
		set_place(repr, place);
	return error;
}

static int mark(struct object *repr)
{
	spin_lock(&book.lock);
	int error = record(repr);
	spin_unlock(&book.lock);
	return error;
}

void resume_changed(struct object *repr)
{
	spin_lock(&repr->lock);
	bool marked = repr->thread && repr->thread->resume_place != 0;
	spin_unlock(&repr->lock);
	if (!marked)
		return;
	int error = mark(repr);
	if (error)
		log_error("a change of thread " IDFMT " cannot be recorded (%d): after a reset it goes on as before",
			  IDPR(repr->id), error);
}

void resume_note(struct thread *thread)
{
	struct addrspace *space = thread->space;

	if (become_in_call(thread))
		return;
	spin_lock(&thread->repr->lock);
	thread->home.view = space->view->id;
	thread->home.persistent = space->view->persistent;
	thread->home.active = persistent_id(space->context);
	spin_unlock(&thread->repr->lock);
	if (thread->resume_place)
		resume_changed(thread->repr);
}

/* Take the thread out of the list; its place becomes `next`. Lock held. */
static int unmark(struct object *repr, resume_place next)
{
	spin_lock(&repr->lock);
	struct thread *thread = repr->thread;
	resume_place place = thread ? thread->resume_place : 0;
	spin_unlock(&repr->lock);
	if (place == 0 || place == PLACE_NEVER)
		return -ENOENT;
	int error = resume_book_erase(&place);
	if (!error || next)
		set_place(repr, next);
	return error;
}

int resume_detach(struct object *repr)
{
	spin_lock(&book.lock);
	int error = unmark(repr, 0);
	spin_unlock(&book.lock);
	return error;
}

void resume_end(struct thread *thread)
{
	spin_lock(&thread->repr->lock);
	bool marked = thread->resume_place != 0;
	if (!marked)
		thread->resume_place = PLACE_NEVER;
	spin_unlock(&thread->repr->lock);
	if (!marked)
		return;
	spin_lock(&book.lock);
	int error = unmark(thread->repr, PLACE_NEVER);
	if (error == -ENOENT)
		set_place(thread->repr, PLACE_NEVER);
	spin_unlock(&book.lock);
	if (error && error != -ENOENT)
		log_error("the end of thread " IDFMT " cannot be recorded (%d): it starts again after a reset",
			  IDPR(thread->id), error);
}

/* ---- Starting ---- */

static void begin(struct thread *thread, uint64_t flags)
{
	const struct fault_resume_info info = {
		.view = thread->space->view->id,
		.sctx = thread->space->context->object ? thread->space->context->object->id : 0,
		.boots = persist_store_count() ? store_boot_count(persist_store_at(0)) : 0,
		.flags = flags,
	};

	fault_resume(thread, &info);
}

static void begin_attached(struct thread *thread)
{
	begin(thread, 0);
}

static void begin_after_reset(struct thread *thread)
{
	begin(thread, FAULT_RESUME_RESET);
}

/* Whether the thread object says where to begin, and on what stack. */
static bool can_begin(struct object *repr)
{
	struct faultinfo handler;
	uint64_t stack[2]; /* and its size */
	uint64_t at = REPR(faults) + FAULT_RESUME * sizeof(handler);

	return object_read(repr, at, &handler, sizeof(handler)) == 0 && handler.addr &&
	       object_read(repr, REPR(fault_stack), stack, sizeof(stack)) == 0 && stack[0] && stack[1];
}

/* The view that a thread object names, if the caller may start threads there. */
static int named_view(struct object *repr, struct object **view)
{
	objid_t id;
	int error = object_read(repr, REPR(view), &id, sizeof(id));

	return error ? error : sys_take_object(id, SEC_OP_SPAWN_VIEW, view);
}

static int start_idle(struct object *repr)
{
	static const struct thrd_spawn_args nothing;
	struct object *view;
	struct thread *thread;
	int error = named_view(repr, &view);

	if (error)
		return error;
	bool durable = repr->persistent && view->persistent;
	error = thread_prepare(repr, view, current_thread()->space->context, &nothing, &thread);
	object_put(view);
	if (error)
		return error;
	thread->resume = begin_attached;
	error = durable ? mark(repr) : 0;
	if (error)
		thread_discard(thread);
	else
		thread_launch(thread);
	return error;
}

int resume_attach(struct object *repr)
{
	if (!can_begin(repr))
		return -EINVAL;
	spin_lock(&repr->lock);
	bool running = repr->thread != NULL;
	bool other = repr->kso_type != KSO_NONE && repr->kso_type != KSO_THREAD;
	spin_unlock(&repr->lock);
	return other ? -EBUSY : running ? mark(repr) : start_idle(repr);
}

/* ---- After a reset ---- */

/* An object that the thread needs, found and sound, or NULL with the reason. */
static struct object *sound_object(objid_t id, const char *missing, const char *unsound, const char **why)
{
	struct object *object = object_get(id);

	*why = missing;
	if (!object)
		return NULL;
	spin_lock(&object->lock);
	int error = object_verify(object);
	spin_unlock(&object->lock);
	if (!error)
		return object;
	*why = unsound;
	object_put(object);
	return NULL;
}

static struct seccontext *sound_context(objid_t id, const char **why)
{
	struct seccontext *context = NULL;
	struct object *object = sound_object(id, "a context of it is gone", "the metadata of a context is invalid", why);

	if (object && seccontext_get(object, &context) != 0)
		*why = "out of memory";
	object_put(object);
	return context;
}

/* What was attached is attached again. It had fewer rights with all of them than with some. */
static bool attach_recorded(struct thread *thread, const struct resume_state *state, const char **why)
{
	*why = "out of memory";
	if (!state->unrestricted && sec_make_set(thread) != 0)
		return false;
	for (uint32_t i = 0; i < state->context_count; i++) {
		struct seccontext *context = sound_context(state->contexts[i], why);
		int added = context ? sec_add(thread, context) : -ENOENT;
		if (context)
			seccontext_put(context);
		if (added < 0)
			return false;
	}
	if (!state->unrestricted)
		sec_fresh_settled(thread, UINT32_MAX);
	return true;
}

/* The thread's priority and CPUs, if this machine has them. */
static void schedule_recorded(struct thread *thread, const struct resume_state *state)
{
	struct sched_values values;

	if (sched_values_check(&state->sched, &values) == 0)
		sched_set(thread, &values);
	else
		log_warn("thread " IDFMT " cannot be scheduled as it was: it has the default", IDPR(thread->id));
}

static struct thread *prepare_recorded(struct object *repr, struct object *view, const struct resume_state *state,
				       const char **why)
{
	static const struct thrd_spawn_args nothing;
	struct seccontext *active = state->unrestricted ? &sec_bootstrap : &sec_none;
	struct thread *thread = NULL;

	if (state->active && !state->unrestricted)
		active = sound_context(state->active, why);
	if (!active)
		return NULL;
	*why = "it cannot be started";
	int error = thread_prepare(repr, view, active, &nothing, &thread);
	if (active->object)
		seccontext_put(active);
	if (!error && !attach_recorded(thread, state, why)) {
		thread_discard(thread);
		error = -ENOENT;
	}
	return error ? NULL : thread;
}

/* NULL: the thread runs; else why not. */
static const char *start_recorded(resume_place place, const struct resume_state *state)
{
	const char *why = NULL;
	struct thread *thread = NULL;
	struct object *view = NULL;
	struct object *repr = sound_object(state->thread, "its object is gone", "the metadata of its object is invalid",
					   &why);

	if (repr)
		view = sound_object(state->view, "its view is gone", "the metadata of its view is invalid", &why);
	if (view)
		thread = prepare_recorded(repr, view, state, &why);
	if (thread) {
		schedule_recorded(thread, state);
		thread->resume_place = place;
		list_under_root(thread, true);
		thread->resume = begin_after_reset;
		thread_launch(thread);
	}
	object_put(view);
	object_put(repr);
	return thread ? NULL : why;
}

static void start_all(void)
{
	static struct resume_state state; /* one CPU, once */
	unsigned int started = 0;

	for (resume_place place = 0; (place = resume_book_next(place, &state));) {
		const char *why = start_recorded(place, &state);
		if (why)
			log_warn("thread " IDFMT " is not resumed: %s", IDPR(state.thread), why);
		else
			started++;
	}
	if (started)
		log_notice("%u threads resumed", started);
}

void resume_boot(void)
{
	objid_t id = persist_system_object();
	struct object *object = id ? object_get(id) : NULL;

	if (id && (!object || open_list(object) != 0))
		log_error("the list of threads to resume cannot be read: none is");
	else if (id)
		start_all();
	object_put(object);
}
