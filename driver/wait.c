// SPDX-License-Identifier: GPL-2.0
/*
 * The FIFO of waiters: claims that could not be met at once. Whatever becomes free is
 * set aside for the oldest; as long as anyone waits, nobody else gets a page.
 */
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>

#include "pool.h"

/* With a result of 0 the claim stands; with an error nothing is left of it. */
static void leave_queue(struct labyrinth_pool *pool, struct labyrinth_waiter *waiter,
			int result)
{
	list_del(&waiter->link);
	pool->nr_waiters--;
	pool->set_aside -= waiter->got;
	waiter->account->waiting -= waiter->wanted;
	if (result) {
		pool->available += waiter->got;
		labyrinth_account_uncharge(waiter->account, NULL, waiter->wanted);
	}
}

static void finish_waiter(struct labyrinth_pool *pool,
			  struct labyrinth_waiter *waiter, int result)
{
	leave_queue(pool, waiter, result);
	waiter->result = result;
	WRITE_ONCE(waiter->done, true);
	wake_up_process(waiter->task);
}

static struct labyrinth_waiter *oldest_waiter(struct labyrinth_pool *pool)
{
	return list_first_entry_or_null(&pool->waiters, struct labyrinth_waiter, link);
}

/**
 * labyrinth_pool_demand() - pages that the oldest waiter needs
 * @pool: the pool, its lock held
 *
 * Context: Any.
 * Return: 0 if nobody waits.
 */
u32 labyrinth_pool_demand(struct labyrinth_pool *pool)
{
	struct labyrinth_waiter *waiter = oldest_waiter(pool);

	return waiter ? waiter->wanted : 0;
}

/* What its account has already is all that cannot come back to it. */
static bool is_hopeless(struct labyrinth_pool *pool, struct labyrinth_waiter *waiter)
{
	const struct labyrinth_account *account = waiter->account;

	return account->charged - account->waiting + waiter->wanted >
	       labyrinth_pool_reachable(pool);
}

/**
 * labyrinth_pool_serve_oldest() - set spare pages aside for the oldest waiter
 * @pool: the pool, its lock held
 *
 * One that could not be served even if all others gave back what they have, because
 * limits were lowered or pages poisoned, is sent away: it would hold up the rest.
 *
 * Context: Any.
 * Return: whether that waiter is gone, so that the next one may get something.
 */
bool labyrinth_pool_serve_oldest(struct labyrinth_pool *pool)
{
	struct labyrinth_waiter *waiter = oldest_waiter(pool);
	u32 pages;

	lockdep_assert_held(&pool->lock);
	if (!waiter)
		return false;
	if (is_hopeless(pool, waiter)) {
		finish_waiter(pool, waiter, -ENOMEM);
		return true;
	}
	pages = min(labyrinth_pool_spare(pool), waiter->wanted - waiter->got);
	pool->available -= pages;
	pool->set_aside += pages;
	waiter->got += pages;
	if (waiter->got < waiter->wanted)
		return false;
	finish_waiter(pool, waiter, 0);
	return true;
}

/**
 * labyrinth_pool_spare_appeared() - can pages be had now that could not be had before?
 * @pool: the pool, its lock held
 *
 * Context: Any.
 * Return: whether ops->spare() has to be called; each change is told of once.
 */
bool labyrinth_pool_spare_appeared(struct labyrinth_pool *pool)
{
	bool had_spare = pool->had_spare;

	pool->had_spare = list_empty(&pool->waiters) && labyrinth_pool_spare(pool);
	return pool->had_spare && !had_spare;
}

/**
 * labyrinth_pool_is_unsettled() - has labyrinth_pool_settle() anything to do?
 * @pool: the pool, its lock held, with pages that have come back
 *
 * Context: Any.
 * Return: true if it has; then call it once the lock is dropped.
 */
bool labyrinth_pool_is_unsettled(struct labyrinth_pool *pool)
{
	return pool->nr_waiters || !pool->had_spare || labyrinth_pool_refill_due(pool) ||
	       labyrinth_pool_has_surplus(pool);
}

/* One lock section per waiter, and one for all the rest; a worker does the last turns. */
static void settle(struct labyrinth_pool *pool, bool came_back, u32 turns)
{
	bool more, ring, spare = false, surplus;
	unsigned long flags;

	do {
		raw_spin_lock_irqsave(&pool->lock, flags);
		more = labyrinth_pool_serve_oldest(pool);
		ring = !more && (came_back || pool->nr_waiters) &&
		       labyrinth_pool_arm_refill(pool);
		spare |= labyrinth_pool_spare_appeared(pool);	/* told of once */
		surplus = labyrinth_pool_has_surplus(pool);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	} while (more && --turns);
	if (ring)
		labyrinth_pool_ring(pool);
	if (spare)
		pool->ops->spare(pool);
	if (surplus || more)
		labyrinth_pool_tidy_later(pool);
}

/**
 * labyrinth_pool_serve() - give spare pages to waiters, and tell of what is left
 * @pool: the pool
 *
 * Whoever is the oldest waiter now may need more than a refill under way was for. If
 * nobody waits there is no ring: a refill that has just failed would go in circles. A
 * refill may also have brought too much, where the limits have changed meanwhile.
 *
 * Context: Any where the interrupt handler may run.
 */
void labyrinth_pool_serve(struct labyrinth_pool *pool)
{
	settle(pool, false, LABYRINTH_AT_ONCE);
}

/**
 * labyrinth_pool_settle() - see to what follows from pages that have come back
 * @pool: the pool
 *
 * Waiters are served and pollers told, more pages asked for if there are still too few,
 * and what is surplus is given back.
 *
 * Context: Process context.
 */
void labyrinth_pool_settle(struct labyrinth_pool *pool)
{
	settle(pool, true, U32_MAX);
}

/**
 * labyrinth_pool_dismiss_waiters() - send every waiter away with -ENODEV
 * @pool: a dead pool, so that none can come
 *
 * Context: Any. One lock section per waiter.
 */
void labyrinth_pool_dismiss_waiters(struct labyrinth_pool *pool)
{
	struct labyrinth_waiter *waiter;
	unsigned long flags;

	do {
		raw_spin_lock_irqsave(&pool->lock, flags);
		waiter = oldest_waiter(pool);
		if (waiter)
			finish_waiter(pool, waiter, -ENODEV);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	} while (waiter);
}

/**
 * labyrinth_pool_poll() - would a one-page claim succeed without waiting?
 * @pool: the pool
 *
 * If not, sees to it that a refill is under way: whoever asks will wait for one.
 *
 * Context: Process context. The caller is on the wait queue that ops->spare() wakes.
 * Return: true if it would.
 */
bool labyrinth_pool_poll(struct labyrinth_pool *pool)
{
	bool spare, ring = false;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	spare = list_empty(&pool->waiters) && labyrinth_pool_spare(pool);
	if (!spare) {
		pool->had_spare = false;	/* whoever asks wants to be told */
		ring = labyrinth_pool_arm_refill(pool);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (ring)
		labyrinth_pool_ring(pool);
	return spare;
}

/* Sleeps until the waiter is done, a signal comes, or the deadline passes. */
static int sleep_until_served(struct labyrinth_waiter *waiter, ktime_t deadline)
{
	int err = 0;

	for (;;) {
		/* Freezable: being suspended does not cost the place in the queue. */
		set_current_state(TASK_INTERRUPTIBLE | TASK_FREEZABLE);
		if (READ_ONCE(waiter->done) || err)
			break;
		if (signal_pending(current))
			err = -ERESTARTSYS;
		else if (!schedule_hrtimeout(deadline ? &deadline : NULL,
					     HRTIMER_MODE_ABS))
			err = -ETIMEDOUT;
	}
	__set_current_state(TASK_RUNNING);
	return err;
}

/**
 * labyrinth_pool_wait() - wait in the FIFO
 * @pool: the pool
 * @waiter: what labyrinth_pool_join_queue() was called with
 * @deadline: CLOCK_MONOTONIC time to give up at, 0 for none
 *
 * Context: Process context, sleeps.
 * Return: 0, and the claim stands; -ENODEV, -ENOMEM, -ETIMEDOUT, -ERESTARTSYS, and
 * nothing is left of it.
 */
int labyrinth_pool_wait(struct labyrinth_pool *pool, struct labyrinth_waiter *waiter,
			ktime_t deadline)
{
	unsigned long flags;
	int err;

	err = sleep_until_served(waiter, deadline);

	raw_spin_lock_irqsave(&pool->lock, flags);
	if (waiter->done)
		err = waiter->result;
	else
		leave_queue(pool, waiter, err);
	if (err == -ETIMEDOUT)
		labyrinth_pool_add(pool, LABYRINTH_EXHAUSTION_FAILS, 1);
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	if (err)
		labyrinth_pool_settle(pool);
	return err;
}

/**
 * labyrinth_pool_join_queue() - wait from here on
 * @pool: the pool, its lock held
 * @waiter: with who, for whom and how much; the task must call labyrinth_pool_wait()
 *
 * Context: The task that waits.
 * Return: 0 or -ENOBUFS.
 */
int labyrinth_pool_join_queue(struct labyrinth_pool *pool, struct labyrinth_waiter *waiter)
{
	int err = labyrinth_account_charge(waiter->account, NULL, waiter->wanted);

	if (err)
		return err;
	waiter->account->waiting += waiter->wanted;
	list_add_tail(&waiter->link, &pool->waiters);
	pool->nr_waiters++;
	labyrinth_pool_add(pool, LABYRINTH_EXHAUSTION_WAITS, 1);
	labyrinth_pool_serve_oldest(pool);	/* what there is, if it is the first */
	return 0;
}
