// SPDX-License-Identifier: BSD-3-Clause
/* Touching what may not be there. */
#include "txn.h"

static int error_of(int fault, const void *info)
{
	const struct fault_object_info *o = info;

	if (fault == FAULT_OBJECT)
		return o->flags & FAULT_OBJECT_EXIST ? -ENOENT : -EACCES;
	return fault == FAULT_SCTX ? -EACCES : -EFAULT;
}

int __twz_tx_guarded(int (*fn)(void *), void *arg)
{
	volatile int r = 0;

	twztry {
		r = fn(arg);
	} twzcatch_all {
		r = error_of(twzcatch_fnum(), twzcatch_data());
	} twztry_end;
	return r;
}
