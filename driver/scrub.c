// SPDX-License-Identifier: GPL-2.0
/*
 * Putting pages back into the pool. A page is overwritten before it is published as
 * free, outside all locks; until then it counts as what it was.
 */
#include <linux/string.h>

#include "pool.h"

/*
 * Free pages above a watermark that nobody is waiting for, or any at all while there
 * are more pages than the pool may hold.
 */
static u32 surplus_above(struct labyrinth_pool *pool, u32 above)
{
	u32 surplus, excess;

	if (pool->dead || !list_empty(&pool->waiters))
		return 0;
	surplus = pool->available - min(pool->available, above);
	excess = pool->total - min(pool->total, pool->limits.max);
	return max(surplus, min(pool->available, excess));
}

/**
 * labyrinth_pool_has_surplus() - are there free pages to be given back?
 * @pool: the pool, its lock held
 *
 * Context: Any.
 * Return: true if labyrinth_pool_next_surplus() would find one.
 */
bool labyrinth_pool_has_surplus(struct labyrinth_pool *pool)
{
	return surplus_above(pool, pool->limits.high);
}

/**
 * labyrinth_pool_surplus() - how many free pages could be given back?
 * @pool: the pool
 * @above: as many unclaimed free pages must stay
 *
 * Context: Any.
 * Return: pages; others may take them meanwhile.
 */
u32 labyrinth_pool_surplus(struct labyrinth_pool *pool, u32 above)
{
	unsigned long flags;
	u32 surplus;

	raw_spin_lock_irqsave(&pool->lock, flags);
	surplus = surplus_above(pool, above);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return surplus;
}

/* All have one account, if any, and one state: a file's, a ticket's, or there is but one. */
static void make_free(struct labyrinth_pool *pool, struct list_head *pages, u32 count)
{
	struct labyrinth_page *page = list_first_entry(pages, struct labyrinth_page, link);
	struct labyrinth_account *account = page->account;

	pool->nr[page->state] -= count;
	pool->nr[LABYRINTH_FREE] += count;
	list_for_each_entry(page, pages, link) {
		page->state = LABYRINTH_FREE;
		WRITE_ONCE(page->account, NULL);
	}
	if (account)
		labyrinth_account_uncharge(account, NULL, count);
}

/* Makes scrubbed pages free, at most LABYRINTH_AT_ONCE; @pages is emptied. */
static void publish(struct labyrinth_pool *pool, struct list_head *pages, u32 count)
{
	unsigned long flags;
	bool unsettled;
	u32 i;

	raw_spin_lock_irqsave(&pool->lock, flags);
	make_free(pool, pages, count);
	labyrinth_stock_put(&pool->stock, pages, count);
	pool->available += count;
	labyrinth_pool_add(pool, LABYRINTH_SCRUBBED, count);
	labyrinth_pool_add(pool, LABYRINTH_RELEASED, count);
	/* At once: we may be preempted behind this section. Each gets at least one page. */
	for (i = 0; i < count && pool->nr_waiters; i++)
		if (!labyrinth_pool_serve_oldest(pool))
			break;
	unsettled = labyrinth_pool_is_unsettled(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	if (unsettled)
		labyrinth_pool_settle(pool);
}

/**
 * labyrinth_pool_scrub_and_dissolve() - overwrite a buffer and give it back to the system
 * @pool: the pool
 * @page: a buffer that no mapping shows and no DMA can reach, on no list
 *
 * Context: Process context, no lock held. The pool is entered, or removal waits for the
 * worker that calls this. The caller holds the account.
 */
void labyrinth_pool_scrub_and_dissolve(struct labyrinth_pool *pool, struct labyrinth_page *page)
{
	struct labyrinth_account *account = page->account;
	bool quarantined = page->state == LABYRINTH_QUARANTINED;

	memset(page->cpu, 0, PAGE_SIZE << page->order);
	labyrinth_pool_count(pool, LABYRINTH_SCRUBBED, labyrinth_page_count(page));
	labyrinth_pool_count(pool, LABYRINTH_RELEASED, labyrinth_page_count(page));
	labyrinth_pool_dissolve(pool, page, page->state);
	if (quarantined)	/* it has kept its account alive */
		labyrinth_account_put(account);
	labyrinth_pool_settle(pool);
}

/* Overwrites single pages at the front of @pages and moves them to @scrubbed: how many. */
static u32 fill_some(struct labyrinth_pool *pool, struct list_head *pages,
		     struct list_head *scrubbed)
{
	struct labyrinth_page *page;
	u32 count = 0;

	list_for_each_entry(page, pages, link) {
		if (page->order || count == LABYRINTH_AT_ONCE)
			break;
		labyrinth_page_fill(pool, page);
		count++;
	}
	list_cut_before(scrubbed, pages, &page->link);
	return count;
}

/* Until the pool dies; what is left in @pages then is not to be touched. */
static void scrub(struct labyrinth_pool *pool, struct list_head *pages)
{
	struct labyrinth_page *page;
	LIST_HEAD(scrubbed);
	u32 count;

	/* Removal waits until we leave, so do not let it wait long. */
	while (!list_empty(pages) && !labyrinth_pool_dead(pool)) {
		count = fill_some(pool, pages, &scrubbed);
		if (count) {
			publish(pool, &scrubbed, count);
		} else {
			page = list_first_entry(pages, struct labyrinth_page, link);
			list_del_init(&page->link);
			labyrinth_pool_scrub_and_dissolve(pool, page);
		}
		cond_resched();
	}
}

/**
 * labyrinth_pool_dissolve_referenced() - let no page go on that somebody still holds on to
 * @pool: the pool
 * @pages: as for labyrinth_pool_return(), which is to follow; those pages are taken out
 *
 * Context: Process context, no lock held. The caller holds the accounts.
 */
void labyrinth_pool_dissolve_referenced(struct labyrinth_pool *pool, struct list_head *pages)
{
	struct labyrinth_page *page, *next;

	if (!labyrinth_pool_enter(pool))
		return;
	list_for_each_entry_safe(page, next, pages, link) {
		/* Removal waits until we leave. */
		if (labyrinth_pool_dead(pool))
			break;
		if (labyrinth_page_is_referenced(page)) {
			list_del_init(&page->link);
			labyrinth_pool_scrub_and_dissolve(pool, page);
		}
		cond_resched();
	}
	labyrinth_pool_leave(pool);
}

/**
 * labyrinth_pool_return() - make owned buffers free
 * @pool: the pool
 * @pages: buffers that no mapping shows and no DMA can reach, all of one account and in
 *	one state; emptied. Those not reached when the pool dies are left to removal
 *
 * Context: Process context, no lock held. The caller holds the accounts.
 */
void labyrinth_pool_return(struct labyrinth_pool *pool, struct list_head *pages)
{
	struct labyrinth_page *page, *next;

	if (labyrinth_pool_enter(pool)) {
		scrub(pool, pages);
		labyrinth_pool_leave(pool);
	}
	list_for_each_entry_safe(page, next, pages, link) {
		list_del_init(&page->link);
		labyrinth_page_end_charge(pool, page);
	}
}

/**
 * labyrinth_pool_tidy_later() - have surplus given back, and waiters served
 * @pool: the pool
 *
 * By a worker: dma_free_coherent() needs process context, and takes its time.
 *
 * Context: Any where the interrupt handler may run.
 */
void labyrinth_pool_tidy_later(struct labyrinth_pool *pool)
{
	/* Removal cancels the work once everybody has left. */
	if (!labyrinth_pool_enter(pool))
		return;
	schedule_work(&pool->tidy_work);
	labyrinth_pool_leave(pool);
}

/**
 * labyrinth_pool_quarantine() - an owner has let go of a page that DMA may reach
 * @pool: the pool
 * @page: an owned page, on no list
 *
 * The page keeps its account alive until it is free.
 *
 * Context: Any, the engine's lock held, so that the end of the DMA cannot be missed.
 */
void labyrinth_pool_quarantine(struct labyrinth_pool *pool,
			       struct labyrinth_page *page)
{
	unsigned long flags;

	labyrinth_account_get(page->account);
	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->nr[LABYRINTH_OWNED] -= labyrinth_page_count(page);
	pool->nr[LABYRINTH_QUARANTINED] += labyrinth_page_count(page);
	page->state = LABYRINTH_QUARANTINED;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
}

/**
 * labyrinth_pool_unquarantine() - no DMA can reach a page any more
 * @pool: the pool
 * @page: a page; if it is not quarantined, nothing happens
 *
 * A worker scrubs it: the interrupt handler has no time for that.
 *
 * Context: Any where the interrupt handler may run, the engine's lock held.
 */
void labyrinth_pool_unquarantine(struct labyrinth_pool *pool,
				 struct labyrinth_page *page)
{
	unsigned long flags;
	bool tidy;

	raw_spin_lock_irqsave(&pool->lock, flags);
	/* An owner may write it meanwhile, though not this state: that takes the engine's lock. */
	tidy = READ_ONCE(page->state) == LABYRINTH_QUARANTINED && !pool->dead;
	if (tidy)
		list_add_tail(&page->link, &pool->returned);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (tidy)
		schedule_work(&pool->tidy_work);
}

static struct labyrinth_page *next_returned(struct labyrinth_pool *pool)
{
	struct labyrinth_page *page;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	page = list_first_entry_or_null(&pool->returned, struct labyrinth_page, link);
	if (page)
		list_del_init(&page->link);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return page;
}

/**
 * labyrinth_pool_next_surplus() - take a free page out of the pool for good
 * @pool: the pool
 * @above: as many unclaimed free pages must stay
 * @counter: why it goes
 *
 * Context: Any.
 * Return: the page, for labyrinth_pool_dissolve(), or NULL.
 */
struct labyrinth_page *labyrinth_pool_next_surplus(struct labyrinth_pool *pool,
						   u32 above,
						   enum labyrinth_counter counter)
{
	struct labyrinth_page *page = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	if (surplus_above(pool, above)) {
		page = labyrinth_pool_pop(pool);
		labyrinth_pool_add(pool, counter, 1);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return page;
}

/* One that was put aside in a context where it could not be scrubbed. */
static void scrub_returned(struct labyrinth_pool *pool, struct labyrinth_page *page)
{
	struct labyrinth_account *account = page->account;
	bool quarantined = page->state == LABYRINTH_QUARANTINED;
	LIST_HEAD(pages);

	/* Whose it was, and so whether anybody could hold on to it, is not known any more. */
	if (page->order || labyrinth_page_is_referenced(page)) {
		labyrinth_pool_scrub_and_dissolve(pool, page);
		return;
	}
	labyrinth_page_fill(pool, page);
	list_add(&page->link, &pages);
	publish(pool, &pages, 1);
	if (quarantined)	/* it has kept its account alive */
		labyrinth_account_put(account);
}

/**
 * labyrinth_pool_tidy() - scrub what was returned, serve who waits, free what is surplus
 * @work: the pool's tidy_work
 *
 * Context: Process context. Removal cancels it before it frees pages.
 */
void labyrinth_pool_tidy(struct work_struct *work)
{
	struct labyrinth_pool *pool = container_of(work, struct labyrinth_pool, tidy_work);
	struct labyrinth_page *page;

	while ((page = next_returned(pool))) {
		scrub_returned(pool, page);
		cond_resched();
	}
	/* Those that the interrupt handler had no time for. */
	labyrinth_pool_settle(pool);
	while ((page = labyrinth_pool_next_surplus(pool, READ_ONCE(pool->limits.high),
						   LABYRINTH_TRIMMED))) {
		labyrinth_pool_dissolve(pool, page, LABYRINTH_FREE);
		cond_resched();
	}
}
