/* SPDX-License-Identifier: GPL-2.0 */
/* Systems that can hand pages from one process to another over a Unix socket. */
#ifndef LABYRINTH_BENCH_PASSING_H
#define LABYRINTH_BENCH_PASSING_H

#include "device.h"

/* One of the two that pages go between. */
struct end {
	int socket;
	unsigned int count;
	struct device device;
	struct batch batch;		/* labyrinth's pages while they are here */
	int fds[BENCH_MAX_BATCH];	/* those of the peer */
};

/*
 * open() makes an end ready, fill() puts the first pages there. send() hands them to the
 * other end and ends all access to them here. receive() makes them visible and touches
 * each; it is false when nobody sends any more.
 */
struct system {
	const char *name;
	void (*open)(struct end *end);
	void (*fill)(struct end *end);
	void (*send)(struct end *end);
	bool (*receive)(struct end *end);
	void (*close)(struct end *end);
};

extern const struct system labyrinth_system;
extern const struct system heap_system;
extern const struct system byte_system;

struct exchange {
	const struct system *system;
	struct end here;
	struct end there;	/* in this process, or only its socket */
};

struct exchange *exchange_with_itself(const struct system *system, unsigned int count);
void exchange_there_and_back(void *exchange);
void exchange_close(struct exchange *exchange);

#endif /* LABYRINTH_BENCH_PASSING_H */
