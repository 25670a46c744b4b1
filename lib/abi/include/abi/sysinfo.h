// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the kernel tells about the machine (SYS_SYSINFO, SYS_KCONF) and about objects (SYS_OSTAT).
 */
#ifndef ABI_SYSINFO_H
#define ABI_SYSINFO_H

#include <abi/types.h>

struct twz_sysinfo {
	uint32_t size; /* of this structure */
	uint32_t arch; /* ABI_MACHINE_* (program.h) */
	uint64_t nslots;
	uint64_t page_size;
	uint32_t ncpus;
	uint32_t cacheline; /* smallest line size, bytes: step of flush loops */
	uint32_t flush_mode; /* TWZ_FLUSH_* */
	uint32_t features;   /* TWZ_FEATURE_* */
	uint64_t boot_code;  /* 1 … 2^62-1, constant until reset */
	uint64_t timer_hz;
	uint64_t mem_total; /* bytes */
	uint64_t mem_free;
	uint64_t pm_total;
	uint64_t pm_free;
	uint64_t reserved;
	objid_t nameroot; /* the store's name root, 0 = none */
	objid_t owner_ku;
};

/* How a store reaches the persistence domain. */
#define TWZ_FLUSH_NONE 0u   /* caches are inside the domain: only order matters */
#define TWZ_FLUSH_CBO 1u    /* cbo.clean, fence */
#define TWZ_FLUSH_CVAC 2u   /* dc cvac, dsb */
#define TWZ_FLUSH_CVAP 3u   /* dc cvap, dsb */
#define TWZ_FLUSH_SYSCALL 4u /* SYS_OSYNC */

#define TWZ_FEATURE_STORE 1u
#define TWZ_FEATURE_STORE_READONLY 2u
#define TWZ_FEATURE_IOMMU 4u
#define TWZ_FEATURE_RTC 8u
#define TWZ_FEATURE_HWRANDOM 0x10u

/* SYS_KCONF. */
#define KCONF_RDRESET 1u
#define KCONF_ARCH_TSC_PSPERIOD 1001u

/* Types of SYS_OSTAT. */
#define TWZ_OSTAT_OBJECT 0u
#define TWZ_OSTAT_PAGE 1u
#define TWZ_OSTAT_SCTX 2u
#define TWZ_OSTAT_THREAD 3u

struct kernel_ostat {
	uint64_t flags; /* OS_FLAGS_* */
	uint32_t cache_mode;
	uint32_t kso_type;
	uint32_t nr_sleepers;
	uint32_t nr_derivations;
	uint32_t nvreg;
	uint32_t backing; /* TWZ_BACKING_* */
	uint64_t sz;
	uint64_t pages; /* that exist */
	uint64_t maps;  /* address spaces that have it mapped */
	uint64_t ties_in;
	uint64_t ties_out;
	uint64_t pins;
	uint32_t p_flags;
	uint32_t fotentries;
	uint64_t reserved;
	objid_t kuid;
};

#define OS_FLAGS_PIN 1u
#define OS_FLAGS_KERNEL 2u
#define OS_FLAGS_PERSIST 4u
#define OS_FLAGS_HIDDEN 8u
#define OS_FLAGS_ALLOC 0x10u
#define OS_FLAGS_PAGER 0x20u
#define OS_FLAGS_SOURCED 0x40u
#define OS_FLAGS_DELETED 0x80u
#define OS_FLAGS_HASH 0x100u
#define OS_FLAGS_INVALID 0x200u

struct kernel_ostat_page {
	uint64_t pgnr;
	uint64_t flags; /* OS_PAGE_* */
	uint32_t cowcount;
	uint32_t level;
};

#define OS_PAGE_EXIST 1u
#define OS_PAGE_COW 2u
#define OS_PAGE_MAPPED 4u

/* Of the thread that a thread object stands for, since its start. */
struct kernel_ostat_thread {
	uint32_t state; /* TWZ_THREAD_* */
	uint32_t cpu;   /* where it ran last */
	uint32_t klass; /* TWZ_SCHED_* */
	uint32_t prio;
	uint64_t cpu_ns;
	uint64_t switches; /* times it was put on a CPU */
	uint64_t faults;   /* page and mapping faults the kernel took on its behalf */
	uint64_t reserved;
	objid_t view;   /* not that of a protected call it is in */
	objid_t active; /* the same of its active context, 0: none that is persistent */
};

#define TWZ_THREAD_SLEEPING 0u
#define TWZ_THREAD_READY 1u
#define TWZ_THREAD_RUNNING 2u
#define TWZ_THREAD_SUSPENDED 3u

_Static_assert(offsetof(struct twz_sysinfo, nslots) == 8, "sysinfo nslots");
_Static_assert(offsetof(struct twz_sysinfo, ncpus) == 24, "sysinfo ncpus");
_Static_assert(offsetof(struct twz_sysinfo, flush_mode) == 32, "sysinfo flush_mode");
_Static_assert(offsetof(struct twz_sysinfo, boot_code) == 40, "sysinfo boot_code");
_Static_assert(offsetof(struct twz_sysinfo, mem_total) == 56, "sysinfo mem_total");
_Static_assert(offsetof(struct twz_sysinfo, pm_total) == 72, "sysinfo pm_total");
_Static_assert(offsetof(struct twz_sysinfo, nameroot) == 96, "sysinfo nameroot");
_Static_assert(sizeof(struct twz_sysinfo) == 128, "sysinfo");
_Static_assert(offsetof(struct kernel_ostat, cache_mode) == 8, "ostat cache_mode");
_Static_assert(offsetof(struct kernel_ostat, backing) == 28, "ostat backing");
_Static_assert(offsetof(struct kernel_ostat, maps) == 48, "ostat maps");
_Static_assert(offsetof(struct kernel_ostat, p_flags) == 80, "ostat p_flags");
_Static_assert(offsetof(struct kernel_ostat, kuid) == 96, "ostat kuid");
_Static_assert(sizeof(struct kernel_ostat) == 112, "ostat");
_Static_assert(sizeof(struct kernel_ostat_page) == 24, "ostat page");
_Static_assert(offsetof(struct kernel_ostat_thread, cpu_ns) == 16, "ostat thread cpu_ns");
_Static_assert(offsetof(struct kernel_ostat_thread, view) == 48, "ostat thread view");
_Static_assert(sizeof(struct kernel_ostat_thread) == 80, "ostat thread");

#endif
