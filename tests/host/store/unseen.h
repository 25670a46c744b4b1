// SPDX-License-Identifier: BSD-3-Clause
/*
 * Code between UNSEEN_BEGIN and UNSEEN_END is part of the explorer, not of the store: in the
 * instrumented build (-fsanitize=thread with the runtime of store/seen.c) its stores are not
 * reported.
 */
#ifndef TESTS_STORE_UNSEEN_H
#define TESTS_STORE_UNSEEN_H

#if defined(__clang__) && defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNSEEN_BEGIN _Pragma("clang attribute push(__attribute__((disable_sanitizer_instrumentation)), apply_to = function)")
#define UNSEEN_END _Pragma("clang attribute pop")
#endif
#endif

#ifndef UNSEEN_BEGIN
#define UNSEEN_BEGIN
#define UNSEEN_END
#endif

#endif
