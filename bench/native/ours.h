// SPDX-License-Identifier: BSD-3-Clause
/* Objects for the rows of libtwz. */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include <twz/obj.h>

#define ACCESS (FE_READ | FE_WRITE)
#define OBJECT_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

/* A fresh persistent object. */
void ours_new(twzobj *o);
/* Release and delete it, if it is open. */
void ours_drop(twzobj *o);

#endif
