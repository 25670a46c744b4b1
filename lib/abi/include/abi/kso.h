// SPDX-License-Identifier: BSD-3-Clause
/*
 * Kernel state objects: the types, the header they begin with (at base), the directory of
 * attachments, and invalidation.
 */
#ifndef ABI_KSO_H
#define ABI_KSO_H

#include <abi/types.h>

#define KSO_NONE 0u
#define KSO_VIEW 1u
#define KSO_SECCTX 2u
#define KSO_THREAD 3u
#define KSO_ROOT 4u
#define KSO_DEVICE 5u
#define KSO_DIRECTORY 6u
#define KSO_DATA 7u
#define KSO_MAX 8u

#define KSO_NAME_MAXLEN 1024

struct kso_hdr {
	char name[KSO_NAME_MAXLEN]; /* NUL-terminated UTF-8 */
	uint32_t version;
	uint32_t dir_offset; /* base offset of the directory, 0 = none */
	uint64_t reserved;
};

struct kso_attachment {
	objid_t id; /* 0 = hole */
	uint64_t info;
	uint32_t type; /* KSO_* */
	uint32_t flags;
};

struct kso_dir_attachments {
	uint64_t flags;
	uint64_t count; /* atomic; highest used index + 1 */
	struct kso_attachment children[];
};

/* Layout of the root at its base; the directory is at hdr.dir_offset = 1040. */
#define KSO_ROOT_DIR_OFFSET 1040u
/* Layout of a directory: flags at 1040, the attachments at 1056. */
#define KSO_DIRECTORY_FLAGS_OFFSET 1040u
#define KSO_DIRECTORY_DIR_OFFSET 1056u

/*
 * What the machine has, under the root. IDs of the kernel's own; programs find them through the
 * root.
 */
#define KSO_THREADS_ID ((objid_t)8)
#define KSO_DEVICES_ID ((objid_t)9)
#define KSO_DATA_ID ((objid_t)10)

/* ---- Devices ---- */

#define DEVICE_BT_ISA 0u
#define DEVICE_BT_PCIE 1u
#define DEVICE_BT_USB 2u
#define DEVICE_BT_MISC 3u
#define DEVICE_BT_NV 4u
#define DEVICE_BT_DEVICETREE 5u
#define DEVICE_BT_SYSTEM 1024u

#define DEVICE_SYNC_STATUS 0
#define DEVICE_SYNC_IOV_FAULT 1
#define DEVICE_MAX_INTERRUPTS 32u

/* What a child of a device is: kso_attachment.info. */
#define DEVICE_CHILD_DEVICE 0u
#define DEVICE_CHILD_MMIO 1u
#define DEVICE_CHILD_INFO 2u

struct interrupt {
	uint16_t local;  /* number among the device's */
	uint16_t vector; /* line of the interrupt controller */
	uint32_t flags;  /* INTERRUPT_VALID: it can be waited for */
	uint64_t sp;     /* atomic; 1 from when it came until it is acknowledged. Sleep while 0 */
};

#define INTERRUPT_VALID 1u

struct kso_device_hdr {
	struct kso_hdr hdr;
	uint64_t device_bustype; /* DEVICE_BT_* */
	uint64_t device_type;
	uint64_t device_id;
	uint64_t syncs[2]; /* atomic; DEVICE_SYNC_* */
	struct interrupt interrupts[DEVICE_MAX_INTERRUPTS];
	uint64_t reserved;
	struct kso_dir_attachments dir;
};

/*
 * Registers of a device begin at object offset DEVICE_MMIO_OFFSET, with the page that they are in.
 */
struct device_mmio_hdr {
	struct kso_hdr hdr;
	uint64_t info; /* bytes of that page before the first register */
	uint64_t flags;
	uint64_t length; /* of the registers, bytes */
	uint64_t resv;
};

#define DEVICE_MMIO_OFFSET 0x2000u

/*
 * A node of a device tree, as a tree of its own in the flattened format, at object offset 0x2000.
 */
struct device_info_hdr {
	struct kso_hdr hdr;
	uint64_t length; /* bytes of the tree */
	uint64_t resv;
};

#define DEVICE_INFO_OFFSET 0x2000u

_Static_assert(sizeof(struct interrupt) == 16, "interrupt");
_Static_assert(offsetof(struct kso_device_hdr, device_bustype) == 1040, "device bus type");
_Static_assert(offsetof(struct kso_device_hdr, syncs) == 1064, "device syncs");
_Static_assert(offsetof(struct kso_device_hdr, interrupts) == 1080, "device interrupts");
_Static_assert(offsetof(struct kso_device_hdr, dir) == 1600, "device directory");
_Static_assert(sizeof(struct device_mmio_hdr) == 1072, "device_mmio_hdr");

/* SYS_ATTACH and SYS_DETACH. */
#define TWZ_DETACH_REATTACH 0u
#define TWZ_DETACH_ONENTRY 1u
#define TWZ_DETACH_ONEXIT 2u
#define TWZ_DETACH_ONSYSCALL(n) ((uint64_t)(n) << 16)

/* One operation of SYS_INVL_KSO. */
struct sys_invalidate_op {
	objid_t id;      /* with KSOI_CURRENT: KSO_CURRENT_* */
	uint64_t offset; /* view: virtual address; context: base offset */
	uint32_t length; /* bytes; 0 = everything */
	uint16_t flags;  /* KSOI_* */
	uint16_t result; /* out: 0, or (uint16_t)-E… */
};

#define KSOI_VALID 1u
#define KSOI_CURRENT 2u
#define KSO_CURRENT_VIEW 0u
#define KSO_CURRENT_ACTIVE_SECCTX 1u
#define KSO_CURRENT_ATTACHED_SECCTXS 2u
#define KSO_CURRENT_THREAD 3u
#define SYS_INVALIDATE_MAX_OPS 4096u

_Static_assert(sizeof(struct kso_hdr) == 1040, "kso_hdr");
_Static_assert(offsetof(struct kso_hdr, version) == 1024, "kso_hdr version");
_Static_assert(offsetof(struct kso_hdr, dir_offset) == 1028, "kso_hdr dir_offset");
_Static_assert(sizeof(struct kso_attachment) == 32, "kso_attachment");
_Static_assert(offsetof(struct kso_attachment, type) == 24, "kso_attachment type");
_Static_assert(offsetof(struct kso_dir_attachments, children) == 16, "kso_dir_attachments");
_Static_assert(sizeof(struct sys_invalidate_op) == 32, "invalidate op");
_Static_assert(offsetof(struct sys_invalidate_op, length) == 24, "invalidate op length");
_Static_assert(offsetof(struct sys_invalidate_op, result) == 30, "invalidate op result");

#endif
