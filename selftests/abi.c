// SPDX-License-Identifier: GPL-2.0
/* The edges of the interface: sizes, pointers, flags, and which error comes first. */
#include "abi_layout.h"
#include "labyrinth_ticket.h"

/* One ioctl, and a command of it that works. */
FIXTURE(command)
{
	int fd;
	size_t page;
	struct labyrinth_buffer own[2];
	struct labyrinth_buffer acquired;
	char *area;		/* two pages to put the command into, zeroed */
	struct labyrinth_stat before;
	union {
		__u32 head[2];	/* size and flags */
		struct labyrinth_info info;
		struct labyrinth_stat stat;
		struct labyrinth_acquire acquire;
		struct labyrinth_release release;
		struct labyrinth_copy copy;
		struct labyrinth_give give;
		struct labyrinth_take take;
	} good;
};

FIXTURE_VARIANT(command)
{
	unsigned int number;
	__u32 size;
};

FIXTURE_VARIANT_ADD(command, info) {
	.number = LABYRINTH_INFO, .size = sizeof(struct labyrinth_info) };
FIXTURE_VARIANT_ADD(command, stat) {
	.number = LABYRINTH_STAT, .size = sizeof(struct labyrinth_stat) };
FIXTURE_VARIANT_ADD(command, acquire) {
	.number = LABYRINTH_ACQUIRE, .size = sizeof(struct labyrinth_acquire) };
FIXTURE_VARIANT_ADD(command, release) {
	.number = LABYRINTH_RELEASE, .size = sizeof(struct labyrinth_release) };
FIXTURE_VARIANT_ADD(command, copy) {
	.number = LABYRINTH_COPY, .size = sizeof(struct labyrinth_copy) };
FIXTURE_VARIANT_ADD(command, give) {
	.number = LABYRINTH_GIVE, .size = sizeof(struct labyrinth_give) };
FIXTURE_VARIANT_ADD(command, take) {
	.number = LABYRINTH_TAKE, .size = sizeof(struct labyrinth_take) };

FIXTURE_SETUP(command)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_acquire(self->fd, 2, self->own);
	self->area = mmap(NULL, 3 * self->page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->area);
	ASSERT_EQ(0, munmap(self->area + 2 * self->page, self->page));
	self->good.head[0] = variant->size;
	switch (variant->number) {
	case LABYRINTH_ACQUIRE:
		self->good.acquire.count = 1;
		self->good.acquire.buffers = (uintptr_t)&self->acquired;
		break;
	case LABYRINTH_RELEASE:
		self->good.release.count = 1;
		self->good.release.handles = (uintptr_t)&self->own[0].handle;
		break;
	case LABYRINTH_COPY:
		self->good.copy.src_handle = self->own[0].handle;
		self->good.copy.dst_handle = self->own[1].handle;
		self->good.copy.length = 1;
		break;
	case LABYRINTH_GIVE:
		self->good.give.count = 1;
		self->good.give.handles = (uintptr_t)&self->own[0].handle;
		break;
	case LABYRINTH_TAKE:
		self->good.take.ticket_fd = test_give(self->fd, 1, self->own);
		self->good.take.count = 1;
		self->good.take.buffers = (uintptr_t)&self->acquired;
		break;
	}
	test_stat(self->fd, &self->before);
}

FIXTURE_TEARDOWN(command)
{
	close(self->fd);
}

/* The good command, said to be size bytes long, at the given place. */
#define put_command(place, bytes)					\
({									\
	__u32 _size = (bytes);						\
									\
	memcpy(place, &self->good, variant->size);			\
	memcpy(place, &_size, sizeof(_size));				\
	(void *)(place);						\
})

TEST_F(command, one_byte_short_is_einval)
{
	static const __u32 sizes[] = { 0, 1, 4, 8 };
	unsigned int i;

	EXPECT_ERRNO(EINVAL, ioctl(self->fd, variant->number,
				   put_command(self->area, variant->size - 1)));
	for (i = 0; i < ARRAY_COUNT(sizes); i++)
		EXPECT_ERRNO(EINVAL, ioctl(self->fd, variant->number,
					   put_command(self->area, sizes[i])));
	test_unchanged(self->fd, &self->before);
}

TEST_F(command, nonzero_tail_is_e2big)
{
	void *cmd = put_command(self->area, variant->size + 9);

	self->area[variant->size + 8] = 1;
	EXPECT_ERRNO(E2BIG, ioctl(self->fd, variant->number, cmd));
	self->area[variant->size + 8] = 0;
	self->area[variant->size] = 1;
	EXPECT_ERRNO(E2BIG, ioctl(self->fd, variant->number, cmd));
	test_unchanged(self->fd, &self->before);
}

TEST_F(command, zero_tail_works_and_stays_untouched)
{
	void *cmd = put_command(self->area, variant->size + 16);

	/* Past the size it said, nothing is looked at nor written to. */
	memset(self->area + variant->size + 16, 0x5a, 16);
	ASSERT_EQ(0, ioctl(self->fd, variant->number, cmd));
	EXPECT_TRUE(all_bytes_are(self->area + variant->size, 16, 0));
	EXPECT_TRUE(all_bytes_are(self->area + variant->size + 16, 16, 0x5a));
}

TEST_F(command, whole_page_works_and_more_is_e2big)
{
	static const __u32 more[] = { 1U << 20, 1U << 30, ~0U };
	unsigned int i;

	EXPECT_ERRNO(E2BIG, ioctl(self->fd, variant->number,
				  put_command(self->area, self->page + 1)));
	for (i = 0; i < ARRAY_COUNT(more); i++)
		EXPECT_ERRNO(E2BIG, ioctl(self->fd, variant->number,
					  put_command(self->area, more[i])));
	test_unchanged(self->fd, &self->before);
	EXPECT_EQ(0, ioctl(self->fd, variant->number,
			   put_command(self->area, self->page)));
}

TEST_F(command, struct_at_the_end_of_a_mapped_page_works)
{
	char *place = self->area + 2 * self->page - variant->size;

	EXPECT_EQ(0, ioctl(self->fd, variant->number,
			   put_command(place, variant->size)));
}

TEST_F(command, bad_pointer_is_efault)
{
	char *end = self->area + 2 * self->page;
	char *place = end - variant->size;
	__u32 size = variant->size + 8;

	EXPECT_ERRNO(EFAULT, ioctl(self->fd, variant->number, NULL));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, variant->number, (void *)8));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, variant->number, end));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, variant->number, (void *)-4L));
	/* The size can be read, the rest cannot. */
	memcpy(end - 4, &size, sizeof(size));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, variant->number, end - 4));
	/* The struct can be read, the tail it claims to have cannot. */
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, variant->number,
				   put_command(place, size)));
	test_unchanged(self->fd, &self->before);
}

TEST_F(command, unknown_flag_is_eopnotsupp)
{
	unsigned int bit;

	for (bit = 3; bit < 32; bit++) {
		self->good.head[1] = 1U << bit;
		EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->fd, variant->number,
					       put_command(self->area, variant->size)));
	}
	/* It comes after a bad size and before a bad field. */
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, variant->number,
				   put_command(self->area, variant->size - 1)));
	self->area[variant->size] = 1;
	EXPECT_ERRNO(E2BIG, ioctl(self->fd, variant->number,
				  put_command(self->area, variant->size + 1)));
	memset(&self->good, 0xff, sizeof(self->good));
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->fd, variant->number,
				       put_command(self->area, variant->size)));
	test_unchanged(self->fd, &self->before);
}

FIXTURE(abi)
{
	int fd;
	struct labyrinth_info info;
	struct labyrinth_stat before;
};

FIXTURE_SETUP(abi)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_info(self->fd, &self->info);
	test_stat(self->fd, &self->before);
}

FIXTURE_TEARDOWN(abi)
{
	close(self->fd);
}

TEST_F(abi, unknown_ioctl_is_enotty)
{
	char zeroes[64] = "";
	unsigned int number;

	for (number = 7; number < 256; number++)
		EXPECT_ERRNO(ENOTTY, ioctl(self->fd, _IO(LABYRINTH_TYPE, number), zeroes));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, _IO(0xec, 0), zeroes));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, _IOWR(LABYRINTH_TYPE, 0, __u64), zeroes));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, 0x5401, zeroes));
	/* Before the pointer is looked at. */
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, _IO(LABYRINTH_TYPE, 0x7f), NULL));
	test_unchanged(self->fd, &self->before);
}

TEST_F(abi, ioctls_without_their_capability_are_enotty)
{
	struct labyrinth_give give = { .size = sizeof(give) };
	struct labyrinth_take take = { .size = sizeof(take) };
	/* With it, the zeroed structs are known, and wrong. */
	int error = self->info.capabilities & LABYRINTH_CAP_TICKETS ? EINVAL : ENOTTY;

	EXPECT_ERRNO(error, ioctl(self->fd, LABYRINTH_GIVE, &give));
	EXPECT_ERRNO(error, ioctl(self->fd, LABYRINTH_TAKE, &take));
}

TEST_F(abi, flags_without_their_capability_are_eopnotsupp)
{
	struct labyrinth_copy copy = {
		.size = sizeof(copy),
		.flags = LABYRINTH_COPY_FENCE,
	};
	struct labyrinth_buffer buffer;
	bool populate = self->info.capabilities & LABYRINTH_CAP_POPULATE;
	bool fence = self->info.capabilities & LABYRINTH_CAP_FENCE;

	/* With it, an arena_addr of 0 or a length of 0 is wrong. */
	test_err_acquire(populate ? EINVAL : EOPNOTSUPP, self->fd,
			 LABYRINTH_ACQUIRE_POPULATE, 1, &buffer);
	EXPECT_ERRNO(fence ? EINVAL : EOPNOTSUPP,
		     ioctl(self->fd, LABYRINTH_COPY, &copy));
	test_unchanged(self->fd, &self->before);
}

TEST_F(abi, reserved_fields_must_be_zero)
{
	struct labyrinth_buffer buffers[2];
	struct labyrinth_acquire acquire = {
		.size = sizeof(acquire),
		.count = 1,
		.buffers = (uintptr_t)buffers,
		.reserved = 1,
	};
	struct labyrinth_release release = {
		.size = sizeof(release),
		.count = 1,
		.reserved = 1,
	};

	EXPECT_ERRNO(EINVAL, ioctl(self->fd, LABYRINTH_ACQUIRE, &acquire));
	acquire.reserved = 0;
	acquire.arena_addr = 4096;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, LABYRINTH_ACQUIRE, &acquire));
	test_unchanged(self->fd, &self->before);
	test_acquire(self->fd, 1, buffers);
	release.handles = (uintptr_t)&buffers[0].handle;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, LABYRINTH_RELEASE, &release));
	/* A field that must be zero comes before a handle that is stale. */
	buffers[1].handle = 0;
	release.handles = (uintptr_t)&buffers[1].handle;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, LABYRINTH_RELEASE, &release));
	release.reserved = 0;
	EXPECT_ERRNO(ENOENT, ioctl(self->fd, LABYRINTH_RELEASE, &release));
	EXPECT_EQ(1, stat_value(self->fd, charged));
}

TEST_F(abi, info_tells_what_the_contract_promises)
{
	const struct labyrinth_info *info = &self->info;

	EXPECT_EQ(sizeof(*info), info->size);
	EXPECT_EQ(0, info->flags);
	EXPECT_EQ(LABYRINTH_ABI_VERSION, info->abi_version);
	EXPECT_EQ(page_size(), info->page_size);
	EXPECT_TRUE(info->capabilities & LABYRINTH_CAP_COPY);
	EXPECT_TRUE(info->capabilities & LABYRINTH_CAP_PARTIAL);
	EXPECT_EQ(0, info->capabilities >> 8);
	EXPECT_GE(256ULL << 20, info->arena_length);
	EXPECT_EQ(0, info->arena_length % info->page_size);
	/* Room for every page and the guard behind it. */
	EXPECT_LE(2ULL * info->max_pages * info->page_size, info->arena_length);
	EXPECT_LE(info->page_size, info->max_copy);
	EXPECT_LT(0, info->copy_depth);
	EXPECT_LT(0, info->copy_chunk);
	EXPECT_GE(4095, info->copy_chunk);
	EXPECT_LT(0, info->max_batch);
	EXPECT_LT(0, info->max_request);
	EXPECT_GE(info->max_pages, info->max_request);
	EXPECT_LT(0, info->file_quota);
	EXPECT_GE(info->max_pages, info->file_quota);
	EXPECT_EQ(info->max_pages, self->before.max);
}

/* A program compiled long ago, which knows nothing but these numbers. */
TEST_F(abi, old_binary_still_works)
{
	union {
		__u32 words[18];
		__u64 longs[9];
	} info = { .words[0] = 72 };
	union {
		__u32 words[78];
		__u64 longs[39];
	} stat = { .words[0] = 312 };
	union {
		__u32 words[12];
		__u64 longs[6];
	} acquire = { .words[0] = 48, .words[2] = 2 };
	union {
		__u32 words[6];
		__u64 longs[3];
	} release = { .words[0] = 24, .words[2] = 2 };
	__u64 buffers[2][4], handles[2];

	ASSERT_EQ(0, ioctl(self->fd, 0xed00, &info));
	EXPECT_EQ(page_size(), info.words[3]);
	EXPECT_EQ(self->info.arena_length, info.longs[3]);
	EXPECT_EQ(self->info.max_batch, info.words[12]);
	acquire.longs[2] = (uintptr_t)buffers;
	ASSERT_EQ(0, ioctl(self->fd, 0xed02, &acquire));
	EXPECT_EQ(2, acquire.words[10]);
	EXPECT_EQ(page_size(), buffers[1][2]);
	EXPECT_EQ(0, buffers[1][3]);
	ASSERT_EQ(0, ioctl(self->fd, 0xed01, &stat));
	EXPECT_EQ(2, stat.longs[3]);
	EXPECT_EQ(2, stat.longs[8]);
	EXPECT_EQ(self->before.acquired + 2, stat.longs[14]);
	handles[0] = buffers[0][0];
	handles[1] = buffers[1][0];
	release.longs[2] = (uintptr_t)handles;
	ASSERT_EQ(0, ioctl(self->fd, 0xed03, &release));
	ASSERT_EQ(0, ioctl(self->fd, 0xed01, &stat));
	EXPECT_EQ(0, stat.longs[3]);
}

TEST_F(abi, fdinfo_shows_what_the_file_owns_and_is_charged)
{
	struct labyrinth_buffer buffers[37];
	bool owned = false, charged = false;
	char path[64], line[128];
	FILE *file;

	test_acquire(self->fd, 37, buffers);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->fd);
	file = fopen(path, "r");
	ASSERT_NE(NULL, file);
	while (fgets(line, sizeof(line), file)) {
		bool number = strstr(line, "37");

		owned |= number && strstr(line, "owned");
		charged |= number && strstr(line, "charged");
	}
	fclose(file);
	EXPECT_TRUE(owned);
	EXPECT_TRUE(charged);
}

TEST_HARNESS_MAIN
