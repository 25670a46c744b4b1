// SPDX-License-Identifier: BSD-3-Clause
/* Sales go to a journal, which is another object. Step 4 of docs/tutorial.md. */
#include <base/string.h>
#include <twz/alloc.h>
#include <twz/ds/map.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/persist.h>
#include <twz/sys/kec.h>
#include <twz/tx.h>

#define NAME "stock4"
#define MAGIC 0x344b434f5453ull /* "STOCK4" */
#define LOG 1024
#define ACCESS (FE_READ | FE_WRITE)
#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

/* What the map has for a name. */
struct item {
	uint64_t amount;
	uint64_t price; /* in cents */
};

/* A sale, in the journal. Those with a number beyond stock->sold never happened. */
struct sale {
	struct sale *before; /* p-ptr */
	uint64_t number;
	uint64_t amount;
	char names[64];
};

/* At the base of the journal object. */
struct journal {
	struct sale *newest; /* p-ptr */
};

struct stock {
	uint64_t magic;
	uint64_t sold;           /* sales so far */
	struct journal *journal; /* p-ptr to another object */
	_Alignas(64) struct twz_map items;
	struct twz_tx tx;
	char log[LOG]; /* of tx */
};

/* A journal that lives as long as the stock, and not longer. */
static int make_journal(twzobj *o)
{
	struct stock *stock = twz_object_base(o);
	twzobj fresh;
	int r = twz_object_new(&fresh, NULL, NULL, FLAGS);

	if (r < 0)
		return r;
	r = twz_object_init_alloc(&fresh, sizeof(struct journal));
	if (r == 0)
		r = twz_ptr_store_guid(o, &stock->journal, NULL, (struct journal *)twz_object_base(&fresh),
		    ACCESS);
	if (r == 0)
		r = twz_object_tie(o, &fresh, 0);
	twz_object_delete(&fresh, 0);
	twz_object_release(&fresh);
	return r;
}

/* Everything is durable before the magic number is, and that before the name leads here. */
static int make(twzobj *o)
{
	struct stock *stock;
	int r = twz_object_new(o, NULL, NULL, FLAGS);

	if (r < 0)
		return r;
	r = twz_object_init_alloc(o, sizeof(*stock));
	if (r == 0)
		r = make_journal(o);
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

static void construct(void *region, void *data)
{
	memcpy(region, data, sizeof(struct sale));
}

/* Note the sale that is about to be made. */
static int note(struct stock *stock, int count, char **names, uint64_t amount)
{
	struct journal *journal = twz_ptr_lea(stock->journal);
	twzobj holder = twz_object_from_ptr(journal);
	struct sale sale = { .before = journal->newest, .number = stock->sold + 1, .amount = amount };

	for (int i = 0; i < count; i++) {
		size_t n = strlen(sale.names);

		strlcpy(sale.names + n, " ", sizeof(sale.names) - n);
		n = strlen(sale.names);
		strlcpy(sale.names + n, names[i], sizeof(sale.names) - n);
	}
	return twz_alloc(&holder, sizeof(sale), (void **)&journal->newest, 0, construct, &sale);
}

/* Sell so much of each: all of it, or nothing. */
static int sell(twzobj *o, int count, char **names, uint64_t amount)
{
	struct stock *stock = twz_object_base(o);
	int r = note(stock, count, names, amount);

	if (r < 0)
		return r;
	TXSTART(o, &stock->tx) {
		TXRECORD(&stock->tx, &stock->sold);
		stock->sold++;
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

/* The sales that happened, the last one first. */
static int print_sales(twzobj *o)
{
	struct stock *stock = twz_object_base(o);
	struct journal *journal = twz_ptr_lea(stock->journal);
	struct sale *sale = twz_ptr_lea(journal->newest);
	uint64_t wanted = stock->sold;

	for (; sale; sale = twz_ptr_lea(sale->before)) {
		if (sale->number != wanted)
			continue;
		kec_printf("sale %lu: %lu of%s\n", (unsigned long)sale->number,
		    (unsigned long)sale->amount, sale->names);
		wanted--;
	}
	return 0;
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
	if (argc == 2 && strcmp(argv[1], "sales") == 0)
		return print_sales(o);
	if (argc <= 3 && (argc == 1 || strcmp(argv[1], "list") == 0))
		return print(o, argc == 3 ? argv[2] : "");
	return -EINVAL;
}

int main(int argc, char **argv)
{
	twzobj object;
	int r = open(&object);

	if (r == 0)
		r = run(&object, argc, argv);
	if (r == -ERANGE)
		kec_printf("there is not so much of it\n");
	else if (r < 0) {
		kec_printf("stock4: error %d\n", -r);
		return 1;
	}
	return 0;
}
