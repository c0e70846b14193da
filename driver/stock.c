// SPDX-License-Identifier: GPL-2.0
/*
 * The stock of free pages: a small shard for each CPU, for the pages it has scrubbed
 * last and may still have in its cache, and a shared list for all others.
 *
 * The pool's lock guards it all: who takes a page nearly always lowers the pool's numbers
 * in the same lock section, so a lock for each shard would be one more to take, not one
 * to avoid. No shard is drained when its CPU goes offline: what lies there can be stolen.
 */
#include "pool.h"

static void init_shard(struct labyrinth_shard *shard)
{
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

/**
 * labyrinth_stock_put() - put free pages into the stock
 * @stock: the stock, the lock of its pool held
 * @pages: the pages; emptied
 * @count: how many, at most LABYRINTH_AT_ONCE
 *
 * Context: Any.
 */
void labyrinth_stock_put(struct labyrinth_stock *stock, struct list_head *pages, u32 count)
{
	struct labyrinth_shard *shard = this_cpu_ptr(stock->shards);

	if (shard->count + count > LABYRINTH_SHARD_PAGES)
		shard = &stock->shared;
	list_splice_init(pages, &shard->pages);
	shard->count += count;
}

static u32 take_from(struct labyrinth_shard *shard, struct list_head *pages, u32 most)
{
	u32 count = min(most, shard->count), i;
	struct list_head *last = &shard->pages;
	LIST_HEAD(taken);

	for (i = 0; i < count; i++)
		last = last->next;
	list_cut_position(&taken, &shard->pages, last);
	list_splice_tail(&taken, pages);
	shard->count -= count;
	return count;
}

static void steal(struct labyrinth_stock *stock, struct list_head *pages, u32 count)
{
	u32 got;
	int cpu;

	for_each_cpu_wrap(cpu, cpu_possible_mask, raw_smp_processor_id()) {
		got = take_from(per_cpu_ptr(stock->shards, cpu), pages, count);
		stock->steals += got;
		count -= got;
		if (!count)
			return;
	}
}

/**
 * labyrinth_stock_take() - take pages out of the stock
 * @stock: the stock, the lock of its pool held
 * @pages: they are added here
 * @count: how many, at most LABYRINTH_AT_ONCE and no more than are there
 *
 * This CPU's shard first, then the shared list, then the other shards, all of which may
 * have to be looked at: where pages are released on one CPU and acquired on another.
 *
 * Context: Any.
 */
void labyrinth_stock_take(struct labyrinth_stock *stock, struct list_head *pages, u32 count)
{
	count -= take_from(this_cpu_ptr(stock->shards), pages, count);
	if (count)
		count -= take_from(&stock->shared, pages, count);
	if (count)
		steal(stock, pages, count);
}
