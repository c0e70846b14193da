// SPDX-License-Identifier: GPL-2.0
/* Where the instructions go: each step of a cycle by itself, and calls that do nothing. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"

enum step { ACQUIRE, TOUCH, RELEASE, STEPS };

static const char * const step_names[STEPS] = { "acquire", "touch", "release" };

static void get_parent(void *argument)
{
	(void)argument;
	syscall(SYS_getppid);
}

static void no_such_ioctl(void *argument)
{
	struct device *device = argument;

	if (!ioctl(device->fd, _IO(LABYRINTH_TYPE, 0x7f), NULL) || errno != ENOTTY)
		bench_die("an ioctl that nobody knows did not end in ENOTTY");
}

static void read_stat(void *argument)
{
	struct labyrinth_stat stat;

	device_stat(argument, &stat);
}

static void clear_in_user_space(void *argument)
{
	memset(argument, 0, BENCH_PAGE);
}

/* How often steps are measured; the least counts: one tick more shows in a step of 18. */
#define ROUNDS 3

/* As often for calls that do nothing: a worker of the kernel must not show in them. */
#define SHORT 16

/* Reading the clock four times costs a cycle as much as it costs here. */
static double clock_cost(void)
{
	__u64 total = 0, begin;
	int i;

	for (i = 0; i < 1000; i++) {
		begin = bench_now();
		total += bench_now() - begin;
	}
	return total / 1000.0;
}

/* Lowers best[] to what each step of a cycle takes now. */
static void time_steps(struct batch *batch, double best[STEPS])
{
	static void (* const steps[STEPS])(struct batch *batch) = {
		batch_acquire, batch_touch, batch_release
	};
	double total[STEPS] = {}, clock = clock_cost(), mean;
	unsigned int i, step;
	__u64 begin;

	for (i = 0; i < bench_times; i++) {
		for (step = 0; step < STEPS; step++) {
			if (step == TOUCH && !batch->touch)
				continue;
			begin = bench_now();
			steps[step](batch);
			total[step] += bench_now() - begin;
		}
	}
	for (step = 0; step < STEPS; step++) {
		mean = total[step] / bench_times - clock;
		if (mean < best[step])
			best[step] = mean;
	}
}

static void one_cycle(const char *name, struct device *device, __u32 flags,
		      unsigned int count, bool touch)
{
	double best[STEPS] = { HUGE_VAL, HUGE_VAL, HUGE_VAL };
	unsigned int i, step;
	struct batch batch;
	char label[64];

	batch_init(&batch, device, flags, count, touch);
	for (i = 0; i < 100; i++)
		batch_cycle(&batch);
	for (i = 0; i < ROUNDS; i++)
		time_steps(&batch, best);
	for (step = 0; step < STEPS; step++) {
		if (step == TOUCH && !touch)
			continue;
		snprintf(label, sizeof(label), "step-%s-%s", name, step_names[step]);
		bench_result(label, "labyrinth", count, best[step] / count);
	}
}

static void give(struct batch *batch, int *ticket)
{
	struct labyrinth_give cmd = {
		.size = sizeof(cmd),
		.count = batch->count,
		.handles = (uintptr_t)batch->handles,
	};

	if (ioctl(batch->device->fd, LABYRINTH_GIVE, &cmd))
		bench_die("GIVE: %m");
	*ticket = cmd.ticket_fd;
}

static void take(struct batch *batch, int ticket)
{
	struct labyrinth_take cmd = {
		.size = sizeof(cmd),
		.ticket_fd = ticket,
		.count = batch->count,
		.buffers = (uintptr_t)batch->buffers,
	};

	if (ioctl(batch->device->fd, LABYRINTH_TAKE, &cmd))
		bench_die("TAKE: %m");
}

/* Touched pages go into a ticket and back to where they came from, without a socket. */
static void pass_cycle(struct device *device, unsigned int count)
{
	double giving = 0, taking = 0, closing = 0, clock = clock_cost();
	unsigned int i, j;
	struct batch batch;
	__u64 begin;
	int ticket;

	batch_init(&batch, device, 0, count, true);
	batch_acquire(&batch);
	for (i = 0; i < bench_times; i++) {
		batch_touch(&batch);
		for (j = 0; j < count; j++)
			batch.handles[j] = batch.buffers[batch.order[j]].handle;
		begin = bench_now();
		give(&batch, &ticket);
		giving += bench_now() - begin;
		begin = bench_now();
		take(&batch, ticket);
		taking += bench_now() - begin;
		begin = bench_now();
		close(ticket);
		closing += bench_now() - begin;
	}
	batch_release(&batch);
	bench_result("step-pass-give", "labyrinth", count,
		     (giving / bench_times - clock) / count);
	bench_result("step-pass-take", "labyrinth", count,
		     (taking / bench_times - clock) / count);
	bench_result("step-pass-close", "labyrinth", count,
		     (closing / bench_times - clock) / count);
}

void bench_steps(int argc, char **argv)
{
	static char page[BENCH_PAGE];
	struct device device;

	(void)argc;
	(void)argv;
	device_open(&device, 0);
	bench_result("step-getppid", "kernel", 1,
		     bench_measure_times(get_parent, NULL, SHORT * bench_times));
	bench_result("step-memset", "user", 1, bench_measure(clear_in_user_space, page));
	bench_result("step-enotty", "labyrinth", 1,
		     bench_measure_times(no_such_ioctl, &device, SHORT * bench_times));
	bench_result("step-stat", "labyrinth", 1, bench_measure(read_stat, &device));
	one_cycle("untouched", &device, 0, 1, false);
	one_cycle("fault", &device, 0, 1, true);
	one_cycle("populate", &device, LABYRINTH_ACQUIRE_POPULATE, 1, true);
	one_cycle("untouched", &device, 0, 32, false);
	one_cycle("fault", &device, 0, 32, true);
	one_cycle("populate", &device, LABYRINTH_ACQUIRE_POPULATE, 32, true);
	pass_cycle(&device, 1);
	pass_cycle(&device, 32);
	device_close(&device);
}
