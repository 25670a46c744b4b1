// SPDX-License-Identifier: BSD-3-Clause
/* Error numbers; functions return them negated. */
#ifndef TWZ__ERR_H
#define TWZ__ERR_H

#include <abi/errno.h>

#endif
