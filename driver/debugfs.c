// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/labyrinth/labyrinthN/pages: every page of a pool, and whose it is.
 * One line for each slot that is not empty; the first line names the columns:
 *
 *	slot	its number
 *	offset	where it lies in the arena, in bytes
 *	pages	how many it has, 2^order
 *	state	free, owned, ticketed, kernel, quarantined, poisoned
 *	content	of a free page: zero or sentinel; - of others
 *	pid	the process that opened the file that has it, has given it away in a
 *		ticket, or has let go of it; 0 if there is none
 *	comm	its name, to the end of the line; - if there is none
 *
 * It is looked at without locks: while pages change hands, a line may show something of
 * before and of after.
 */
#include <linux/debugfs.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#include "device.h"
#include "fault.h"

static const char * const state_names[LABYRINTH_STATES] = {
	[LABYRINTH_FREE] = "free",
	[LABYRINTH_OWNED] = "owned",
	[LABYRINTH_TICKETED] = "ticketed",
	[LABYRINTH_KERNEL] = "kernel",
	[LABYRINTH_QUARANTINED] = "quarantined",
	[LABYRINTH_POISONED] = "poisoned",
};

static struct dentry *root;

/**
 * struct page_view - what a line is made of
 * @state: enum labyrinth_state
 * @fill: see struct labyrinth_page
 * @pid: who pays
 * @comm: its name
 */
struct page_view {
	u8 state;
	u8 fill;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/* A ticket that is taken from changes the account without a lock, and may free it. */
static void look_at_page(struct labyrinth_page *page, struct page_view *view)
{
	struct labyrinth_account *account;

	*view = (struct page_view){
		.state = READ_ONCE(page->state),
		.fill = READ_ONCE(page->fill),
		.comm = "-",
	};
	rcu_read_lock();
	account = READ_ONCE(page->account);
	if (account) {
		view->pid = account->pid;
		memcpy(view->comm, account->comm, sizeof(view->comm));
	}
	rcu_read_unlock();
}

static const char *content_of(const struct page_view *view)
{
	if (view->state != LABYRINTH_FREE)
		return "-";
	return view->fill ? "sentinel" : "zero";
}

static void *pages_start(struct seq_file *m, loff_t *position)
{
	struct labyrinth_device *ldev = m->private;

	if (!*position)
		return SEQ_START_TOKEN;
	return *position <= ldev->pool.nr_slots ? &ldev->pool.slots[*position - 1] : NULL;
}

static void *pages_next(struct seq_file *m, void *here, loff_t *position)
{
	++*position;
	return pages_start(m, position);
}

static void pages_stop(struct seq_file *m, void *here)
{
}

static int pages_show(struct seq_file *m, void *here)
{
	struct labyrinth_device *ldev = m->private;
	struct labyrinth_page *page = here;
	struct page_view view;

	if (here == SEQ_START_TOKEN) {
		seq_puts(m, "slot offset pages state content pid comm\n");
		return 0;
	}
	look_at_page(page, &view);
	if (view.state == LABYRINTH_EMPTY)
		return 0;
	seq_printf(m, "%u %llu %u %s %s %d ", labyrinth_page_slot(page),
		   (u64)labyrinth_page_pgoff(&ldev->pool, page) << PAGE_SHIFT,
		   labyrinth_page_count(page), state_names[view.state],
		   content_of(&view), view.pid);
	seq_escape(m, view.comm, "\n\r\\");
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations pages_sops = {
	.start = pages_start,
	.next = pages_next,
	.stop = pages_stop,
	.show = pages_show,
};
DEFINE_SEQ_ATTRIBUTE(pages);

/**
 * labyrinth_debugfs_add() - show a device's pages
 * @ldev: a published device
 *
 * Context: Process context.
 */
void labyrinth_debugfs_add(struct labyrinth_device *ldev)
{
	ldev->debugfs = debugfs_create_dir(dev_name(&ldev->dev), root);
	debugfs_create_file("pages", 0400, ldev->debugfs, ldev, &pages_fops);
}

/**
 * labyrinth_debugfs_remove() - show them no longer
 * @ldev: the device
 *
 * Context: Process context, waits for readers.
 */
void labyrinth_debugfs_remove(struct labyrinth_device *ldev)
{
	debugfs_remove_recursive(ldev->debugfs);
}

/**
 * labyrinth_debugfs_init() - make the folder for all devices
 *
 * Context: Process context.
 */
void labyrinth_debugfs_init(void)
{
	root = debugfs_create_dir("labyrinth", NULL);
	labyrinth_fault_init(root);
}

/**
 * labyrinth_debugfs_exit() - remove it, empty by now
 *
 * Context: Process context.
 */
void labyrinth_debugfs_exit(void)
{
	debugfs_remove_recursive(root);
}
