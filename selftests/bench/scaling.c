// SPDX-License-Identifier: GPL-2.0
/*
 * One process, then two on a CPU each: nanoseconds for one operation of all that run. Only
 * the ratio within one run means anything. Two at a device each share nothing of the
 * driver's: their ratio is what this host gives, and the driver's locks cost the rest.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "peers.h"

#define TRIES		5
#define OPERATIONS	20000

enum at { ONE_DEVICE, A_DEVICE_EACH, PEER };

static const char * const systems[] = {
	[ONE_DEVICE] = "labyrinth",
	[A_DEVICE_EACH] = "labyrinth-apart",
	[PEER] = "dma-heap",
};

struct shared {
	unsigned int ready;
	bool go;
	double begin[2];
	double end[2];
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

static void run_operations(bench_op op, void *argument, struct shared *shared,
			   unsigned int cpu, unsigned int times)
{
	unsigned int i;

	for (i = 0; i < times / 20; i++)
		op(argument);
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&shared->go, __ATOMIC_SEQ_CST))
		sched_yield();
	shared->begin[cpu] = now_ns();
	for (i = 0; i < times; i++)
		op(argument);
	shared->end[cpu] = now_ns();
	_exit(0);
}

static void run_process(enum at at, unsigned int batch_size, struct shared *shared,
			unsigned int cpu)
{
	struct device device;
	struct batch batch;
	int heap;

	stay_on(cpu);
	if (at == PEER) {
		heap = heap_open();
		run_operations(heap_cycle, &heap, shared, cpu, OPERATIONS / 4);
	}
	device_open(&device, at == A_DEVICE_EACH ? cpu : 0);
	batch_init(&batch, &device, LABYRINTH_ACQUIRE_POPULATE, batch_size, true);
	run_operations(batch_cycle, &batch, shared, cpu, OPERATIONS / batch_size);
}

static double took(const struct shared *shared, unsigned int processes)
{
	double begin = shared->begin[0], end = shared->end[0];

	if (processes == 2) {
		begin = begin < shared->begin[1] ? begin : shared->begin[1];
		end = end > shared->end[1] ? end : shared->end[1];
	}
	return end - begin;
}

static double run_processes(unsigned int processes, enum at at, unsigned int batch_size)
{
	struct shared *shared = mmap(NULL, BENCH_PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int operations = at == PEER ? OPERATIONS / 4 : OPERATIONS;
	unsigned int i;
	int status;
	double ns;

	if (shared == MAP_FAILED)
		bench_die("mmap: %m");
	for (i = 0; i < processes; i++)
		if (!fork())
			run_process(at, batch_size, shared, i);
	while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) < processes)
		usleep(1000);
	__atomic_store_n(&shared->go, true, __ATOMIC_SEQ_CST);
	for (i = 0; i < processes; i++)
		if (wait(&status) < 0 || status)
			bench_die("a process failed");
	ns = took(shared, processes) / operations / processes;
	munmap(shared, BENCH_PAGE);
	return ns;
}

static void one_case(enum at at, unsigned int batch_size)
{
	const char *system = systems[at];
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		bench_result("scaling-one", system, batch_size,
			     run_processes(1, at, batch_size));
		bench_result("scaling-two", system, batch_size,
			     run_processes(2, at, batch_size));
	}
}

void bench_scaling(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		bench_die("two CPUs are needed");
	one_case(ONE_DEVICE, 1);
	one_case(ONE_DEVICE, 32);
	one_case(A_DEVICE_EACH, 1);
	one_case(PEER, 1);
}
