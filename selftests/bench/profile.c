// SPDX-License-Identifier: GPL-2.0
/*
 * Where the instructions of a path are: the host writes down the address of each one,
 * for a few operations, and makes a profile of them. It is told by lines "symbol ADDRESS
 * NAME MODULE" which functions there are, and by "traced PATH FUNCTION INSTRUCTIONS"
 * that a path has been written down: FUNCTION is entered once in each operation, of which
 * INSTRUCTIONS were counted here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "passing.h"

/* More than one, to see that all are alike. */
#define OPERATIONS	8

static void show_symbols(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], address[32], type, name[256], module[64];

	if (!file)
		bench_die("/proc/kallsyms: %m");
	while (fgets(line, sizeof(line), file)) {
		snprintf(module, sizeof(module), "kernel");
		if (sscanf(line, "%31s %c %255s [%63[^]]", address, &type, name, module) >= 3 &&
		    strchr("tTwW", type))
			printf("symbol %s %s %s\n", address, name, module);
	}
	fclose(file);
	fflush(stdout);
}

/* What vm-host does for scripts. */
static void ask_host(const char *request)
{
	const char *port = getenv("LABYRINTH_HOST");
	char answer[256] = "";
	FILE *file;

	file = fopen(port ? port : "/dev/ttyS2", "r+e");
	if (!file)
		bench_die("the host cannot be asked: %m");
	fprintf(file, "%s\n", request);
	fflush(file);
	if (!fgets(answer, sizeof(answer), file) || strcmp(answer, "ok\n"))
		bench_die("'%s': the host answers '%s'", request, answer);
	fclose(file);
}

static void trace(const char *path, const char *function, bench_op op, void *argument,
		  double instructions)
{
	char request[64];
	int i;

	snprintf(request, sizeof(request), "log %s", path);
	ask_host(request);
	for (i = 0; i < OPERATIONS; i++)
		op(argument);
	ask_host("log off");
	printf("traced %s %s %.0f\n", path, function, instructions);
	fflush(stdout);
}

static void trace_pages(const char *path, struct device *device, __u32 flags,
			unsigned int count, bool touch)
{
	struct batch batch;

	batch_init(&batch, device, flags, count, touch);
	trace(path, "labyrinth_acquire_short", batch_cycle, &batch,
	      bench_measure(batch_cycle, &batch));
}

static void trace_passing(const char *path, unsigned int count)
{
	struct exchange *exchange = exchange_with_itself(&labyrinth_system, count);

	/* There and back, so that each end takes once. */
	trace(path, "labyrinth_do_take", exchange_there_and_back, exchange,
	      bench_measure(exchange_there_and_back, exchange) / 2);
	exchange_close(exchange);
}

void bench_profile(int argc, char **argv)
{
	struct device device;

	(void)argc;
	(void)argv;
	device_open(&device, 0);
	trace_pages("acquire", &device, 0, 1, false);
	trace_pages("fault", &device, 0, 1, true);
	trace_pages("populate", &device, LABYRINTH_ACQUIRE_POPULATE, 1, true);
	trace_pages("populate32", &device, LABYRINTH_ACQUIRE_POPULATE, 32, true);
	device_close(&device);
	trace_passing("pass", 1);
	trace_passing("pass32", 32);
	/* At the end: the kernel goes on with so much output for a while, and would count. */
	show_symbols();
}
