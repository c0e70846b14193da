// SPDX-License-Identifier: GPL-2.0
/* What goes through the socket: a ticket, the file descriptors of dma-bufs, a byte. */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "passing.h"
#include "peers.h"

/* Room for the file descriptors of a batch, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(BENCH_MAX_BATCH * sizeof(int))];
};

static void send_fds(struct end *end, const int *fds, unsigned int count)
{
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	union control control = {};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	if (sendmsg(end->socket, &message, 0) != 1)
		bench_die("sendmsg: %m");
}

/* False at the end of the stream. */
static bool receive_fds(struct end *end, int *fds, unsigned int count)
{
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	union control control;
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(end->socket, &message, MSG_CMSG_CLOEXEC);

	if (!got)
		return false;
	if (got < 0 || control.header.cmsg_len != CMSG_LEN(count * sizeof(int)))
		bench_die("recvmsg: %m");
	memcpy(fds, CMSG_DATA(&control.header), count * sizeof(int));
	return true;
}

static void pages_open(struct end *end)
{
	device_open(&end->device, 0);
	batch_init(&end->batch, &end->device, 0, end->count, true);
}

static void pages_fill(struct end *end)
{
	batch_acquire(&end->batch);
	batch_touch(&end->batch);
}

static void pages_send(struct end *end)
{
	struct batch *batch = &end->batch;
	struct labyrinth_give give = {
		.size = sizeof(give),
		.count = batch->count,
		.handles = (uintptr_t)batch->handles,
	};
	unsigned int i;

	for (i = 0; i < batch->count; i++)
		batch->handles[i] = batch->buffers[batch->order[i]].handle;
	if (ioctl(batch->device->fd, LABYRINTH_GIVE, &give))
		bench_die("GIVE: %m");
	send_fds(end, &give.ticket_fd, 1);
	close(give.ticket_fd);
}

static bool pages_receive(struct end *end)
{
	struct batch *batch = &end->batch;
	struct labyrinth_take take = {
		.size = sizeof(take),
		.count = batch->count,
		.buffers = (uintptr_t)batch->buffers,
	};

	if (!receive_fds(end, &take.ticket_fd, 1))
		return false;
	if (ioctl(batch->device->fd, LABYRINTH_TAKE, &take))
		bench_die("TAKE: %m");
	close(take.ticket_fd);
	batch_touch(batch);
	return true;
}

static void pages_close(struct end *end)
{
	device_close(&end->device);
}

static void heap_fill(struct end *end)
{
	int heap = heap_open();
	unsigned int i;

	for (i = 0; i < end->count; i++)
		end->fds[i] = heap_alloc(heap, BENCH_PAGE);
	close(heap);
}

static void heap_close(struct end *end)
{
	unsigned int i;

	for (i = 0; i < end->count; i++)
		close(end->fds[i]);
}

static void heap_send(struct end *end)
{
	send_fds(end, end->fds, end->count);
	heap_close(end);
}

static bool heap_receive(struct end *end)
{
	unsigned int i;

	if (!receive_fds(end, end->fds, end->count))
		return false;
	for (i = 0; i < end->count; i++)
		touch_mapped(end->fds[i], BENCH_PAGE);
	return true;
}

static void no_pages(struct end *end)
{
	(void)end;
}

/* What the socket and the switch between the processes cost by themselves. */
static void byte_send(struct end *end)
{
	if (write(end->socket, "", 1) != 1)
		bench_die("write: %m");
}

static bool byte_receive(struct end *end)
{
	char byte;
	ssize_t got = read(end->socket, &byte, 1);

	if (!got)
		return false;
	if (got < 0)
		bench_die("read: %m");
	return true;
}

const struct system labyrinth_system = {
	"labyrinth", pages_open, pages_fill, pages_send, pages_receive, pages_close
};

const struct system heap_system = {
	"dma-heap", no_pages, heap_fill, heap_send, heap_receive, heap_close
};

const struct system byte_system = {
	"byte", no_pages, no_pages, byte_send, byte_receive, no_pages
};
