/* SPDX-License-Identifier: GPL-2.0 */
/* The stock: where free pages lie. How many there are is the pool's business. */
#ifndef LABYRINTH_STOCK_H
#define LABYRINTH_STOCK_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>

struct labyrinth_page;

/**
 * struct labyrinth_shard - a list of free pages
 * @lock: guards the rest; nests in the pool's lock. Sections are O(1)
 * @pages: the pages, the one that came last in front
 * @count: how many; read without the lock to pass by an empty shard
 */
struct labyrinth_shard {
	raw_spinlock_t lock;
	struct list_head pages;
	u32 count;
};

/**
 * struct labyrinth_stock - all free pages of a pool
 * @shards: a few for each CPU
 * @shared: the others
 * @steals: pages that a CPU took out of another one's shard
 */
struct labyrinth_stock {
	struct labyrinth_shard __percpu *shards;
	struct labyrinth_shard shared;
	atomic64_t steals;
};

int labyrinth_stock_init(struct labyrinth_stock *stock);
void labyrinth_stock_free(struct labyrinth_stock *stock);
void labyrinth_stock_put(struct labyrinth_stock *stock, struct labyrinth_page *page);
struct labyrinth_page *labyrinth_stock_get(struct labyrinth_stock *stock,
					   raw_spinlock_t *pool_lock);

#endif /* LABYRINTH_STOCK_H */
