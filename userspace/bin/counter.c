// SPDX-License-Identifier: BSD-3-Clause
/*
 * A service that outlives resets: a thread that counts in persistent memory, all of which (its
 * object, view, data and stack) is persistent, and that is attached to the root. Nobody starts it
 * again: at every boot the kernel does, at its resume handler, which finds the count as it was.
 *
 *	counter start	make the service and start it
 *	counter stop	do not resume it any more; it runs on until the machine stops
 *	counter lower	let it run only when nothing else wants to
 *	counter confine	take from it the right to delete anything
 *	counter end	end it
 *	counter		show the count
 */
#include <abi/program.h>
#include <base/string.h>
#include <twz/debug.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/persist.h>
#include <twz/sys/kec.h>
#include <twz/sys/kso.h>
#include <twz/sys/program.h>
#include <twz/sys/sctx.h>
#include <twz/sys/sync.h>
#include <twz/sys/sys.h>
#include <twz/sys/view.h>

#define THREAD_NAME "counter.thread"
#define STATE_NAME "counter.state"
#define OBJECT_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define ACCESS (FE_READ | FE_WRITE)
#define PERIOD_NS 20000000
#define STACK_OFFSET 0x100000ul /* of the fault stack, in the state object */
#define STACK_SIZE 0x100000ul

/*
 * Base of the state object, which also holds the stack and stands in the service's slot for stacks.
 */
struct state {
	objid_t id; /* the object's own */
	uint64_t count;
	uint64_t starts;
	uint64_t boot; /* boot code of the last start: a second one in the same boot would be a fault */
};

static struct state *service_state(void)
{
	return (struct state *)(SLOT_TO_VADDR(TWZSLOT_STACK) + OBJ_NULLPAGE_SIZE);
}

/*
 * The service runs in a view of its own, with a copy of this program's data and without a thread
 * pointer: nothing that is a thread's own can be used, so it asks the kernel to make durable.
 */
static void store_durably(uint64_t *word, uint64_t value)
{
	*(volatile uint64_t *)word = value;
	sys_osync(service_state()->id, (uintptr_t)word % OBJ_MAXSIZE, sizeof(*word), 0);
}

static void tell_how(void)
{
	struct twz_sched sched = { 0 };
	objid_t active = 0;

	sys_thrd_ctl(THRD_CTL_GET_SCHED, (long)&sched);
	sys_thrd_ctl(THRD_CTL_GET_ACTIVE, (long)&active);
	debug_printf("counter: class %u, context " IDFMT "\n", sched.klass, IDPR(active));
}

static void serve(int fault, void *info, struct twz_fault_frame *frame)
{
	struct state *state = service_state();
	uint64_t boot = (uint64_t)sys_kconf(KCONF_RDRESET, 0);
	struct timespec period = { .tv_nsec = PERIOD_NS };

	(void)fault;
	(void)frame;
	debug_printf("counter: start %lu at %lu, %s%s\n", (unsigned long)state->starts + 1, (unsigned long)state->count,
	    ((struct fault_resume_info *)info)->flags & FAULT_RESUME_RESET ? "resumed" : "new",
	    state->boot == boot ? ", AGAIN" : "");
	state->boot = boot;
	store_durably(&state->starts, state->starts + 1);
	tell_how();
	for (;;) {
		store_durably(&state->count, state->count + 1);
		debug_printf("counter: %lu\n", (unsigned long)state->count);
		sys_thread_sync(0, NULL, &period);
	}
}

/* --- making it */

static int make(twzobj *o, twzobj *source)
{
	return twz_object_new(o, source, NULL, OBJ_PERSISTENT, OBJECT_FLAGS);
}

static void fill_view(twzobj *view, twzobj *thread, twzobj *state, twzobj *data)
{
	objid_t program;
	uint32_t flags;

	twz_view_get(NULL, PROGRAM_TEXT_SLOT, &program, &flags);
	twz_view_set(view, PROGRAM_TEXT_SLOT, program, VE_READ | VE_EXEC);
	twz_view_set(view, PROGRAM_DATA_SLOT, twz_object_guid(data), VE_READ | VE_WRITE);
	twz_view_set(view, TWZSLOT_THRD, twz_object_guid(thread), VE_READ | VE_WRITE);
	twz_view_set(view, TWZSLOT_STACK, twz_object_guid(state), VE_READ | VE_WRITE);
	twz_view_set(view, TWZSLOT_CVIEW, twz_object_guid(view), VE_READ | VE_WRITE);
}

static void fill_thread(twzobj *thread, twzobj *view)
{
	struct twzthread_repr *repr = twz_object_base(thread);

	kso_set_name(thread, "counter");
	repr->faults[FAULT_RESUME].addr = (uint64_t)serve;
	repr->fault_stack = SLOT_TO_VADDR(TWZSLOT_STACK) + STACK_OFFSET;
	repr->fault_stack_size = STACK_SIZE;
	repr->view = twz_object_guid(view);
	_clwb_len(repr, sizeof(*repr));
	_pfence();
}

static int make_service(twzobj *thread)
{
	twzobj program_data, data, view, state;
	int r = twz_object_init_ptr(&program_data, (void *)(SLOT_TO_VADDR(PROGRAM_DATA_SLOT) + OBJ_NULLPAGE_SIZE));

	if (r == 0)
		r = make(&data, &program_data);
	if (r == 0)
		r = make(&view, NULL);
	if (r == 0)
		r = make(&state, NULL);
	if (r == 0)
		r = make(thread, NULL);
	if (r < 0)
		return r;
	((struct state *)twz_object_base(&state))->id = twz_object_guid(&state);
	_clwb_len(twz_object_base(&state), sizeof(struct state));
	_pfence();
	fill_view(&view, thread, &state, &data);
	fill_thread(thread, &view);
	r = twz_name_assign(twz_object_guid(&state), STATE_NAME);
	return r < 0 ? r : twz_name_assign(twz_object_guid(thread), THREAD_NAME);
}

static int start(void)
{
	objid_t id;
	twzobj thread;

	if (twz_name_dfl_resolve(THREAD_NAME, 0, &id) == 0)
		return -EEXIST;
	int r = make_service(&thread);
	return r < 0 ? r : (int)sys_attach(KSO_ROOT_ID, twz_object_guid(&thread), 0, KSO_THREAD);
}

static int stop(void)
{
	objid_t id;
	int r = twz_name_dfl_resolve(THREAD_NAME, 0, &id);

	if (r == 0)
		r = (int)sys_detach(KSO_ROOT_ID, id, TWZ_DETACH_ONENTRY, KSO_THREAD);
	if (r == 0)
		r = twz_name_dfl_remove(THREAD_NAME);
	return r;
}

/* What has ended is not resumed either: done when it has. */
static int end(void)
{
	twzobj thread;
	int r = twz_object_init_name(&thread, THREAD_NAME, ACCESS);

	if (r == 0)
		r = (int)sys_thrd_ctl2(twz_object_guid(&thread), THRD_CTL_KILL, 0);
	if (r < 0)
		return r;
	struct twzthread_repr *repr = twz_object_base(&thread);
	atomic_ulong *exited = (atomic_ulong *)&repr->syncs[THRD_SYNC_EXIT];
	while (atomic_load(exited) == 0)
		twz_thread_sync(THREAD_SYNC_SLEEP, exited, 0, NULL);
	return 0;
}

static int lower(void)
{
	const struct twz_sched idle = { .klass = TWZ_SCHED_IDLE };
	objid_t id;
	int r = twz_name_dfl_resolve(THREAD_NAME, 0, &id);

	return r < 0 ? r : (int)sys_thrd_ctl2(id, THRD_CTL_SET_SCHED, (long)&idle);
}

static int confine(void)
{
	twzobj context;
	objid_t id;
	int r = twz_name_dfl_resolve(THREAD_NAME, 0, &id);

	if (r == 0)
		r = make(&context, NULL);
	if (r == 0)
		r = twz_sctx_init(&context, "counter");
	if (r < 0)
		return r;
	twz_sctx_set_gmask(&context, SCP_DEL);
	return (int)sys_attach(id, twz_object_guid(&context), 0, KSO_SECCTX);
}

static int show(void)
{
	twzobj state;
	int r = twz_object_init_name(&state, STATE_NAME, FE_READ);

	if (r < 0)
		return r;
	struct state *s = twz_object_base(&state);
	kec_printf("counter: has %lu after %lu starts\n", (unsigned long)s->count, (unsigned long)s->starts);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} commands[] = {
	{ "start", start }, { "stop", stop }, { "lower", lower }, { "confine", confine }, { "end", end },
};

int main(int argc, char **argv)
{
	int (*run)(void) = argc == 1 ? show : NULL;

	for (size_t i = 0; argc == 2 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			run = commands[i].run;
	if (!run) {
		kec_printf("usage: counter [start|stop|lower|confine|end]\n");
		return 1;
	}
	int r = run();
	if (r < 0)
		kec_printf("counter: error %d\n", r);
	else if (argc == 2)
		kec_printf("counter: done\n");
	return r < 0;
}
