// SPDX-License-Identifier: BSD-3-Clause
/* Object IDs: objid_t, objid_parse(). */
#include <twz/_types.h>
