/* SPDX-License-Identifier: GPL-2.0 */
/* The stock: where free pages lie. How many there are is the pool's business. */
#ifndef LABYRINTH_STOCK_H
#define LABYRINTH_STOCK_H

#include <linux/cache.h>
#include <linux/list.h>
#include <linux/percpu.h>

struct labyrinth_page;

/* Pages put or taken in one go, while the pool's lock is held. */
#define LABYRINTH_AT_ONCE	16

/* As many as a CPU scrubs and hands out again in one go of a small program. */
#define LABYRINTH_SHARD_PAGES	LABYRINTH_AT_ONCE

/**
 * struct labyrinth_shard - a list of free pages
 * @pages: the pages, those that came last in front
 * @count: how many
 */
struct labyrinth_shard {
	struct list_head pages;
	u32 count;
};

/**
 * struct labyrinth_stock - all free pages of a pool; guarded by its lock
 * @shards: a few for each CPU
 * @shared: the others
 * @steals: pages that a CPU took out of another one's shard
 */
struct labyrinth_stock {
	struct labyrinth_shard __percpu *shards;
	struct labyrinth_shard shared ____cacheline_aligned_in_smp;
	u64 steals;
};

int labyrinth_stock_init(struct labyrinth_stock *stock);
void labyrinth_stock_free(struct labyrinth_stock *stock);
void labyrinth_stock_put(struct labyrinth_stock *stock, struct list_head *pages,
			 u32 count);
void labyrinth_stock_take(struct labyrinth_stock *stock, struct list_head *pages,
			  u32 count);

#endif /* LABYRINTH_STOCK_H */
