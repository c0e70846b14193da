// SPDX-License-Identifier: GPL-2.0
/*
 * Which function the CPU is in, every few thousand instructions. A timer's interrupt
 * comes where interrupts are on, so what runs with them off counts where they come back.
 */
#include <linux/debugfs.h>
#include <linux/hrtimer.h>
#include <linux/kallsyms.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include <asm/irq_regs.h>

#include "bench.h"

/* From the one to twice as long, so that no loop of the bench keeps step with it. */
#define INTERVAL_NS	8192
#define MOST_SAMPLES	65536

/**
 * struct profile - the samples
 * @lock: serializes readers and writers of the file
 * @timer: takes them
 * @random: the last of a series
 * @count: how many there are
 * @at: where the CPU was; 0 is user space
 */
struct profile {
	struct mutex lock;	/* users of the file */
	struct hrtimer timer;
	u32 random;
	unsigned int count;
	unsigned long *at;
};

static struct profile profile = { .lock = __MUTEX_INITIALIZER(profile.lock) };

static enum hrtimer_restart take_sample(struct hrtimer *timer)
{
	struct pt_regs *regs = get_irq_regs();

	if (!regs || profile.count == MOST_SAMPLES)
		return HRTIMER_NORESTART;
	profile.at[profile.count++] = user_mode(regs) ? 0 : instruction_pointer(regs);
	profile.random = profile.random * 1103515245 + 12345;
	hrtimer_forward_now(timer, INTERVAL_NS + (profile.random >> 16) % INTERVAL_NS);
	return HRTIMER_RESTART;
}

static int profile_start(void)
{
	if (!profile.at)
		profile.at = vmalloc(MOST_SAMPLES * sizeof(*profile.at));
	if (!profile.at)
		return -ENOMEM;
	hrtimer_cancel(&profile.timer);
	profile.count = 0;
	hrtimer_start(&profile.timer, INTERVAL_NS, HRTIMER_MODE_REL_HARD);
	return 0;
}

static ssize_t profile_write(struct file *file, const char __user *from, size_t length,
			     loff_t *position)
{
	bool on;
	int err;

	err = kstrtobool_from_user(from, length, &on);
	if (err)
		return err;
	mutex_lock(&profile.lock);
	if (on)
		err = profile_start();
	else
		hrtimer_cancel(&profile.timer);
	mutex_unlock(&profile.lock);
	return err ? err : length;
}

/* From the address in a function to where the function begins. */
static unsigned long function_of(unsigned long at)
{
	char name[KSYM_SYMBOL_LEN];
	unsigned long offset;
	char *plus;

	if (!at)
		return 0;
	sprint_symbol(name, at);
	plus = strchr(name, '+');
	if (!plus || sscanf(plus, "+%lx/", &offset) != 1)
		return at;
	return at - offset;
}

static int by_address(const void *a, const void *b)
{
	unsigned long left = *(const unsigned long *)a, right = *(const unsigned long *)b;

	return left < right ? -1 : left > right;
}

static void show_samples(struct seq_file *file)
{
	unsigned int i, same = 0;

	for (i = 0; i < profile.count; i++)
		profile.at[i] = function_of(profile.at[i]);
	sort(profile.at, profile.count, sizeof(*profile.at), by_address, NULL);
	for (i = 0; i < profile.count; i++) {
		same++;
		if (i + 1 < profile.count && profile.at[i + 1] == profile.at[i])
			continue;
		if (profile.at[i])
			seq_printf(file, "%u %ps\n", same, (void *)profile.at[i]);
		else
			seq_printf(file, "%u user\n", same);
		same = 0;
	}
}

static int profile_show(struct seq_file *file, void *unused)
{
	mutex_lock(&profile.lock);
	hrtimer_cancel(&profile.timer);
	seq_printf(file, "%u all\n", profile.count);
	show_samples(file);
	mutex_unlock(&profile.lock);
	return 0;
}

static int profile_open(struct inode *inode, struct file *file)
{
	return single_open(file, profile_show, NULL);
}

static const struct file_operations profile_fops = {
	.owner = THIS_MODULE,
	.open = profile_open,
	.read = seq_read,
	.write = profile_write,
	.llseek = seq_lseek,
	.release = single_release,
};

void bench_profile_init(struct dentry *directory)
{
	hrtimer_init(&profile.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	profile.timer.function = take_sample;
	debugfs_create_file("profile", 0600, directory, NULL, &profile_fops);
}

void bench_profile_exit(void)
{
	hrtimer_cancel(&profile.timer);
	vfree(profile.at);
}
