// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/sys/sys.h was before. */
#include <twz/sys/sys.h>
