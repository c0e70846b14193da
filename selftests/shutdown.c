// SPDX-License-Identifier: GPL-2.0
/*
 * At power-off and kexec no driver is unbound, and no memory freed: its shutdown must see to
 * it that the device writes to memory no more.
 */
#include "labyrinth_pool.h"
#include "labyrinth_stray.h"

#define COPIES			4
#define BYTES			65536	/* many transfers each */
#define PCI_COMMAND		4
#define PCI_COMMAND_MASTER	0x4

FIXTURE(shutdown)
{
	int fd;
	char address[ADDRESS_SIZE];
	struct labyrinth_buffer buffers[2];
};

FIXTURE_SETUP(shutdown)
{
	int i;

	self->fd = open_quiet(_metadata, 0, O_RDWR);
	ASSERT_EQ(0, device_address(self->fd, self->address));
	stray_require(_metadata, self->fd);
	test_acquire_order(self->fd, 4, 2, self->buffers);
	for (i = 0; i < COPIES; i++)
		test_copy(self->fd, self->buffers[0].handle, 0, self->buffers[1].handle, 0,
			  BYTES, i);
}

FIXTURE_TEARDOWN(shutdown)
{
	close(self->fd);
	EXPECT_EQ(0, stray_unload());
	device_renew(_metadata, self->address);
}

/* What the kernel calls at power-off, with this device. */
static int shut_down(void)
{
	return module_write(STRAY_MODULE, "shutdown", "\n");
}

static bool is_bus_master(const char *address)
{
	unsigned char command = 0;
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &command, 1, PCI_COMMAND) != 1)
		return true;
	close(fd);
	return command & PCI_COMMAND_MASTER;
}

TEST_F(shutdown, ends_the_dma_and_cuts_the_device_off)
{
	ASSERT_TRUE(is_bus_master(self->address));
	ASSERT_TRUE(wait_until(module_value(STRAY_MODULE, "busy") == 1));
	ASSERT_EQ(0, shut_down());
	EXPECT_FALSE(is_bus_master(self->address));
	EXPECT_EQ(0, module_value(STRAY_MODULE, "busy"));
}

TEST_F(shutdown, wakes_up_who_waits_and_refuses_every_call)
{
	struct waiter waiter = { .count = 1 };
	struct labyrinth_stat stat;
	struct hoard hoard;

	hoard_fill(_metadata, &hoard, 0, self->fd);
	waiter.fd = raw_open(0, O_RDWR);
	waiter_start(_metadata, &waiter);
	ASSERT_EQ(0, shut_down());
	ASSERT_EQ(0, pthread_join(waiter.thread, NULL));
	EXPECT_EQ(-1, waiter.result);
	EXPECT_EQ(ENODEV, waiter.error);
	EXPECT_ERRNO(ENODEV, raw_stat(self->fd, &stat));
	EXPECT_ERRNO(ENODEV, raw_open(0, O_RDWR));
	close(waiter.fd);
	hoard_close(&hoard);
}

TEST_F(shutdown, twice_is_as_good_as_once)
{
	ASSERT_EQ(0, shut_down());
	EXPECT_EQ(0, shut_down());
	EXPECT_FALSE(is_bus_master(self->address));
}

TEST_HARNESS_MAIN
