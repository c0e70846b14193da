// SPDX-License-Identifier: GPL-2.0
/*
 * Taking a page and giving it back from any context, for owners inside the kernel.
 * Nothing here sleeps or waits in the queue.
 */
#include "pool.h"

/* Pages that may turn out poisoned in one call: as much work as one refill, no more. */
#define MOST_TRIES	16

/* The pool's lock is held. */
static void become_kernels(struct labyrinth_pool *pool, struct labyrinth_page *page)
{
	page->state = LABYRINTH_KERNEL;
	pool->nr[LABYRINTH_KERNEL]++;
	labyrinth_pool_add(pool, LABYRINTH_ACQUIRED, 1);
}

/* As labyrinth_pool_take(), for one page and without any rule. */
static struct labyrinth_page *take_one(struct labyrinth_pool *pool)
{
	struct labyrinth_page *page = NULL;
	unsigned long flags;
	bool ring = false;

	raw_spin_lock_irqsave(&pool->lock, flags);
	if (!pool->dead) {
		if (pool->available)
			page = labyrinth_pool_pop(pool);
		ring = labyrinth_pool_arm_refill(pool);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (ring)
		labyrinth_pool_ring(pool);
	return page;
}

/**
 * labyrinth_pool_take_free() - take a free page, also out of the reserve
 * @pool: the pool
 *
 * Context: Any but NMI.
 * Return: the page, zeroed; NULL if there is none or the pool is dead.
 */
struct labyrinth_page *labyrinth_pool_take_free(struct labyrinth_pool *pool)
{
	struct labyrinth_page *page;
	unsigned long flags;
	int tries = 0;

	/* Each turn that finds a poisoned page takes it out for good. */
	do {
		page = tries++ < MOST_TRIES ? take_one(pool) : NULL;
		if (!page)
			return NULL;
	} while (!labyrinth_page_check(pool, page));

	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->nr[LABYRINTH_FREE]--;
	become_kernels(pool, page);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return page;
}

static struct labyrinth_page *allocate(struct labyrinth_pool *pool)
{
	struct labyrinth_page *page = labyrinth_pool_take_slot(pool, 0);
	unsigned long flags;
	bool dead;

	if (!page)
		return NULL;
	if (!labyrinth_page_alloc(pool, page, GFP_ATOMIC)) {
		labyrinth_pool_put_slot(pool, page);
		/* A refill that was due meanwhile found the pool full of what we have tried. */
		labyrinth_pool_check_refill(pool);
		return NULL;
	}
	raw_spin_lock_irqsave(&pool->lock, flags);
	dead = pool->dead;
	if (!dead) {
		pool->total++;
		become_kernels(pool, page);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return dead ? NULL : page;
}

/**
 * labyrinth_pool_take_new() - take a page from the page allocator, with one attempt
 * @pool: the pool
 *
 * It never becomes free in between, so nobody who waits can get ahead.
 *
 * Context: Where GFP_ATOMIC may be used.
 * Return: the page, zeroed; NULL if there is no memory or the pool is full or dead.
 */
struct labyrinth_page *labyrinth_pool_take_new(struct labyrinth_pool *pool)
{
	struct labyrinth_page *page;

	/* So that removal waits for the allocation, and frees what it finds in the slot. */
	if (!labyrinth_pool_enter(pool))
		return NULL;
	page = allocate(pool);
	labyrinth_pool_leave(pool);
	return page;
}

/**
 * labyrinth_pool_return_later() - have a worker scrub a page and make it free
 * @pool: the pool
 * @page: a page in the kernel's hands, on no list
 *
 * Context: Any but NMI.
 */
void labyrinth_pool_return_later(struct labyrinth_pool *pool,
				 struct labyrinth_page *page)
{
	unsigned long flags;
	bool owned;

	raw_spin_lock_irqsave(&pool->lock, flags);
	owned = page->state == LABYRINTH_KERNEL && list_empty(&page->link);
	if (owned)
		list_add_tail(&page->link, &pool->returned);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (!WARN_ON_ONCE(!owned))	/* freed twice? */
		schedule_work(&pool->tidy_work);
}
