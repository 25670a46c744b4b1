// SPDX-License-Identifier: BSD-3-Clause
/*
 * No CPU uses a translation that is gone. In each case threads on all CPUs use a page, so that
 * their CPUs hold its translation, and say so; then they spin without entering the kernel.
 * Something is changed by a system call of another thread; when that has returned they are let go,
 * and what they do next must not go the old way. The last cases have more address spaces than a
 * machine may have numbers for.
 */
#include "contexts.h"
#include "ktap.h"
#include "testlib.h"

#define MAX_MATES 8u
#define LIMIT_NS (2000 * NS_PER_MS) /* of a case: slow machines do fewer rounds */
#define SPINS 20000u /* then let others run: there may be fewer CPUs than threads */
#define SLOT (TWZSLOT_MAX_SLOT - 2)
#define ROUNDS 60u
#define MARK(round) (1000ul + (round))

/* What the threads of a case share. Odd values of `go`: use the page; even ones: use it again. */
struct team {
	unsigned size;
	bool writes;
	volatile uint64_t *word;
	uint64_t mark; /* what a reader must see the second time; what a writer writes */
	atomic_uint go, ready, wrong;
	atomic_bool over;
};

struct mate {
	struct team *team;
	unsigned number;
	struct thread thread;
};

static unsigned team_size(void)
{
	unsigned n = twz_sysinfo()->ncpus;

	return n < 2 ? 2 : n > MAX_MATES ? MAX_MATES : n;
}

static void spin_until(atomic_uint *what, unsigned least)
{
	for (unsigned i = 1; atomic_load(what) < least; i++)
		if (i % SPINS == 0)
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
}

static void first_use(struct team *team, volatile uint64_t *word)
{
	if (team->writes)
		*word = 1;
	else
		(void)*word;
}

static void second_use(struct team *team, volatile uint64_t *word)
{
	if (team->writes)
		*word = team->mark;
	else if (*word != team->mark)
		atomic_fetch_add(&team->wrong, 1);
}

static void take_part(void *arg)
{
	struct mate *mate = arg;
	struct team *team = mate->team;

	for (unsigned round = 1;; round++) {
		spin_until(&team->go, 2 * round - 1);
		if (atomic_load(&team->over))
			return;
		volatile uint64_t *word = team->word + mate->number;
		first_use(team, word);
		atomic_fetch_add(&team->ready, 1);
		spin_until(&team->go, 2 * round);
		second_use(team, word);
		atomic_fetch_add(&team->ready, 1);
	}
}

static bool start_team(struct team *team, struct mate *mates)
{
	team->size = team_size();
	for (unsigned i = 0; i < team->size; i++) {
		mates[i] = (struct mate){ .team = team, .number = i };
		if (run_thread(&mates[i].thread, take_part, &mates[i]) != 0)
			return false;
	}
	return true;
}

/*
 * The first use of a round, by all; when it returns every CPU that ran one of them has the
 * translation.
 */
static void all_use(struct team *team, unsigned round)
{
	atomic_store(&team->go, 2 * round - 1);
	spin_until(&team->ready, team->size * (2 * round - 1));
}

static void let_go(struct team *team, unsigned round)
{
	team->mark = MARK(round);
	atomic_store(&team->go, 2 * round);
}

/* Who gets past the use it is at finds that the case is over. */
static void let_go_for_good(struct team *team)
{
	atomic_store(&team->over, true);
	atomic_store(&team->go, ~0u);
}

static void end_team(struct team *team, struct mate *mates)
{
	let_go_for_good(team);
	for (unsigned i = 0; i < team->size; i++)
		CHECK_EQ(finish_thread(&mates[i].thread), 0);
}

static void set_words(volatile uint64_t *word, uint64_t value)
{
	for (unsigned i = 0; i < MAX_MATES; i++)
		word[i] = value;
}

/* --- slots: who uses what is no longer allowed must fault */

static volatile uint64_t *slot_word(void)
{
	return (uint64_t *)(SLOT_TO_VADDR(SLOT) + OBJ_NULLPAGE_SIZE);
}

static void all_fault_after(twzobj *o, objid_t id, uint32_t flags, bool writes)
{
	struct team team = { .word = slot_word(), .writes = writes };
	struct mate mates[MAX_MATES];

	set_words(twz_object_base(o), 0);
	twz_view_set(NULL, SLOT, twz_object_guid(o), VE_READ | VE_WRITE);
	NEED(start_team(&team, mates));
	all_use(&team, 1);
	twz_view_set(NULL, SLOT, id, flags);
	let_go_for_good(&team);
	for (unsigned i = 0; i < team.size; i++) {
		CHECK_EQ(finish_thread(&mates[i].thread), THRD_EXIT_FAULT(FAULT_OBJECT));
		CHECK_EQ(*page_word(o, 1), writes);
	}
	twz_view_set(NULL, SLOT, 0, 0);
}

static void unmapped_is_gone(void)
{
	twzobj o;

	NEED(new_object(&o) == 0);
	for (int i = 0; i < 6; i++)
		all_fault_after(&o, 0, 0, i % 2);
	drop_object(&o);
}

static void lost_right_is_gone(void)
{
	twzobj o;

	NEED(new_object(&o) == 0);
	for (int i = 0; i < 6; i++)
		all_fault_after(&o, twz_object_guid(&o), VE_READ, true);
	drop_object(&o);
}

/* --- security contexts: who uses what the context no longer allows must fault */

/* Uses one word over and over, limited by a context, and is not to get past a change of that. */
struct captive {
	struct thread thread;
	objid_t context;
	volatile uint64_t *word;
	bool writes;
	atomic_uintptr_t stack; /* out: an address in it; the thread waits for `go` then */
	atomic_bool go;         /* cleared: once more, and nobody should get past that */
	atomic_uint uses;       /* out */
	atomic_bool late;       /* out: it read what was stored after the cut */
};

#define CUT_VALUE (1ul << 40)
#define CUTS 4u
#define USES 3u /* of each thread before the cut: its CPU has the translation */

static void be_captive(void *arg)
{
	struct captive *c = arg;

	atomic_store(&c->stack, (uintptr_t)__builtin_frame_address(0));
	while (!atomic_load(&c->go))
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	if (sys_attach(0, c->context, 0, KSO_SECCTX) != 0)
		return;
	for (unsigned i = 1, last = false; !last; i++) {
		last = !atomic_load(&c->go);
		if (c->writes)
			*c->word = i;
		else if (*c->word == CUT_VALUE)
			atomic_store(&c->late, true);
		atomic_fetch_add(&c->uses, 1);
		if (i % SPINS == 0)
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
	}
}

/* Whatever gmask takes away, this object keeps. */
static int spare(twzobj *context, objid_t id)
{
	return twz_sctx_add_dfl(context, id, ALL_RIGHTS, NULL, SCF_TYPE_REGRANT_MASK);
}

static int spare_at(twzobj *context, const void *p)
{
	objid_t id;
	int r = twz_vaddr_to_obj(p, &id, NULL);

	return r < 0 ? r : spare(context, id);
}

/* What the threads run on, and what reports their fault: it looks at the view, too. */
static bool spare_program(twzobj *context)
{
	static char data;

	return spare_at(context, (void *)be_captive) == 0 && spare_at(context, &data) == 0 &&
	    spare(context, twz_thread_repr_base()->view) == 0;
}

static bool start_captives(struct captive *c, unsigned n, twzobj *context, twzobj *o)
{
	if (!spare_program(context))
		return false;
	for (unsigned i = 0; i < n; i++) {
		c[i] = (struct captive){ .context = twz_object_guid(context), .writes = i % 2 };
		c[i].word = (uint64_t *)twz_object_base(o) + i;
		if (run_thread(&c[i].thread, be_captive, &c[i]) != 0)
			return false;
		while (!atomic_load(&c[i].stack))
			sys_thrd_ctl(THRD_CTL_YIELD, 0);
		if (spare_at(context, (void *)atomic_load(&c[i].stack)) < 0 ||
		    spare(context, c[i].thread.tid) < 0)
			return false;
	}
	for (unsigned i = 0; i < n; i++)
		atomic_store(&c[i].go, true);
	for (unsigned i = 0; i < n; i++)
		spin_until(&c[i].uses, USES);
	return true;
}

static void cut_by_gmask(twzobj *context, objid_t target, uint32_t rights)
{
	(void)target;
	twz_sctx_set_gmask(context, rights);
}

static void cut_by_bucket(twzobj *context, objid_t target, uint32_t rights)
{
	CHECK_EQ(twz_sctx_add_dfl(context, target, rights, NULL, 0), 0);
}

/* Half of the threads read, half of them write. When cut() has returned nobody does any more. */
static void cut_off(void (*cut)(twzobj *, objid_t, uint32_t))
{
	static struct captive captives[MAX_MATES];
	unsigned n = team_size();
	twzobj context, o;

	NEED(new_context(&context) == 0 && new_open_object(&o) == 0);
	volatile uint64_t *words = twz_object_base(&o);
	set_words(words, 0);
	NEED(start_captives(captives, n, &context, &o));
	cut(&context, twz_object_guid(&o), SCP_READ | SCP_WRITE);
	set_words(words, CUT_VALUE);
	for (unsigned i = 0; i < n; i++) {
		atomic_store(&captives[i].go, false);
		CHECK_EQ(finish_thread(&captives[i].thread), THRD_EXIT_FAULT(FAULT_SCTX));
		CHECK(!atomic_load(&captives[i].late));
		CHECK_EQ(words[i], CUT_VALUE);
	}
	drop_object(&o);
	drop_object(&context);
}

static void masked_for_all_is_gone(void)
{
	for (unsigned i = 0; i < CUTS; i++)
		cut_off(cut_by_gmask);
}

static void masked_is_gone(void)
{
	for (unsigned i = 0; i < CUTS; i++)
		cut_off(cut_by_bucket);
}

/* --- changes that nobody faults over for good: many rounds with the same threads */

struct scene {
	int (*prepare)(struct scene *, struct team *, unsigned round); /* before the first use */
	int (*change)(struct scene *, struct team *, unsigned round);  /* between the two */
	int (*check)(struct scene *, struct team *, unsigned round);   /* after the second */
	bool writes;
	unsigned rounds; /* at most; 0: ROUNDS */
	twzobj a, b, copy;
};

static bool play_round(struct scene *scene, struct team *team, unsigned round)
{
	bool good = !scene->prepare || scene->prepare(scene, team, round) == 0;

	all_use(team, round);
	good = scene->change(scene, team, round) == 0 && good;
	let_go(team, round);
	spin_until(&team->ready, team->size * 2 * round);
	good = (!scene->check || scene->check(scene, team, round) == 0) && good;
	return good && atomic_load(&team->wrong) == 0;
}

static void play_on(struct scene *scene, uint16_t backing)
{
	struct team team = { .writes = scene->writes };
	struct mate mates[MAX_MATES];
	uint64_t until = twz_clock_ns() + LIMIT_NS;
	unsigned rounds = scene->rounds ? scene->rounds : ROUNDS;
	unsigned round = 0;
	bool good = true;

	NEED(twz_object_new(&scene->a, NULL, NULL, backing, NEW_FLAGS) == 0);
	NEED(twz_object_new(&scene->b, NULL, NULL, backing, NEW_FLAGS) == 0);
	team.word = twz_object_base(&scene->a);
	set_words(team.word, 0);
	NEED(start_team(&team, mates));
	while (good && round < rounds && twz_clock_ns() < until)
		good = play_round(scene, &team, ++round);
	CHECK(good);
	CHECK_EQ(atomic_load(&team.wrong), 0);
	end_team(&team, mates);
	ktap_note("%u rounds, %u threads", round, team.size);
	drop_object(&scene->a);
	drop_object(&scene->b);
}

static void play(struct scene scene)
{
	play_on(&scene, OBJ_VOLATILE);
}

static void play_stored(struct scene scene)
{
	if (have_store())
		play_on(&scene, OBJ_PERSISTENT);
}

static bool words_are(volatile uint64_t *word, unsigned count, uint64_t value)
{
	for (unsigned i = 0; i < count; i++)
		if (word[i] != value) {
			ktap_note("word %u is %lu, not %lu", i, (unsigned long)word[i], (unsigned long)value);
			return false;
		}
	return true;
}

static long copy_page(twzobj *to, uint64_t to_page, twzobj *from, uint64_t page)
{
	objid_t d = twz_object_guid(to);
	objid_t s = from ? twz_object_guid(from) : 0;

	return sys_ocopy(&d, &s, to_page * TWZ_PAGE_SIZE, page * TWZ_PAGE_SIZE, TWZ_PAGE_SIZE, 0);
}

/* The slot shows a and b by turns. */
static int swap_slot(struct scene *s, struct team *team, unsigned round)
{
	twzobj *next = round % 2 ? &s->b : &s->a;

	(void)team;
	set_words(twz_object_base(next), MARK(round));
	twz_view_set(NULL, SLOT, twz_object_guid(next), VE_READ);
	return 0;
}

static int first_slot(struct scene *s, struct team *team, unsigned round)
{
	if (round == 1)
		twz_view_set(NULL, SLOT, twz_object_guid(&s->a), VE_READ);
	team->word = slot_word();
	return 0;
}

static void swapped_slot(void)
{
	play((struct scene){ .prepare = first_slot, .change = swap_slot });
	twz_view_set(NULL, SLOT, 0, 0);
}

/* The copy is made while everybody can write the page; what they write then is not in it. */
static int make_copy(struct scene *s, struct team *team, unsigned round)
{
	(void)team, (void)round;
	return twz_object_new(&s->copy, &s->a, NULL, OBJ_VOLATILE, NEW_FLAGS);
}

static int copy_is_old(struct scene *s, struct team *team, unsigned round)
{
	bool good = words_are(twz_object_base(&s->copy), team->size, 1) &&
		    words_are(team->word, team->size, MARK(round));

	drop_object(&s->copy);
	return good ? 0 : -EGENERIC;
}

static void copied_object(void)
{
	play((struct scene){ .change = make_copy, .check = copy_is_old, .writes = true });
}

static int copy_to_b(struct scene *s, struct team *team, unsigned round)
{
	(void)team, (void)round;
	return copy_page(&s->b, 1, &s->a, 1);
}

static int b_is_old(struct scene *s, struct team *team, unsigned round)
{
	return words_are(twz_object_base(&s->b), team->size, 1) &&
	       words_are(team->word, team->size, MARK(round)) ? 0 : -EGENERIC;
}

static void copied_page(void)
{
	play((struct scene){ .change = copy_to_b, .check = b_is_old, .writes = true });
}

static void copied_stored_page(void)
{
	play_stored((struct scene){ .change = copy_to_b, .check = b_is_old, .writes = true });
}

/*
 * The page is shared with a copy; writing gives the object a page of its own, which all have to
 * see.
 */
static int share_page(struct scene *s, struct team *team, unsigned round)
{
	return make_copy(s, team, round);
}

static int write_words(struct scene *s, struct team *team, unsigned round)
{
	(void)s;
	set_words(team->word, MARK(round));
	return 0;
}

static int drop_copy(struct scene *s, struct team *team, unsigned round)
{
	(void)team, (void)round;
	drop_object(&s->copy);
	return 0;
}

static void written_after_copy(void)
{
	play((struct scene){ .prepare = share_page, .change = write_words, .check = drop_copy });
}

/* The page is given back, somebody else gets it, and another comes when it is written next. */
static int give_up_page(struct scene *s, struct team *team, unsigned round)
{
	long error = copy_page(&s->a, 1, NULL, 1);

	*page_word(&s->b, round) = 0;
	set_words(team->word, MARK(round));
	return error;
}

static void given_up_page(void)
{
	play((struct scene){ .change = give_up_page });
}

static void given_up_stored_page(void)
{
	play_stored((struct scene){ .change = give_up_page });
}

/* A hole is read as the page of zeroes until it is written. */
static int next_hole(struct scene *s, struct team *team, unsigned round)
{
	team->word = page_word(&s->a, 1 + 2 * round);
	return 0;
}

static void filled_hole(void)
{
	play_stored((struct scene){ .prepare = next_hole, .change = write_words });
}

/* The same for 2 MiB of holes that become a run, in one step, when the first of them is written. */
#define BLOCK_PAGES 512u
#define RUNS 8u

static int next_run(struct scene *s, struct team *team, unsigned round)
{
	*page_word(&s->a, round * BLOCK_PAGES - 1) = 1;
	team->word = page_word(&s->a, round * BLOCK_PAGES + 3);
	return 0;
}

static int fill_run(struct scene *s, struct team *team, unsigned round)
{
	*page_word(&s->a, round * BLOCK_PAGES) = 1;
	return write_words(s, team, round);
}

static void filled_run(void)
{
	play_stored((struct scene){ .prepare = next_run, .change = fill_run, .rounds = RUNS });
}

/* A page of 2 MiB that are mapped in one piece is replaced. */
#define BIG_PAGES (4 * BLOCK_PAGES)

static int grow_runs(struct scene *s, struct team *team, unsigned round)
{
	if (round == 1)
		for (uint64_t page = 1; page <= BIG_PAGES; page++)
			*page_word(&s->a, page) = 1;
	team->word = page_word(&s->a, BLOCK_PAGES * 2 + round * 8);
	return 0;
}

static int replace_page(struct scene *s, struct team *team, unsigned round)
{
	(void)team;
	set_words(twz_object_base(&s->b), MARK(round));
	return copy_page(&s->a, BLOCK_PAGES * 2 + round * 8, &s->b, 1);
}

static void replaced_in_block(void)
{
	play_stored((struct scene){ .prepare = grow_runs, .change = replace_page });
}

/* The object moves into the store, or out of it, and takes everybody along. */
static int move_object(struct scene *s, struct team *team, unsigned round)
{
	(void)team;
	return sys_octl(twz_object_guid(&s->a), OCO_PERSIST, round % 2, 0, 0);
}

static int words_moved(struct scene *s, struct team *team, unsigned round)
{
	(void)s;
	return words_are(team->word, team->size, MARK(round)) ? 0 : -EGENERIC;
}

static void moved_object(void)
{
	struct scene scene = { .change = move_object, .check = words_moved, .writes = true };

	if (have_store())
		play_on(&scene, OBJ_VOLATILE);
}

/* --- address spaces, more than numbers */

#define SPACES 24u
#define TURNS 150u

struct tenant {
	struct thread thread;
	twzobj view, own;
	uint64_t mark;
	uint64_t wrong;
};

static void stay(void *arg)
{
	struct tenant *t = arg;
	volatile uint64_t *word = slot_word();

	for (unsigned i = 0; i < TURNS; i++) {
		t->wrong += word[0] != t->mark || word[1] != i;
		word[1] = i + 1;
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	}
}

/* A view with an object of its own in the slot, and a thread in it. */
static int move_in(struct tenant *t, uint64_t mark, void (*fn)(void *))
{
	*t = (struct tenant){ .mark = mark };
	if (new_object(&t->own) != 0 || new_view(&t->view) != 0)
		return -ENOMEM;
	*page_word(&t->own, 1) = mark;
	twz_view_set(&t->view, SLOT, twz_object_guid(&t->own), VE_READ | VE_WRITE);
	return run_thread_in(&t->thread, twz_object_guid(&t->view), fn, t);
}

static void move_out(struct tenant *t)
{
	CHECK_EQ(finish_thread(&t->thread), 0);
	CHECK_EQ(t->wrong, 0);
	drop_object(&t->view);
	drop_object(&t->own);
}

static void many_spaces(void)
{
	static struct tenant tenants[SPACES];

	for (unsigned i = 0; i < SPACES; i++)
		NEED(move_in(&tenants[i], MARK(i), stay) == 0);
	for (unsigned i = 0; i < SPACES; i++)
		move_out(&tenants[i]);
}

static void look(void *arg)
{
	struct tenant *t = arg;

	t->wrong = *slot_word() != t->mark;
}

static void short_lived_spaces(void)
{
	uint64_t until = twz_clock_ns() + LIMIT_NS;
	struct tenant t;
	unsigned i;

	for (i = 0; i < 2000 && twz_clock_ns() < until; i++) {
		NEED(move_in(&t, MARK(i), look) == 0);
		move_out(&t);
	}
	ktap_note("%u spaces", i);
}

static const struct ktap_case cases[] = {
	{ "a slot that is unmapped is gone on every CPU", unmapped_is_gone },
	{ "a right that is taken is gone on every CPU", lost_right_is_gone },
	{ "what a context takes from all objects is gone on every CPU", masked_for_all_is_gone },
	{ "what a context takes from one object is gone on every CPU", masked_is_gone },
	{ "a slot that changes shows the new object on every CPU", swapped_slot },
	{ "nobody writes into the copy of an object", copied_object },
	{ "nobody writes into the copy of a page", copied_page },
	{ "nobody writes into the copy of a page of the store", copied_stored_page },
	{ "a page written after a copy is the same for all", written_after_copy },
	{ "a page that was given up is not seen again", given_up_page },
	{ "a page of the store that was given up is not seen again", given_up_stored_page },
	{ "a hole that is filled is not read as zeroes", filled_hole },
	{ "a run that fills holes is not read as zeroes", filled_run },
	{ "a page replaced in a block is seen by all", replaced_in_block },
	{ "an object that moves is written in its new place", moved_object },
	{ "many spaces each see their own", many_spaces },
	{ "short-lived spaces leave nothing to the next", short_lived_spaces },
};

int main(void)
{
	return KTAP_RUN(cases);
}
