// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/objid.h was before. */
#include <twz/objid.h>
