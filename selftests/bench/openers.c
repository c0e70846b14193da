// SPDX-License-Identifier: GPL-2.0
/* Whether others that have the device open, and its arena mapped, cost anything. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"

#define MOST_OPENERS	1000

static pid_t openers[MOST_OPENERS];

static void be_an_opener(int ready)
{
	struct device device;

	device_open(&device, 0);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void start_opener(pid_t *pid)
{
	int pair[2];
	char byte;

	if (pipe(pair))
		bench_die("pipe: %m");
	*pid = fork();
	if (*pid < 0)
		bench_die("fork: %m");
	if (!*pid)
		be_an_opener(pair[1]);
	close(pair[1]);
	if (read(pair[0], &byte, 1) != 1)
		bench_die("one of the openers failed");
	close(pair[0]);
}

void bench_openers(int argc, char **argv)
{
	unsigned int running = 1, target, i;
	struct device device;
	struct batch batch;

	(void)argc;
	(void)argv;
	device_open(&device, 0);
	batch_init(&batch, &device, 0, 1, true);
	for (target = 1; target <= MOST_OPENERS; target *= 10) {
		for (; running < target; running++)
			start_opener(&openers[running]);
		bench_result("openers", "labyrinth", target,
			     bench_measure(batch_cycle, &batch));
	}
	for (i = 1; i < running; i++) {
		kill(openers[i], SIGKILL);
		waitpid(openers[i], NULL, 0);
	}
	device_close(&device);
}
