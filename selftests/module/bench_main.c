// SPDX-License-Identifier: GPL-2.0
/*
 * What the bench cannot measure from user space. In debugfs, under labyrinth_bench/:
 *
 *	watch	write the name of an interrupt's user: count its handler from now on
 *	handler	runs, instructions in all, instructions of the longest run
 *	refill	write a number: allocate as many pages in the peer's handler, then free them
 *
 * All of it takes for granted that there is one CPU.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/module.h>

#include "bench.h"

static struct dentry *directory;

static int __init bench_init(void)
{
	int err;

	if (num_online_cpus() > 1)
		return -EINVAL;
	directory = debugfs_create_dir("labyrinth_bench", NULL);
	err = bench_handler_init(directory);
	if (err)
		goto remove;
	err = bench_peer_init(directory);
	if (err)
		goto forget_handler;
	return 0;

forget_handler:
	bench_handler_exit();
remove:
	debugfs_remove_recursive(directory);
	return err;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	debugfs_remove_recursive(directory);
	bench_peer_exit();
	bench_handler_exit();
}
module_exit(bench_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Labyrinth authors");
MODULE_DESCRIPTION("Counts instructions in interrupt handlers, for the bench");
