// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/sys/thread.h was before. */
#include <twz/sys/thread.h>
