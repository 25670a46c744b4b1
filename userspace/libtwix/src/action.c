// SPDX-License-Identifier: BSD-3-Clause
/* What is done when a signal comes, and what others can see of that. */
#include "twix.h"

#include <string.h>

static struct mutex *const lock = &twix_own_locks[TWIX_LOCK_ACTIONS];
static struct twix_action actions[TWIX_SIGNALS + 1]; /* guarded by lock */
static struct twix_action kept[TWIX_SIGNALS + 1]; /* the parent's, while its thread acts as a child */

static void set_bit(uint64_t *word, int sig, bool on)
{
	if (on)
		__atomic_fetch_or(word, SIG_BIT(sig), __ATOMIC_ACQ_REL);
	else
		__atomic_fetch_and(word, ~SIG_BIT(sig), __ATOMIC_ACQ_REL);
}

/* Lock held. */
static void replace(int sig, const struct twix_action *new)
{
	actions[sig] = *new;
	set_bit(&twix_self()->caught, sig, twix_is_handler(new));
	set_bit(&twix_self()->ignored, sig, new->handler == SIG_IGN);
	if (sig == SIGCHLD)
		__atomic_store_n(&twix_self()->child_flags, new->flags & (SA_NOCLDSTOP | SA_NOCLDWAIT), __ATOMIC_RELEASE);
}

struct twix_action twix_action(int sig, const struct twix_action *new)
{
	struct twix_action was;

	mutex_acquire(lock);
	was = actions[sig];
	if (new)
		replace(sig, new);
	mutex_release(lock);
	if (new && (new->handler == SIG_IGN || (new->handler == SIG_DFL && SIGS_IGNORED & SIG_BIT(sig))))
		twix_signal_discard(sig);
	return was;
}

void twix_actions_keep(void)
{
	memcpy(kept, actions, sizeof(kept));
}

/* What processes know of them is each's own. */
void twix_actions_restore(void)
{
	memcpy(actions, kept, sizeof(actions));
}

struct twix_action twix_use_action(int sig)
{
	struct twix_action a, reset;

	mutex_acquire(lock);
	a = reset = actions[sig];
	if (twix_is_handler(&a) && a.flags & SA_RESETHAND) {
		reset.handler = SIG_DFL;
		replace(sig, &reset);
	}
	mutex_release(lock);
	return a;
}

void twix_actions_init(void)
{
	for (int sig = 1; sig <= TWIX_SIGNALS; sig++)
		if (twix_self()->ignored & SIG_BIT(sig))
			actions[sig].handler = SIG_IGN;
}
