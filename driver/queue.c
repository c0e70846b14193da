// SPDX-License-Identifier: GPL-2.0
/* One file's side of the engine: its ended jobs are its events, none is ever lost. */
#include <linux/slab.h>

#include "engine.h"

/**
 * labyrinth_queue_init() - set up an empty queue
 * @queue: zeroed
 *
 * Context: Any.
 */
void labyrinth_queue_init(struct labyrinth_queue *queue)
{
	INIT_LIST_HEAD(&queue->turn);
	INIT_LIST_HEAD(&queue->jobs);
	INIT_LIST_HEAD(&queue->done);
	init_waitqueue_head(&queue->wait);
}

/**
 * labyrinth_queue_close() - forget every job and event of a file
 * @engine: the engine
 * @queue: the queue of a file nobody uses any more
 *
 * A job in the device is orphaned: it ends with its chunk and leaves no event.
 *
 * Context: Process context.
 */
void labyrinth_queue_close(struct labyrinth_engine *engine,
			   struct labyrinth_queue *queue)
{
	struct labyrinth_job *job, *next;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	list_del_init(&queue->turn);
	list_for_each_entry_safe(job, next, &queue->jobs, link) {
		list_del(&job->link);
		if (job == engine->active) {
			engine->queue = NULL;
			continue;
		}
		labyrinth_job_drop_pages(engine, job);
		kfree(job);
	}
	list_for_each_entry_safe(job, next, &queue->done, link) {
		list_del(&job->link);
		kfree(job);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/**
 * labyrinth_queue_has_event() - is there anything to read?
 * @engine: the engine
 * @queue: the file's queue
 *
 * Context: Process context.
 * Return: true if there is an event that nobody has in hand.
 */
bool labyrinth_queue_has_event(struct labyrinth_engine *engine,
			       struct labyrinth_queue *queue)
{
	unsigned long flags;
	bool has;

	spin_lock_irqsave(&engine->lock, flags);
	has = !list_empty(&queue->done);
	spin_unlock_irqrestore(&engine->lock, flags);
	return has;
}

/**
 * labyrinth_queue_take() - take the oldest event in hand
 * @engine: the engine
 * @queue: the file's queue
 *
 * It keeps its place in the depth until it is consumed or put back.
 *
 * Context: Process context.
 * Return: the ended job, or NULL if there is none.
 */
struct labyrinth_job *labyrinth_queue_take(struct labyrinth_engine *engine,
					   struct labyrinth_queue *queue)
{
	struct labyrinth_job *job;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	job = list_first_entry_or_null(&queue->done, struct labyrinth_job, link);
	if (job)
		list_del(&job->link);
	spin_unlock_irqrestore(&engine->lock, flags);
	return job;
}

/**
 * labyrinth_queue_put_back() - the event could not be delivered
 * @engine: the engine
 * @queue: the file's queue
 * @job: what labyrinth_queue_take() gave
 *
 * To its place: several readers may put back what they have in hand.
 *
 * Context: Process context.
 */
void labyrinth_queue_put_back(struct labyrinth_engine *engine,
			      struct labyrinth_queue *queue,
			      struct labyrinth_job *job)
{
	struct labyrinth_job *next;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	list_for_each_entry(next, &queue->done, link)
		if (next->number > job->number)
			break;
	list_add_tail(&job->link, &next->link);
	spin_unlock_irqrestore(&engine->lock, flags);
	wake_up_interruptible(&queue->wait);
}

/**
 * labyrinth_queue_consume() - the event has been delivered
 * @engine: the engine
 * @queue: the file's queue
 * @job: what labyrinth_queue_take() gave; freed
 *
 * Context: Process context.
 */
void labyrinth_queue_consume(struct labyrinth_engine *engine,
			     struct labyrinth_queue *queue,
			     struct labyrinth_job *job)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	queue->used--;
	spin_unlock_irqrestore(&engine->lock, flags);
	kfree(job);
}
