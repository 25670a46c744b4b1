// SPDX-License-Identifier: BSD-3-Clause
/* Objects are all in twz/obj.h. */
#include <twz/obj.h>
