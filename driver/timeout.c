// SPDX-License-Identifier: GPL-2.0
/*
 * A transfer that does not end in time. Its job fails, but the device cannot be told
 * to stop: the pages are held until it is seen idle, and nothing new is started, for
 * it would be ignored. Then the engine goes on. If that never happens, the device is
 * broken.
 */
#include <linux/jiffies.h>

#include "engine.h"

/* Twenty times what a transfer takes: the host may be slow, and stop us meanwhile. */
#define PATIENCE		msecs_to_jiffies(20 * EDU_DMA_MS)

/* How often a device that should be idle is looked at, and for how long. */
#define LOOK_EVERY		msecs_to_jiffies(EDU_DMA_MS)
#define BROKEN_AFTER		msecs_to_jiffies(100 * EDU_DMA_MS)

/**
 * labyrinth_engine_expect_end() - a transfer has been started
 * @engine: the engine, its lock held
 *
 * The watchdog is left alone if it is on its way: it then looks at the new deadline.
 *
 * Context: Any where the interrupt handler may run.
 */
void labyrinth_engine_expect_end(struct labyrinth_engine *engine)
{
	engine->deadline = jiffies + PATIENCE;
	engine->overdue = false;
	schedule_delayed_work(&engine->watchdog, PATIENCE);
}

/**
 * labyrinth_engine_let_held_go() - the transfer that had timed out has ended
 * @engine: the engine, its lock held; the device reaches no memory now
 *
 * Context: Process context.
 */
void labyrinth_engine_let_held_go(struct labyrinth_engine *engine)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(engine->held); i++) {
		if (engine->held[i])
			labyrinth_engine_drop_page(engine, engine->held[i]);
		engine->held[i] = NULL;
	}
}

/*
 * The next three return when to look again, in jiffies from now; 0 for never.
 *
 * A device that is idle may just have lost its interrupt. But it may as well have
 * ignored what we told it, and then the bytes on board are another opener's: the job
 * fails either way.
 */
static unsigned long fail_active(struct labyrinth_engine *engine)
{
	struct labyrinth_job *job = engine->active;

	labyrinth_pool_count(engine->pool, LABYRINTH_DMA_TIMEOUTS, 1);
	if (!job->result)
		job->result = -ETIMEDOUT;
	if (edu_dma_running(engine->edu)) {
		engine->held[0] = job->src;
		engine->held[1] = job->dst;
		engine->held_since = jiffies;
		job->src = NULL;
		job->dst = NULL;
	}
	labyrinth_engine_end_active(engine);
	labyrinth_engine_start_next(engine, true);
	return engine->held[0] ? LOOK_EVERY : 0;
}

/*
 * Where the host stops a virtual machine for seconds, they pass all at once: this runs
 * beside the end of the transfer and its interrupt, or before. So there is a second look,
 * after a while in which the machine did run.
 */
static unsigned long look_at_active(struct labyrinth_engine *engine)
{
	unsigned long now = jiffies;

	if (time_before(now, engine->deadline))
		return engine->deadline - now;
	if (engine->overdue)
		return fail_active(engine);
	engine->overdue = true;
	return LOOK_EVERY;
}

static unsigned long look_at_held(struct labyrinth_engine *engine, bool *broken)
{
	if (!edu_dma_running(engine->edu)) {
		labyrinth_engine_let_held_go(engine);
		labyrinth_engine_start_next(engine, true);
		return 0;
	}
	*broken = time_after(jiffies, engine->held_since + BROKEN_AFTER);
	return *broken ? 0 : LOOK_EVERY;
}

/**
 * labyrinth_engine_watch() - look after transfers that do not end
 * @work: the engine's watchdog
 *
 * Context: Process context.
 */
void labyrinth_engine_watch(struct work_struct *work)
{
	struct labyrinth_engine *engine = container_of(to_delayed_work(work),
						       struct labyrinth_engine, watchdog);
	unsigned long flags, again = 0;
	bool broken = false;

	spin_lock_irqsave(&engine->lock, flags);
	if (engine->dead)
		again = 0;
	else if (engine->paused)
		again = LOOK_EVERY;
	else if (engine->held[0])
		again = look_at_held(engine, &broken);
	else if (engine->active)
		again = look_at_active(engine);
	spin_unlock_irqrestore(&engine->lock, flags);

	if (broken)
		engine->ops->broken(engine);
	else if (again)
		schedule_delayed_work(&engine->watchdog, again);
}
