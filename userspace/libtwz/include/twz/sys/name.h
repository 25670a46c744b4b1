// SPDX-License-Identifier: BSD-3-Clause
/* Names are all in twz/name.h. */
#include <twz/name.h>
