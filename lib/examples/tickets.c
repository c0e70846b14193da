// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A producer and a consumer, in two processes. The producer fills pages and gives them
 * away in tickets; the consumer takes them. Nothing is copied: what goes over the socket
 * is the right to the pages.
 *
 * cc tickets.c $(pkg-config --cflags --libs liblabyrinth)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <labyrinth.h>

#define TICKETS	8
#define PAGES	4			/* in each */

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, labyrinth_strerror());
	exit(1);
}

static void fail_system(const char *what)
{
	perror(what);
	exit(1);
}

/* A descriptor travels beside at least one byte. */
static void send_ticket(int channel, int ticket)
{
	char byte = 0, space[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &ticket, sizeof(ticket));
	if (sendmsg(channel, &message, MSG_NOSIGNAL) < 0)
		fail_system("send");
}

/* Returns the ticket, or -1 when the producer has sent its last. */
static int receive_ticket(int channel)
{
	char byte, space[CMSG_SPACE(sizeof(int))];
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	ssize_t count = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header;
	int ticket;

	if (count < 0)
		fail_system("receive");
	header = count ? CMSG_FIRSTHDR(&message) : NULL;
	if (!header)
		return -1;
	memcpy(&ticket, CMSG_DATA(header), sizeof(ticket));
	return ticket;
}

static void produce(int channel)
{
	struct labyrinth_device *dev = labyrinth_device_open_number(0);
	struct labyrinth_buf *page[PAGES];
	int number, i, ticket;

	if (!dev)
		fail("producer");
	for (number = 0; number < TICKETS; number++) {
		if (labyrinth_bufs_acquire(dev, PAGES, NULL, page) < 0)
			fail("acquire");
		for (i = 0; i < PAGES; i++)
			memset(labyrinth_buf_data(page[i]), '0' + number,
			       labyrinth_buf_size(page[i]));
		/* From here on, this process can neither read nor write them. */
		ticket = labyrinth_bufs_give(page, PAGES);
		if (ticket < 0)
			fail("give");
		send_ticket(channel, ticket);
		close(ticket);
	}
	labyrinth_device_close(dev);
}

static void check(const char *data, size_t size, char expected)
{
	size_t at;

	for (at = 0; at < size; at++) {
		if (data[at] != expected) {
			fprintf(stderr, "byte %zu is '%c', not '%c'\n", at, data[at], expected);
			exit(1);
		}
	}
}

static void consume(int channel)
{
	struct labyrinth_device *dev = labyrinth_device_open_number(0);
	struct labyrinth_buf *page[PAGES];
	int ticket, count, i, tickets = 0, pages = 0;

	if (!dev)
		fail("consumer");
	for (; (ticket = receive_ticket(channel)) >= 0; tickets++) {
		count = labyrinth_bufs_take(dev, ticket, page, PAGES);
		if (count < 0)
			fail("take");
		close(ticket);
		for (i = 0; i < count; i++, pages++)
			check(labyrinth_buf_data(page[i]), labyrinth_buf_size(page[i]),
			      '0' + tickets);
		if (labyrinth_bufs_release(page, count))
			fail("release");
	}
	printf("%d pages came in %d tickets, as they were given\n", pages, tickets);
	labyrinth_device_close(dev);
}

int main(void)
{
	int channel[2], status;
	pid_t consumer;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel))
		fail_system("socketpair");
	/* Before the device is opened: a child could not use what its parent has opened. */
	consumer = fork();
	if (consumer < 0)
		fail_system("fork");
	if (!consumer) {
		close(channel[0]);
		consume(channel[1]);
		return 0;
	}
	close(channel[1]);
	produce(channel[0]);
	close(channel[0]);
	if (waitpid(consumer, &status, 0) < 0)
		fail_system("wait");
	return status ? 1 : 0;
}
