// SPDX-License-Identifier: GPL-2.0
/*
 * Noticing who writes to a page that nobody owns: a stray store, a late DMA. In
 * sentinel mode a free page is filled with a pattern instead of zeroes, and looked
 * through when it is handed out. A page that has changed is poisoned: somebody still
 * writes to it, so it is never handed out again.
 *
 * Each free page remembers what it was filled with, so the mode can be switched at any
 * time, and the pages that were free before are looked through too.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include "pool.h"
#include "trace.h"

/* No byte of a pointer, of text, of zeroes or of ones. */
#define SENTINEL_BYTE		0x9d

/**
 * labyrinth_page_fill_pattern() - overwrite all of a page with the pattern
 * @page: a single page in the caller's hands alone, which is going to be free
 *
 * Context: Process context; the pool is entered, or the page is safe from removal.
 */
void labyrinth_page_fill_pattern(struct labyrinth_page *page)
{
	page->fill = SENTINEL_BYTE;
	memset(page->cpu, SENTINEL_BYTE, PAGE_SIZE);
}

static void poison(struct labyrinth_pool *pool, struct labyrinth_page *page, u32 byte)
{
	u64 offset = (u64)labyrinth_page_pgoff(pool, page) << PAGE_SHIFT;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->nr[LABYRINTH_FREE]--;
	pool->nr[LABYRINTH_POISONED]++;
	page->state = LABYRINTH_POISONED;
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	trace_labyrinth_poison(pool, offset, byte);
	dev_err(pool->dev, "page at arena offset %#llx is poisoned: byte %u of it has changed while it was free\n",
		offset, byte);
}

/**
 * labyrinth_page_check() - is a free page as it was left? Then make it read as zero
 * @pool: the pool
 * @page: a claimed page out of the stock, which removal does not free meanwhile
 *
 * Context: Any but NMI.
 * Return: false if it was not: it is poisoned now, and the claim has no page.
 */
bool labyrinth_page_check(struct labyrinth_pool *pool, struct labyrinth_page *page)
{
	void *changed;

	if (!labyrinth_page_needs_check(pool, page))
		return true;
	changed = memchr_inv(page->cpu, page->fill, PAGE_SIZE);
	if (changed) {
		poison(pool, page, changed - page->cpu);
		return false;
	}
	if (page->fill)
		clear_page(page->cpu);
	page->fill = 0;
	return true;
}
