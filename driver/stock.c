// SPDX-License-Identifier: GPL-2.0
/*
 * The stock of free pages: a small shard for each CPU, for the pages it has scrubbed
 * last and may still have in its cache, and a shared list for all others.
 *
 * A page is taken out in two steps. First a claim, a number under the pool's lock,
 * makes sure that there is one (claim.c); then it is looked for here, where CPUs do
 * not meet unless they have to steal. No shard is ever drained when its CPU goes
 * offline: what lies there can be stolen.
 */
#include "pool.h"

/* As many as a CPU scrubs and hands out again in one go of a small program. */
#define SHARD_PAGES		16

static void init_shard(struct labyrinth_shard *shard)
{
	raw_spin_lock_init(&shard->lock);
	INIT_LIST_HEAD(&shard->pages);
}

/**
 * labyrinth_stock_init() - set up an empty stock
 * @stock: zeroed
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int labyrinth_stock_init(struct labyrinth_stock *stock)
{
	int cpu;

	init_shard(&stock->shared);
	stock->shards = alloc_percpu(struct labyrinth_shard);
	if (!stock->shards)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		init_shard(per_cpu_ptr(stock->shards, cpu));
	return 0;
}

/**
 * labyrinth_stock_free() - free what labyrinth_stock_init() allocated
 * @stock: the stock, which nobody uses any more
 *
 * Context: Process context.
 */
void labyrinth_stock_free(struct labyrinth_stock *stock)
{
	free_percpu(stock->shards);
}

/* Interrupts are off in these two: the pool's lock is held, or the caller sees to it. */
static bool push(struct labyrinth_shard *shard, struct labyrinth_page *page, u32 most)
{
	bool fits;

	raw_spin_lock(&shard->lock);
	fits = shard->count < most;
	if (fits) {
		list_add(&page->link, &shard->pages);
		WRITE_ONCE(shard->count, shard->count + 1);
	}
	raw_spin_unlock(&shard->lock);
	return fits;
}

static struct labyrinth_page *pop(struct labyrinth_shard *shard)
{
	struct labyrinth_page *page;

	if (!READ_ONCE(shard->count))
		return NULL;
	raw_spin_lock(&shard->lock);
	page = list_first_entry_or_null(&shard->pages, struct labyrinth_page, link);
	if (page) {
		list_del_init(&page->link);
		WRITE_ONCE(shard->count, shard->count - 1);
	}
	raw_spin_unlock(&shard->lock);
	return page;
}

/**
 * labyrinth_stock_put() - put a free page into the stock
 * @stock: the stock, the lock of its pool held
 * @page: the page, on no list
 *
 * Context: Any.
 */
void labyrinth_stock_put(struct labyrinth_stock *stock, struct labyrinth_page *page)
{
	if (!push(this_cpu_ptr(stock->shards), page, SHARD_PAGES))
		push(&stock->shared, page, U32_MAX);
}

/* This CPU's shard, the shared list, the other shards. */
static struct labyrinth_page *look_for_page(struct labyrinth_stock *stock)
{
	int here = raw_smp_processor_id(), cpu;
	struct labyrinth_page *page;

	page = pop(per_cpu_ptr(stock->shards, here));
	if (!page)
		page = pop(&stock->shared);
	if (page)
		return page;
	for_each_cpu_wrap(cpu, cpu_possible_mask, here) {
		page = cpu == here ? NULL : pop(per_cpu_ptr(stock->shards, cpu));
		if (page) {
			atomic64_inc(&stock->steals);
			return page;
		}
	}
	return NULL;
}

/**
 * labyrinth_stock_get() - take a page out of the stock
 * @stock: the stock
 * @pool_lock: the lock of its pool, not held; the caller has claimed a page under it
 *
 * There is a page for each claim, but one look may miss it: it is put into a shard
 * that has been looked at, while another claim takes the one that lay ahead. With the
 * pool's lock held nothing is put anywhere, so the second look finds one for sure.
 *
 * Context: Any but NMI. Looks at each CPU's shard twice at most, the second time, which
 * is rare, with the pool's lock held.
 * Return: the page.
 */
struct labyrinth_page *labyrinth_stock_get(struct labyrinth_stock *stock,
					   raw_spinlock_t *pool_lock)
{
	struct labyrinth_page *page;
	unsigned long flags;

	local_irq_save(flags);
	page = look_for_page(stock);
	if (unlikely(!page)) {
		raw_spin_lock(pool_lock);
		page = look_for_page(stock);
		raw_spin_unlock(pool_lock);
	}
	local_irq_restore(flags);
	return page;
}
