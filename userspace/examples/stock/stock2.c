// SPDX-License-Identifier: BSD-3-Clause
/* The shop trades: amounts change together, or not at all. Step 2 of docs/tutorial.md. */
#include <base/string.h>
#include <twz/alloc.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/persist.h>
#include <twz/sys/kec.h>
#include <twz/tx.h>

#define NAME "stock2"
#define MAGIC 0x324b434f5453ull /* "STOCK2" */
#define LOG 1024
#define ACCESS (FE_READ | FE_WRITE)
#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

struct item {
	struct item *next; /* p-ptr */
	uint64_t amount;
	char name[48];
};

struct stock {
	uint64_t magic;
	struct item *first; /* p-ptr */
	_Alignas(64) struct twz_tx tx;
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

static struct item *find(twzobj *o, const char *name)
{
	struct stock *stock = twz_object_base(o);
	struct item *item = twz_object_lea(o, stock->first);

	while (item && strcmp(item->name, name) != 0)
		item = twz_object_lea(o, item->next);
	return item;
}

/* The new item, written by the allocator's call before anything leads to it. */
static void construct(void *region, void *data)
{
	memcpy(region, data, sizeof(struct item));
}

static int add(twzobj *o, const char *name, uint64_t amount)
{
	struct stock *stock = twz_object_base(o);
	struct item *known = find(o, name);
	struct item fresh = { .next = stock->first, .amount = amount };

	if (known) {
		known->amount += amount;
		_clwb(&known->amount);
		_pfence();
		return 0;
	}
	strlcpy(fresh.name, name, sizeof(fresh.name));
	return twz_alloc(o, sizeof(fresh), (void **)&stock->first, 0, construct, &fresh);
}

/* So much of one thing for as much of another. */
static int swap(twzobj *o, const char *from, const char *to, uint64_t amount)
{
	struct stock *stock = twz_object_base(o);
	struct item *less = find(o, from), *more = find(o, to);
	int r = 0;

	if (!less || !more)
		return -ENOENT;
	TXSTART(o, &stock->tx) {
		TXRECORD(&stock->tx, &less->amount);
		TXRECORD(&stock->tx, &more->amount);
		more->amount += amount;
		if (less->amount < amount)
			TXABORT(-ERANGE);
		less->amount -= amount;
		TXCOMMIT;
	} TX_ONABORT {
		r = errno;
	} TXEND;
	return r;
}

static void print(twzobj *o)
{
	struct stock *stock = twz_object_base(o);
	struct item *item = twz_object_lea(o, stock->first);

	for (; item; item = twz_object_lea(o, item->next))
		kec_printf("%6lu %s\n", (unsigned long)item->amount, item->name);
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
	if (argc == 4 && strcmp(argv[1], "add") == 0)
		return add(o, argv[2], number(argv[3]));
	if (argc == 5 && strcmp(argv[1], "swap") == 0)
		return swap(o, argv[2], argv[3], number(argv[4]));
	return argc == 1 ? 0 : -EINVAL;
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
		kec_printf("stock2: error %d\n", -r);
		return 1;
	}
	print(&object);
	return 0;
}
