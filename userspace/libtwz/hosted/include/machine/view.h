// SPDX-License-Identifier: BSD-3-Clause
/* What the hosted machine must be told when an entry of a view was written: it maps what is there. */
#ifndef MACHINE_VIEW_H
#define MACHINE_VIEW_H

#include <abi/view.h>

void __twz_machine_view_entry(const struct twzview_repr *view, size_t slot);

static inline void machine_view_entry(const struct twzview_repr *view, size_t slot)
{
	__twz_machine_view_entry(view, slot);
}

#endif
