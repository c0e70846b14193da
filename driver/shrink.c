// SPDX-License-Identifier: GPL-2.0
/*
 * Giving pages back when the system is short of memory.
 *
 * Reclaim may come from anywhere that allocates, also from a fault that holds a file's
 * state mutex: no lock is taken here that is held around an allocation. As long as the
 * refill worker is at work nothing is given back, or the two would go in circles.
 */
#include "compat.h"
#include "pool.h"

static bool is_refilled_by_worker(struct labyrinth_pool *pool)
{
	return READ_ONCE(pool->refill) == LABYRINTH_REFILL_WORKER;
}

static unsigned long count_pages(struct shrinker *shrinker, struct shrink_control *control)
{
	struct labyrinth_pool *pool = labyrinth_shrinker_owner(shrinker);
	struct labyrinth_limits limits = labyrinth_pool_limits(pool);

	if (is_refilled_by_worker(pool))
		return 0;
	return labyrinth_pool_surplus(pool, labyrinth_limits_keep(&limits));
}

static unsigned long give_pages(struct shrinker *shrinker, struct shrink_control *control)
{
	struct labyrinth_pool *pool = labyrinth_shrinker_owner(shrinker);
	struct labyrinth_limits limits = labyrinth_pool_limits(pool);
	struct labyrinth_page *page;
	unsigned long given = 0;

	if (!labyrinth_pool_enter(pool))
		return SHRINK_STOP;
	while (given < control->nr_to_scan && !is_refilled_by_worker(pool)) {
		page = labyrinth_pool_next_surplus(pool, labyrinth_limits_keep(&limits),
						   LABYRINTH_SHRUNK);
		if (!page)
			break;
		labyrinth_pool_dissolve(pool, page, LABYRINTH_FREE);
		given++;
	}
	labyrinth_pool_leave(pool);
	return given ? given : SHRINK_STOP;
}

/**
 * labyrinth_pool_start_shrinker() - let reclaim have the pool's surplus
 * @pool: the pool
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int labyrinth_pool_start_shrinker(struct labyrinth_pool *pool)
{
	pool->shrinker = labyrinth_shrinker_create(count_pages, give_pages, pool,
						   dev_name(pool->dev));
	return pool->shrinker ? 0 : -ENOMEM;
}

/**
 * labyrinth_pool_stop_shrinker() - reclaim leaves the pool alone from here on
 * @pool: the pool; nothing happens if its shrinker has not been started
 *
 * Context: Process context, sleeps until a reclaim under way has left.
 */
void labyrinth_pool_stop_shrinker(struct labyrinth_pool *pool)
{
	if (pool->shrinker)
		labyrinth_shrinker_destroy(pool->shrinker);
	pool->shrinker = NULL;
}
