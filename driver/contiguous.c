// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of several pages. The pool keeps none in stock: they come from the system
 * when they are acquired and go back to it when they are released. They count against
 * the pool's maximum, so free pages may have to make room for them.
 */
#include "pool.h"

/*
 * Not for trying hard: whoever asks for contiguous memory is told at once that it is
 * fragmented, rather than stalled while the kernel compacts it.
 */
#define GFP_CONTIGUOUS		(GFP_KERNEL | __GFP_NORETRY)

/*
 * Whether so many buffers could fit, so that no free page is given up in vain. Whoever
 * waits for single pages comes first, and so does the reserve.
 */
static bool could_fit(struct labyrinth_pool *pool, u32 order, u32 buffers)
{
	u32 keep, missing, surplus;
	unsigned long flags;
	bool fits;

	raw_spin_lock_irqsave(&pool->lock, flags);
	keep = labyrinth_limits_keep(&pool->limits);
	surplus = pool->available - min(pool->available, keep);
	missing = pool->limits.reserve - min(pool->available, pool->limits.reserve);
	fits = !pool->nr_waiters && !list_empty(&pool->regions[order].empty) &&
	       buffers <= pool->regions[order].slots &&
	       pool->budget + (buffers << order) + missing <= pool->limits.max + surplus;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return fits;
}

/* Takes a slot, at the cost of free pages that nobody needs. */
static struct labyrinth_page *take_slot(struct labyrinth_pool *pool, u32 order)
{
	struct labyrinth_limits limits = labyrinth_pool_limits(pool);
	struct labyrinth_page *slot, *surplus;

	while (could_fit(pool, order, 1)) {
		slot = labyrinth_pool_take_slot(pool, order);
		if (slot)
			return slot;
		surplus = labyrinth_pool_next_surplus(pool, labyrinth_limits_keep(&limits),
						      LABYRINTH_TRIMMED);
		if (!surplus)
			break;
		labyrinth_pool_dissolve(pool, surplus, LABYRINTH_FREE);
	}
	return NULL;
}

static struct labyrinth_page *build_one(struct labyrinth_pool *pool, u32 order)
{
	struct labyrinth_page *page = take_slot(pool, order);
	unsigned long flags;

	if (!page)
		return NULL;
	if (!labyrinth_page_alloc(pool, page, GFP_CONTIGUOUS)) {
		labyrinth_pool_put_slot(pool, page);
		return NULL;
	}
	raw_spin_lock_irqsave(&pool->lock, flags);
	page->state = LABYRINTH_FREE;
	pool->nr[LABYRINTH_FREE] += labyrinth_page_count(page);
	pool->total += labyrinth_page_count(page);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	labyrinth_page_draw_handle(page);
	return page;
}

static int charge(struct labyrinth_pool *pool, struct labyrinth_account *account,
		  u32 order, u32 least, u32 most)
{
	unsigned long flags;
	u32 room, buffers = 0;
	int err;

	raw_spin_lock_irqsave(&pool->lock, flags);
	err = labyrinth_pool_admit(pool, account, least << order, &room);
	if (!err) {
		buffers = min(most, room >> order);
		err = labyrinth_account_charge(account, NULL, buffers << order);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return err ? err : buffers;
}

/* Builds up to @most buffers; fewer than @least are as good as none. */
static int build(struct labyrinth_pool *pool, u32 order, u32 least, u32 most,
		 struct list_head *pages)
{
	struct labyrinth_page *page, *next;
	LIST_HEAD(built);
	u32 got = 0;

	if (!could_fit(pool, order, least))
		return -ENOMEM;
	while (got < most && !labyrinth_pool_dead(pool) &&
	       (page = build_one(pool, order))) {
		list_add_tail(&page->link, &built);
		got++;
	}
	if (got < least) {
		list_for_each_entry_safe(page, next, &built, link) {
			list_del(&page->link);
			labyrinth_pool_dissolve(pool, page, LABYRINTH_FREE);
		}
		return labyrinth_pool_dead(pool) ? -ENODEV : -ENOMEM;
	}
	list_splice_tail(&built, pages);
	return got;
}

/**
 * labyrinth_pool_build() - get contiguous buffers from the system
 * @pool: the pool
 * @account: who pays
 * @order: each is 2^order pages, order > 0
 * @least: buffers without which the call fails, at least 1
 * @most: buffers it may take if they are to be had
 * @pages: the buffers, zeroed and with handles, are added here
 *
 * Context: Process context.
 * Return: the number of buffers; -ENODEV, -EDQUOT, -ENOBUFS, -ENOMEM.
 */
int labyrinth_pool_build(struct labyrinth_pool *pool, struct labyrinth_account *account,
			 u32 order, u32 least, u32 most, struct list_head *pages)
{
	int wanted, got = -ENODEV;

	wanted = charge(pool, account, order, least, most);
	if (wanted < 0) {
		got = wanted;
	} else {
		if (labyrinth_pool_enter(pool)) {
			got = build(pool, order, least, wanted, pages);
			labyrinth_pool_leave(pool);
		}
		labyrinth_pool_uncharge(pool, account, (wanted - max(got, 0)) << order);
		/* A refill that was due meanwhile found the pool full of what we have tried. */
		if (got < wanted)
			labyrinth_pool_check_refill(pool);
	}
	if (got == -ENOMEM)
		labyrinth_pool_count(pool, LABYRINTH_FRAGMENTATION_FAILS, 1);
	return got;
}

/**
 * labyrinth_pool_unbuild() - undo labyrinth_pool_build(): nobody has seen the buffers
 * @pool: the pool
 * @account: who paid
 * @pages: the buffers; emptied. Those of a dead pool are left to removal
 *
 * Context: Process context.
 */
void labyrinth_pool_unbuild(struct labyrinth_pool *pool,
			    struct labyrinth_account *account, struct list_head *pages)
{
	struct labyrinth_page *page, *next;

	list_for_each_entry_safe(page, next, pages, link) {
		list_del_init(&page->link);
		labyrinth_pool_uncharge(pool, account, labyrinth_page_count(page));
		if (!labyrinth_pool_enter(pool))
			continue;
		labyrinth_pool_dissolve(pool, page, LABYRINTH_FREE);
		labyrinth_pool_leave(pool);
	}
	labyrinth_pool_check_refill(pool);
}

/**
 * labyrinth_pool_dissolve() - give a buffer back to the system
 * @pool: the pool
 * @page: the buffer, on no list
 * @from: its state
 *
 * Whoever pays for it does so until it is gone.
 *
 * Context: Process context. The pool is entered, so that removal waits.
 */
void labyrinth_pool_dissolve(struct labyrinth_pool *pool, struct labyrinth_page *page,
			     enum labyrinth_state from)
{
	unsigned long flags;

	labyrinth_page_free(pool, page);
	raw_spin_lock_irqsave(&pool->lock, flags);
	labyrinth_page_uncharge(page);
	pool->nr[from] -= labyrinth_page_count(page);
	pool->total -= labyrinth_page_count(page);
	page->state = LABYRINTH_EMPTY;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	labyrinth_pool_put_slot(pool, page);
}
