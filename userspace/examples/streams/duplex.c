// SPDX-License-Identifier: BSD-3-Clause
/* A service behind a byte stream in both directions: it gives back in capitals what it gets. */
#include <twz/obj.h>
#include <twz/obj/bstreamd.h>
#include <twz/sys/kec.h>
#include <twz/sys/thread.h>

#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE)

static twzobj channel;

/* The service is end B. It ends when there is nothing more to read, and says so. */
static void serve(void *arg)
{
	char buf[32];
	ssize_t n;

	(void)arg;
	while ((n = bstreamd_read(&channel, BSTREAMD_B, buf, sizeof(buf), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			buf[i] -= buf[i] >= 'a' && buf[i] <= 'z' ? 'a' - 'A' : 0;
		bstreamd_write(&channel, BSTREAMD_B, buf, (size_t)n, 0);
	}
	bstreamd_shutdown(&channel, BSTREAMD_B, BSTREAMD_SHUT_WRITE);
}

int main(void)
{
	struct thrd_spawn_args args = { .start_func = (uintptr_t)serve };
	struct thread service;
	char answer[32];
	ssize_t n;

	if (twz_object_new(&channel, NULL, NULL, FLAGS) < 0 ||
	    bstreamd_obj_init(&channel, NULL, 10) < 0 || twz_thread_spawn(&service, &args) < 0)
		return 1;
	bstreamd_write(&channel, BSTREAMD_A, "hello, world\n", 13, 0);
	bstreamd_shutdown(&channel, BSTREAMD_A, BSTREAMD_SHUT_WRITE);
	while ((n = bstreamd_read(&channel, BSTREAMD_A, answer, sizeof(answer), 0)) > 0)
		kec_write(answer, (size_t)n);
	return n < 0;
}
