// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/sys/kso.h was before. */
#include <twz/sys/kso.h>
