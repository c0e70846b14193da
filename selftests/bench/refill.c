// SPDX-License-Identifier: GPL-2.0
/*
 * New pages from the interrupt handler, against a handler of an edu device that does
 * nothing else: it acknowledges, calls dma_alloc_coherent(GFP_ATOMIC) as often, and
 * rings again. Both are measured between the handler's first and last instruction.
 */
#include <stdio.h>
#include <unistd.h>

#include "device.h"
#include "files.h"
#include "handler.h"

/* Pages in one run of the handler, at most. */
#define BUDGET		16
#define CYCLES		(bench_quick ? 10 : 50)
#define MOST_HELD	1024

void handler_watch(const char *name)
{
	file_write(BENCH_DEBUGFS "watch", name);
}

void handler_read(struct handler *handler)
{
	char text[128];

	file_read(BENCH_DEBUGFS "handler", text, sizeof(text));
	if (sscanf(text, "%llu %llu %llu", &handler->runs, &handler->total,
		   &handler->worst) != 3 || !handler->runs)
		bench_die("the handler has not run: %s", text);
}

static void wait_for_rest(struct device *device)
{
	struct labyrinth_stat stat;
	int i;

	for (i = 0; i < 1000; i++) {
		device_stat(device, &stat);
		if (stat.free == stat.high && stat.total == stat.high)
			return;
		usleep(1000);
	}
	bench_die("the pool does not come to rest: %llu free of %llu, high %llu", stat.free,
		  stat.total, stat.high);
}

/* Takes pages down to where the handler is rung, and gives them back. */
static void drain_and_return(struct device *device)
{
	static struct labyrinth_buffer buffers[MOST_HELD];
	static __u64 handles[MOST_HELD];
	struct labyrinth_stat stat;
	unsigned int count, i;

	wait_for_rest(device);
	device_stat(device, &stat);
	count = stat.free - stat.low + 1;
	if (count > device->info.max_batch)
		bench_die("the pool is too large for one batch");
	device_acquire(device, 0, 0, count, buffers);
	for (i = 0; i < count; i++)
		handles[i] = buffers[i].handle;
	usleep(1000);
	device_release(device, count, handles);
}

static unsigned long long refill_of_labyrinth(void)
{
	struct labyrinth_stat before, after;
	struct handler handler;
	struct device device;
	unsigned int i;

	device_open(&device, 0);
	drain_and_return(&device);
	wait_for_rest(&device);
	device_stat(&device, &before);
	handler_watch("labyrinth");
	for (i = 0; i < CYCLES; i++)
		drain_and_return(&device);
	handler_read(&handler);
	device_stat(&device, &after);
	after.irq_refill_pages -= before.irq_refill_pages;
	if (after.worker_refill_pages != before.worker_refill_pages || !after.irq_refill_pages)
		bench_die("the worker has refilled the pool, not the handler");
	bench_result("refill", "labyrinth", BUDGET,
		     (double)handler.total / after.irq_refill_pages);
	bench_result("handler-typical", "labyrinth", BUDGET,
		     (double)handler.total / handler.runs);
	bench_result("handler-worst", "labyrinth", BUDGET, handler.worst);
	device_close(&device);
	return after.irq_refill_pages / CYCLES;
}

static void refill_of_peer(unsigned long long pages)
{
	struct handler handler;
	char text[32];
	unsigned int i;

	snprintf(text, sizeof(text), "%llu", pages);
	file_write(BENCH_DEBUGFS "refill", text);
	handler_watch("labyrinth_bench");
	for (i = 0; i < CYCLES; i++)
		file_write(BENCH_DEBUGFS "refill", text);
	handler_read(&handler);
	bench_result("refill", "bare", BUDGET, (double)handler.total / CYCLES / pages);
	bench_result("handler-worst", "bare", BUDGET, handler.worst);
}

void bench_refill(int argc, char **argv)
{
	unsigned long long pages = refill_of_labyrinth();

	(void)argc;
	(void)argv;
	if (!bench_quick)
		refill_of_peer(pages);
}
