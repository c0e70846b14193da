// SPDX-License-Identifier: GPL-2.0
/*
 * The arena: where in the mmap offset space each slot lies. One region for each
 * order, one after the other; in a region, slots of 2^order pages, each followed by a
 * guard page that never maps.
 */
#include <linux/math.h>
#include <linux/vmalloc.h>

#include "pool.h"

/* Buffers of any one higher order can take up an eighth of the pool, one a quarter. */
static u32 slots_of(u32 max, u32 order)
{
	return order ? DIV_ROUND_UP(max >> (order + 2), 2) : max;
}

/**
 * labyrinth_arena_init() - lay the arena out and allocate its slots
 * @pool: the pool, its capacity set
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int labyrinth_arena_init(struct labyrinth_pool *pool)
{
	u32 order, i, slots = 0;
	struct labyrinth_region *region;
	struct labyrinth_page *page;

	for (order = 0; order <= LABYRINTH_MAX_ORDER; order++) {
		region = &pool->regions[order];
		INIT_LIST_HEAD(&region->empty);
		region->first = slots;
		region->slots = slots_of(pool->capacity, order);
		region->pgoff = pool->arena_pages;
		if (region->slots)
			pool->max_order = order;
		slots += region->slots;
		pool->arena_pages += region->slots * labyrinth_arena_stride(order);
	}
	/* kvcalloc() would round a large array up, vcalloc() log a stack when it fails. */
	pool->slots = __vmalloc(array_size(slots, sizeof(*pool->slots)),
				GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (!pool->slots)
		return -ENOMEM;
	pool->nr_slots = slots;
	for (order = 0; order <= LABYRINTH_MAX_ORDER; order++) {
		region = &pool->regions[order];
		for (i = 0; i < region->slots; i++) {
			page = &pool->slots[region->first + i];
			page->order = order;
			page->handle = region->first + i;
			list_add_tail(&page->link, &region->empty);
		}
	}
	return 0;
}

/**
 * labyrinth_arena_find_larger() - as labyrinth_arena_find(), behind the single pages
 * @pool: the pool
 * @pgoff: in pages from the start of the arena, not in the first region
 *
 * Context: Any.
 * Return: the slot, or NULL for a guard or outside the arena.
 */
struct labyrinth_page *labyrinth_arena_find_larger(const struct labyrinth_pool *pool,
						   pgoff_t pgoff)
{
	const struct labyrinth_region *region = &pool->regions[1];
	u32 order = 1;

	if (pgoff >= pool->arena_pages)
		return NULL;
	while (order < pool->max_order && pgoff >= region[1].pgoff) {
		region++;
		order++;
	}
	pgoff -= region->pgoff;
	if (pgoff % labyrinth_arena_stride(order) == 1u << order)
		return NULL;
	return &pool->slots[region->first + pgoff / labyrinth_arena_stride(order)];
}
