// SPDX-License-Identifier: BSD-3-Clause
/* What the machine must be told when an entry of a view was written: nothing, the kernel looks. */
#ifndef MACHINE_VIEW_H
#define MACHINE_VIEW_H

#include <abi/view.h>

static inline void machine_view_entry(const struct twzview_repr *view, size_t slot)
{
	(void)view;
	(void)slot;
}

#endif
