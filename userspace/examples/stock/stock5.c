// SPDX-License-Identifier: BSD-3-Clause
/* Orders arrive, and several threads serve them. Step 5 of docs/tutorial.md. */
#include <base/string.h>
#include <twz/alloc.h>
#include <twz/ds/map.h>
#include <twz/mutex.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/obj/dgram.h>
#include <twz/persist.h>
#include <twz/sys/kec.h>
#include <twz/sys/thread.h>
#include <twz/tx.h>

#define NAME "stock5"
#define MAGIC 0x354b434f5453ull /* "STOCK5" */
#define LOG 1024
#define SERVERS 3
#define RING_BITS 12
#define ACCESS (FE_READ | FE_WRITE)
#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

/* What the map has for a name. */
struct item {
	uint64_t amount;
	uint64_t price; /* in cents */
};

struct stock {
	uint64_t magic;
	struct mutex lock; /* tx, and the amounts it changes */
	_Alignas(64) struct twz_map items;
	struct twz_tx tx;
	char log[LOG]; /* of tx */
};

/* Everything is durable before the magic number is, and that before the name leads here. */
static int make(twzobj *o)
{
	struct stock *stock;
	int r = twz_object_new(o, NULL, NULL, FLAGS);

	if (r < 0)
		return r;
	r = twz_object_init_alloc(o, sizeof(*stock));
	if (r == 0) {
		stock = twz_object_base(o);
		tx_init(&stock->tx, LOG);
		stock->magic = MAGIC;
		_clwb(&stock->magic);
		_pfence();
		r = twz_name_assign(twz_object_guid(o), NAME);
	}
	if (r < 0)
		twz_object_delete(o, 0);
	return r;
}

/* What a power cut interrupted is undone before anything is looked at. */
static int open(twzobj *o)
{
	struct stock *stock;
	int r = twz_object_init_name(o, NAME, ACCESS);

	if (r == -ENOENT)
		return make(o);
	if (r < 0)
		return r;
	stock = twz_object_base(o);
	if (stock->magic != MAGIC)
		return -EINVLOBJ;
	r = TXCHECK(o, &stock->tx);
	return r < 0 ? r : 0;
}

static int add(twzobj *o, const char *name, uint64_t amount, uint64_t price)
{
	struct stock *stock = twz_object_base(o);
	struct item item = { 0 };

	twz_map_get(o, &stock->items, name, strlen(name), &item, sizeof(item));
	item.amount += amount;
	item.price = price;
	return twz_map_put(o, &stock->items, name, strlen(name), &item, sizeof(item), 0);
}

static struct item *find(twzobj *o, const char *name)
{
	struct stock *stock = twz_object_base(o);
	size_t len;
	struct item *item = twz_map_find(o, &stock->items, name, strlen(name), &len);

	return item && len == sizeof(*item) ? item : NULL;
}

/* Take an amount off an item. Values may stand at any address: copied out, and back in. */
static int take(struct twz_tx *tx, struct item *place, uint64_t amount)
{
	struct item item;
	int r = tx_record(tx, place, sizeof(item));

	if (r < 0)
		return r;
	memcpy(&item, place, sizeof(item));
	if (item.amount < amount)
		return -ERANGE;
	item.amount -= amount;
	memcpy(place, &item, sizeof(item));
	return 0;
}

/* Sell so much of each: all of it, or nothing. */
static int sell(twzobj *o, int count, char **names, uint64_t amount)
{
	struct stock *stock = twz_object_base(o);
	int r = 0;

	TXSTART(o, &stock->tx) {
		for (int i = 0; i < count; i++) {
			struct item *item = find(o, names[i]);
			int taken = item ? take(&stock->tx, item, amount) : -ENOENT;

			if (taken < 0)
				TXABORT(taken);
		}
		TXCOMMIT;
	} TX_ONABORT {
		r = errno;
	} TXEND;
	return r;
}

/* An order, as it is sent. */
struct order {
	uint64_t amount;
	char name[48];
};

static twzobj object, orders;
static uint64_t served, refused; /* guarded by the stock's lock */

/* If whoever had the lock died, what it was changing is undone first. */
static void serve_one(struct order *order)
{
	struct stock *stock = twz_object_base(&object);
	char *names[] = { order->name };

	if (mutex_acquire_r(&stock->lock))
		TXCHECK(&object, &stock->tx);
	if (sell(&object, 1, names, order->amount) == 0)
		served++;
	else
		refused++;
	mutex_release(&stock->lock);
}

static void serve(void *arg)
{
	struct order order;
	size_t length;

	(void)arg;
	while (dgram_recv(&orders, DGRAM_B, &order, sizeof(order), 0, &length) >= 0)
		if (length == sizeof(order))
			serve_one(&order);
}

/* Send so many orders of one each, while the servers serve them. */
static int send_orders(const char *name, uint64_t count)
{
	struct order order = { .amount = 1 };
	ssize_t r = 0;

	strlcpy(order.name, name, sizeof(order.name));
	for (uint64_t i = 0; r >= 0 && i < count; i++)
		r = dgram_send(&orders, DGRAM_A, &order, sizeof(order), 0);
	dgram_shutdown(&orders, DGRAM_A, DGRAM_SHUT_WRITE);
	return r < 0 ? (int)r : 0;
}

/* The channel is volatile, and goes with this program. */
static int run_orders(const char *name, uint64_t count)
{
	struct thrd_spawn_args args = { .start_func = (uintptr_t)serve };
	struct thread servers[SERVERS];
	uint64_t code;
	int n = 0, r = twz_object_new(&orders, NULL, NULL, OBJ_VOLATILE, FLAGS & ~TWZ_OC_TIED_NONE);

	if (r == 0)
		r = dgram_obj_init(&orders, NULL, RING_BITS, sizeof(struct order));
	while (r == 0 && n < SERVERS) {
		r = twz_thread_spawn(&servers[n], &args);
		n += r == 0;
	}
	if (r == 0)
		r = send_orders(name, count);
	for (int i = 0; i < n; i++) {
		twz_thread_join(&servers[i], &code, 0);
		twz_thread_release(&servers[i]);
	}
	kec_printf("%lu served, %lu refused\n", (unsigned long)served, (unsigned long)refused);
	return r;
}

/* In the order of the names, from one on. */
static int print(twzobj *o, const char *from)
{
	struct stock *stock = twz_object_base(o);
	static struct twz_map_iter it;
	int r;

	twz_map_iter_init(&it, o, &stock->items);
	r = *from ? twz_map_seek(&it, from, strlen(from)) : twz_map_next(&it);
	for (; r == 1; r = twz_map_next(&it)) {
		struct item item;

		memcpy(&item, it.value, sizeof(item));
		kec_printf("%6lu %.*s at %lu\n", (unsigned long)item.amount, (int)it.klen,
		    (const char *)it.key, (unsigned long)item.price);
	}
	return r;
}

static uint64_t number(const char *text)
{
	uint64_t n = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return n;
}

static int run(twzobj *o, int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "add") == 0)
		return add(o, argv[2], number(argv[3]), number(argv[4]));
	if (argc >= 4 && strcmp(argv[1], "sell") == 0)
		return sell(o, argc - 3, argv + 3, number(argv[2]));
	if (argc == 4 && strcmp(argv[1], "orders") == 0)
		return run_orders(argv[2], number(argv[3]));
	if (argc <= 3 && (argc == 1 || strcmp(argv[1], "list") == 0))
		return print(o, argc == 3 ? argv[2] : "");
	return -EINVAL;
}

int main(int argc, char **argv)
{
	int r = open(&object);

	if (r == 0)
		r = run(&object, argc, argv);
	if (r == -ERANGE)
		kec_printf("there is not so much of it\n");
	else if (r < 0) {
		kec_printf("stock5: error %d\n", -r);
		return 1;
	}
	return 0;
}
