// SPDX-License-Identifier: BSD-3-Clause
/* The store on memory that can lose power (store/trace.h): an implementation of store/pm.h. */
#ifndef TESTS_STORE_TRACE_PM_H
#define TESTS_STORE_TRACE_PM_H

#include <store/pm.h>

#include "trace.h"

/* What to mount and format the store in a world's memory with. */
const struct pm_ops *trace_ops(unsigned world);

#endif
