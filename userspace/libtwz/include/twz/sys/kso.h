// SPDX-License-Identifier: BSD-3-Clause
/* Kernel state objects: their names, and the directories of what the machine has. */
#ifndef TWZ_SYS_KSO_H
#define TWZ_SYS_KSO_H

#include <abi/kso.h>
#include <twz/_types.h>

#ifdef __cplusplus
extern "C" {
#endif


/* Set the name in the header, cut to fit; o NULL is this thread. Flushed. 0. */
int kso_set_name(twzobj *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Copy the name of an open object, with what does not print replaced, to `to`, which has room for
 * `size` bytes. Returns its length.
 */
size_t twz_kso_name(twzobj *o, char *to, size_t size);

/*
 * The entry with the lowest index of at least *index in the directory of an open object; *index
 * becomes the index behind it. True: *out is a copy. The directory may change meanwhile.
 */
bool twz_kso_next(twzobj *o, size_t *index, struct kso_attachment *out);

#ifdef __cplusplus
}
#endif

#endif
