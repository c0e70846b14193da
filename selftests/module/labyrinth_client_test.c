// SPDX-License-Identifier: GPL-2.0
/*
 * A client of a Labyrinth pool inside the kernel, for the kselftest "client": takes and
 * frees pages in the execution context it is told to. In debugfs, under
 * labyrinth_client_test/:
 *
 *	take	write "CONTEXT COUNT": try to take a page, COUNT times
 *	free	write "CONTEXT": scribble over all pages held, then free them
 *	held	pages held now
 *	failed	tries that gave no page, ever
 *	dirty	pages found not zero when taken, or at the end of being held, ever: an
 *		exclusive page that nobody here writes to stays as it came
 *	gone	how often the pool has said that the device goes
 *	context	where the last take or free ran
 *
 * CONTEXT is process, irq_off (interrupts off), softirq or hardirq.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "labyrinth.h"

/* More than a pool has by default, so that a test can empty one. */
#define MOST_PAGES	4096

#define SCRIBBLE	0x5c

/* Soon, but after the command has gone to sleep: the timer finds an idle CPU. */
#define DELAY_NS	(100 * NSEC_PER_USEC)

enum context { PROCESS, IRQ_OFF, SOFTIRQ, HARDIRQ, CONTEXTS };

static const char * const context_names[CONTEXTS] = {
	"process", "irq_off", "softirq", "hardirq"
};

/**
 * struct test_client - the one client
 * @pool: the pool, valid until the module goes, even if the device does not last
 * @lock: held for a whole command, by gone() and at the end. So whoever holds it knows
 *	that no timer runs, and the timer's callback has the rest to itself
 * @timer: leads into soft and hard interrupt context
 * @done: @timer's callback has run
 * @work: what it does, anywhere
 * @tries: for take_pages()
 * @pages: the first @held are ours. Not a list, which would need memory inside
 *	struct labyrinth_page, or beside it, in hard interrupt context
 * @held: read without @lock by debugfs, like the counters after it
 * @failed: see above
 * @dirty: see above
 * @gone: see above
 * @hardirq: in_hardirq() when @work ran last
 * @softirq: in_serving_softirq() then
 * @irqs_off: irqs_disabled() then
 */
struct test_client {
	struct labyrinth_pool *pool;
	struct mutex lock;	/* a command, gone(), or the end of the module */
	struct hrtimer timer;
	struct completion done;
	void (*work)(struct test_client *client);
	u32 tries;
	struct labyrinth_page *pages[MOST_PAGES];
	u32 held;
	u32 failed;
	u32 dirty;
	u32 gone;
	bool hardirq;
	bool softirq;
	bool irqs_off;
};

static struct test_client the_client = {
	.lock = __MUTEX_INITIALIZER(the_client.lock),
};

static struct dentry *directory;

static unsigned int device;
module_param(device, uint, 0444);
MODULE_PARM_DESC(device, "whose pool: the N of /dev/labyrinthN (default: 0)");

/* Every try counts: where it ends is not for the caller to guess. */
static void take_pages(struct test_client *client)
{
	struct labyrinth_page *page;
	u32 i;

	for (i = 0; i < client->tries; i++) {
		page = labyrinth_alloc_page_gfp_atomic_exclusive(client->pool);
		if (page)
			client->pages[client->held++] = page;
		else
			client->failed++;
	}
}

static void free_pages_held(struct test_client *client)
{
	while (client->held)
		labyrinth_free_page_exclusive(client->pool,
					      client->pages[--client->held]);
}

static void run_work(struct test_client *client)
{
	client->hardirq = in_hardirq();
	client->softirq = in_serving_softirq();
	client->irqs_off = irqs_disabled();
	client->work(client);
}

static enum hrtimer_restart run_work_in_timer(struct hrtimer *timer)
{
	struct test_client *client = container_of(timer, struct test_client, timer);

	run_work(client);
	complete(&client->done);
	return HRTIMER_NORESTART;
}

/* A plain timer would, on PREEMPT_RT, expire in a thread: the mode must say where. */
static void run_in_timer(struct test_client *client, enum hrtimer_mode mode)
{
	init_completion(&client->done);
	hrtimer_init(&client->timer, CLOCK_MONOTONIC, mode);
	client->timer.function = run_work_in_timer;
	hrtimer_start(&client->timer, ns_to_ktime(DELAY_NS), mode);
	wait_for_completion(&client->done);
	/* The callback may still be on its last line, and the timer is used again. */
	hrtimer_cancel(&client->timer);
}

static void run_in(struct test_client *client, enum context context,
		   void (*work)(struct test_client *client))
{
	unsigned long flags;

	lockdep_assert_held(&client->lock);
	client->work = work;
	switch (context) {
	case IRQ_OFF:
		local_irq_save(flags);
		run_work(client);
		local_irq_restore(flags);
		break;
	case SOFTIRQ:
		run_in_timer(client, HRTIMER_MODE_REL_SOFT);
		break;
	case HARDIRQ:
		run_in_timer(client, HRTIMER_MODE_REL_HARD);
		break;
	default:
		run_work(client);
	}
}

/*
 * Looking at whole pages would keep interrupts off for long. The pages are ours, so
 * process context sees just what an interrupt handler would have seen.
 */
static void check_pages(struct test_client *client, u32 from)
{
	u32 i;

	for (i = from; i < client->held; i++)
		if (memchr_inv(labyrinth_page_address(client->pages[i]), 0, PAGE_SIZE))
			client->dirty++;
}

static void scribble_pages(struct test_client *client)
{
	u32 i;

	for (i = 0; i < client->held; i++)
		memset(labyrinth_page_address(client->pages[i]), SCRIBBLE, PAGE_SIZE);
}

static int take(struct test_client *client, enum context context, u32 count)
{
	u32 before;

	mutex_lock(&client->lock);
	if (count > MOST_PAGES - client->held) {
		mutex_unlock(&client->lock);
		return -ENOSPC;
	}
	before = client->held;
	client->tries = count;
	run_in(client, context, take_pages);
	check_pages(client, before);
	mutex_unlock(&client->lock);
	return 0;
}

static void give_back(struct test_client *client, enum context context)
{
	mutex_lock(&client->lock);
	check_pages(client, 0);
	scribble_pages(client);
	run_in(client, context, free_pages_held);
	mutex_unlock(&client->lock);
}

/* Waits for the end of a command that runs. Those that come later find a dead pool. */
static void client_gone(void *context)
{
	struct test_client *client = context;

	mutex_lock(&client->lock);
	free_pages_held(client);
	client->gone++;
	mutex_unlock(&client->lock);
}

static const struct labyrinth_client_ops client_ops = {
	.gone = client_gone,
};

/* Splits "CONTEXT COUNT"; without a count if @count is NULL. */
static int read_command(const char __user *from, size_t length, u32 *count)
{
	char text[32], *rest = text, *word;
	int context;

	if (length >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, length))
		return -EFAULT;
	text[length] = 0;
	rest = strim(text);
	word = strsep(&rest, " ");
	context = match_string(context_names, CONTEXTS, word);
	if (context < 0 || !count != !rest)
		return -EINVAL;
	if (count && kstrtou32(rest, 0, count))
		return -EINVAL;
	return context;
}

static ssize_t take_write(struct file *file, const char __user *from, size_t length,
			  loff_t *position)
{
	u32 count;
	int context, err;

	context = read_command(from, length, &count);
	if (context < 0)
		return context;
	err = take(file->private_data, context, count);
	return err ? err : length;
}

static const struct file_operations take_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = take_write,
};

static ssize_t free_write(struct file *file, const char __user *from, size_t length,
			  loff_t *position)
{
	int context = read_command(from, length, NULL);

	if (context < 0)
		return context;
	give_back(file->private_data, context);
	return length;
}

static const struct file_operations free_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = free_write,
};

static int context_show(struct seq_file *file, void *unused)
{
	struct test_client *client = file->private;

	mutex_lock(&client->lock);
	seq_printf(file, "in_hardirq %d in_serving_softirq %d irqs_disabled %d\n",
		   client->hardirq, client->softirq, client->irqs_off);
	mutex_unlock(&client->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(context);

static int __init client_test_init(void)
{
	struct test_client *client = &the_client;

	client->pool = labyrinth_pool_get(device, &client_ops, client);
	if (IS_ERR(client->pool))
		return PTR_ERR(client->pool);

	directory = debugfs_create_dir("labyrinth_client_test", NULL);
	debugfs_create_file("take", 0200, directory, client, &take_fops);
	debugfs_create_file("free", 0200, directory, client, &free_fops);
	debugfs_create_u32("held", 0400, directory, &client->held);
	debugfs_create_u32("failed", 0400, directory, &client->failed);
	debugfs_create_u32("dirty", 0400, directory, &client->dirty);
	debugfs_create_u32("gone", 0400, directory, &client->gone);
	debugfs_create_file("context", 0400, directory, client, &context_fops);
	return 0;
}
module_init(client_test_init);

static void __exit client_test_exit(void)
{
	struct test_client *client = &the_client;

	/* Waits for commands under way; no new ones from here on, but gone() may come. */
	debugfs_remove_recursive(directory);
	mutex_lock(&client->lock);
	scribble_pages(client);
	free_pages_held(client);
	mutex_unlock(&client->lock);
	labyrinth_pool_put(client->pool, client);
}
module_exit(client_test_exit);

MODULE_IMPORT_NS(LABYRINTH);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Labyrinth authors");
MODULE_DESCRIPTION("Client of a Labyrinth pool, driven by a kselftest");
