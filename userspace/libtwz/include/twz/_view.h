// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/sys/view.h was before. */
#include <twz/sys/view.h>
