// SPDX-License-Identifier: GPL-2.0
/*
 * In-kernel clients: pages for drivers and handlers that can neither sleep nor fail
 * gracefully. They may use the reserve, which user space never gets.
 */
#include <linux/export.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#include "device.h"
#include "labyrinth.h"

/**
 * struct labyrinth_client - one user of a pool inside the kernel
 * @link: in the device's @clients
 * @ops: how to tell it that the device goes
 * @context: for @ops, and to name it by
 */
struct labyrinth_client {
	struct list_head link;
	const struct labyrinth_client_ops *ops;
	void *context;
};

static struct labyrinth_device *to_device(struct labyrinth_pool *pool)
{
	return container_of(pool, struct labyrinth_device, pool);
}

/* Removal kills the pool before it tells the clients: one of them sees the other. */
static int join_device(struct labyrinth_device *ldev, struct labyrinth_client *client)
{
	int err = 0;

	mutex_lock(&ldev->clients_lock);
	if (labyrinth_pool_dead(&ldev->pool))
		err = -ENODEV;
	else
		list_add_tail(&client->link, &ldev->clients);
	mutex_unlock(&ldev->clients_lock);
	return err;
}

/**
 * labyrinth_pool_get() - become a client of a device's pool
 * @number: the N of /dev/labyrinthN
 * @ops: see there
 * @context: for @ops; also names this client, so it must be unique to it
 *
 * Context: Process context.
 * Return: the pool, to be given up with labyrinth_pool_put(); ERR_PTR(-ENODEV),
 * ERR_PTR(-ENOMEM).
 */
struct labyrinth_pool *labyrinth_pool_get(unsigned int number,
					  const struct labyrinth_client_ops *ops,
					  void *context)
{
	struct labyrinth_device *ldev = labyrinth_device_get(number);
	struct labyrinth_client *client;
	int err;

	if (!ldev)
		return ERR_PTR(-ENODEV);
	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client) {
		put_device(&ldev->dev);
		return ERR_PTR(-ENOMEM);
	}
	client->ops = ops;
	client->context = context;
	err = join_device(ldev, client);
	if (err) {
		kfree(client);
		put_device(&ldev->dev);
		return ERR_PTR(err);
	}
	return &ldev->pool;
}
EXPORT_SYMBOL_NS_GPL(labyrinth_pool_get, LABYRINTH);

/**
 * labyrinth_pool_put() - stop being a client
 * @pool: what labyrinth_pool_get() gave; every page has been freed
 * @context: as given there
 *
 * Context: Process context, not from ops->gone().
 */
void labyrinth_pool_put(struct labyrinth_pool *pool, void *context)
{
	struct labyrinth_device *ldev = to_device(pool);
	struct labyrinth_client *client, *next;

	mutex_lock(&ldev->clients_lock);
	list_for_each_entry_safe(client, next, &ldev->clients, link) {
		if (client->context != context)
			continue;
		list_del(&client->link);
		kfree(client);
		break;
	}
	mutex_unlock(&ldev->clients_lock);
	put_device(&ldev->dev);
}
EXPORT_SYMBOL_NS_GPL(labyrinth_pool_put, LABYRINTH);

/**
 * labyrinth_tell_clients() - the device is gone; wait for the clients' pages
 * @ldev: a device whose pool is dead
 *
 * Context: Process context.
 */
void labyrinth_tell_clients(struct labyrinth_device *ldev)
{
	struct labyrinth_client *client;

	mutex_lock(&ldev->clients_lock);
	list_for_each_entry(client, &ldev->clients, link)
		client->ops->gone(client->context);
	mutex_unlock(&ldev->clients_lock);
}

/**
 * labyrinth_alloc_page_gfp_atomic_exclusive() - become the only owner of a page
 * @pool: what labyrinth_pool_get() gave
 *
 * Takes a free page, down to the last of the reserve, ahead of everyone who waits; if
 * there is none, asks the page allocator once. The work is bounded, it never sleeps
 * and never panics.
 *
 * Context: Any but NMI. On PREEMPT_RT the page allocator is asked only where it may
 * be: not in hard interrupt context nor under a raw lock.
 * Return: the page, zeroed, to be given up with labyrinth_free_page_exclusive(); NULL
 * if there is no memory or the device has gone.
 */
struct labyrinth_page *
labyrinth_alloc_page_gfp_atomic_exclusive(struct labyrinth_pool *pool)
{
	struct labyrinth_page *page = labyrinth_pool_take_free(pool);

	if (!page && (!IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible()))
		page = labyrinth_pool_take_new(pool);
	return page;
}
EXPORT_SYMBOL_NS_GPL(labyrinth_alloc_page_gfp_atomic_exclusive, LABYRINTH);

/**
 * labyrinth_free_page_exclusive() - give a page back
 * @pool: what labyrinth_pool_get() gave
 * @page: what labyrinth_alloc_page_gfp_atomic_exclusive() gave; no DMA can reach it
 *
 * Only puts it on a list: a worker scrubs it.
 *
 * Context: Any but NMI.
 */
void labyrinth_free_page_exclusive(struct labyrinth_pool *pool,
				   struct labyrinth_page *page)
{
	labyrinth_pool_return_later(pool, page);
}
EXPORT_SYMBOL_NS_GPL(labyrinth_free_page_exclusive, LABYRINTH);

/**
 * labyrinth_page_address() - where a page is for the CPU
 * @page: an owned page
 *
 * Context: Any.
 * Return: the address of its first byte, valid until the page is freed or the client is told
 * that the device has gone.
 */
void *labyrinth_page_address(const struct labyrinth_page *page)
{
	return page->cpu;
}
EXPORT_SYMBOL_NS_GPL(labyrinth_page_address, LABYRINTH);

/**
 * labyrinth_page_bus_address() - where a page is for the device
 * @page: an owned page
 *
 * Context: Any.
 * Return: the address of its first byte, valid as long.
 */
dma_addr_t labyrinth_page_bus_address(const struct labyrinth_page *page)
{
	return page->dma;
}
EXPORT_SYMBOL_NS_GPL(labyrinth_page_bus_address, LABYRINTH);
