// SPDX-License-Identifier: BSD-3-Clause
/*
 * System calls about the machine: what it is, randomness, power, the name root.
 */
#define LOG_PREFIX "power"

#include <abi/errno.h>
#include <abi/kaction.h>
#include <abi/object.h>
#include <abi/syscall.h>
#include <abi/sysinfo.h>
#include <arch/cpu.h>
#include <base/bits.h>
#include <base/string.h>
#include <boot/init.h>
#include <kso/device.h>
#include <log.h>
#include <mm/phys.h>
#include <mm/usercopy.h>
#include <obj/object.h>
#include <obj/persist.h>
#include <panic.h>
#include <sched/thread.h>
#include <sched/time.h>
#include <sched/wall.h>
#include <sec/check.h>
#include <sec/random.h>
#include <sys/calls.h>
#include <sys/machine.h>
#include <trace.h>

static uint64_t boot_code;

void machine_boot_code_init(void)
{
	random_bytes(&boot_code, sizeof(boot_code));
	boot_code = (boot_code >> 2) | 1; /* 1 … 2^62-1: never looks like an error */
}

uint64_t machine_boot_code(void)
{
	return boot_code;
}

long sys_null(SYS_ARGS)
{
	SYS_UNUSED();
	return 0;
}

static void fill_store(struct twz_sysinfo *info)
{
	struct persist_totals totals;

	persist_totals(&totals);
	if (!totals.present)
		return;
	info->features |= TWZ_FEATURE_STORE | (totals.readonly ? TWZ_FEATURE_STORE_READONLY : 0);
	info->pm_total = totals.total_pages * PAGE_SIZE;
	info->pm_free = totals.free_pages * PAGE_SIZE;
	info->nameroot = persist_nameroot();
}

/* out* size */
long sys_sysinfo(SYS_ARGS)
{
	const struct arch_pm *pm = persist_hardware();
	struct phys_stats memory = phys_stats();
	struct twz_sysinfo info = {
		.size = sizeof(info),
		.arch = arch_machine,
		.nslots = arch_mmu.user_slots,
		.page_size = PAGE_SIZE,
		.ncpus = atomic_load(&cpu_online_count),
		.cacheline = pm->line_size,
		.flush_mode = pm->flush_mode,
		.boot_code = boot_code,
		.timer_hz = time_hz(),
		.mem_total = memory.total * PAGE_SIZE,
		.mem_free = memory.free * PAGE_SIZE,
	};

	SYS_UNUSED();
	if (wall_has_rtc())
		info.features |= TWZ_FEATURE_RTC;
	fill_store(&info);
	int error = copy_to_user(a0, &info, MIN(a1, sizeof(info)));
	return error ? error : (long)sizeof(info);
}

/* cmd arg */
long sys_kconf(SYS_ARGS)
{
	SYS_UNUSED();
	switch (a0) {
	case KCONF_RDRESET:
		return boot_code;
	case KCONF_ARCH_TSC_PSPERIOD:
		return 1000000000000ull / time_hz();
	default:
		return -EINVAL;
	}
}

/* buf len flags */
long sys_random(SYS_ARGS)
{
	uint8_t block[256];

	SYS_UNUSED();
	if (a1 > SYS_RANDOM_MAX || (a2 & ~(unsigned long)SYS_RANDOM_NONBLOCK))
		return -EINVAL;
	if (!user_range_ok(a0, a1))
		return -EFAULT;
	for (unsigned long done = 0; done < a1; done += sizeof(block)) {
		size_t part = MIN(a1 - done, sizeof(block));
		random_bytes(block, part);
		if (copy_to_user(a0 + done, block, part) != 0)
			return -EFAULT;
	}
	return a1;
}

/* ---- Actions on the root ---- */

static void leave_in_order(void)
{
	wall_record();
	persist_fence();
}

static _Noreturn void power_off(uint64_t status)
{
	leave_in_order();
	log_error("off (status %lu)", (unsigned long)status);
	arch_power_off(status != 0);
}

static _Noreturn void reboot(void)
{
	leave_in_order();
	log_error("reboot");
	arch_reboot();
}

static long set_nameroot(uintptr_t id_at)
{
	objid_t id;
	int error = copy_from_user(&id, id_at, sizeof(id));

	if (error)
		return error;
	if (persist_store_count() == 0)
		return -ENODEV;
	if (id) {
		struct object *object = object_get(id);
		if (!object)
			return -ENOENT;
		error = object->persistent ? sec_allows(current_thread(), object, SEC_OP_READ) : -EINVAL;
		object_put(object);
	}
	return error ? error : persist_set_nameroot(id);
}

static long root_action(int64_t cmd, uint64_t arg)
{
	switch (cmd) {
	case KACTION_CMD_ROOT_POWER_OFF:
		power_off(arg);
	case KACTION_CMD_ROOT_REBOOT:
		reboot();
	case KACTION_CMD_ROOT_SET_NAMEROOT:
		return set_nameroot(arg);
	case KACTION_CMD_ROOT_SYNC:
		leave_in_order();
		return 0;
	case KACTION_CMD_ROOT_LOG_LEVEL:
		if (arg > LOG_DEBUG)
			return -EINVAL;
		log_set_level(arg);
		return 0;
	case KACTION_CMD_ROOT_TRACE:
		return trace_control(arg);
	default:
		return -EINVAL;
	}
}

/* Each operation acts on its own object. */
static long action_on(struct object *object, const struct sys_kaction_args *op)
{
	bool root = op->id == KSO_ROOT_ID;

	if (!root && object->kso_type != KSO_DEVICE)
		return -EINVAL;
	long error = sec_allows(current_thread(), object, root ? SEC_OP_CHANGE_MACHINE : SEC_OP_DEVICE_INTERRUPTS);
	if (error)
		return error;
	return root ? root_action(op->cmd, op->arg) : device_action(object, op->cmd, op->arg);
}

static long one_action(const struct sys_kaction_args *op)
{
	if (op->flags & ~(uint64_t)KACTION_VALID)
		return -EINVAL;
	struct object *object = object_get(op->id);
	if (!object)
		return -ENOENT;
	long result = action_on(object, op);
	object_put(object);
	return result;
}

/* count args* */
long sys_kaction(SYS_ARGS)
{
	struct sys_kaction_args op;
	long done = 0;

	SYS_UNUSED();
	if (a0 > SYS_KACTION_MAX_OPS)
		return -EINVAL;
	if (!user_range_ok(a1, a0 * sizeof(op)))
		return -EFAULT;
	for (unsigned long i = 0; i < a0; i++) {
		uintptr_t at = a1 + i * sizeof(op);
		int error = copy_from_user(&op, at, sizeof(op));
		if (error)
			return done ? done : error;
		if (!(op.flags & KACTION_VALID))
			continue;
		int64_t result = one_action(&op);
		if (copy_to_user(at + offsetof(struct sys_kaction_args, result), &result,
				 sizeof(result)) != 0)
			return done ? done : -EFAULT;
		done += result >= 0;
	}
	return done;
}
