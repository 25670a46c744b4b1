// SPDX-License-Identifier: BSD-3-Clause
/* Reading the kernel's log (abi/klog.h) where it stands. */
#ifndef TWZ_SYS_KLOG_H
#define TWZ_SYS_KLOG_H

#include <abi/klog.h>
#include <twz/obj.h>

#ifdef __cplusplus
extern "C" {
#endif

struct twz_klog_reader {
	const struct twz_klog *log;
	uint64_t next; /* number of the record to be read next; may be set */
	uint64_t lost; /* records that were gone before they were read */
	twzobj obj;
};

/* Open the log; reading begins with the earliest record that is kept. 0 or a negative error. */
int twz_klog_open(struct twz_klog_reader *r);
void twz_klog_close(struct twz_klog_reader *r);

/* Copy the next record. False: there is none yet. */
bool twz_klog_read(struct twz_klog_reader *r, struct twz_klog_record *record);

/* Sleep until there is one, at most ns nanoseconds (0: for ever). 0, -ETIMEDOUT, -EINTR. */
int twz_klog_wait(struct twz_klog_reader *r, uint64_t ns);

#ifdef __cplusplus
}
#endif

#endif
