// SPDX-License-Identifier: GPL-2.0
/* A client inside the kernel gets pages of its own in any context, from the reserve too. */
#include "labyrinth_client.h"
#include "labyrinth_peer.h"
#include "labyrinth_pool.h"

#define PAGES		16
#define PEERS		4

FIXTURE(context)
{
	int fd;
	struct labyrinth_stat before;
};

FIXTURE_VARIANT(context)
{
	const char *name;
	int hardirq;
	int softirq;
	int irqs_off;
};

FIXTURE_VARIANT_ADD(context, process)
{
	.name = "process",
};

FIXTURE_VARIANT_ADD(context, irq_off)
{
	.name = "irq_off",
	.irqs_off = 1,
};

FIXTURE_VARIANT_ADD(context, softirq)
{
	.name = "softirq",
	.softirq = 1,
};

FIXTURE_VARIANT_ADD(context, hardirq)
{
	.name = "hardirq",
	.hardirq = 1,
	.irqs_off = 1,
};

FIXTURE_SETUP(context)
{
	self->fd = open_with_client(_metadata);
	test_stat(self->fd, &self->before);
}

FIXTURE_TEARDOWN(context)
{
	close(self->fd);
	EXPECT_EQ(0, client_unload());
}

static void expect_context(struct __test_metadata *_metadata, int hardirq, int softirq,
			   int irqs_off)
{
	int was_hardirq, was_softirq, was_irqs_off;
	FILE *file = fopen(CLIENT_CONTROL "context", "r");

	ASSERT_NE(NULL, file);
	ASSERT_EQ(3, fscanf(file, "in_hardirq %d in_serving_softirq %d irqs_disabled %d",
			    &was_hardirq, &was_softirq, &was_irqs_off));
	fclose(file);
	EXPECT_EQ(hardirq, was_hardirq);
	EXPECT_EQ(irqs_off, was_irqs_off);
	/* A hard interrupt may well have interrupted a soft one. */
	if (!hardirq)
		EXPECT_EQ(softirq, was_softirq);
}

TEST_F(context, pages_are_taken_and_freed_just_there)
{
	ASSERT_EQ(0, client_take(variant->name, PAGES));
	expect_context(_metadata, variant->hardirq, variant->softirq, variant->irqs_off);
	ASSERT_EQ(0, client_write("free", variant->name));
	expect_context(_metadata, variant->hardirq, variant->softirq, variant->irqs_off);
}

TEST_F(context, pages_come_zeroed)
{
	struct labyrinth_buffer dirty[PAGES];
	int i;

	/* The next that are handed out. */
	test_acquire(self->fd, PAGES, dirty);
	for (i = 0; i < PAGES; i++)
		pattern_fill(test_map_buffer(self->fd, &dirty[i]), page_size(), i);
	test_release(self->fd, PAGES, dirty);
	ASSERT_EQ(0, client_take(variant->name, PAGES));
	test_client(self->fd, PAGES, 0);
}

TEST_F(context, stat_counts_them_until_they_are_free)
{
	struct labyrinth_stat after;

	ASSERT_EQ(0, client_take(variant->name, PAGES));
	ASSERT_EQ(0, client_take(variant->name, 1));
	test_client(self->fd, PAGES + 1, 0);
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.acquired + PAGES + 1, after.acquired);
	EXPECT_EQ(self->before.owned, after.owned);
	EXPECT_EQ(0, after.charged);
	ASSERT_EQ(0, client_write("free", variant->name));
	ASSERT_TRUE(wait_until(!stat_value(self->fd, kernel)));
	test_client(self->fd, 0, 0);
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.released + PAGES + 1, after.released);
	EXPECT_EQ(self->before.scrubbed + PAGES + 1, after.scrubbed);
}

TEST_F_TIMEOUT(context, what_it_wrote_is_never_seen, 120)
{
	struct hoard hoard;
	unsigned int i;
	char *page;

	ASSERT_EQ(0, client_take(variant->name, self->before.free));
	test_client(self->fd, self->before.free, 0);
	ASSERT_EQ(0, client_write("free", variant->name));
	hoard_fill(_metadata, &hoard, 0, self->fd);
	for (i = 0; i < hoard.count; i++) {
		page = test_map_buffer(hoard.owners[i], &hoard.buffers[i]);
		ASSERT_TRUE(all_bytes_are(page, page_size(), 0));
		munmap(page, page_size());
	}
	hoard_close(&hoard);
}

TEST_F(context, it_gets_the_reserve_and_then_null)
{
	struct labyrinth_stat empty;
	struct hoard hoard;

	hoard_fill(_metadata, &hoard, 0, self->fd);
	ASSERT_EQ(0, client_take(variant->name, self->before.reserve + 3));
	test_client(self->fd, self->before.reserve, 3);
	test_stat(self->fd, &empty);
	EXPECT_EQ(empty.max, empty.total);
	EXPECT_EQ(0, empty.free);
	/* What is freed is the reserve again, and nobody else's. */
	ASSERT_EQ(0, client_write("free", variant->name));
	ASSERT_TRUE(wait_until(!stat_value(self->fd, kernel)));
	test_client(self->fd, 0, 3);
	EXPECT_EQ(empty.reserve, stat_value(self->fd, free));
	EXPECT_EQ(empty.owned, stat_value(self->fd, owned));
	hoard_close(&hoard);
}

/* More than are free, faster than an interrupt can refill. */
TEST_F(context, more_pages_come_from_the_page_allocator)
{
	__u64 count = self->before.high + 64;
	long long failed;

	ASSERT_EQ(0, client_take(variant->name, count));
	failed = client_value("failed");
	test_client(self->fd, count - failed, failed);
	EXPECT_LE(self->before.free, stat_value(self->fd, kernel));
	/*
	 * With interrupts off, PREEMPT_RT's page allocator must not be asked; and the handler
	 * cannot run on this CPU meanwhile.
	 */
	if (!kernel_is_realtime() || !variant->irqs_off)
		EXPECT_EQ(0, failed);
	ASSERT_EQ(0, client_write("free", variant->name));
}

FIXTURE(client)
{
	int fd;
	struct labyrinth_info info;
	char address[ADDRESS_SIZE];
	struct labyrinth_stat before;
};

FIXTURE_SETUP(client)
{
	self->fd = open_with_client(_metadata);
	test_info(self->fd, &self->info);
	test_stat(self->fd, &self->before);
	ASSERT_EQ(0, device_address(self->fd, self->address));
}

FIXTURE_TEARDOWN(client)
{
	close(self->fd);
	client_unload();
	EXPECT_NE(0, access("/sys/module/" CLIENT_MODULE, F_OK));
	if (!device_is_there(self->address))
		EXPECT_EQ(0, device_bind(self->address));
	EXPECT_TRUE(wait_until(device_is_there(self->address)));
}

TEST_F_TIMEOUT(client, nobody_else_can_have_its_pages, 120)
{
	struct labyrinth_buffer buffer;
	struct labyrinth_stat full;
	struct hoard hoard;
	unsigned int i;

	ASSERT_EQ(0, client_take("hardirq", PAGES));
	hoard_fill(_metadata, &hoard, 0, self->fd);
	test_stat(self->fd, &full);
	EXPECT_EQ(full.max, full.total);
	EXPECT_EQ(full.max - full.reserve - PAGES, full.owned);
	EXPECT_EQ(full.owned, hoard.count);
	EXPECT_EQ(full.reserve, full.free);
	test_err_acquire(EAGAIN, self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer);
	for (i = 0; i < hoard.count; i++) {
		char *page = test_map_buffer(hoard.owners[i], &hoard.buffers[i]);

		memset(page, 0xee, page_size());
		munmap(page, page_size());
	}
	test_client(self->fd, PAGES, 0);
	/* That looks at them once more. */
	ASSERT_EQ(0, client_write("free", "process"));
	EXPECT_EQ(0, client_value("dirty"));
	hoard_close(&hoard);
}

/* Takes what there is, over and over, with as many files as the quota requires. */
static void grab_for_ever(unsigned int batch)
{
	struct labyrinth_buffer buffers[64];
	int fd = raw_open(0, O_RDWR);

	for (;;)
		if (raw_acquire(fd, LABYRINTH_ACQUIRE_NOWAIT | LABYRINTH_ACQUIRE_PARTIAL,
				batch, buffers) < 0 && errno == EDQUOT)
			fd = raw_open(0, O_RDWR);
}

TEST_F_TIMEOUT(client, reserve_serves_hardirq_while_four_processes_exhaust_the_pool, 120)
{
	struct labyrinth_buffer buffer;
	struct peer peers[PEERS];
	int i;

	for (i = 0; i < PEERS; i++) {
		ASSERT_LE(0, peer_fork(&peers[i]));
		if (!peers[i].pid)
			grab_for_ever(1 + 21 * i);
	}
	ASSERT_TRUE(wait_until(stat_value(self->fd, owned) ==
			       self->before.max - self->before.reserve));
	test_err_acquire(EAGAIN, self->fd, LABYRINTH_ACQUIRE_NOWAIT, 1, &buffer);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, client_take("hardirq", self->before.reserve));
		expect_context(_metadata, 1, 0, 1);
		test_client(self->fd, self->before.reserve, 0);
		ASSERT_EQ(0, client_write("free", "hardirq"));
		ASSERT_TRUE(wait_until(stat_value(self->fd, free) ==
				       self->before.reserve));
		test_client(self->fd, 0, 0);
	}
	for (i = 0; i < PEERS; i++)
		test_peer_kill(&peers[i]);
}

TEST_F_TIMEOUT(client, unbind_tells_it_once_and_it_gets_null_from_then_on, 120)
{
	int fd;

	ASSERT_EQ(0, client_take("process", 2 * PAGES));
	EXPECT_EQ(0, client_value("gone"));
	ASSERT_EQ(0, device_unbind(self->address));
	EXPECT_EQ(1, client_value("gone"));
	EXPECT_EQ(0, client_value("held"));
	EXPECT_EQ(0, client_value("failed"));
	ASSERT_EQ(0, client_take("process", 1));
	ASSERT_EQ(0, client_take("irq_off", 1));
	ASSERT_EQ(0, client_take("softirq", 1));
	ASSERT_EQ(0, client_take("hardirq", 1));
	EXPECT_EQ(0, client_value("held"));
	EXPECT_EQ(4, client_value("failed"));
	/* It is the old device's client, not the new one's. */
	ASSERT_EQ(0, device_bind(self->address));
	ASSERT_TRUE(wait_until(device_is_there(self->address)));
	ASSERT_EQ(0, client_take("hardirq", 1));
	EXPECT_EQ(5, client_value("failed"));
	EXPECT_EQ(0, client_unload());
	fd = device_open_at(self->address);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(device_is_quiet(fd));
	EXPECT_EQ(0, stat_value(fd, acquired));
	EXPECT_EQ(0, close(fd));
}

TEST_F(client, module_that_goes_returns_its_pages)
{
	ASSERT_EQ(0, client_take("softirq", 2 * PAGES));
	test_client(self->fd, 2 * PAGES, 0);
	ASSERT_EQ(0, client_unload());
	EXPECT_TRUE(wait_until(device_is_quiet(self->fd)));
	EXPECT_EQ(self->before.released + 2 * PAGES, stat_value(self->fd, released));
}

TEST_F(client, there_is_no_client_without_a_device)
{
	ASSERT_EQ(0, client_unload());
	EXPECT_ERRNO(ENODEV, client_load(255));
	EXPECT_ERRNO(ENODEV, client_load(256));
	ASSERT_EQ(0, device_unbind(self->address));
	EXPECT_ERRNO(ENODEV, client_load(device_number(self->fd)));
}

TEST_HARNESS_MAIN
