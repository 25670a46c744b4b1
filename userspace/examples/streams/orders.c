// SPDX-License-Identifier: BSD-3-Clause
/* Messages: orders go to two workers, each order to one of them, and the sums come back. */
#include <twz/obj.h>
#include <twz/obj/dgram.h>
#include <twz/sys/kec.h>
#include <twz/sys/thread.h>

#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE)
#define ORDERS 100

struct order {
	uint32_t number, price;
};

static twzobj channel;

/* Orders until there are no more, then one message with the sum. */
static void work(void *arg)
{
	struct order order;
	uint32_t sum = 0;

	(void)arg;
	while (dgram_recv(&channel, DGRAM_B, &order, sizeof(order), 0, NULL) == sizeof(order))
		sum += order.price;
	dgram_send(&channel, DGRAM_B, &sum, sizeof(sum), 0);
}

static int send_orders(void)
{
	struct order order;
	ssize_t n = 0;

	for (uint32_t i = 1; n >= 0 && i <= ORDERS; i++) {
		order = (struct order){ .number = i, .price = 10 };
		n = dgram_send(&channel, DGRAM_A, &order, sizeof(order), 0);
	}
	return n < 0 ? (int)n : dgram_shutdown(&channel, DGRAM_A, DGRAM_SHUT_WRITE);
}

int main(void)
{
	struct thrd_spawn_args args = { .start_func = (uintptr_t)work };
	uint32_t sum, total = 0;
	struct thread workers[2];
	int r = twz_object_new(&channel, NULL, NULL, FLAGS);

	r = r < 0 ? r : dgram_obj_init(&channel, NULL, 8, sizeof(struct order));
	for (int i = 0; r == 0 && i < 2; i++)
		r = twz_thread_spawn(&workers[i], &args);
	r = r < 0 ? r : send_orders();
	for (int i = 0; r == 0 && i < 2; i++) {
		dgram_recv(&channel, DGRAM_A, &sum, sizeof(sum), 0, NULL);
		total += sum;
	}
	kec_printf("orders: %u in all\n", total);
	return r < 0;
}
