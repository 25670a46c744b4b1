// SPDX-License-Identifier: BSD-3-Clause
/* Kernel state objects: the root and its directories, devices, their registers and interrupts. */
#include "contexts.h"
#include "ktap.h"
#include "testlib.h"

#include <base/endian.h>
#include <base/string.h>
#include <twz/sys/kso.h>

/* The entry of a directory object that has an ID, or the first of a type with 0. */
static bool find_entry(objid_t directory, objid_t id, uint32_t type, struct kso_attachment *out)
{
	bool found = false;
	twzobj o;

	if (twz_object_init_guid(&o, directory, FE_READ) < 0)
		return false;
	for (size_t i = 0; !found && twz_kso_next(&o, &i, out);)
		found = id ? out->id == id : out->type == type;
	twz_object_release(&o);
	return found;
}

static void directories(void)
{
	struct kso_attachment e;
	char name[16];
	twzobj root;

	CHECK(find_entry(KSO_ROOT_ID, KSO_THREADS_ID, 0, &e) && e.type == KSO_DIRECTORY);
	CHECK(find_entry(KSO_ROOT_ID, KSO_DEVICES_ID, 0, &e) && e.type == KSO_DIRECTORY);
	CHECK(find_entry(KSO_ROOT_ID, KSO_DATA_ID, 0, &e) && e.type == KSO_DIRECTORY);
	CHECK(!find_entry(KSO_ROOT_ID, missing_id(), 0, &e));
	NEED(twz_object_init_guid(&root, KSO_ROOT_ID, FE_READ) == 0);
	CHECK_EQ(twz_kso_name(&root, name, sizeof(name)), 4);
	CHECK(strcmp(name, "root") == 0);
	twz_object_release(&root);
}

/* ---- Threads ---- */

struct listed {
	_Atomic uint64_t go;
};

static void wait_to_go(void *arg)
{
	struct listed *l = arg;

	while (!l->go)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
}

static void threads_are_listed(void)
{
	struct listed l = { 0 };
	struct kso_attachment e;
	struct thread t;
	objid_t tid;

	CHECK(find_entry(KSO_THREADS_ID, twz_thread_id(), 0, &e) && e.type == KSO_THREAD);
	NEED(run_thread(&t, wait_to_go, &l) == 0);
	tid = t.tid;
	CHECK(find_entry(KSO_THREADS_ID, tid, 0, &e) && e.type == KSO_THREAD);
	l.go = 1;
	CHECK_EQ(finish_thread(&t), 0);
	CHECK(!find_entry(KSO_THREADS_ID, tid, 0, &e));
}

/* Places of threads that ended are used again. */
static void places_are_reused(void)
{
	twzobj o;
	uint64_t before;

	NEED(twz_object_init_guid(&o, KSO_THREADS_ID, FE_READ) == 0);
	struct kso_dir_attachments *dir = (void *)((char *)twz_object_base(&o) + KSO_DIRECTORY_DIR_OFFSET);
	before = dir->count;
	for (int i = 0; i < 50; i++) {
		struct listed l = { 1 };
		CHECK_EQ(exit_code_of(wait_to_go, &l), 0);
	}
	CHECK(dir->count <= before + 2);
	twz_object_release(&o);
}

static long read_id_of(void *arg)
{
	twzobj o;

	if (twz_object_init_guid(&o, *(objid_t *)arg, FE_READ) < 0)
		return -1;
	return ((struct kso_hdr *)twz_object_base(&o))->name[0];
}

static void who_may_read(void)
{
	objid_t threads = KSO_THREADS_ID, devices = KSO_DEVICES_ID;

	CHECK_EQ(with_rights(missing_id(), ALL_RIGHTS, read_id_of, &devices), 'd');
	CHECK_EQ(with_rights(missing_id(), ALL_RIGHTS, read_id_of, &threads),
	    -(long)THRD_EXIT_FAULT(FAULT_SCTX));
}

static void write_name(void *arg)
{
	twzobj o;

	if (twz_object_init_guid(&o, *(objid_t *)arg, FE_READ | FE_WRITE) < 0)
		twz_thread_exit(1);
	((struct kso_hdr *)twz_object_base(&o))->name[0] = 'X';
}

/* Not even who may do anything writes what is the kernel's. */
static void read_only_for_all(void)
{
	struct kso_attachment device;
	objid_t ids[3] = { KSO_ROOT_ID, KSO_THREADS_ID, 0 };

	NEED(find_entry(KSO_DEVICES_ID, 0, KSO_DEVICE, &device));
	ids[2] = device.id;
	for (int i = 0; i < 3; i++)
		CHECK_EQ(exit_code_of(write_name, &ids[i]), THRD_EXIT_FAULT(FAULT_SCTX));
}

/* A persistent object that left memory is still what it was. */
static void kinds_stay(void)
{
	twzobj c;
	objid_t id;

	if (!have_store())
		return;
	NEED(twz_object_new(&c, NULL, NULL, OBJ_PERSISTENT, ALL_DEFAULTS | TWZ_OC_TIED_NONE) == 0);
	id = twz_object_guid(&c);
	CHECK_EQ(twz_sctx_init(&c, "kept"), 0);
	twz_object_release(&c);
	struct limited l = { .run = read_id_of, .arg = &id, .context = id };
	CHECK_EQ(run_limited(&l), 0);
	CHECK_EQ(l.attached, 0);
	CHECK_EQ(sys_attach(0, id, 0, KSO_VIEW), -EBUSY);
	CHECK_EQ(run_limited(&l), 0);
	CHECK_EQ(l.attached, 0);
	CHECK_EQ(sys_odelete(id, 0), 0);
}

/* ---- Devices ---- */

static bool child_of(objid_t device, uint64_t what, objid_t *id)
{
	struct kso_attachment e;
	bool found = false;
	twzobj o;

	if (twz_object_init_guid(&o, device, FE_READ) < 0)
		return false;
	for (size_t i = 0; !found && twz_kso_next(&o, &i, &e);)
		found = e.info == what;
	*id = e.id;
	twz_object_release(&o);
	return found;
}

/* Whether the bytes of a device's node hold a word. */
static bool node_says(objid_t device, const char *word)
{
	size_t length = strlen(word);
	bool says = false;
	objid_t info;
	twzobj o;

	if (!child_of(device, DEVICE_CHILD_INFO, &info) || twz_object_init_guid(&o, info, FE_READ) < 0)
		return false;
	const char *base = twz_object_base(&o);
	const char *tree = base + DEVICE_INFO_OFFSET - OBJ_NULLPAGE_SIZE;
	uint64_t size = ((const struct device_info_hdr *)base)->length;
	CHECK(size == 0 || load_be32((const uint8_t *)tree) == 0xd00dfeed);
	for (uint64_t i = 0; !says && i + length <= size; i++)
		says = memcmp(tree + i, word, length) == 0;
	twz_object_release(&o);
	return says;
}

static bool find_device(const char *compatible, objid_t *id)
{
	struct kso_attachment e;
	bool found = false;
	twzobj o;

	if (twz_object_init_guid(&o, KSO_DEVICES_ID, FE_READ) < 0)
		return false;
	for (size_t i = 0; !found && twz_kso_next(&o, &i, &e);)
		found = e.type == KSO_DEVICE && node_says(e.id, compatible);
	*id = e.id;
	twz_object_release(&o);
	return found;
}

static long device_call(objid_t device, long cmd, uint64_t arg)
{
	struct sys_kaction_args op = { .id = device, .cmd = cmd, .arg = arg, .flags = KACTION_VALID };
	long r = sys_kaction(1, &op);

	return r < 0 ? r : op.result;
}

/* The two clocks that the boards have: how to make one interrupt. */
struct clock_chip {
	const char *compatible;
	void (*alarm)(volatile uint32_t *registers);
	void (*quiet)(volatile uint32_t *registers);
};

static void goldfish_alarm(volatile uint32_t *r)
{
	uint64_t low = r[0], at = ((uint64_t)r[1] << 32 | low) + 20000000;

	r[4] = 1;
	r[3] = (uint32_t)(at >> 32);
	r[2] = (uint32_t)at;
}

static void goldfish_quiet(volatile uint32_t *r)
{
	r[5] = 1;
	r[7] = 1;
}

static void pl031_alarm(volatile uint32_t *r)
{
	r[4] = 1;
	r[1] = r[0] + 1;
}

static void pl031_quiet(volatile uint32_t *r)
{
	r[7] = 1;
	r[4] = 0;
}

static const struct clock_chip chips[] = {
	{ "google,goldfish-rtc", goldfish_alarm, goldfish_quiet },
	{ "arm,pl031", pl031_alarm, pl031_quiet },
};

static bool find_clock(const struct clock_chip **chip, objid_t *device)
{
	for (size_t i = 0; i < sizeof(chips) / sizeof(*chips); i++) {
		*chip = &chips[i];
		if (find_device(chips[i].compatible, device))
			return true;
	}
	ktap_skip("no clock with an alarm");
	return false;
}

/* A driver in small: registers mapped, interrupt waited for, acknowledged, and once more. */
static void interrupts(void)
{
	const struct clock_chip *chip;
	objid_t device, mmio;
	twzobj d, m;

	if (!find_clock(&chip, &device))
		return;
	NEED(child_of(device, DEVICE_CHILD_MMIO, &mmio));
	NEED(twz_object_init_guid(&d, device, FE_READ) == 0);
	NEED(twz_object_init_guid(&m, mmio, FE_READ | FE_WRITE) == 0);
	struct kso_device_hdr *h = twz_object_base(&d);
	const struct device_mmio_hdr *mh = twz_object_base(&m);
	volatile uint32_t *registers = (void *)((char *)twz_object_base(&m) + DEVICE_MMIO_OFFSET -
	    OBJ_NULLPAGE_SIZE + mh->info);
	CHECK_EQ(h->device_bustype, DEVICE_BT_DEVICETREE);
	CHECK(mh->length > 0);
	NEED(device_call(device, KACTION_CMD_DEVICE_SETUP_INTERRUPTS, 1) == 1);
	CHECK(h->interrupts[0].flags & INTERRUPT_VALID);
	for (int i = 0; i < 3; i++) {
		struct timespec patience = { 30, 0 };
		CHECK_EQ(h->interrupts[0].sp, 0);
		chip->alarm(registers);
		while (!*(volatile uint64_t *)&h->interrupts[0].sp)
			if (twz_thread_sync(THREAD_SYNC_SLEEP, (atomic_ulong *)&h->interrupts[0].sp, 0, &patience) < 0)
				break;
		CHECK_EQ(h->interrupts[0].sp, 1);
		chip->quiet(registers);
		CHECK_EQ(device_call(device, KACTION_CMD_DEVICE_ACK_INTERRUPT, 0), 0);
	}
	twz_object_release(&m);
	twz_object_release(&d);
}

static void bad_actions(void)
{
	struct kso_attachment e;

	NEED(find_entry(KSO_DEVICES_ID, 0, KSO_DEVICE, &e));
	CHECK_EQ(device_call(e.id, KACTION_CMD_DEVICE_SETUP_INTERRUPTS, DEVICE_MAX_INTERRUPTS + 1), -EINVAL);
	CHECK_EQ(device_call(e.id, KACTION_CMD_DEVICE_ACK_INTERRUPT, DEVICE_MAX_INTERRUPTS), -EINVAL);
	CHECK_EQ(device_call(e.id, 99, 0), -EINVAL);
	CHECK_EQ(device_call(KSO_DEVICES_ID, KACTION_CMD_DEVICE_SETUP_INTERRUPTS, 1), -EINVAL);
}

/* ---- P22, P24, P17 ---- */

static long set_up(void *arg)
{
	return device_call(*(objid_t *)arg, KACTION_CMD_DEVICE_SETUP_INTERRUPTS, 0);
}

static long read_registers(void *arg)
{
	twzobj o;

	if (twz_object_init_guid(&o, *(objid_t *)arg, FE_READ) < 0)
		return -1;
	return (long)*(volatile uint32_t *)((char *)twz_object_base(&o) + 0x1000) * 0;
}

static long attach_view_to(void *arg)
{
	twzobj v;

	twz_view_object_init(&v);
	return sys_attach(*(objid_t *)arg, twz_object_guid(&v), 0, KSO_VIEW);
}

static void device_rights(void)
{
	struct kso_attachment e;
	objid_t mmio;

	NEED(find_entry(KSO_DEVICES_ID, 0, KSO_DEVICE, &e) && child_of(e.id, DEVICE_CHILD_MMIO, &mmio));
	CHECK_EQ(set_up(&e.id), 0);
	CHECK_EQ(with_rights(missing_id(), ALL_RIGHTS, set_up, &e.id), -EACCES);
	CHECK_EQ(with_rights(missing_id(), ALL_RIGHTS, read_registers, &mmio),
	    -(long)THRD_EXIT_FAULT(FAULT_SCTX));
	/* No device stands behind an IOMMU. */
	CHECK_EQ(attach_view_to(&e.id), -EINVAL);
	CHECK_EQ(with_rights(missing_id(), ALL_RIGHTS, attach_view_to, &e.id), -EACCES);
}

/* T45: n operations act on n objects, each on its own. */
static void actions_by_id(void)
{
	struct kso_attachment e;
	struct sys_kaction_args ops[4];

	NEED(find_entry(KSO_DEVICES_ID, 0, KSO_DEVICE, &e));
	memset(ops, 0, sizeof(ops));
	for (int i = 0; i < 4; i++)
		ops[i].flags = KACTION_VALID;
	ops[0].id = KSO_ROOT_ID;
	ops[0].cmd = KACTION_CMD_ROOT_SYNC;
	ops[1].id = e.id;
	ops[1].cmd = KACTION_CMD_DEVICE_SETUP_INTERRUPTS;
	ops[2].id = missing_id();
	ops[3].id = e.id;
	ops[3].cmd = KACTION_CMD_ROOT_SYNC;
	CHECK_EQ(sys_kaction(4, ops), 2);
	CHECK_EQ(ops[0].result, 0);
	CHECK_EQ(ops[1].result, 0);
	CHECK_EQ(ops[2].result, -ENOENT);
	CHECK_EQ(ops[3].result, -EINVAL);
}

static const struct ktap_case cases[] = {
	{ "the root and its directories", directories },
	{ "threads are listed while they live", threads_are_listed },
	{ "places are used again", places_are_reused },
	{ "who may read directories", who_may_read },
	{ "what is the kernel's is read-only", read_only_for_all },
	{ "kinds of persistent objects stay", kinds_stay },
	{ "a driver takes interrupts", interrupts },
	{ "actions that make no sense", bad_actions },
	{ "rights to devices", device_rights },
	{ "actions act on their own objects", actions_by_id },
};

int main(void)
{
	return KTAP_RUN(cases);
}
