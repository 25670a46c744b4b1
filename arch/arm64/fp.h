// SPDX-License-Identifier: BSD-3-Clause
/*
 * Floating point belongs to user mode. CPACR_EL1.FPEN is open on a CPU only while its current
 * thread has FP state of its own (regs.fp_live), so no thread ever sees another's registers.
 */
#ifndef ARM64_FP_H
#define ARM64_FP_H

struct arch_fp;
struct arch_fp_kept;
struct arch_regs;

/* Trap: the current thread uses FP for the first time. */
void fp_first_use(struct arch_regs *regs);

/* Let this CPU's user mode trap again at its next use of FP. */
void fp_close(void);

/* fp.S */
void fp_save(struct arch_fp *fp);
void fp_load(const struct arch_fp *fp);
void fp_clear(void);
void fp_save_kept(struct arch_fp_kept *kept);       /* what functions preserve */
void fp_load_kept(const struct arch_fp_kept *kept); /* and leave the rest alone */

#endif
