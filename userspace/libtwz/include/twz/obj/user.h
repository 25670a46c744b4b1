// SPDX-License-Identifier: BSD-3-Clause
/* Users: a name, a key ring, a security context. docs/user.md. */
#ifndef TWZ_OBJ_USER_H
#define TWZ_OBJ_USER_H

#include <abi/key.h>
#include <twz/obj.h>

#ifdef __cplusplus
extern "C" {
#endif

#define USER_NAME_MAXLEN 255u

/*
 * Make an empty object a user, durably. name: 1 … 255 bytes; keyring may be NULL, secctx 0.
 * -EINVAL the name; -EEXIST it is a user; the errors of twz_ptr_store_guid.
 */
int twz_user_init(twzobj *o, const char *name, twzobj *keyring, objid_t secctx);

/* Open the user object that the environment names, TWZUSER, for reading. -ENOENT none, -EINVAL. */
int twz_user_open(twzobj *o);

/* Copy the name with its NUL; its length. -EINVLOBJ o is no user, -ERANGE it does not fit. */
ssize_t twz_user_name(twzobj *o, char *buffer, size_t size);

/* The context its programs run in; 0 = none, or o is no user. */
objid_t twz_user_secctx(twzobj *o);

/* Open its key ring with FE_*. -ENOENT it has none, -EINVLOBJ; the errors of opening. */
int twz_user_keyring(twzobj *o, twzobj *keyring, uint32_t flags);

#ifdef __cplusplus
}
#endif

#endif
