// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/sys/fault.h was before. */
#include <twz/sys/fault.h>
