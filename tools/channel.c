// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The connection between `labyrinth send` and `labyrinth receive`.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel.h"

/* "labyrin", and the version of what is spoken. */
#define MAGIC		0x6c61627972696e01ULL
#define ACKNOWLEDGED	'\6'

static int set_address(struct sockaddr_un *address, const char *path)
{
	const size_t length = strlen(path);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (length >= sizeof(address->sun_path))
		return failed("%s is too long for the name of a socket: at most %zu bytes", path,
			      sizeof(address->sun_path) - 1);
	memcpy(address->sun_path, path, length + 1);
	return EXIT_DONE;
}

static int open_socket(int type, int *fd)
{
	*fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	return *fd < 0 ? failed("cannot make a socket: %s", strerror(errno)) : EXIT_DONE;
}

static int connect_failed(const char *path, int error)
{
	switch (error) {
	case ENOENT:
		return failed("there is no socket %s: start 'labyrinth receive' first", path);
	case ECONNREFUSED:
		return failed("nobody listens on %s: start 'labyrinth receive' first", path);
	case EPROTOTYPE:
		return failed("%s is not a socket of 'labyrinth receive'", path);
	case EACCES:
		return failed("may not connect to %s: it belongs to somebody else", path);
	case EINTR:
		return failed("stopped: nothing was sent");
	default:
		return failed("cannot connect to %s: %s", path, strerror(error));
	}
}

/* On failure too, channel_close() is due. */
int channel_connect(struct channel *channel, const char *path)
{
	struct sockaddr_un address;
	int code;

	*channel = (struct channel){ .path = path, .peer = "the receiver", .fd = -1 };
	code = set_address(&address, path);
	if (!code)
		code = open_socket(SOCK_STREAM, &channel->fd);
	if (!code && connect(channel->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		code = connect_failed(path, errno);
	return code;
}

/* A datagram socket cannot connect to ours, but is told whether somebody has it open. */
static bool is_abandoned(const struct sockaddr_un *address)
{
	bool abandoned;
	int fd;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	abandoned = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
		    errno == ECONNREFUSED;
	close(fd);
	return abandoned;
}

static int bind_failed(const char *path, int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return failed("cannot make %s: there is no such directory, make it first", path);
	case EACCES:
	case EROFS:
		return failed("cannot make %s: may not create files there (%s)", path,
			      strerror(error));
	default:
		return failed("cannot make %s: %s", path, strerror(error));
	}
}

/* For its owner alone: whoever can connect decides what is received. */
static int bind_private(int fd, const struct sockaddr_un *address)
{
	mode_t mask = umask(0077);
	int result = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	int error = errno;

	umask(mask);
	errno = error;
	return result;
}

/* A socket that a killed receiver has left is replaced; nothing else is. */
static int bind_socket(int fd, const char *path, const struct sockaddr_un *address)
{
	struct stat node;

	if (!bind_private(fd, address))
		return EXIT_DONE;
	if (errno != EADDRINUSE)
		return bind_failed(path, errno);
	if (lstat(path, &node) < 0)
		return bind_failed(path, errno);
	if (!S_ISSOCK(node.st_mode))
		return failed("%s is there already, and not a socket: choose another name", path);
	if (!is_abandoned(address))
		return failed("%s is in use: somebody listens there already", path);
	if (unlink(path) < 0 || bind_private(fd, address) < 0)
		return bind_failed(path, errno);
	return EXIT_DONE;
}

static int listen_and_accept(struct channel *channel, int listener, bool quiet)
{
	if (listen(listener, 1) < 0)
		return failed("cannot listen on %s: %s", channel->path, strerror(errno));
	if (!quiet)
		note("waiting for 'labyrinth send %s'", channel->path);
	while (channel->fd < 0) {
		if (signals_stopped())
			return failed("stopped: nobody has sent anything");
		channel->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (channel->fd < 0 && errno != EINTR && errno != ECONNABORTED)
			return failed("cannot accept a sender on %s: %s", channel->path,
				      strerror(errno));
	}
	return EXIT_DONE;
}

/*
 * Waits for the one sender there will be: the socket is only there while it waits. On
 * failure too, channel_close() is due.
 */
int channel_accept(struct channel *channel, const char *path, bool quiet)
{
	struct sockaddr_un address;
	int code, listener;

	*channel = (struct channel){ .path = path, .peer = "the sender", .fd = -1 };
	code = set_address(&address, path);
	if (code)
		return code;
	code = open_socket(SOCK_STREAM, &listener);
	if (code)
		return code;
	code = bind_socket(listener, path, &address);
	if (!code) {
		code = listen_and_accept(channel, listener, quiet);
		unlink(path);
	}
	close(listener);
	return code;
}

void channel_close(struct channel *channel)
{
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
}

static int foreign(const struct channel *channel)
{
	return failed("who is at the other end of %s is not a labyrinth %s", channel->path,
		      strrchr(channel->peer, ' ') + 1);
}

static int transfer_failed(const struct channel *channel, int error)
{
	if (signals_stopped())
		return failed("stopped before the end");
	/* The pages in a ticket that was not taken yet are released when it goes. */
	if (!error || error == EPIPE || error == ECONNRESET)
		return failed("%s went away before the end", channel->peer);
	return failed("cannot talk to %s over %s: %s", channel->peer, channel->path,
		      strerror(error));
}

static ssize_t send_all(const struct channel *channel, const struct msghdr *header)
{
	ssize_t sent;

	/* So little is sent as a whole, or not at all. */
	do {
		sent = sendmsg(channel->fd, header, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR && !signals_stopped());
	return sent;
}

/* The ticket, if it is not negative, stays the caller's too. */
int channel_send(const struct channel *channel, struct channel_message *message, int ticket)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = {
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int)),
	} };
	struct iovec part = { .iov_base = message, .iov_len = sizeof(*message) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	message->magic = MAGIC;
	if (ticket >= 0) {
		memcpy(CMSG_DATA(&control.header), &ticket, sizeof(ticket));
		header.msg_control = &control;
		header.msg_controllen = sizeof(control.space);
	}
	if (send_all(channel, &header) != sizeof(*message))
		return transfer_failed(channel, errno);
	return EXIT_DONE;
}

static int get_descriptor(struct msghdr *header)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(header);
	int fd;

	if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS ||
	    control->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(control), sizeof(fd));
	return fd;
}

/* What is no digit would be printed. */
static bool is_sum(const char *sum)
{
	size_t i;

	for (i = 0; i < CHANNEL_SUM; i++)
		if (!sum[i] || !strchr("0123456789abcdef", sum[i]))
			return false;
	return true;
}

static bool is_well_formed(const struct channel_message *message, int ticket)
{
	if (message->magic != MAGIC || message->last > 1 || message->reserved)
		return false;
	if (message->last)
		return ticket < 0 && is_sum(message->sum);
	return ticket >= 0 && message->length;
}

/* The ticket belongs to the caller; it is -1 with the last message, and on failure. */
int channel_receive(const struct channel *channel, struct channel_message *message,
		    int *ticket)
{
	/* Room for one descriptor and no more, also where the alignment would leave some. */
	union {
		struct cmsghdr header;
		char space[CMSG_LEN(sizeof(int))];
	} control;
	struct iovec part = { .iov_base = message, .iov_len = sizeof(*message) };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	ssize_t got;

	*ticket = -1;
	do {
		got = recvmsg(channel->fd, &header, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR && !signals_stopped());
	if (got <= 0)
		return transfer_failed(channel, got < 0 ? errno : 0);
	*ticket = get_descriptor(&header);
	/* A message was sent as a whole, so it comes as one. */
	if (got == sizeof(*message) && !(header.msg_flags & MSG_CTRUNC) &&
	    is_well_formed(message, *ticket))
		return EXIT_DONE;
	if (*ticket >= 0)
		close(*ticket);
	*ticket = -1;
	return foreign(channel);
}

int channel_acknowledge(const struct channel *channel)
{
	char byte = ACKNOWLEDGED;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	return send_all(channel, &header) == 1 ? EXIT_DONE : transfer_failed(channel, errno);
}

int channel_await_acknowledgement(const struct channel *channel)
{
	ssize_t got;
	char byte;

	do {
		got = recv(channel->fd, &byte, 1, 0);
	} while (got < 0 && errno == EINTR && !signals_stopped());
	if (got <= 0)
		return transfer_failed(channel, got < 0 ? errno : 0);
	return byte == ACKNOWLEDGED ? EXIT_DONE : foreign(channel);
}

/* A device that has tickets. */
struct labyrinth_device *channel_select_device(const char *choice, int *code)
{
	struct labyrinth_device *dev = select_device(choice, code);
	struct labyrinth_info info;

	if (!dev)
		return NULL;
	if (labyrinth_device_info(dev, &info, sizeof(info)) < 0)
		*code = library_failed();
	else if (!(info.capabilities & LABYRINTH_CAP_TICKETS))
		*code = failed("the loaded module has no tickets: load a newer one");
	else
		return dev;
	labyrinth_device_close(dev);
	return NULL;
}
