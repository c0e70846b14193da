// SPDX-License-Identifier: GPL-2.0
/*
 * Taking pages out of the pool for user space: claim a number of pages, then take that
 * many out of the stock. All free pages are equal, so a claim is only a number: it is
 * made, and set aside for a waiter, in O(1), and the pages it stands for are sure to be
 * in the stock. They go on counting as free until their new owner knows their handles.
 */
#include "pool.h"

/**
 * labyrinth_pool_reachable() - pages that user space could have at most, all together
 * @pool: the pool, its lock held
 *
 * Context: Any.
 * Return: how many, whoever has them now.
 */
u32 labyrinth_pool_reachable(struct labyrinth_pool *pool)
{
	u32 lost = pool->limits.reserve + pool->nr[LABYRINTH_POISONED];

	return pool->limits.max - min(lost, pool->limits.max);
}

/**
 * labyrinth_pool_pop() - take an unclaimed page, for whom no rule holds
 * @pool: the pool, its lock held, with @available pages
 *
 * Context: Any.
 * Return: the page, on no list.
 */
struct labyrinth_page *labyrinth_pool_pop(struct labyrinth_pool *pool)
{
	struct labyrinth_page *page;
	LIST_HEAD(pages);

	labyrinth_stock_take(&pool->stock, &pages, 1);
	page = list_first_entry(&pages, struct labyrinth_page, link);
	list_del_init(&page->link);
	pool->available--;
	return page;
}

/* Takes and charges up to @most pages, unless somebody is waiting. */
static u32 take_spare(struct labyrinth_pool *pool, struct labyrinth_account *account,
		      u32 most)
{
	u32 pages = min(most, labyrinth_pool_spare(pool));

	if (!list_empty(&pool->waiters))
		return 0;
	if (labyrinth_account_charge(account, NULL, pages))
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
static int take_or_queue(struct labyrinth_pool *pool, const struct labyrinth_request *want,
			 struct labyrinth_waiter *waiter)
{
	u32 room, pages;
	int err;

	err = labyrinth_pool_admit(pool, want->account, want->least, &room);
	if (err)
		return err;
	if (list_empty(&pool->waiters) && labyrinth_pool_spare(pool) >= want->least) {
		pages = take_spare(pool, want->account, min(want->most, room));
		/* RLIMIT_MEMLOCK is shared with all that pins memory, outside our lock. */
		return pages ? pages : -ENOBUFS;
	}
	if (!want->or_else) {
		*waiter = (struct labyrinth_waiter){
			.task = current,
			.account = want->account,
			.wanted = want->least,
		};
		return labyrinth_pool_join_queue(pool, waiter);
	}
	labyrinth_pool_add(pool, LABYRINTH_EXHAUSTION_FAILS, 1);
	return want->or_else;
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
		labyrinth_pool_ring(pool);
	return pages;
}

static int wait_for_pages(struct labyrinth_pool *pool, const struct labyrinth_request *want,
			  struct labyrinth_waiter *waiter)
{
	int err = labyrinth_pool_wait(pool, waiter, want->deadline);

	if (err)
		return err;
	return want->least + top_up(pool, want->account, want->most - want->least);
}

/*
 * Claims pages, and takes the first of them at once. Returns how many are claimed and
 * charged for, or why none are.
 */
static int claim(struct labyrinth_pool *pool, const struct labyrinth_request *want,
		 struct list_head *pages, u32 *in_stock)
{
	struct labyrinth_waiter waiter;
	unsigned long flags;
	bool ring, spare;
	u32 first = 0;
	int claimed;

	raw_spin_lock_irqsave(&pool->lock, flags);
	claimed = take_or_queue(pool, want, &waiter);
	if (claimed > 0) {
		first = min_t(u32, claimed, LABYRINTH_AT_ONCE);
		labyrinth_stock_take(&pool->stock, pages, first);
	}
	spare = labyrinth_pool_spare_appeared(pool);
	ring = labyrinth_pool_arm_refill(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (spare)
		pool->ops->spare(pool);
	if (ring)
		labyrinth_pool_ring(pool);

	if (!claimed)
		claimed = wait_for_pages(pool, want, &waiter);
	*in_stock = claimed - first;
	return claimed;
}

static void take_rest(struct labyrinth_pool *pool, struct list_head *pages, u32 count)
{
	unsigned long flags;
	u32 some;

	for (; count; count -= some) {
		some = min_t(u32, count, LABYRINTH_AT_ONCE);
		raw_spin_lock_irqsave(&pool->lock, flags);
		labyrinth_stock_take(&pool->stock, pages, some);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	}
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

/* Gives each page its handle, and drops those that turn out poisoned: returns how many. */
static u32 name_pages(struct labyrinth_pool *pool, struct list_head *pages)
{
	struct labyrinth_page *page, *next;
	u32 poisoned = 0;

	list_for_each_entry_safe(page, next, pages, link) {
		if (check_page(pool, page)) {
			labyrinth_page_draw_handle(page);
		} else {
			list_del_init(&page->link);
			poisoned++;
		}
	}
	return poisoned;
}

/**
 * labyrinth_pool_take() - take single pages for user space, and charge for them
 * @pool: the pool
 * @want: who wants how many, and for how long
 * @pages: an empty list; on success, the pages, zeroed and with handles. They still
 *	count as free until labyrinth_pool_move()
 *
 * Claims are met strictly in the order they came: as long as anyone waits, nobody
 * else gets a page. A claim is made again if pages turn out poisoned, and the others
 * are too few.
 *
 * Context: Process context, sleeps unless told what to answer instead.
 * Return: how many pages; -ENODEV, -EDQUOT, -ENOBUFS, -ENOMEM (could never be met),
 * the answer instead of waiting, -ETIMEDOUT, -ERESTARTSYS (a signal is pending).
 */
int labyrinth_pool_take(struct labyrinth_pool *pool, const struct labyrinth_request *want,
			struct list_head *pages)
{
	u32 in_stock, poisoned;
	int claimed;

	for (;;) {
		claimed = claim(pool, want, pages, &in_stock);
		if (claimed < 0)
			return claimed;
		take_rest(pool, pages, in_stock);
		poisoned = name_pages(pool, pages);
		if (likely(!poisoned))
			return claimed;
		labyrinth_pool_uncharge(pool, want->account, poisoned);
		labyrinth_pool_settle(pool);	/* the oldest waiter may be hopeless now */
		if (claimed - poisoned >= want->least)
			return claimed - poisoned;
		labyrinth_pool_untake(pool, want->account, pages);
	}
}

/**
 * labyrinth_pool_untake() - undo labyrinth_pool_take(): nobody has seen the pages
 * @pool: the pool
 * @account: who paid
 * @pages: the pages; emptied. They are zero, so they go straight back
 *
 * Context: Process context.
 */
void labyrinth_pool_untake(struct labyrinth_pool *pool, struct labyrinth_account *account,
			   struct list_head *pages)
{
	struct labyrinth_page *page, *next;
	unsigned long flags;
	LIST_HEAD(one);

	list_for_each_entry_safe(page, next, pages, link) {
		raw_spin_lock_irqsave(&pool->lock, flags);
		list_move(&page->link, &one);
		labyrinth_stock_put(&pool->stock, &one, 1);
		pool->available++;
		labyrinth_account_uncharge(account, NULL, 1);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
	}
	labyrinth_pool_settle(pool);
}
