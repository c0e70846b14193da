// SPDX-License-Identifier: GPL-2.0
/*
 * Pages handed from one end to another and back over a Unix socket. One operation is
 * one direction: send, receive, make the pages visible, touch each, and no more access
 * for the sender. Both systems switch between the processes as often.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "passing.h"

static void serve(const struct system *system, struct end *end)
{
	system->open(end);
	while (system->receive(end))
		system->send(end);
	_exit(0);
}

static void receive(const struct system *system, struct end *end)
{
	if (!system->receive(end))
		bench_die("the other end of the socket has gone");
}

static void exchange_init(struct exchange *exchange, const struct system *system,
			  unsigned int count)
{
	int pair[2];

	memset(exchange, 0, sizeof(*exchange));
	exchange->system = system;
	exchange->here.count = count;
	exchange->there.count = count;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		bench_die("socketpair: %m");
	exchange->here.socket = pair[0];
	exchange->there.socket = pair[1];
}

static void with_another_process(void *argument)
{
	struct exchange *exchange = argument;

	exchange->system->send(&exchange->here);
	receive(exchange->system, &exchange->here);
}

/* A bench_op: both ends are in this process. */
void exchange_there_and_back(void *argument)
{
	struct exchange *exchange = argument;

	exchange->system->send(&exchange->here);
	receive(exchange->system, &exchange->there);
	exchange->system->send(&exchange->there);
	receive(exchange->system, &exchange->here);
}

static void measure(const char *name, struct exchange *exchange, bench_op op)
{
	double both_ways = bench_measure_times(op, exchange, bench_times / 2);

	bench_result(name, exchange->system->name, exchange->here.count,
		     both_ways / 2 / exchange->here.count);
}

static void two_processes(const struct system *system, unsigned int count)
{
	static struct exchange exchange;
	int status;
	pid_t child;

	exchange_init(&exchange, system, count);
	child = fork();
	if (child < 0)
		bench_die("fork: %m");
	if (!child) {
		close(exchange.here.socket);
		serve(system, &exchange.there);
	}
	close(exchange.there.socket);
	system->open(&exchange.here);
	system->fill(&exchange.here);
	measure("pass", &exchange, with_another_process);
	close(exchange.here.socket);
	if (waitpid(child, &status, 0) != child || status)
		bench_die("the process that %s's pages went to failed", system->name);
	system->close(&exchange.here);
}

/* Both ends in this process, the pages at the first one. Valid until the next call. */
struct exchange *exchange_with_itself(const struct system *system, unsigned int count)
{
	static struct exchange exchange;

	exchange_init(&exchange, system, count);
	system->open(&exchange.there);
	system->open(&exchange.here);
	system->fill(&exchange.here);
	return &exchange;
}

void exchange_close(struct exchange *exchange)
{
	close(exchange->here.socket);
	close(exchange->there.socket);
	exchange->system->close(&exchange->here);
	if (exchange->system == &labyrinth_system)
		exchange->system->close(&exchange->there);
}

/* Without what the scheduler adds to both systems alike. */
static void one_process(const struct system *system, unsigned int count)
{
	struct exchange *exchange = exchange_with_itself(system, count);

	measure("pass-alone", exchange, exchange_there_and_back);
	exchange_close(exchange);
}

void bench_passing(int argc, char **argv)
{
	static const struct system * const systems[] = {
		&labyrinth_system, &heap_system, &byte_system
	};
	unsigned int i;

	(void)argc;
	(void)argv;
	for (i = 0; i < (bench_quick ? 1 : ARRAY_COUNT(systems)); i++) {
		two_processes(systems[i], 1);
		one_process(systems[i], 1);
		if (systems[i] == &byte_system)
			continue;
		two_processes(systems[i], 32);
		one_process(systems[i], 32);
	}
}
