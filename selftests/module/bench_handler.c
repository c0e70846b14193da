// SPDX-License-Identifier: GPL-2.0
/* How many instructions an interrupt handler takes: from its tracepoints. */
#include <linux/debugfs.h>
#include <linux/interrupt.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/timex.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>

#include "bench.h"

/**
 * struct meter - what has been counted
 * @name: of the handler's device, as in /proc/interrupts
 * @begun: when it was entered; 0 if it is not this one
 * @runs: how often
 * @total: instructions in all
 * @worst: instructions of the longest run
 */
struct meter {
	char name[32];
	u64 begun;
	u64 runs;
	u64 total;
	u64 worst;
};

static struct meter meter;
static struct tracepoint *entry_point, *exit_point;

static void on_entry(void *unused, int irq, struct irqaction *action)
{
	if (!strcmp(action->name, meter.name))
		meter.begun = get_cycles();
}

static void on_exit(void *unused, int irq, struct irqaction *action, int ret)
{
	u64 took = get_cycles() - meter.begun;

	if (!meter.begun)
		return;
	meter.begun = 0;
	meter.runs++;
	meter.total += took;
	meter.worst = max(meter.worst, took);
}

static ssize_t watch_write(struct file *file, const char __user *from, size_t length,
			   loff_t *position)
{
	struct meter next = {};

	if (length >= sizeof(next.name))
		return -EINVAL;
	if (copy_from_user(next.name, from, length))
		return -EFAULT;
	strim(next.name);
	local_irq_disable();
	meter = next;
	local_irq_enable();
	return length;
}

static const struct file_operations watch_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = watch_write,
};

static int handler_show(struct seq_file *file, void *unused)
{
	seq_printf(file, "%llu %llu %llu\n", meter.runs, meter.total, meter.worst);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(handler);

/* The kernel does not export these tracepoints by name. */
static void find_point(struct tracepoint *point, void *unused)
{
	if (!strcmp(point->name, "irq_handler_entry"))
		entry_point = point;
	if (!strcmp(point->name, "irq_handler_exit"))
		exit_point = point;
}

int bench_handler_init(struct dentry *directory)
{
	int err;

	for_each_kernel_tracepoint(find_point, NULL);
	if (!entry_point || !exit_point)
		return -ENOENT;
	err = tracepoint_probe_register(entry_point, on_entry, NULL);
	if (err)
		return err;
	err = tracepoint_probe_register(exit_point, on_exit, NULL);
	if (err) {
		tracepoint_probe_unregister(entry_point, on_entry, NULL);
		tracepoint_synchronize_unregister();
		return err;
	}
	debugfs_create_file("watch", 0200, directory, NULL, &watch_fops);
	debugfs_create_file("handler", 0400, directory, NULL, &handler_fops);
	return 0;
}

void bench_handler_exit(void)
{
	tracepoint_probe_unregister(entry_point, on_entry, NULL);
	tracepoint_probe_unregister(exit_point, on_exit, NULL);
	tracepoint_synchronize_unregister();
}
