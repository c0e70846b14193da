// SPDX-License-Identifier: GPL-2.0
/*
 * Taking pages out of the pool, in three steps: claim a number of pages, collect that
 * many from the stock, commit once the owner knows their handles. All free pages are
 * equal, so a claim is only a number: it is made, and set aside for a waiter, in O(1),
 * and the pages it stands for are sure to be in the stock.
 */
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>

#include "pool.h"

/**
 * struct labyrinth_waiter - a claim that could not be met at once
 * @link: on the pool's list of waiters
 * @task: who waits, on its own stack
 * @account: who has been charged
 * @wanted: pages it needs to go on
 * @got: pages set aside for it, always fewer than @wanted while it is on the list
 * @done: off the list, @result is valid
 * @result: 0, -ENODEV, or -ENOMEM if it cannot be served any more
 *
 * All but @task and @account is guarded by the pool's lock. A waiter leaves only after it has
 * taken that lock, so whoever wakes it holds the lock over the wake-up.
 */
struct labyrinth_waiter {
	struct list_head link;
	struct task_struct *task;
	struct labyrinth_account *account;
	u32 wanted;
	u32 got;
	bool done;
	int result;
};

/* Pages that user space may have, beyond the reserve. */
static u32 pool_spare(struct labyrinth_pool *pool)
{
	if (pool->available <= pool->limits.reserve)
		return 0;
	return pool->available - pool->limits.reserve;
}

static void finish_waiter(struct labyrinth_pool *pool,
			  struct labyrinth_waiter *waiter, int result)
{
	list_del(&waiter->link);
	pool->nr_waiters--;
	pool->set_aside -= waiter->got;
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

/**
 * labyrinth_pool_reachable() - pages that user space could have at most, all together
 * @pool: the pool, its lock held
 *
 * Context: Any.
 */
u32 labyrinth_pool_reachable(struct labyrinth_pool *pool)
{
	u32 lost = pool->limits.reserve + pool->nr[LABYRINTH_POISONED];

	return pool->limits.max - min(lost, pool->limits.max);
}

/* Its own pages are all that cannot come back to it. */
static bool is_hopeless(struct labyrinth_pool *pool, struct labyrinth_waiter *waiter)
{
	return waiter->account->charged > labyrinth_pool_reachable(pool);
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
	pages = min(pool_spare(pool), waiter->wanted - waiter->got);
	pool->available -= pages;
	pool->set_aside += pages;
	waiter->got += pages;
	if (waiter->got < waiter->wanted)
		return false;
	finish_waiter(pool, waiter, 0);
	return true;
}

/* Whether pages can be had now that could not be had when this was last asked. */
static bool spare_appeared(struct labyrinth_pool *pool)
{
	bool had_spare = pool->had_spare;

	pool->had_spare = list_empty(&pool->waiters) && pool_spare(pool);
	return pool->had_spare && !had_spare;
}

/**
 * labyrinth_pool_serve() - give spare pages to waiters, and tell of what is left
 * @pool: the pool
 *
 * Whoever is the oldest waiter now may need more than a refill under way was for.
 *
 * Context: Any where the interrupt handler may run. One lock section per waiter.
 */
void labyrinth_pool_serve(struct labyrinth_pool *pool)
{
	unsigned long flags;
	bool more, ring, spare;

	do {
		raw_spin_lock_irqsave(&pool->lock, flags);
		more = labyrinth_pool_serve_oldest(pool);
		ring = !more && pool->nr_waiters && labyrinth_pool_arm_refill(pool);
		spare = spare_appeared(pool);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	} while (more);
	if (ring)
		pool->ops->ring(pool);
	if (spare)
		pool->ops->spare(pool);
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
 */
bool labyrinth_pool_poll(struct labyrinth_pool *pool)
{
	bool spare, ring = false;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	spare = list_empty(&pool->waiters) && pool_spare(pool);
	if (!spare) {
		pool->had_spare = false;	/* whoever asks wants to be told */
		ring = labyrinth_pool_arm_refill(pool);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (ring)
		pool->ops->ring(pool);
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

/* Waits in the FIFO; on return the claim stands, or nothing is left of it. */
static int wait_for_pages(struct labyrinth_pool *pool, struct labyrinth_account *account,
			  struct labyrinth_waiter *waiter, ktime_t deadline)
{
	unsigned long flags;
	int err;

	err = sleep_until_served(waiter, deadline);

	raw_spin_lock_irqsave(&pool->lock, flags);
	if (waiter->done) {
		err = waiter->result;
	} else {
		list_del(&waiter->link);
		pool->nr_waiters--;
		pool->set_aside -= waiter->got;
	}
	if (err) {
		pool->available += waiter->got;
		labyrinth_account_uncharge(account, waiter->wanted);
	}
	if (err == -ETIMEDOUT)
		pool->counters[LABYRINTH_EXHAUSTION_FAILS]++;
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	if (err) {
		labyrinth_pool_serve(pool);
		labyrinth_pool_trim(pool);
	}
	return err;
}

/* Takes and charges up to @most pages, unless somebody is waiting. */
static u32 take_spare(struct labyrinth_pool *pool, struct labyrinth_account *account,
		      u32 most)
{
	u32 pages = min(most, pool_spare(pool));

	if (!list_empty(&pool->waiters))
		return 0;
	if (labyrinth_account_charge(account, pages, 0))
		return 0;
	pool->available -= pages;
	return pages;
}

static int join_queue(struct labyrinth_pool *pool, struct labyrinth_account *account,
		      struct labyrinth_waiter *waiter, u32 pages)
{
	int err = labyrinth_account_charge(account, pages, 0);

	if (err)
		return err;
	waiter->wanted = pages;
	list_add_tail(&waiter->link, &pool->waiters);
	pool->nr_waiters++;
	pool->counters[LABYRINTH_EXHAUSTION_WAITS]++;
	labyrinth_pool_serve_oldest(pool);	/* what there is, if it is the first */
	return 0;
}

/**
 * labyrinth_pool_admit() - may an account ask for so many pages at all?
 * @pool: the pool, its lock held
 * @account: who would pay
 * @least: pages without which the answer is an error
 * @room: set to the pages that could be charged
 *
 * Context: The task that is to pay.
 * Return: 0; -ENODEV, -EDQUOT, -ENOBUFS; -ENOMEM if not even if every other owner
 * gave back all it has.
 */
int labyrinth_pool_admit(struct labyrinth_pool *pool, struct labyrinth_account *account,
			 u32 least, u32 *room)
{
	u32 reachable = labyrinth_pool_reachable(pool);
	int err;

	if (pool->dead)
		return -ENODEV;
	err = labyrinth_account_room(account, NULL, 0, least, room);
	if (err)
		return err;
	if (least > reachable - min(account->charged, reachable))
		return -ENOMEM;
	return 0;
}

/* Takes what it can at once, or joins the queue (0), or says why neither will do. */
static int take_or_queue(struct labyrinth_pool *pool, struct labyrinth_account *account,
			 u32 least, u32 most, int or_else,
			 struct labyrinth_waiter *waiter)
{
	u32 room, pages;
	int err;

	err = labyrinth_pool_admit(pool, account, least, &room);
	if (err)
		return err;
	if (list_empty(&pool->waiters) && pool_spare(pool) >= least) {
		pages = take_spare(pool, account, min(most, room));
		/* RLIMIT_MEMLOCK is shared with all that pins memory, outside our lock. */
		return pages ? pages : -ENOBUFS;
	}
	if (!or_else)
		return join_queue(pool, account, waiter, least);
	pool->counters[LABYRINTH_EXHAUSTION_FAILS]++;
	return or_else;
}

/* A partial claim that waited for its least takes what else there is by now. */
static u32 top_up(struct labyrinth_pool *pool, struct labyrinth_account *account,
		  u32 most)
{
	unsigned long flags;
	u32 pages, room;
	bool ring, spare;

	if (!most)
		return 0;
	raw_spin_lock_irqsave(&pool->lock, flags);
	labyrinth_account_room(account, NULL, 0, 0, &room);
	pages = take_spare(pool, account, min(most, room));
	spare = spare_appeared(pool);
	ring = labyrinth_pool_arm_refill(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (spare)
		pool->ops->spare(pool);
	if (ring)
		pool->ops->ring(pool);
	return pages;
}

/**
 * labyrinth_pool_claim() - reserve single pages for user space, and charge for them
 * @pool: the pool
 * @account: who pays
 * @least: pages without which the call fails, at least 1
 * @most: pages it may take if they are there and the quota allows
 * @or_else: errno to return instead of waiting, or 0 to wait
 * @deadline: CLOCK_MONOTONIC time to give up at, 0 for none
 *
 * Claims are met strictly in the order they came: as long as anyone waits, nobody
 * else gets a page. Whatever was claimed must be collected.
 *
 * Context: Process context, sleeps unless @or_else.
 * Return: pages claimed and charged; -ENODEV, -EDQUOT, -ENOBUFS, -ENOMEM (could never
 * be met), @or_else, -ETIMEDOUT, -ERESTARTSYS (a signal is pending).
 */
int labyrinth_pool_claim(struct labyrinth_pool *pool,
			 struct labyrinth_account *account, u32 least, u32 most,
			 int or_else, ktime_t deadline)
{
	struct labyrinth_waiter waiter = { .task = current, .account = account };
	unsigned long flags;
	bool ring, spare;
	int pages;

	raw_spin_lock_irqsave(&pool->lock, flags);
	pages = take_or_queue(pool, account, least, most, or_else, &waiter);
	spare = spare_appeared(pool);
	ring = labyrinth_pool_arm_refill(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (spare)
		pool->ops->spare(pool);
	if (ring)
		pool->ops->ring(pool);
	if (pages)
		return pages;

	pages = wait_for_pages(pool, account, &waiter, deadline);
	if (pages)
		return pages;
	return least + top_up(pool, account, most - least);
}

/* As labyrinth_page_check(), with removal kept from freeing the page meanwhile. */
static bool check_page(struct labyrinth_pool *pool, struct labyrinth_page *page)
{
	bool intact;

	if (!labyrinth_page_needs_check(pool, page) || !labyrinth_pool_enter(pool))
		return true;	/* of a dead pool none is handed out anyway */
	intact = labyrinth_page_check(pool, page);
	labyrinth_pool_leave(pool);
	return intact;
}

/**
 * labyrinth_pool_collect() - take claimed pages out of the stock
 * @pool: the pool
 * @account: who has paid
 * @count: how many
 * @pages: the pages, zeroed and with handles, are added here; they still count as free
 *	until the commit
 *
 * Context: Process context.
 * Return: how many there are. The claim to others is lost: they turned out poisoned.
 */
int labyrinth_pool_collect(struct labyrinth_pool *pool,
			   struct labyrinth_account *account, u32 count,
			   struct list_head *pages)
{
	struct labyrinth_page *page;
	u32 poisoned = 0, i;

	for (i = 0; i < count; i++) {
		page = labyrinth_stock_get(&pool->stock, &pool->lock);
		if (check_page(pool, page)) {
			labyrinth_page_draw_handle(page);
			list_add_tail(&page->link, pages);
		} else {
			poisoned++;
		}
	}
	if (poisoned) {
		labyrinth_pool_uncharge(pool, account, poisoned);
		labyrinth_pool_serve(pool);	/* the oldest waiter may be hopeless now */
		labyrinth_pool_check_refill(pool);
	}
	return count - poisoned;
}

/**
 * labyrinth_pool_uncollect() - undo claims whose pages nobody has seen
 * @pool: the pool
 * @account: who paid
 * @pages: what labyrinth_pool_collect() gave; emptied
 *
 * The pages are zero, so they go straight back.
 *
 * Context: Process context.
 */
void labyrinth_pool_uncollect(struct labyrinth_pool *pool,
			      struct labyrinth_account *account,
			      struct list_head *pages)
{
	struct labyrinth_page *page, *next;
	unsigned long flags;

	list_for_each_entry_safe(page, next, pages, link) {
		raw_spin_lock_irqsave(&pool->lock, flags);
		list_del(&page->link);
		labyrinth_stock_put(&pool->stock, page);
		pool->available++;
		labyrinth_account_uncharge(account, 1);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	}
	labyrinth_pool_serve(pool);
	labyrinth_pool_trim(pool);
}
