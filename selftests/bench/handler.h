/* SPDX-License-Identifier: GPL-2.0 */
/* What the module labyrinth_bench has counted in an interrupt handler. */
#ifndef LABYRINTH_BENCH_HANDLER_H
#define LABYRINTH_BENCH_HANDLER_H

struct handler {
	unsigned long long runs;
	unsigned long long total;	/* instructions */
	unsigned long long worst;	/* of one run */
};

void handler_watch(const char *name);
void handler_read(struct handler *handler);

#endif /* LABYRINTH_BENCH_HANDLER_H */
