// SPDX-License-Identifier: GPL-2.0
/*
 * One process, then two on a CPU each: nanoseconds for one operation of all that run, and
 * the rate of two in terms of one's. Only that ratio means anything. Two at a device each
 * share nothing of the driver's: their ratio is what this host gives, and the driver's locks
 * cost the rest.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "peers.h"

#define TRIES		5

/*
 * One process and two, of each system in turn: a host that is busy or fast for a while is
 * so for all of them. A slice takes some 30 ms.
 */
#define SLICES		16

static const struct {
	const char *system;
	unsigned int batch_size;
	unsigned int operations;	/* in a slice */
	bool apart;			/* a device each */
} kinds[] = {
	{ "labyrinth", 1, 6000, false },
	{ "labyrinth", 32, 400, false },
	{ "labyrinth-apart", 1, 6000, true },
	{ "dma-heap", 1, 700, false },
};

#define KINDS		ARRAY_COUNT(kinds)

/* What the two processes of one kind share. */
struct slice {
	unsigned int ready;	/* of those that take part */
	double begin[2];
	double end[2];
};

struct pair {
	struct slice *slice;
	int wake[2];		/* the end of each one's pipe that we write to */
	int done;		/* the end of the common one that we read from */
};

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static void stay_on(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("CPU %u: %m", cpu);
}

/* A slice for each byte that comes: how many take part; 0 is the end. */
static void run_slices(bench_op op, void *argument, unsigned int operations,
		       struct slice *slice, unsigned int cpu, int wake, int done)
{
	unsigned int i;
	char parts;

	for (i = 0; i < operations / 20; i++)
		op(argument);
	while (read(wake, &parts, 1) == 1 && parts) {
		__atomic_add_fetch(&slice->ready, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&slice->ready, __ATOMIC_SEQ_CST) < (unsigned int)parts)
			;
		slice->begin[cpu] = now_ns();
		for (i = 0; i < operations; i++)
			op(argument);
		slice->end[cpu] = now_ns();
		if (write(done, &parts, 1) != 1)
			break;
	}
	_exit(0);
}

static void run_process(unsigned int kind, struct slice *slice, unsigned int cpu, int wake,
			int done)
{
	unsigned int operations = kinds[kind].operations;
	struct device device;
	struct batch batch;
	int heap;

	stay_on(cpu);
	if (!strcmp(kinds[kind].system, "dma-heap")) {
		heap = heap_open();
		run_slices(heap_cycle, &heap, operations, slice, cpu, wake, done);
	}
	device_open(&device, kinds[kind].apart ? cpu : 0);
	batch_init(&batch, &device, LABYRINTH_ACQUIRE_POPULATE, kinds[kind].batch_size, true);
	run_slices(batch_cycle, &batch, operations, slice, cpu, wake, done);
}

static void pair_start(struct pair *pair, unsigned int kind)
{
	int wake[2], done[2];
	unsigned int cpu;

	pair->slice = mmap(NULL, BENCH_PAGE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pair->slice == MAP_FAILED || pipe(done))
		bench_die("memory or pipe: %m");
	pair->done = done[0];
	for (cpu = 0; cpu < 2; cpu++) {
		if (pipe(wake))
			bench_die("pipe: %m");
		if (!fork()) {
			close(wake[1]);
			run_process(kind, pair->slice, cpu, wake[0], done[1]);
		}
		close(wake[0]);
		pair->wake[cpu] = wake[1];
	}
	close(done[1]);
}

/* Nanoseconds that a slice takes. */
static double pair_run(struct pair *pair, char parts)
{
	struct slice *slice = pair->slice;
	double begin, end;
	int cpu;

	slice->ready = 0;
	for (cpu = 0; cpu < parts; cpu++)
		if (write(pair->wake[cpu], &parts, 1) != 1)
			bench_die("a process is gone: %m");
	for (cpu = 0; cpu < parts; cpu++)
		if (read(pair->done, &parts, 1) != 1)
			bench_die("a process failed");
	begin = slice->begin[0];
	end = slice->end[0];
	if (parts == 2) {
		begin = begin < slice->begin[1] ? begin : slice->begin[1];
		end = end > slice->end[1] ? end : slice->end[1];
	}
	return end - begin;
}

static void pair_end(struct pair *pair)
{
	const char end = 0;
	int cpu, status;

	for (cpu = 0; cpu < 2; cpu++)
		if (write(pair->wake[cpu], &end, 1) != 1)
			bench_die("a process is gone: %m");
	for (cpu = 0; cpu < 2; cpu++)
		if (wait(&status) < 0 || status)
			bench_die("a process failed");
	munmap(pair->slice, BENCH_PAGE);
}

static void one_try(struct pair *pairs)
{
	double one[KINDS] = {}, two[KINDS] = {};
	unsigned int i, k;

	for (i = 0; i < SLICES; i++) {
		for (k = 0; k < KINDS; k++) {
			one[k] += pair_run(&pairs[k], 1);
			two[k] += pair_run(&pairs[k], 2);
		}
	}
	for (k = 0; k < KINDS; k++) {
		unsigned int pages = SLICES * kinds[k].operations * kinds[k].batch_size;

		bench_result("scaling-one", kinds[k].system, kinds[k].batch_size,
			     one[k] / pages);
		bench_result("scaling-two", kinds[k].system, kinds[k].batch_size,
			     two[k] / pages / 2);
		bench_result("scaling", kinds[k].system, kinds[k].batch_size,
			     one[k] * 2 / two[k]);
	}
}

void bench_scaling(int argc, char **argv)
{
	struct pair pairs[KINDS];
	unsigned int i;

	(void)argc;
	(void)argv;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		bench_die("two CPUs are needed");
	for (i = 0; i < KINDS; i++)
		pair_start(&pairs[i], i);
	for (i = 0; i < TRIES; i++)
		one_try(pairs);
	for (i = 0; i < KINDS; i++)
		pair_end(&pairs[i]);
}
