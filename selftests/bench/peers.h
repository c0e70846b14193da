/* SPDX-License-Identifier: GPL-2.0 */
/* The system heap of dma-buf, the closest thing that a kernel has built in. */
#ifndef LABYRINTH_BENCH_PEERS_H
#define LABYRINTH_BENCH_PEERS_H

#include <stddef.h>

int heap_open(void);
int heap_alloc(int heap, size_t length);
void touch_mapped(int fd, size_t length);
void heap_cycle(void *heap);

#endif /* LABYRINTH_BENCH_PEERS_H */
