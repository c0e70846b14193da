/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One page out of the pool and back, while there are plenty: as claim.c, page.c and scrub.c
 * do it, but straight on, for short.c. What is out of the ordinary is seen before anything
 * has happened, and left to them. All of it in process context, with interrupts on.
 */
#ifndef LABYRINTH_SINGLE_H
#define LABYRINTH_SINGLE_H

#include "pool.h"

/*
 * Nothing follows when a page goes: nobody waits, and it will not be missed. Nor does an
 * account then own so much that labyrinth_pool_admit() would have to refuse it.
 */
static inline bool labyrinth_pool_has_plenty(const struct labyrinth_pool *pool)
{
	return !pool->dead && !pool->nr_waiters && pool->had_spare &&
	       pool->available > labyrinth_limits_keep(&pool->limits) &&
	       pool->total <= pool->limits.max && !READ_ONCE(pool->sentinel);
}

/* Nothing follows when a page comes back: nobody has missed it, and none is surplus. */
static inline bool labyrinth_pool_has_room(const struct labyrinth_pool *pool)
{
	return !pool->nr_waiters && pool->had_spare &&
	       pool->available >= labyrinth_limits_keep(&pool->limits) &&
	       pool->available < pool->limits.high && pool->total <= pool->limits.max;
}

/**
 * labyrinth_pool_take_single() - as labyrinth_pool_take(), of a page that is at hand
 * @pool: the pool
 * @account: who pays
 *
 * Context: The task that is to pay, interrupts on.
 * Return: the page that this CPU has scrubbed last, with a new handle; NULL if that would
 * not be all there is to do, and nothing has been done.
 */
static inline struct labyrinth_page *
labyrinth_pool_take_single(struct labyrinth_pool *pool, struct labyrinth_account *account)
{
	struct labyrinth_shard *shard;
	struct labyrinth_page *page;

	raw_spin_lock_irq(&pool->lock);
	shard = this_cpu_ptr(pool->stock.shards);
	page = list_first_entry(&shard->pages, struct labyrinth_page, link);
	if (shard->count && !page->fill && labyrinth_pool_has_plenty(pool) &&
	    labyrinth_account_charge_one(account)) {
		list_del_init(&page->link);
		shard->count--;
		pool->available--;
		labyrinth_page_draw_handle(page);
	} else {
		page = NULL;
	}
	raw_spin_unlock_irq(&pool->lock);
	return page;
}

/**
 * labyrinth_pool_own_single() - as labyrinth_pool_move(), of an acquired page
 * @pool: the pool, which cannot die for its owner: the file's state mutex is held
 *
 * Without the pool's lock, which two CPUs would have to pass to each other once more. STAT
 * does not miss it: whoever ends the ownership has held the state mutex after us, and takes
 * the pool's lock to count that.
 *
 * Context: Process context.
 */
static inline void labyrinth_pool_own_single(struct labyrinth_pool *pool)
{
	this_cpu_inc(pool->busy->owned);
}

/* Into the stock; the pool's lock is held. */
static inline void labyrinth_stock_put_single(struct labyrinth_stock *stock,
					      struct labyrinth_page *page)
{
	struct labyrinth_shard *shard = this_cpu_ptr(stock->shards);

	if (shard->count >= LABYRINTH_SHARD_PAGES)
		shard = &stock->shared;
	list_add(&page->link, &shard->pages);
	shard->count++;
}

/**
 * labyrinth_pool_publish_single() - make a page free that has been scrubbed
 * @pool: the pool, entered
 * @page: a single page of an account, in the caller's hands alone
 * @revoked: it has been taken out of page tables, which is still to be counted
 *
 * Context: Process context, interrupts on.
 */
static inline void labyrinth_pool_publish_single(struct labyrinth_pool *pool,
						 struct labyrinth_page *page, bool revoked)
{
	struct labyrinth_account *account = page->account;
	bool settled;

	raw_spin_lock_irq(&pool->lock);
	pool->nr[LABYRINTH_OWNED]--;
	pool->nr[LABYRINTH_FREE]++;
	page->state = LABYRINTH_FREE;
	WRITE_ONCE(page->account, NULL);
	labyrinth_account_uncharge_one(account);
	labyrinth_stock_put_single(&pool->stock, page);
	settled = labyrinth_pool_has_room(pool);	/* for one more: it is not counted yet */
	pool->available++;
	labyrinth_pool_add(pool, LABYRINTH_SCRUBBED, 1);
	labyrinth_pool_add(pool, LABYRINTH_RELEASED, 1);
	labyrinth_pool_add(pool, LABYRINTH_REVOKED, revoked);
	/* At once: we may be preempted behind this section. */
	if (pool->nr_waiters)
		labyrinth_pool_serve_oldest(pool);
	raw_spin_unlock_irq(&pool->lock);
	if (!settled)
		labyrinth_pool_settle(pool);
}

#endif /* LABYRINTH_SINGLE_H */
