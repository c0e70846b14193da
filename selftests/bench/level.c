// SPDX-License-Identifier: GPL-2.0
/*
 * The pool's level while a program takes pages at a steady pace and never gives one
 * back. Samples are "sample NS FREE TOTAL", runs of the interrupt handler "refill NS
 * PAGES", both on CLOCK_MONOTONIC.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "files.h"

#define TRACING		"/sys/kernel/tracing/"
#define STEPS		160
#define STEP_PAGES	4
#define PAUSE_NS	50000

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void show_refills(void)
{
	static char text[1 << 20];
	char *line, *rest = text, *by;
	unsigned long long seconds, micros;
	unsigned int pages;

	file_read(TRACING "trace", text, sizeof(text));
	while ((line = strsep(&rest, "\n"))) {
		by = strstr(line, " by=interrupt pages=");
		if (!by || sscanf(by, " by=interrupt pages=%u", &pages) != 1)
			continue;
		if (sscanf(line, "%*s [%*d] %*s %llu.%6llu:", &seconds, &micros) != 2)
			bench_die("a line of the trace is not understood: %s", line);
		printf("refill %llu %u\n", seconds * 1000000000ULL + micros * 1000, pages);
	}
}

static void show_sample(struct device *device)
{
	struct labyrinth_stat stat;
	long long now;

	device_stat(device, &stat);
	now = now_ns();
	printf("sample %lld %llu %llu\n", now, stat.free, stat.total);
}

void bench_level(int argc, char **argv)
{
	struct labyrinth_buffer buffers[STEP_PAGES];
	struct device device;
	long long until;
	unsigned int i;

	(void)argc;
	(void)argv;
	file_write(TRACING "trace_clock", "mono");
	file_write(TRACING "trace", "");
	file_write(TRACING "events/labyrinth/labyrinth_refill/enable", "1");
	device_open(&device, 0);
	show_sample(&device);
	for (i = 0; i < STEPS; i++) {
		until = now_ns() + PAUSE_NS;
		device_acquire(&device, 0, 0, STEP_PAGES, buffers);
		show_sample(&device);
		while (now_ns() < until)
			;
	}
	file_write(TRACING "events/labyrinth/labyrinth_refill/enable", "0");
	show_refills();
	fflush(stdout);
	device_close(&device);
}
