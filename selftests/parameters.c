// SPDX-License-Identifier: GPL-2.0
/* The module's parameters: what makes no sense is refused, what does is in force. */
#include <sys/sysinfo.h>

#include "labyrinth_reload.h"

/* What the device's addresses are wide by default; wider ones lie above. */
#define DEFAULT_REACH	(256ULL << 20)

FIXTURE(parameters)
{
	struct loaded loaded;
	char address[ADDRESS_SIZE];
};

FIXTURE_SETUP(parameters)
{
	int fd = open_quiet(_metadata, 0, O_RDWR);

	loaded_remember(_metadata, &self->loaded);
	ASSERT_EQ(0, device_address(fd, self->address));
	ASSERT_EQ(0, close(fd));
}

FIXTURE_TEARDOWN(parameters)
{
	reload(_metadata, self->loaded.parameters);
	EXPECT_TRUE(wait_until(device_is_there(self->address)));
}

TEST_F_TIMEOUT(parameters, numbers_that_make_no_sense_give_no_device, 120)
{
	static const char * const wrong[] = {
		"low=9 high=8 max=16", "high=17 max=16", "reserve=8 high=8 max=16",
		"high=0", "max=16385", "dma_bits=27", "dma_bits=65",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_COUNT(wrong); i++) {
		reload_as_wide(_metadata, &self->loaded, wrong[i]);
		if (device_is_there(self->address))
			TH_LOG("accepted: %s", wrong[i]);
		EXPECT_FALSE(device_is_there(self->address));
	}
}

TEST_F_TIMEOUT(parameters, limits_are_those_given, 60)
{
	struct labyrinth_info info;
	struct labyrinth_stat stat;
	int fd;

	reload_as_wide(_metadata, &self->loaded,
		       "max=40 high=20 low=10 reserve=5 quota=7 user_quota=9");
	fd = device_open_at(self->address);
	ASSERT_LE(0, fd);
	test_info(fd, &info);
	test_stat(fd, &stat);
	EXPECT_EQ(40, stat.max);
	EXPECT_EQ(20, stat.high);
	EXPECT_EQ(10, stat.low);
	EXPECT_EQ(5, stat.reserve);
	/* The system may be short of memory, and have had some back already. */
	EXPECT_EQ(20, stat.free + stat.shrunk);
	EXPECT_EQ(40, info.max_pages);
	EXPECT_EQ(7, info.file_quota);
	EXPECT_EQ(9, info.user_quota);
	EXPECT_EQ(0, close(fd));
}

TEST_F_TIMEOUT(parameters, sentinel_mode_from_the_beginning, 60)
{
	struct labyrinth_buffer buffers[16];
	char *page;
	int fd, i;

	reload_as_wide(_metadata, &self->loaded, "sentinel=1");
	fd = device_open_at(self->address);
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++) {
		test_acquire(fd, 16, buffers);
		page = test_map_buffer(fd, &buffers[3]);
		EXPECT_TRUE(all_bytes_are(page, page_size(), 0));
		munmap(page, page_size());
		test_release(fd, 16, buffers);
	}
	EXPECT_EQ(0, stat_value(fd, poisoned));
	EXPECT_EQ(0, close(fd));
}

static bool has_memory_above_reach(void)
{
	struct sysinfo info;

	return !sysinfo(&info) &&
	       (unsigned long long)info.totalram * info.mem_unit > DEFAULT_REACH;
}

/* A device that is there copies to and from where it says it can. */
static void expect_copies(struct __test_metadata *_metadata, const char *address)
{
	struct labyrinth_buffer buffers[64];
	int fd = device_open_at(address), i;
	char *from, *to;

	ASSERT_LE(0, fd);
	test_acquire(fd, 64, buffers);
	for (i = 0; i < 64; i += 16) {
		from = test_map_buffer(fd, &buffers[i]);
		to = test_map_buffer(fd, &buffers[i + 1]);
		pattern_fill(from, page_size(), i);
		test_copy(fd, buffers[i].handle, 0, buffers[i + 1].handle, 0,
			  page_size(), i);
		test_event(fd, i, 0);
		EXPECT_TRUE(pattern_matches(to, page_size(), i));
		munmap(from, page_size());
		munmap(to, page_size());
	}
	EXPECT_EQ(0, close(fd));
}

static bool is_behind_iommu(const char *address)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	return !access(path, F_OK);
}

/* Tells whoever reads the kernel's log; the guest's lib.sh leaves such reports out. */
static void tell_log(struct __test_metadata *_metadata, const char *text)
{
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	ASSERT_LE(0, log);
	ASSERT_EQ((ssize_t)strlen(text), write(log, text, strlen(text)));
	close(log);
}

/*
 * A device that ignores the upper bits is made to read elsewhere, below its reach, and
 * there the IOMMU has nothing for it. It reports that, and must.
 */
#define STRAY_READ	"DMAR: DRHD: handling fault status reg |" \
			"DMAR: [[]DMA Read NO_PASID[]] Request device [[][0-9a-f:.]+[]] " \
			"fault addr 0x[0-9a-f]{1,7} "

static void try_wider(struct __test_metadata *_metadata, const char *address,
		      const char *parameters)
{
	bool reported = is_behind_iommu(address);

	if (reported)
		tell_log(_metadata, "labyrinth-test: reports to come: " STRAY_READ);
	reload(_metadata, parameters);
	if (reported) {
		tell_log(_metadata, "labyrinth-test: no more reports");
		EXPECT_FALSE(device_is_there(address));
	}
	if (device_is_there(address))
		expect_copies(_metadata, address);
}

TEST_F_TIMEOUT(parameters, wider_addresses_are_tried_before_they_are_believed, 120)
{
	bool without_trial = !is_behind_iommu(self->address) && !has_memory_above_reach();

	try_wider(_metadata, self->address, "dma_bits=32");
	if (without_trial)
		EXPECT_FALSE(device_is_there(self->address));
	/* What has been tried and found wrong is not believed at any risk. */
	try_wider(_metadata, self->address, "dma_bits=32 unsafe_dma_bits=1");
	if (without_trial)
		EXPECT_TRUE(device_is_there(self->address));
}

TEST_HARNESS_MAIN
