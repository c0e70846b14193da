// SPDX-License-Identifier: GPL-2.0
/* One slot and the buffer in it: its memory, its state, its name, who pays for it. */
#include <linux/dma-map-ops.h>

#include "pool.h"

/**
 * labyrinth_pool_move() - count pages under another state
 * @pool: the pool
 * @pages: how many, all in the caller's hands, which changes their state afterwards
 * @from: their state
 * @to: the new one
 * @counter: what happened to them
 *
 * Context: Any.
 * Return: 0; -ENODEV if the pool is dead, and nothing has changed.
 */
int labyrinth_pool_move(struct labyrinth_pool *pool, u32 pages, enum labyrinth_state from,
			enum labyrinth_state to, enum labyrinth_counter counter)
{
	unsigned long flags;
	bool dead;

	raw_spin_lock_irqsave(&pool->lock, flags);
	dead = pool->dead;
	if (!dead) {
		pool->nr[from] -= pages;
		pool->nr[to] += pages;
		labyrinth_pool_add(pool, counter, pages);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return dead ? -ENODEV : 0;
}

/**
 * labyrinth_pool_uncharge() - undo a charge for pages that nobody got
 * @pool: the pool
 * @account: who was charged
 * @pages: for how many
 *
 * Context: Any.
 */
void labyrinth_pool_uncharge(struct labyrinth_pool *pool,
			     struct labyrinth_account *account, u32 pages)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	labyrinth_account_uncharge(account, NULL, pages);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
}

/**
 * labyrinth_pool_take_slot_locked() - take an empty slot, and the right to fill it
 * @pool: the pool, its lock held
 * @order: of the buffer that will be in it
 *
 * Context: Any.
 * Return: the slot; NULL if there is none, or the pool may not hold so much.
 */
struct labyrinth_page *labyrinth_pool_take_slot_locked(struct labyrinth_pool *pool,
						       u32 order)
{
	struct labyrinth_page *page;

	if (pool->budget + (1u << order) > pool->limits.max)
		return NULL;
	page = list_first_entry_or_null(&pool->regions[order].empty,
					struct labyrinth_page, link);
	if (page) {
		list_del_init(&page->link);
		pool->budget += 1u << order;
	}
	return page;
}

/**
 * labyrinth_pool_take_slot() - as labyrinth_pool_take_slot_locked(), with the lock
 * @pool: the pool
 * @order: of the buffer that will be in it
 *
 * Context: Any.
 * Return: the slot; NULL if there is none, or the pool may not hold so much.
 */
struct labyrinth_page *labyrinth_pool_take_slot(struct labyrinth_pool *pool, u32 order)
{
	struct labyrinth_page *page;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	page = labyrinth_pool_take_slot_locked(pool, order);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return page;
}

/**
 * labyrinth_pool_put_slot() - give an empty slot back, and the right to fill it
 * @pool: the pool
 * @page: the slot
 *
 * Context: Any.
 */
void labyrinth_pool_put_slot(struct labyrinth_pool *pool, struct labyrinth_page *page)
{
	unsigned long flags;
	bool ring;

	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->budget -= labyrinth_page_count(page);
	list_add(&page->link, &pool->regions[page->order].empty);
	/* Somebody may have come who could not ask for pages as long as it was taken. */
	ring = pool->nr_waiters && labyrinth_pool_arm_refill(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (ring)
		labyrinth_pool_ring(pool);
}

/**
 * labyrinth_page_alloc() - get a zeroed coherent buffer for an empty slot
 * @pool: the pool
 * @page: the slot
 * @gfp: how hard to try; never warns
 *
 * Behind an IOMMU, GFP_KERNEL would give remapped and GFP_ATOMIC linear memory;
 * FORCE_CONTIGUOUS makes both alike.
 *
 * Context: As @gfp allows.
 * Return: whether there is a buffer in the slot now.
 */
bool labyrinth_page_alloc(struct labyrinth_pool *pool, struct labyrinth_page *page,
			  gfp_t gfp)
{
	page->cpu = dma_alloc_attrs(pool->dev, PAGE_SIZE << page->order, &page->dma,
				    gfp | __GFP_NOWARN,
				    DMA_ATTR_FORCE_CONTIGUOUS | DMA_ATTR_NO_WARN);
	page->fill = 0;		/* the slot's last page may have had a sentinel in it */
	return page->cpu;
}

/**
 * labyrinth_page_free() - give a slot's buffer, if any, back to the system
 * @pool: the pool
 * @page: the slot
 *
 * Context: Process context, interrupts on (dma_free_coherent() insists).
 */
void labyrinth_page_free(struct labyrinth_pool *pool, struct labyrinth_page *page)
{
	if (!page->cpu)
		return;
	dma_free_attrs(pool->dev, PAGE_SIZE << page->order, page->cpu, page->dma,
		       DMA_ATTR_FORCE_CONTIGUOUS | DMA_ATTR_NO_WARN);
	page->cpu = NULL;
}

/**
 * labyrinth_page_end_charge() - nobody pays for a buffer any more
 * @pool: the pool
 * @page: the buffer; nothing happens if nobody did
 *
 * Context: Process context.
 */
void labyrinth_page_end_charge(struct labyrinth_pool *pool, struct labyrinth_page *page)
{
	struct labyrinth_account *account;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	account = page->account;
	labyrinth_page_uncharge(page);
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	if (account && page->state == LABYRINTH_QUARANTINED)
		labyrinth_account_put(account);
}
