/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The in-kernel interface: pages with exactly one owner, from any context.
 *
 *	pool = labyrinth_pool_get(0, &my_ops, my_context);
 *	...
 *	page = labyrinth_alloc_page_gfp_atomic_exclusive(pool);
 *	if (page) {
 *		... labyrinth_page_address(page), labyrinth_page_bus_address(page) ...
 *		labyrinth_free_page_exclusive(pool, page);
 *	}
 *	...
 *	labyrinth_pool_put(pool, my_context);
 *
 * All symbols are in the namespace LABYRINTH.
 */
#ifndef LABYRINTH_H
#define LABYRINTH_H

#include <linux/types.h>

struct labyrinth_pool;
struct labyrinth_page;

/**
 * struct labyrinth_client_ops - what the pool tells an in-kernel client
 * @gone: the device is being removed. When it returns, the client must have freed
 *	every page, and none of its calls may still be running; the allocator has nothing
 *	but NULL for it any more. The pool pointer stays valid until labyrinth_pool_put().
 *	Neither that nor labyrinth_pool_get() may be called from here, and no lock may be
 *	taken that is held around them. Process context, may sleep
 */
struct labyrinth_client_ops {
	void (*gone)(void *context);
};

struct labyrinth_pool *labyrinth_pool_get(unsigned int number,
					  const struct labyrinth_client_ops *ops,
					  void *context);
void labyrinth_pool_put(struct labyrinth_pool *pool, void *context);
struct labyrinth_page *
labyrinth_alloc_page_gfp_atomic_exclusive(struct labyrinth_pool *pool);
void labyrinth_free_page_exclusive(struct labyrinth_pool *pool,
				   struct labyrinth_page *page);
void *labyrinth_page_address(const struct labyrinth_page *page);
dma_addr_t labyrinth_page_bus_address(const struct labyrinth_page *page);

#endif /* LABYRINTH_H */
