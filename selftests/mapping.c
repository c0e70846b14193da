// SPDX-License-Identifier: GPL-2.0
/* What mmap allows, what it refuses, and what a mapping shows. */
#include <linux/userfaultfd.h>
#include <sys/personality.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "labyrinth_fault.h"
#include "labyrinth_peer.h"

#define RW	(PROT_READ | PROT_WRITE)

/* Younger than the headers of some systems. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY	1
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC	0x8000
#endif

FIXTURE(mapping)
{
	int fd;
	size_t page;
	struct labyrinth_info info;
	struct labyrinth_buffer buffers[4];
};

FIXTURE_SETUP(mapping)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_info(self->fd, &self->info);
	test_acquire(self->fd, 4, self->buffers);
	fault_catch();
}

FIXTURE_TEARDOWN(mapping)
{
	close(self->fd);
}

TEST_F(mapping, all_mappings_of_a_page_show_the_same_bytes)
{
	char *arena = test_map_arena(self->fd, &self->info);
	char *again = test_map_arena(self->fd, &self->info);
	int i;

	for (i = 0; i < 4; i++) {
		char *alone = test_map_buffer(self->fd, &self->buffers[i]);
		char *in_arena = arena + self->buffers[i].offset;

		pattern_fill(alone, self->page, i);
		EXPECT_TRUE(pattern_matches(in_arena, self->page, i));
		EXPECT_TRUE(pattern_matches(again + self->buffers[i].offset,
					    self->page, i));
		in_arena[17] = 'x';
		EXPECT_EQ('x', alone[17]);
	}
}

TEST_F(mapping, bytes_stay_when_nothing_maps_them)
{
	char *map = test_map_buffer(self->fd, &self->buffers[0]);

	pattern_fill(map, self->page, 5);
	ASSERT_EQ(0, munmap(map, self->page));
	map = test_map_buffer(self->fd, &self->buffers[0]);
	EXPECT_TRUE(pattern_matches(map, self->page, 5));
}

TEST_F(mapping, whole_arena_can_be_mapped_without_owning_anything)
{
	int other = raw_open(0, O_RDWR);
	char *arena = test_map_arena(other, &self->info);

	test_sigbus(arena);
	test_sigbus(arena + self->info.arena_length - 1);
}

TEST_F(mapping, arena_shows_exactly_the_owned_pages)
{
	char *arena = test_map_arena(self->fd, &self->info);
	__u64 offset;
	int shown = 0;

	for (offset = 0; offset < self->info.arena_length; offset += self->page)
		shown += !touch(arena + offset, TOUCH_READ);
	EXPECT_EQ(4, shown);
	for (shown = 0; shown < 4; shown++)
		test_touch(arena + self->buffers[shown].offset);
}

TEST_F(mapping, page_behind_each_buffer_is_a_guard)
{
	char *arena = test_map_arena(self->fd, &self->info);
	struct labyrinth_buffer many[64];
	int i;

	test_acquire(self->fd, 64, many);
	for (i = 0; i < 64; i++) {
		test_touch(arena + many[i].offset + many[i].length - 1);
		if (many[i].offset + many[i].length < self->info.arena_length)
			test_sigbus(arena + many[i].offset + many[i].length);
	}
}

TEST_F(mapping, page_acquired_later_appears_in_an_older_arena_mapping)
{
	char *arena = test_map_arena(self->fd, &self->info);
	struct labyrinth_buffer later;

	test_acquire(self->fd, 1, &later);
	test_touch(arena + later.offset);
}

TEST_F(mapping, unmapping_part_of_the_arena_keeps_the_rest)
{
	char *arena = test_map_arena(self->fd, &self->info);
	char *page = arena + self->buffers[0].offset;

	test_touch(page);
	ASSERT_EQ(0, munmap(page, self->page));
	EXPECT_EQ(SIGSEGV, touch(page, TOUCH_READ));
	test_touch(arena + self->buffers[1].offset);
}

TEST_F(mapping, syscall_buffer_in_an_unowned_page_is_efault)
{
	char *arena = test_map_arena(self->fd, &self->info);
	char *owned = arena + self->buffers[0].offset;
	int pipefd[2];

	ASSERT_EQ(0, pipe(pipefd));
	memcpy(owned, "owned", sizeof("owned"));
	EXPECT_EQ(6, write(pipefd[1], owned, 6));
	EXPECT_EQ(6, read(pipefd[0], owned + 100, 6));
	EXPECT_STREQ("owned", owned + 100);
	EXPECT_ERRNO(EFAULT, write(pipefd[1], owned + self->page, 6));
	EXPECT_EQ(6, write(pipefd[1], "again", 6));
	EXPECT_ERRNO(EFAULT, read(pipefd[0], owned + self->page, 6));
}

TEST_F(mapping, read_only_file_maps_read_only)
{
	int fd = raw_open(0, O_RDONLY);
	struct labyrinth_buffer buffer;
	char *map;

	test_acquire(fd, 1, &buffer);
	map = test_map(fd, PROT_READ, buffer.length, buffer.offset);
	EXPECT_TRUE(all_bytes_are(map, self->page, 0));
	EXPECT_EQ(SIGSEGV, touch(map, TOUCH_WRITE));
	test_err_map(EACCES, fd, RW, buffer.length, buffer.offset);
	test_err_map(EACCES, fd, RW, self->info.arena_length, 0);
	EXPECT_ERRNO(EACCES, mprotect(map, self->page, RW));
	map = test_map(fd, PROT_READ, self->info.arena_length, 0);
	EXPECT_EQ(0, touch(map + buffer.offset, TOUCH_READ));
	EXPECT_ERRNO(EACCES, mprotect(map, self->page, RW));
}

TEST_F(mapping, write_only_open_is_einval)
{
	EXPECT_ERRNO(EINVAL, raw_open(0, O_WRONLY));
}

TEST_F(mapping, unaligned_offset_is_einval)
{
	test_err_map(EINVAL, self->fd, RW, self->page, self->buffers[0].offset + 1);
	test_err_map(EINVAL, self->fd, RW, self->info.arena_length, self->page / 2);
}

TEST_F(mapping, length_is_rounded_to_the_page_of_the_buffer)
{
	char *map = test_map(self->fd, RW, 1, self->buffers[0].offset);

	test_touch(map + self->page - 1);
}

/* Shows its parent where readable memory is, and where an owned page is mapped. */
static void show_memory(struct __test_metadata *_metadata, struct peer *peer)
{
	int fd = raw_open(0, O_RDWR);
	struct labyrinth_buffer buffer;
	char public[8] = "public";
	__u64 end;
	char *map;

	test_acquire(fd, 1, &buffer);
	map = test_map_buffer(fd, &buffer);
	memcpy(map, "secret", sizeof("secret"));
	test_peer_send(peer, (uintptr_t)map);
	test_peer_send(peer, (uintptr_t)public);
	peer_receive(peer, &end, NULL);
}

TEST_F(mapping, ptrace_and_proc_mem_cannot_read_a_page)
{
	struct iovec local, remote;
	uintptr_t secret, public;
	char bytes[8] = "";
	struct peer peer;
	char path[32];
	int mem;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		show_memory(_metadata, &peer);
		test_child_exit();
	}
	secret = test_peer_receive(&peer);
	public = test_peer_receive(&peer);
	snprintf(path, sizeof(path), "/proc/%d/mem", peer.pid);
	mem = open(path, O_RDONLY);
	ASSERT_LE(0, mem);
	/* Reading as such is allowed. */
	EXPECT_EQ(7, pread(mem, bytes, 7, public));
	EXPECT_STREQ("public", bytes);
	EXPECT_ERRNO(EIO, pread(mem, bytes, 7, secret));
	local = (struct iovec){ .iov_base = bytes, .iov_len = 7 };
	remote = (struct iovec){ .iov_base = (void *)secret, .iov_len = 7 };
	EXPECT_ERRNO(EFAULT, process_vm_readv(peer.pid, &local, 1, &remote, 1, 0));
	EXPECT_STREQ("public", bytes);
	test_peer_join(&peer);
}

/* Both forms of mapping must obey these. */
FIXTURE(form)
{
	int fd;
	size_t page;
	__u64 offset;
	__u64 length;
	__u64 in_map;	/* where the owned page is in the mapping */
	struct labyrinth_buffer buffer;
};

FIXTURE_VARIANT(form)
{
	bool arena;
};

FIXTURE_VARIANT_ADD(form, arena) { .arena = true };
FIXTURE_VARIANT_ADD(form, buffer) { .arena = false };

FIXTURE_SETUP(form)
{
	struct labyrinth_info info;

	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_info(self->fd, &info);
	test_acquire(self->fd, 1, &self->buffer);
	self->offset = variant->arena ? 0 : self->buffer.offset;
	self->length = variant->arena ? info.arena_length : self->buffer.length;
	self->in_map = self->buffer.offset - self->offset;
	fault_catch();
}

FIXTURE_TEARDOWN(form)
{
	close(self->fd);
}

TEST_F(form, private_mapping_is_einval)
{
	void *map = mmap(NULL, self->length, PROT_READ, MAP_PRIVATE, self->fd,
			 (off_t)self->offset);

	EXPECT_EQ(MAP_FAILED, map);
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, self->length, RW, MAP_PRIVATE, self->fd,
				   (off_t)self->offset));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(form, executable_mapping_is_eacces)
{
	struct statvfs dev;

	ASSERT_EQ(0, fstatvfs(self->fd, &dev));
	if (dev.f_flag & ST_NOEXEC)
		SKIP(return, "/dev is noexec: the kernel itself refuses");
	test_err_map(EACCES, self->fd, PROT_READ | PROT_EXEC, self->length,
		     self->offset);
	test_err_map(EACCES, self->fd, RW | PROT_EXEC, self->length, self->offset);
}

TEST_F(form, mapping_under_read_implies_exec_is_eacces)
{
	struct statvfs dev;

	ASSERT_EQ(0, fstatvfs(self->fd, &dev));
	if (dev.f_flag & ST_NOEXEC)
		SKIP(return, "/dev is noexec: READ_IMPLIES_EXEC does nothing there");
	ASSERT_NE(-1, personality(READ_IMPLIES_EXEC));
	test_err_map(EACCES, self->fd, PROT_READ, self->length, self->offset);
}

TEST_F(form, mapping_cannot_be_made_executable)
{
	char *map = test_map(self->fd, RW, self->length, self->offset);

	EXPECT_ERRNO(EACCES, mprotect(map, self->page, PROT_READ | PROT_EXEC));
	EXPECT_ERRNO(EACCES, mprotect(map + self->in_map, self->page, RW | PROT_EXEC));
	test_touch(map + self->in_map);
}

TEST_F(form, mapping_cannot_be_moved)
{
	char *map = test_map(self->fd, RW, self->length, self->offset);
	void *target = mmap(NULL, self->length, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, target);
	EXPECT_EQ(MAP_FAILED, mremap(map, self->length, self->length,
				     MREMAP_MAYMOVE | MREMAP_FIXED, target));
	EXPECT_EQ(MAP_FAILED, mremap(map + self->in_map, self->page, self->page,
				     MREMAP_MAYMOVE | MREMAP_FIXED, target));
}

TEST_F(form, mapping_cannot_grow)
{
	char *map = test_map(self->fd, RW, self->length, self->offset);

	EXPECT_EQ(MAP_FAILED, mremap(map, self->length, self->length + self->page,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(map, self->length, self->length + self->page, 0));
	test_touch(map + self->in_map);
}

/*
 * It would leave markers in page tables, where vmf_insert_pfn() inserts nothing: an access
 * would be tried for ever, by a system call even if its process has been killed. From 6.7 on
 * kernels allowed that of any mapping, until they were mended.
 */
TEST_F(form, mapping_is_refused_to_userfaultfd)
{
	static const __u64 features[] = { 0, UFFD_FEATURE_WP_ASYNC };
	static const __u64 modes[] = {
		UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP,
	};
	char *map = test_map(self->fd, RW, self->length, self->offset);
	unsigned int i;

	for (i = 0; i < 4; i++) {
		struct uffdio_api api = { .api = UFFD_API, .features = features[i / 2] };
		struct uffdio_register range = {
			.range = { .start = (uintptr_t)map, .len = self->length },
			.mode = modes[i % 2],
		};
		int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

		if (uffd < 0)
			SKIP_REST(return, "no userfaultfd in this kernel");
		/* Without the feature, there is nothing to be refused. */
		if (!ioctl(uffd, UFFDIO_API, &api))
			EXPECT_ERRNO(EINVAL, ioctl(uffd, UFFDIO_REGISTER, &range));
		close(uffd);
	}
}

TEST_F(form, core_dumps_skip_the_mapping)
{
	char *map = test_map(self->fd, RW, self->length, self->offset);
	FILE *smaps = fopen("/proc/self/smaps", "r");
	bool inside = false, found = false;
	char line[512];

	ASSERT_NE(NULL, smaps);
	while (fgets(line, sizeof(line), smaps)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start == (uintptr_t)map;
		if (inside && !strncmp(line, "VmFlags:", 8)) {
			found = true;
			EXPECT_NE(NULL, strstr(line, " dd"));
			/* No MAYEXEC either: mprotect cannot add what is missing. */
			EXPECT_EQ(NULL, strstr(line, " me"));
		}
	}
	fclose(smaps);
	EXPECT_TRUE(found);
}

/* Ranges that are neither the whole arena nor inside one owned buffer. */
FIXTURE(outside)
{
	int fd;
	struct labyrinth_info info;
	struct labyrinth_buffer buffer;
};

/* In pages; the offset counts from the base. */
FIXTURE_VARIANT(outside)
{
	enum { FROM_START, FROM_BUFFER, FROM_END } base;
	int offset;
	unsigned int length;	/* 0: the arena's */
	bool release;
};

FIXTURE_VARIANT_ADD(outside, two_pages_at_the_start) {
	.base = FROM_START, .length = 2 };
FIXTURE_VARIANT_ADD(outside, arena_shifted_by_a_page) {
	.base = FROM_START, .offset = 1 };
FIXTURE_VARIANT_ADD(outside, guard_page) {
	.base = FROM_BUFFER, .offset = 1, .length = 1 };
FIXTURE_VARIANT_ADD(outside, buffer_and_guard_page) {
	.base = FROM_BUFFER, .length = 2 };
FIXTURE_VARIANT_ADD(outside, buffer_and_its_neighbour) {
	.base = FROM_BUFFER, .length = 3 };
FIXTURE_VARIANT_ADD(outside, released_page) {
	.base = FROM_BUFFER, .length = 1, .release = true };
FIXTURE_VARIANT_ADD(outside, last_page_and_beyond) {
	.base = FROM_END, .offset = -1, .length = 2 };
FIXTURE_VARIANT_ADD(outside, first_page_past_the_end) {
	.base = FROM_END, .length = 1 };
FIXTURE_VARIANT_ADD(outside, far_past_the_end) {
	.base = FROM_END, .offset = 1 << 28, .length = 1 };

FIXTURE_SETUP(outside)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_info(self->fd, &self->info);
	test_acquire(self->fd, 1, &self->buffer);
}

FIXTURE_TEARDOWN(outside)
{
	close(self->fd);
}

TEST_F(outside, range_outside_one_owned_buffer_is_eacces)
{
	__s64 page = (__s64)page_size();
	__u64 length = variant->length ? variant->length * (__u64)page :
					 self->info.arena_length;
	__u64 offset = variant->offset * page;

	if (variant->base == FROM_BUFFER)
		offset += self->buffer.offset;
	else if (variant->base == FROM_END)
		offset += self->info.arena_length;
	if (variant->release)
		test_release(self->fd, 1, &self->buffer);
	test_err_map(EACCES, self->fd, PROT_READ, length, offset);
	test_err_map(EACCES, self->fd, RW, length, offset);
}

TEST_HARNESS_MAIN
