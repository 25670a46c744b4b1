// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/sys/sctx.h was before. */
#include <twz/sys/sctx.h>
