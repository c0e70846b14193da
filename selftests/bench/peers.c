// SPDX-License-Identifier: GPL-2.0
/*
 * What a user would take instead. Each is used as it is best used: a file that can be
 * kept open is, and udmabuf gets memory that has been there before.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-heap.h>
#include <linux/udmabuf.h>

#include "bench.h"
#include "peers.h"

/* What a bench_op needs: a batch is one buffer, or as many buffers of one page. */
struct peer {
	int fd;
	int memory;
	unsigned int count;
	int buffers[BENCH_MAX_BATCH];
};

int heap_open(void)
{
	int heap = open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC);

	if (heap < 0)
		bench_die("/dev/dma_heap/system: %m");
	return heap;
}

int heap_alloc(int heap, size_t length)
{
	struct dma_heap_allocation_data data = {
		.len = length,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	if (ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data))
		bench_die("DMA_HEAP_IOCTL_ALLOC: %m");
	return data.fd;
}

static void touch_pages(int fd, int flags, size_t length)
{
	char *map = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd, 0);
	size_t at;

	if (map == MAP_FAILED)
		bench_die("mapping %zu bytes of a peer: %m", length);
	for (at = 0; at < length; at += BENCH_PAGE)
		__atomic_store_n(map + at, 1, __ATOMIC_RELAXED);
	munmap(map, length);
}

void touch_mapped(int fd, size_t length)
{
	touch_pages(fd, MAP_SHARED, length);
}

static void heap_untouched(void *argument)
{
	struct peer *peer = argument;

	close(heap_alloc(peer->fd, BENCH_PAGE));
}

/* A bench_op. The argument is that of heap_open(). */
void heap_cycle(void *argument)
{
	int fd = heap_alloc(*(int *)argument, BENCH_PAGE);

	touch_mapped(fd, BENCH_PAGE);
	close(fd);
}

static void heap_pages(void *argument)
{
	struct peer *peer = argument;
	unsigned int i;

	for (i = 0; i < peer->count; i++) {
		peer->buffers[i] = heap_alloc(peer->fd, BENCH_PAGE);
		touch_mapped(peer->buffers[i], BENCH_PAGE);
	}
	for (i = 0; i < peer->count; i++)
		close(peer->buffers[i]);
}

static void heap_whole(void *argument)
{
	struct peer *peer = argument;
	int fd = heap_alloc(peer->fd, peer->count * BENCH_PAGE);

	touch_mapped(fd, peer->count * BENCH_PAGE);
	close(fd);
}

static int udmabuf_create(struct peer *peer, unsigned int page, unsigned int pages)
{
	struct udmabuf_create create = {
		.memfd = peer->memory,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.offset = page * BENCH_PAGE,
		.size = pages * BENCH_PAGE,
	};
	int fd = ioctl(peer->fd, UDMABUF_CREATE, &create);

	if (fd < 0)
		bench_die("UDMABUF_CREATE: %m");
	return fd;
}

static void udmabuf_pages(void *argument)
{
	struct peer *peer = argument;
	unsigned int i;

	for (i = 0; i < peer->count; i++) {
		peer->buffers[i] = udmabuf_create(peer, i, 1);
		touch_mapped(peer->buffers[i], BENCH_PAGE);
	}
	for (i = 0; i < peer->count; i++)
		close(peer->buffers[i]);
}

static void anonymous_whole(void *argument)
{
	struct peer *peer = argument;

	touch_pages(-1, MAP_PRIVATE | MAP_ANONYMOUS, peer->count * BENCH_PAGE);
}

static int memfd_open(unsigned int pages, unsigned int flags)
{
	int fd = memfd_create("bench", MFD_CLOEXEC | flags);

	if (fd < 0 || ftruncate(fd, pages * BENCH_PAGE))
		bench_die("memfd: %m");
	touch_mapped(fd, pages * BENCH_PAGE);
	return fd;
}

static void memfd_whole(void *argument)
{
	struct peer *peer = argument;

	close(memfd_open(peer->count, 0));
}

static void batches(const char *system, bench_op op, struct peer *peer)
{
	for (peer->count = 1; peer->count <= BENCH_MAX_BATCH; peer->count *= 2)
		bench_result("fault", system, peer->count,
			     bench_measure_times(op, peer, 1000) / peer->count);
}

static void udmabuf_open(struct peer *peer)
{
	peer->fd = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (peer->fd < 0)
		bench_die("/dev/udmabuf: %m");
	peer->memory = memfd_open(BENCH_MAX_BATCH, MFD_ALLOW_SEALING);
	if (fcntl(peer->memory, F_ADD_SEALS, F_SEAL_SHRINK))
		bench_die("F_SEAL_SHRINK: %m");
}

void bench_peers(int argc, char **argv)
{
	struct peer heap = { .fd = heap_open() }, udmabuf = {}, other = {};

	(void)argc;
	(void)argv;
	bench_result("acquire-release", "dma-heap", 1,
		     bench_measure(heap_untouched, &heap));
	batches("dma-heap", heap_pages, &heap);
	batches("dma-heap-whole", heap_whole, &heap);
	udmabuf_open(&udmabuf);
	batches("udmabuf", udmabuf_pages, &udmabuf);
	batches("anonymous", anonymous_whole, &other);
	batches("memfd", memfd_whole, &other);
	close(heap.fd);
	close(udmabuf.fd);
	close(udmabuf.memory);
}
