# SPDX-License-Identifier: BSD-3-Clause
# The environment of programs: only the strings, without a program around them.
srcs-test_env := userspace/libtwz/src/env_list.c
flags-test_env := -Iuserspace/libtwz/include
