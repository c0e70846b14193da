// SPDX-License-Identifier: GPL-2.0
/*
 * Taking pages out of the pool, in three steps: claim a number of pages, collect that
 * many from the stock, commit once the owner knows their handles. All free pages are
 * equal, so a claim is only a number: it is made, and set aside for a waiter, in O(1),
 * and the pages it stands for are sure to be in the stock.
 */
#include "pool.h"

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

/* Takes and charges up to @most pages, unless somebody is waiting. */
static u32 take_spare(struct labyrinth_pool *pool, struct labyrinth_account *account,
		      u32 most)
{
	u32 pages = min(most, labyrinth_pool_spare(pool));

	if (!list_empty(&pool->waiters))
		return 0;
	if (labyrinth_account_charge(account, pages, 0))
		return 0;
	pool->available -= pages;
	return pages;
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
	if (list_empty(&pool->waiters) && labyrinth_pool_spare(pool) >= least) {
		pages = take_spare(pool, account, min(most, room));
		/* RLIMIT_MEMLOCK is shared with all that pins memory, outside our lock. */
		return pages ? pages : -ENOBUFS;
	}
	if (!or_else)
		return labyrinth_pool_join_queue(pool, waiter);
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
	spare = labyrinth_pool_spare_appeared(pool);
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
	struct labyrinth_waiter waiter = {
		.task = current,
		.account = account,
		.wanted = least,
	};
	unsigned long flags;
	bool ring, spare;
	int pages, err;

	raw_spin_lock_irqsave(&pool->lock, flags);
	pages = take_or_queue(pool, account, least, most, or_else, &waiter);
	spare = labyrinth_pool_spare_appeared(pool);
	ring = labyrinth_pool_arm_refill(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (spare)
		pool->ops->spare(pool);
	if (ring)
		pool->ops->ring(pool);
	if (pages)
		return pages;

	err = labyrinth_pool_wait(pool, &waiter, deadline);
	if (err)
		return err;
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
		labyrinth_pool_settle(pool);	/* the oldest waiter may be hopeless now */
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
	labyrinth_pool_settle(pool);
}
