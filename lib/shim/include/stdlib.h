// SPDX-License-Identifier: BSD-3-Clause
// What third-party sources need of <stdlib.h>: the types only, there is no heap.
#ifndef SHIM_STDLIB_H
#define SHIM_STDLIB_H

#include <stddef.h>

#endif
