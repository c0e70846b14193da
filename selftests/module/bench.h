/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the module labyrinth_bench, which is for one CPU that counts instructions. */
#ifndef LABYRINTH_BENCH_MODULE_H
#define LABYRINTH_BENCH_MODULE_H

#include <linux/dcache.h>

int bench_handler_init(struct dentry *directory);
void bench_handler_exit(void);
int bench_peer_init(struct dentry *directory);
void bench_peer_exit(void);

#endif /* LABYRINTH_BENCH_MODULE_H */
